/*
 * signals.h - signals of a daemon: blocked everywhere, waited for by the main thread.
 *
 * Threads: all functions but signals_wake belong to the main thread.
 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

enum signals_event {
    SIGNALS_END,    /* SIGTERM or SIGINT */
    SIGNALS_RELOAD, /* SIGHUP */
    SIGNALS_WOKEN,  /* signals_wake */
};

/* Before the first thread: block them, so that threads inherit that; ignore SIGPIPE. */
void signals_block(void);
/* Back to the default, for a command that runs instead of serving. */
void signals_unblock(void);

enum signals_event signals_wait(void);
/* Make signals_wait return. Any thread, also before it waits. */
void signals_wake(void);

/* From now on SIGTERM or SIGINT ends the process at once with 128 + its number. */
void signals_leave_at_next(void);

#endif /* DAEMON_SIGNALS_H */
