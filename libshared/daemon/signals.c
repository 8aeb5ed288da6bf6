#include "daemon/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "core/log.h"

#define WAKE_SIGNAL SIGUSR1

static void must(int error_number)
{
    if (error_number != 0)
        log_abort("signals", error_number);
}

static sigset_t ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

static sigset_t our_signals(void)
{
    sigset_t set = ending_signals();

    sigaddset(&set, SIGHUP);
    sigaddset(&set, WAKE_SIGNAL);
    return set;
}

void signals_block(void)
{
    sigset_t set = our_signals();

    must(pthread_sigmask(SIG_BLOCK, &set, NULL));
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        must(errno);
}

void signals_unblock(void)
{
    sigset_t set = our_signals();

    must(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
}

enum signals_event signals_wait(void)
{
    sigset_t set = our_signals();
    int number = 0;

    must(sigwait(&set, &number));
    switch (number) {
    case SIGHUP:
        return SIGNALS_RELOAD;
    case WAKE_SIGNAL:
        return SIGNALS_WOKEN;
    default:
        return SIGNALS_END;
    }
}

void signals_wake(void)
{
    if (kill(getpid(), WAKE_SIGNAL) != 0)
        must(errno);
}

static void leave(int number)
{
    _exit(128 + number);
}

void signals_leave_at_next(void)
{
    sigset_t set = ending_signals();
    struct sigaction action = {.sa_handler = leave};

    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0)
        must(errno);
    must(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
}
