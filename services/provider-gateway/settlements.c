#include "settlements.h"

#include <pthread.h>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/list.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/stats.h"
#include "core/thread.h"

#define ATTEMPT_MS 3000u

static const struct backoff_policy RETRY = {.first_ms = 250, .max_ms = 10000};

struct entry {
    struct list_link link;
    struct budget_settlement settlement;
};

enum metric { METRIC_WAITING, METRIC_DELIVERED, METRIC_REFUSED, METRIC_COUNT };

struct settlements {
    const struct budget *budget;
    size_t limit;
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct list waiting;
    size_t claimed; /* places taken, those of `waiting` among them */
    bool is_stopping;
    uint64_t stop_us; /* then: when to give up */
    struct stats_metric metrics[METRIC_COUNT];
};

bool settlements_is_definite(enum status status)
{
    switch (status) {
    case ST_OK:
    case ST_INVALID:
    case ST_NOT_FOUND:
    case ST_EXISTS:
    case ST_PRECONDITION:
        return true;
    default:
        return false;
    }
}

static void log_refused(const struct budget_settlement *settlement, const struct error *err)
{
    char id[OP_ID_TEXT_SIZE];

    op_id_format(id, &settlement->reservation_id);
    log_event(LOG_ERROR, "settlement refused", LOG_STR("reservation", id),
              LOG_STR("status", status_name(err->status)), LOG_STR("error", err->message));
}

/* One delivery, the lock not held. True when the entry is dealt with. */
static bool deliver(struct settlements *settlements, const struct entry *entry)
{
    const struct budget *budget = settlements->budget;
    struct error err = ERROR_NONE;
    enum status st = budget->settle(budget->context, &entry->settlement, ATTEMPT_MS, &err);

    if (!settlements_is_definite(st))
        return false;
    stats_add(&settlements->metrics[st == ST_OK ? METRIC_DELIVERED : METRIC_REFUSED], 1);
    /* A void that answers a reservation in doubt may find that there is none. */
    if (st != ST_OK && !(st == ST_NOT_FOUND && entry->settlement.is_void))
        log_refused(&entry->settlement, &err);
    return true;
}

/* Wait until the delay is over or the end begins; false when there is no time left. */
static bool wait_before_retry(struct settlements *settlements, unsigned failures)
{
    uint64_t until_us =
        clock_deadline_ms(backoff_delay_ms(&RETRY, failures, rng_system_u64()));

    while (clock_mono_us() < until_us) {
        if (settlements->is_stopping && clock_mono_us() >= settlements->stop_us)
            return false;
        if (settlements->is_stopping && until_us > settlements->stop_us)
            until_us = settlements->stop_us;
        (void)condition_wait_until(&settlements->changed, &settlements->lock, until_us);
    }
    return true;
}

static void *run(void *context)
{
    struct settlements *settlements = context;
    unsigned failures = 0;

    mutex_lock(&settlements->lock);
    for (;;) {
        struct list_link *link = list_take_first(&settlements->waiting);
        struct entry *entry;
        bool is_done;

        if (link == NULL) {
            if (settlements->is_stopping)
                break;
            condition_wait(&settlements->changed, &settlements->lock);
            continue;
        }
        entry = list_item(link, struct entry, link);
        mutex_unlock(&settlements->lock);
        is_done = deliver(settlements, entry);
        mutex_lock(&settlements->lock);
        if (is_done) {
            failures = 0;
            settlements->claimed--;
            stats_add(&settlements->metrics[METRIC_WAITING], -1);
            mem_free(entry);
            continue;
        }
        /* To the end of the list: one that keeps failing holds up no other. */
        list_append(&settlements->waiting, &entry->link);
        if (!wait_before_retry(settlements, ++failures))
            break;
        if (settlements->is_stopping && clock_mono_us() >= settlements->stop_us)
            break;
    }
    mutex_unlock(&settlements->lock);
    return NULL;
}

static void describe_metrics(struct stats_metric metrics[METRIC_COUNT])
{
    metrics[METRIC_WAITING].name = "metercache_gateway_settlements_waiting";
    metrics[METRIC_WAITING].help = "Settlements not yet delivered to quota-service.";
    metrics[METRIC_WAITING].kind = STATS_GAUGE;
    metrics[METRIC_DELIVERED].name = "metercache_gateway_settlements_late_total";
    metrics[METRIC_DELIVERED].help = "Settlements delivered later than their call.";
    metrics[METRIC_DELIVERED].kind = STATS_COUNTER;
    metrics[METRIC_REFUSED].name = "metercache_gateway_settlements_refused_total";
    metrics[METRIC_REFUSED].help = "Late settlements that quota-service refused.";
    metrics[METRIC_REFUSED].kind = STATS_COUNTER;
}

struct settlements *settlements_open(const struct budget *budget, size_t limit)
{
    struct settlements *settlements = mem_alloc(sizeof(*settlements));

    settlements->budget = budget;
    settlements->limit = limit;
    mutex_init(&settlements->lock);
    condition_init(&settlements->changed);
    list_init(&settlements->waiting);
    describe_metrics(settlements->metrics);
    stats_register(settlements->metrics, METRIC_COUNT);
    thread_start(&settlements->thread, "settlements", 0, run, settlements);
    return settlements;
}

size_t settlements_close(struct settlements *settlements, uint64_t deadline_us)
{
    struct list_link *link;
    size_t left;

    if (settlements == NULL)
        return 0;
    mutex_lock(&settlements->lock);
    settlements->is_stopping = true;
    settlements->stop_us = deadline_us;
    condition_broadcast(&settlements->changed);
    mutex_unlock(&settlements->lock);
    thread_join(settlements->thread);
    left = settlements->waiting.count;
    while ((link = list_take_first(&settlements->waiting)) != NULL)
        mem_free(list_item(link, struct entry, link));
    stats_unregister(settlements->metrics);
    condition_done(&settlements->changed);
    mutex_done(&settlements->lock);
    mem_free(settlements);
    return left;
}

bool settlements_claim(struct settlements *settlements)
{
    bool is_free;

    mutex_lock(&settlements->lock);
    is_free = settlements->claimed < settlements->limit;
    settlements->claimed += is_free;
    mutex_unlock(&settlements->lock);
    return is_free;
}

void settlements_release(struct settlements *settlements)
{
    mutex_lock(&settlements->lock);
    settlements->claimed--;
    mutex_unlock(&settlements->lock);
}

void settlements_put(struct settlements *settlements,
                     const struct budget_settlement *settlement)
{
    struct entry *entry = mem_alloc(sizeof(*entry));

    entry->settlement = *settlement;
    mutex_lock(&settlements->lock);
    list_append(&settlements->waiting, &entry->link);
    stats_add(&settlements->metrics[METRIC_WAITING], 1);
    condition_signal(&settlements->changed);
    mutex_unlock(&settlements->lock);
}
