#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/thread.h"

struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool arrived;
    char name[16];
};

static void *arrive(void *argument)
{
    struct meeting *meeting = argument;

    mutex_lock(&meeting->mutex);
    prctl(PR_GET_NAME, meeting->name);
    meeting->arrived = true;
    condition_broadcast(&meeting->changed);
    mutex_unlock(&meeting->mutex);
    return NULL;
}

static void test_thread_start_names_the_thread_and_conditions_wake(void **state)
{
    (void)state;
    static struct meeting meeting;
    uint64_t deadline_us = clock_deadline_ms(30000);
    pthread_t thread;
    bool arrived;

    mutex_init(&meeting.mutex);
    condition_init(&meeting.changed);
    mutex_lock(&meeting.mutex);
    thread_start(&thread, "a-name-longer-than-fits", 0, arrive, &meeting);
    while (!meeting.arrived &&
           condition_wait_until(&meeting.changed, &meeting.mutex, deadline_us)) {}
    arrived = meeting.arrived;
    mutex_unlock(&meeting.mutex);
    thread_join(thread);

    assert_true(arrived);
    assert_string_equal(meeting.name, "a-name-longer-t");
    condition_done(&meeting.changed);
    mutex_done(&meeting.mutex);
}

static void *use_stack(void *argument)
{
    volatile char stack[2 * 1024 * 1024];

    for (size_t i = 0; i < sizeof(stack); i += 4096)
        stack[i] = 1;
    *(bool *)argument = stack[4096] == 1;
    return NULL;
}

static void test_thread_start_gives_the_stack_asked_for(void **state)
{
    (void)state;
    bool done = false;
    pthread_t thread;

    thread_start(&thread, "deep", (size_t)8 * 1024 * 1024 + 5, use_stack, &done);
    thread_join(thread);
    assert_true(done);
}

static void test_condition_wait_until_a_passed_deadline_is_false(void **state)
{
    (void)state;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    uint64_t deadline_us = clock_mono_us() + 2000;
    bool in_time = true;

    mutex_init(&mutex);
    condition_init(&condition);
    mutex_lock(&mutex);
    while (in_time)
        in_time = condition_wait_until(&condition, &mutex, deadline_us);
    mutex_unlock(&mutex);
    assert_true(clock_mono_us() >= deadline_us);
    condition_done(&condition);
    mutex_done(&mutex);
}

static void test_mutex_lock_twice_aborts(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        pthread_mutex_t mutex;

        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        mutex_init(&mutex);
        mutex_lock(&mutex);
        mutex_lock(&mutex);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_start_names_the_thread_and_conditions_wake),
        cmocka_unit_test(test_thread_start_gives_the_stack_asked_for),
        cmocka_unit_test(test_condition_wait_until_a_passed_deadline_is_false),
        cmocka_unit_test(test_mutex_lock_twice_aborts),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
