#include "rpc/guard.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

#define PERIOD_MS        1000
#define CURE_AFTER       2 /* failures in a row */
#define GIVE_UP_AFTER    4
#define DESCRIPTOR_EVERY 10 /* probes */
#define EXIT_STATUS      70 /* EX_SOFTWARE: the supervisor starts us again */

struct rpc_guard {
    struct rpc_guard_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stopping;
    bool is_stopping;
};

static void give_up(const struct rpc_guard *guard, const char *why)
{
    log_event(LOG_ERROR, "listener cannot be cured",
              LOG_STR("listener", guard->options.name), LOG_STR("why", why));
    if (guard->options.on_failure == NULL)
        _exit(EXIT_STATUS);
    guard->options.on_failure(guard->options.failure_context);
}

/* False when the guard is to stop. */
static bool wait_period(struct rpc_guard *guard)
{
    uint64_t until_us = clock_deadline_ms(PERIOD_MS);
    bool is_stopping;

    mutex_lock(&guard->mutex);
    while (!guard->is_stopping &&
           condition_wait_until(&guard->stopping, &guard->mutex, until_us)) {}
    is_stopping = guard->is_stopping;
    mutex_unlock(&guard->mutex);
    return !is_stopping;
}

static bool descriptors_leak(void)
{
    struct rlimit limit;
    DIR *folder = opendir("/proc/self/fd");
    rlim_t count = 0;

    if (folder == NULL)
        return true; /* not even this one could be opened */
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           count >= limit.rlim_cur - limit.rlim_cur / 10;
}

/* Returns the failures in a row, this probe included. */
static unsigned check(struct rpc_guard *guard, unsigned failures)
{
    const struct rpc_guard_options *options = &guard->options;

    if (options->probe(options->context))
        return 0;
    failures++;
    log_event(LOG_WARN, "listener does not answer", LOG_STR("listener", options->name),
              LOG_U64("failures", failures));
    if (failures == CURE_AFTER) {
        bool is_started = options->restart(options->context);

        log_event(LOG_WARN, "listener started anew", LOG_STR("listener", options->name),
                  LOG_BOOL("ok", is_started));
        if (options->restarts != NULL)
            stats_add(options->restarts, 1);
    } else if (failures >= GIVE_UP_AFTER) {
        give_up(guard, "no answer after a new start");
        return 0;
    }
    return failures;
}

static void *watch(void *argument)
{
    struct rpc_guard *guard = argument;
    unsigned failures = 0;
    unsigned probes = 0;

    while (wait_period(guard)) {
        failures = check(guard, failures);
        if (++probes % DESCRIPTOR_EVERY == 0 && descriptors_leak())
            give_up(guard, "descriptors leak");
    }
    return NULL;
}

struct rpc_guard *rpc_guard_start(const struct rpc_guard_options *options)
{
    struct rpc_guard *guard = mem_alloc(sizeof(*guard));

    guard->options = *options;
    mutex_init(&guard->mutex);
    condition_init(&guard->stopping);
    thread_start(&guard->thread, "rpc-guard", 0, watch, guard);
    return guard;
}

void rpc_guard_stop(struct rpc_guard *guard)
{
    if (guard == NULL)
        return;
    mutex_lock(&guard->mutex);
    guard->is_stopping = true;
    condition_signal(&guard->stopping);
    mutex_unlock(&guard->mutex);
    thread_join(guard->thread);
    condition_done(&guard->stopping);
    mutex_done(&guard->mutex);
    mem_free(guard);
}
