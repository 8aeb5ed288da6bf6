/*
 * child.h - this test program once more, as a child: to test a life cycle from outside.
 *
 * The child's main sees CHILD_MARK as the first argument. What it prints, on both outputs,
 * is kept here; CHILD_GATE_FD is the reading end of a pipe that child_open_gate writes to.
 *
 * Threads: the test's own.
 */
#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILD_MARK      "--child"
#define CHILD_GATE_FD   3
#define CHILD_TEXT_SIZE 65536
#define CHILD_WAIT_MS   20000 /* no test waits longer for anything */

struct child {
    pid_t pid; /* 0 once it has ended */
    int output;
    int gate;
    size_t size;
    char text[CHILD_TEXT_SIZE]; /* so far, ended by NUL */
};

/* Arguments after the mark, and the whole environment (sanitizers' options are added), both
 * ended by NULL. Failures to start fail the test. */
void child_start(struct child *child, const char *const *arguments,
                 const char *const *environment);

/* Fail the test when `text` is not printed in time; how often it was. */
void child_await_text(struct child *child, const char *text);
size_t child_count_text(const struct child *child, const char *text);
/* The word behind the last `key`, such as "listen=", up to a blank. */
bool child_find_word(const struct child *child, const char *key, char *out, size_t size);

void child_signal(struct child *child, int number);
void child_open_gate(struct child *child); /* lets one reader through */

/* Wait for its end: the exit status, or 1000 + the signal that killed it. */
int child_wait(struct child *child);
/* Kill it when it still lives; free what it holds. */
void child_done(struct child *child);

#endif /* SUPPORT_CHILD_H */
