#include "core/thread.h"

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_MIN_BYTES ((size_t)1024 * 1024) /* sanitizers pad every frame */
#else
#define STACK_MIN_BYTES ((size_t)256 * 1024)
#endif

static void check(int error_number, const char *what)
{
    if (error_number != 0)
        log_abort(what, error_number);
}

void mutex_init(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;

    check(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init failed");
    /* A lock taken twice or given back by a stranger aborts instead of hanging. */
    check(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK),
          "pthread_mutexattr_settype failed");
    check(pthread_mutex_init(mutex, &attributes), "pthread_mutex_init failed");
    check(pthread_mutexattr_destroy(&attributes), "pthread_mutexattr_destroy failed");
}

void mutex_done(pthread_mutex_t *mutex)
{
    check(pthread_mutex_destroy(mutex), "pthread_mutex_destroy failed");
}

void mutex_lock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_lock(mutex), "pthread_mutex_lock failed");
}

void mutex_unlock(pthread_mutex_t *mutex)
{
    check(pthread_mutex_unlock(mutex), "pthread_mutex_unlock failed");
}

void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    check(pthread_condattr_init(&attributes), "pthread_condattr_init failed");
    check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC),
          "pthread_condattr_setclock failed");
    check(pthread_cond_init(condition, &attributes), "pthread_cond_init failed");
    check(pthread_condattr_destroy(&attributes), "pthread_condattr_destroy failed");
}

void condition_done(pthread_cond_t *condition)
{
    check(pthread_cond_destroy(condition), "pthread_cond_destroy failed");
}

void condition_signal(pthread_cond_t *condition)
{
    check(pthread_cond_signal(condition), "pthread_cond_signal failed");
}

void condition_broadcast(pthread_cond_t *condition)
{
    check(pthread_cond_broadcast(condition), "pthread_cond_broadcast failed");
}

void condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    check(pthread_cond_wait(condition, mutex), "pthread_cond_wait failed");
}

bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                          uint64_t deadline_us)
{
    struct timespec deadline = clock_timespec(deadline_us);
    int error_number = pthread_cond_timedwait(condition, mutex, &deadline);

    if (error_number == ETIMEDOUT)
        return false;
    check(error_number, "pthread_cond_timedwait failed");
    return true;
}

/* What a new thread must know before it can call `run`. */
struct launch {
    char name[16];
    void *(*run)(void *);
    void *argument;
};

static void *launch_run(void *context)
{
    struct launch launch = *(struct launch *)context;

    mem_free(context);
    prctl(PR_SET_NAME, launch.name);
    return launch.run(launch.argument);
}

void thread_start(pthread_t *thread, const char *name, size_t stack_bytes,
                  void *(*run)(void *), void *argument)
{
    struct launch *launch = mem_alloc(sizeof(*launch));
    pthread_attr_t attributes;

    snprintf(launch->name, sizeof(launch->name), "%s", name);
    launch->run = run;
    launch->argument = argument;
    check(pthread_attr_init(&attributes), "pthread_attr_init failed");
    check(pthread_attr_setstacksize(
              &attributes, stack_bytes > STACK_MIN_BYTES ? stack_bytes : STACK_MIN_BYTES),
          "pthread_attr_setstacksize failed");
    check(pthread_create(thread, &attributes, launch_run, launch), "pthread_create failed");
    check(pthread_attr_destroy(&attributes), "pthread_attr_destroy failed");
}

void thread_join(pthread_t thread)
{
    check(pthread_join(thread, NULL), "pthread_join failed");
}

void thread_pause_ms(uint64_t pause_ms)
{
    const struct timespec until = clock_timespec(clock_deadline_ms(pause_ms));

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {}
}
