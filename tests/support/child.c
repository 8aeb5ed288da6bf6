#include "support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base.h"
#include "support/expect.h"

#define ARGUMENTS_MAX   8
#define ENVIRONMENT_MAX 64

extern char **environ;

static void make_pipe(int fds[2])
{
    assert_int_equal(pipe(fds), 0);
    assert_int_not_equal(fcntl(fds[0], F_SETFD, FD_CLOEXEC), -1);
    assert_int_not_equal(fcntl(fds[1], F_SETFD, FD_CLOEXEC), -1);
}

static bool is_for_tools(const char *entry)
{
    static const char *const prefixes[] = {
        "ASAN_OPTIONS=", "UBSAN_OPTIONS=",   "TSAN_OPTIONS=",
        "LSAN_OPTIONS=", "LD_LIBRARY_PATH=", "GCOV_"};

    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

static void fill_environment(char *out[ENVIRONMENT_MAX], const char *const *environment)
{
    size_t count = 0;

    for (; *environment != NULL && count < ENVIRONMENT_MAX - 1; environment++)
        out[count++] = (char *)*environment;
    for (char **entry = environ; *entry != NULL && count < ENVIRONMENT_MAX - 1; entry++) {
        if (is_for_tools(*entry))
            out[count++] = *entry;
    }
    out[count] = NULL;
}

static pid_t spawn(char *const argv[], char *const envp[], int output, int gate)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    /* The gate last: its number may be the one of `output`. */
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, gate, CHILD_GATE_FD), 0);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, envp), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

void child_start(struct child *child, const char *const *arguments,
                 const char *const *environment)
{
    char *argv[ARGUMENTS_MAX] = {(char *)"child", (char *)CHILD_MARK};
    char *envp[ENVIRONMENT_MAX];
    int output[2];
    int gate[2];

    for (size_t i = 2; *arguments != NULL && i < ARGUMENTS_MAX - 1; arguments++, i++)
        argv[i] = (char *)*arguments;
    fill_environment(envp, environment);
    make_pipe(output);
    make_pipe(gate);
    *child = (struct child){.output = output[0], .gate = gate[1]};
    child->pid = spawn(argv, envp, output[1], gate[0]);
    close(output[1]);
    close(gate[0]);
}

/* False at the end of the output, or when nothing came until then. */
static bool read_more(struct child *child, uint64_t deadline_us)
{
    struct pollfd waited = {.fd = child->output, .events = POLLIN};
    size_t room = sizeof child->text - 1 - child->size;

    if (room == 0 || poll(&waited, 1, (int)clock_left_ms(deadline_us)) <= 0)
        return false;

    ssize_t got = read(child->output, child->text + child->size, room);

    if (got <= 0)
        return false;
    child->size += (size_t)got;
    child->text[child->size] = '\0';
    return true;
}

void child_await_text(struct child *child, const char *text)
{
    uint64_t deadline_us = clock_deadline_ms(CHILD_WAIT_MS);

    while (strstr(child->text, text) == NULL) {
        if (!read_more(child, deadline_us))
            fail_msg("the child does not print '%s', but:\n%s", text, child->text);
    }
}

size_t child_count_text(const struct child *child, const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(child->text, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

bool child_find_word(const struct child *child, const char *key, char *out, size_t size)
{
    const char *found = NULL;

    for (const char *at = strstr(child->text, key); at != NULL; at = strstr(at + 1, key))
        found = at + strlen(key);
    if (found == NULL)
        return false;
    snprintf(out, size, "%.*s", (int)strcspn(found, " \n"), found);
    return true;
}

void child_signal(struct child *child, int number)
{
    assert_true(child->pid > 0);
    assert_int_equal(kill(child->pid, number), 0);
}

void child_open_gate(struct child *child)
{
    assert_int_equal(write(child->gate, "x", 1), 1);
}

int child_wait(struct child *child)
{
    uint64_t deadline_us = clock_deadline_ms(CHILD_WAIT_MS);
    int status = 0;

    while (read_more(child, deadline_us)) {}
    assert_eventually(waitpid(child->pid, &status, WNOHANG) == child->pid, CHILD_WAIT_MS);
    child->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void child_done(struct child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
    close(child->output);
    close(child->gate);
    child->pid = 0;
}
