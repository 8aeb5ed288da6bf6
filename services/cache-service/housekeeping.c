#include "housekeeping.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include "daemon/daemon.h"
#include "store/store.h"

#define RETRY_MS            1000
#define ROUND_MS            2000
#define PARTITIONS_EVERY_MS (3600 * 1000)
#define WORK_LIMIT_MS       10000
#define PARTITIONS_AHEAD_US (92LL * 24 * 3600 * CLOCK_US_PER_SECOND)
#define ARENA_BYTES         (256 * 1024)
#define THREAD_STACK_BYTES  (512 * 1024)

struct housekeeping {
    struct store *store;
    uint64_t partitions_due_us; /* monotonic; the thread's own */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    bool stopping;
    bool passed;
    struct error last;
};

static enum status work(struct housekeeping *self, struct arena *arena, struct error *err)
{
    const struct store_call call = {
        .store = self->store,
        .arena = arena,
        .deadline_us = clock_deadline_ms(WORK_LIMIT_MS),
    };

    enum status st = store_check(&call, err);
    if (st != ST_OK || clock_left_ms(self->partitions_due_us) > 0)
        return st;
    st = store_ensure_partitions(&call, clock_wall_us() + PARTITIONS_AHEAD_US, err);
    if (st == ST_OK)
        self->partitions_due_us = clock_deadline_ms(PARTITIONS_EVERY_MS);
    return st;
}

/* Notes the outcome and says how long to wait for the next round. */
static uint64_t note(struct housekeeping *self, enum status st, const struct error *err)
{
    if (st == ST_OK) {
        if (self->last.status != ST_OK)
            log_event(LOG_INFO, "database ready", LOG_BOOL("checked", true));
        self->passed = true;
        self->last = ERROR_NONE;
        return ROUND_MS;
    }
    if (self->last.status != st)
        log_event(LOG_WARN, "database not ready", LOG_STR("status", status_name(st)),
                  LOG_STR("message", err->message));
    self->last = *err;
    if (st == ST_PRECONDITION)
        daemon_request_exit(DAEMON_EXIT_CONFIGURATION);
    return RETRY_MS;
}

static void *run(void *argument)
{
    struct housekeeping *self = argument;
    struct arena arena;

    arena_init(&arena, ARENA_BYTES);
    mutex_lock(&self->mutex);
    while (!self->stopping) {
        struct error err = ERROR_NONE;

        mutex_unlock(&self->mutex);
        enum status st = work(self, &arena, &err);
        arena_reset(&arena);
        mutex_lock(&self->mutex);
        uint64_t until_us = clock_deadline_ms(note(self, st, &err));
        while (!self->stopping &&
               condition_wait_until(&self->wake, &self->mutex, until_us)) {}
    }
    mutex_unlock(&self->mutex);
    arena_done(&arena);
    return NULL;
}

struct housekeeping *housekeeping_open(struct store *store)
{
    struct housekeeping *self = mem_alloc(sizeof(*self));

    self->store = store;
    (void)error_set(&self->last, ST_UNAVAILABLE, "the database has not been checked yet");
    mutex_init(&self->mutex);
    condition_init(&self->wake);
    thread_start(&self->thread, "housekeeping", THREAD_STACK_BYTES, run, self);
    return self;
}

void housekeeping_close(struct housekeeping *self)
{
    if (self == NULL)
        return;
    mutex_lock(&self->mutex);
    self->stopping = true;
    condition_broadcast(&self->wake);
    mutex_unlock(&self->mutex);
    thread_join(self->thread);
    condition_done(&self->wake);
    mutex_done(&self->mutex);
    mem_free(self);
}

bool housekeeping_is_ready(struct housekeeping *self, struct error *err)
{
    mutex_lock(&self->mutex);
    bool passed = self->passed;
    if (!passed)
        *err = self->last;
    mutex_unlock(&self->mutex);
    return passed;
}
