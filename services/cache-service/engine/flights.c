#include "engine/flights.h"

#include <stdatomic.h>
#include <string.h>

#include "core/clock.h"
#include "core/list.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/queue.h"
#include "core/stats.h"
#include "core/thread.h"
#include "engine/failures.h"

#define KEY_BYTES_MAX 255
#define FULL_RETRY_MS 500
#define SLOW_RETRY_MS 1000
#define FAILURES_MAX  8192
/* Time a call keeps to answer with what is held. */
#define ANSWER_MARGIN_US (250 * CLOCK_US_PER_MS)
/* Jobs call libpq and JSON parsers: more stack than a plain worker needs. */
#define FETCHER_STACK_BYTES (1024 * 1024)

struct waiter {
    struct list_link link;
    struct rpc_call *call;
    struct flight_receipt *receipt;
    uint64_t due_us; /* resumed by then, landed or not */
};

struct flight {
    char key[KEY_BYTES_MAX + 1];
    struct flight_job *job;
    struct list waiters;
};

struct flights {
    struct flights_options options;
    pthread_mutex_t mutex; /* guards what follows up to the queue */
    pthread_cond_t changed;
    struct map by_key;
    struct failures *failures;
    unsigned waiter_count;
    uint64_t next_due_us; /* of all waiters; UINT64_MAX: none */
    bool is_closed;
    struct queue queue;     /* flights that wait for a fetcher; has a lock of its own */
    atomic_bool is_closing; /* flights still queued land with ST_UNAVAILABLE */
    pthread_t *fetchers;
    pthread_t timer;
};

enum {
    FLIGHTS_LED,
    FLIGHTS_JOINED,
    FLIGHTS_FAILED,
    FLIGHTS_PAUSED,
    FLIGHTS_REFUSED,
    FLIGHTS_OVERDUE,
    FLIGHTS_RUNNING,
};

// clang-format off
static struct stats_metric metrics[] = {
    [FLIGHTS_LED]     = {.name = "metercache_flights_led_total", .kind = STATS_COUNTER,
                         .help = "Fetches started because nothing usable was held"},
    [FLIGHTS_JOINED]  = {.name = "metercache_flights_joined_total", .kind = STATS_COUNTER,
                         .help = "Calls that shared a fetch already under way"},
    [FLIGHTS_FAILED]  = {.name = "metercache_flights_failed_total", .kind = STATS_COUNTER,
                         .help = "Fetches that ended in an error"},
    [FLIGHTS_PAUSED]  = {.name = "metercache_flights_paused_total", .kind = STATS_COUNTER,
                         .help = "Calls answered with a recent failure, not fetched again"},
    [FLIGHTS_REFUSED] = {.name = "metercache_flights_refused_total", .kind = STATS_COUNTER,
                         .help = "Fetches refused because too many waited"},
    [FLIGHTS_OVERDUE] = {.name = "metercache_flights_overdue_total", .kind = STATS_COUNTER,
                         .help = "Calls whose deadline came before their fetch ended"},
    [FLIGHTS_RUNNING] = {.name = "metercache_flights_inflight", .kind = STATS_GAUGE,
                         .help = "Fetches queued or running"},
};
// clang-format on
static atomic_uint open_count; /* the metrics are shared by all tables of the process */

static void flight_free(struct flight *flight)
{
    flight->job->free(flight->job);
    mem_free(flight);
}

/* ---- landing --------------------------------------------------------------------- */

static bool is_outage(enum status status)
{
    return status == ST_UNAVAILABLE || status == ST_DEADLINE;
}

/* Takes the flight off the table, so that the next join starts a new one. */
static void detach(struct flights *flights, struct flight *flight,
                   const struct error *outcome)
{
    mutex_lock(&flights->mutex);
    (void)map_remove(&flights->by_key, flight->key, strlen(flight->key));
    flights->waiter_count -= (unsigned)flight->waiters.count;
    if (is_outage(outcome->status))
        failures_note(flights->failures, flight->key, outcome, clock_mono_us());
    else
        failures_forget(flights->failures, flight->key);
    mutex_unlock(&flights->mutex);
    stats_add(&metrics[FLIGHTS_RUNNING], -1);
}

static void resume(struct waiter *waiter, const struct error *wake)
{
    struct rpc_call *call = waiter->call;

    mem_free(waiter);
    rpc_call_resume(call, wake);
}

/* Nobody can join a detached flight: its waiters are ours without the lock. */
static void land(struct flight *flight, const struct flight_receipt *done,
                 const struct error *outcome)
{
    struct list_link *link;

    while ((link = list_take_first(&flight->waiters)) != NULL) {
        struct waiter *waiter = list_item(link, struct waiter, link);
        bool is_leader = waiter->receipt->is_leader;

        *waiter->receipt = *done;
        waiter->receipt->is_leader = is_leader;
        if (!is_leader) { /* what it cost is told once */
            waiter->receipt->provider_calls = 0;
            waiter->receipt->credits_milli = 0;
        }
        resume(waiter, outcome);
    }
    flight_free(flight);
}

static void *fetcher_run(void *argument)
{
    struct flights *flights = argument;
    struct flight *flight;

    while ((flight = queue_pop(&flights->queue)) != NULL) {
        struct flight_receipt receipt = {0};
        struct error err = ERROR_NONE;

        if (atomic_load(&flights->is_closing))
            (void)error_set(&err, ST_UNAVAILABLE, "the service is shutting down");
        else if (flight->job->run(flight->job, &receipt, &err) != ST_OK)
            stats_add(&metrics[FLIGHTS_FAILED], 1);
        detach(flights, flight, &err);
        land(flight, &receipt, &err);
    }
    return NULL;
}

/* ---- calls whose deadline comes first -------------------------------------------- */

/* Under the lock: moves waiters that are due to `due`, notes when the next one is. */
static void collect_due(struct flights *flights, struct list *due, uint64_t now_us)
{
    const void *key;
    size_t key_size;
    size_t cursor = 0;
    void *value;

    flights->next_due_us = UINT64_MAX;
    while (map_next(&flights->by_key, &cursor, &key, &key_size, &value)) {
        struct flight *flight = value;
        struct list_link *link = list_first(&flight->waiters);

        while (link != NULL) {
            struct waiter *waiter = list_item(link, struct waiter, link);

            link = list_next(&flight->waiters, link);
            if (waiter->due_us <= now_us) {
                list_remove(&flight->waiters, &waiter->link);
                list_append(due, &waiter->link);
                flights->waiter_count--;
            } else if (waiter->due_us < flights->next_due_us) {
                flights->next_due_us = waiter->due_us;
            }
        }
    }
}

static void resume_overdue(struct list *due)
{
    struct error overdue = ERROR_NONE;
    struct list_link *link;

    (void)error_set(&overdue, ST_UNAVAILABLE, "the provider has not answered in time");
    (void)error_reason(&overdue, "FETCH_SLOW");
    overdue.retry_after_ms = SLOW_RETRY_MS;
    while ((link = list_take_first(due)) != NULL) {
        stats_add(&metrics[FLIGHTS_OVERDUE], 1);
        resume(list_item(link, struct waiter, link), &overdue);
    }
}

static void *timer_run(void *argument)
{
    struct flights *flights = argument;

    mutex_lock(&flights->mutex);
    while (!flights->is_closed) {
        uint64_t now_us = clock_mono_us();

        if (flights->next_due_us <= now_us) {
            struct list due;

            list_init(&due);
            collect_due(flights, &due, now_us);
            mutex_unlock(&flights->mutex);
            resume_overdue(&due);
            mutex_lock(&flights->mutex);
        } else {
            (void)condition_wait_until(&flights->changed, &flights->mutex,
                                       flights->next_due_us);
        }
    }
    mutex_unlock(&flights->mutex);
    return NULL;
}

/* ---- opening and closing --------------------------------------------------------- */

struct flights *flights_open(const struct flights_options *options)
{
    struct flights *flights = mem_alloc(sizeof(*flights));

    flights->options = *options;
    mutex_init(&flights->mutex);
    condition_init(&flights->changed);
    map_init(&flights->by_key);
    flights->failures =
        failures_new(options->backoff_first_ms, options->backoff_max_ms, FAILURES_MAX);
    flights->next_due_us = UINT64_MAX;
    queue_init(&flights->queue, options->flights_max);
    flights->fetchers = mem_alloc_array(options->fetchers, sizeof(flights->fetchers[0]));
    if (atomic_fetch_add(&open_count, 1) == 0)
        stats_register(metrics, COUNT_OF(metrics));
    for (unsigned i = 0; i < options->fetchers; i++)
        thread_start(&flights->fetchers[i], "fetcher", FETCHER_STACK_BYTES, fetcher_run,
                     flights);
    thread_start(&flights->timer, "flights-timer", 0, timer_run, flights);
    return flights;
}

void flights_close(struct flights *flights)
{
    if (flights == NULL)
        return;
    atomic_store(&flights->is_closing, true);
    queue_close(&flights->queue);
    for (unsigned i = 0; i < flights->options.fetchers; i++)
        thread_join(flights->fetchers[i]);
    mutex_lock(&flights->mutex);
    flights->is_closed = true;
    condition_broadcast(&flights->changed);
    mutex_unlock(&flights->mutex);
    thread_join(flights->timer);
    if (atomic_fetch_sub(&open_count, 1) == 1)
        stats_unregister(metrics);
    mem_free(flights->fetchers);
    queue_done(&flights->queue);
    failures_free(flights->failures);
    map_done(&flights->by_key);
    condition_done(&flights->changed);
    mutex_done(&flights->mutex);
    mem_free(flights);
}

/* ---- joining --------------------------------------------------------------------- */

static enum status refuse_full(struct error *err)
{
    (void)error_set(err, ST_UNAVAILABLE, "too many fetches are under way");
    err->retry_after_ms = FULL_RETRY_MS;
    stats_add(&metrics[FLIGHTS_REFUSED], 1);
    return error_reason(err, "FETCH_QUEUE_FULL");
}

/* Under the lock: the flight of `key`, started with *job if need be; NULL when full. */
static struct flight *find_or_start(struct flights *flights, const char *key,
                                    struct flight_job **job, bool *started)
{
    struct flight *flight = map_get(&flights->by_key, key, strlen(key));

    *started = false;
    if (flights->waiter_count >= flights->options.waiters_max)
        return NULL;
    if (flight != NULL)
        return flight;
    if (flights->by_key.count >= flights->options.flights_max)
        return NULL;
    flight = mem_alloc(sizeof(*flight));
    memcpy(flight->key, key, strlen(key) + 1);
    list_init(&flight->waiters);
    flight->job = *job;
    if (!queue_push(&flights->queue, flight)) {
        mem_free(flight);
        return NULL;
    }
    *job = NULL;
    *started = true;
    (void)map_put(&flights->by_key, key, strlen(key), flight);
    stats_add(&metrics[FLIGHTS_RUNNING], 1);
    return flight;
}

/* A call with little time left keeps a quarter of it. */
static uint64_t due_of(const struct rpc_call *call, uint64_t now_us)
{
    uint64_t left_us = call->deadline_us > now_us ? call->deadline_us - now_us : 0;
    uint64_t margin_us = left_us / 4 < ANSWER_MARGIN_US ? left_us / 4 : ANSWER_MARGIN_US;

    return call->deadline_us - margin_us;
}

/* Under the lock. */
static enum status park(struct flights *flights, struct flight *flight,
                        struct rpc_call *call, struct flight_receipt *receipt,
                        bool is_leader, uint64_t now_us)
{
    struct waiter *waiter = mem_alloc(sizeof(*waiter));

    *receipt = (struct flight_receipt){.is_leader = is_leader};
    waiter->call = call;
    waiter->receipt = receipt;
    waiter->due_us = due_of(call, now_us);
    list_append(&flight->waiters, &waiter->link);
    flights->waiter_count++;
    if (waiter->due_us < flights->next_due_us) {
        flights->next_due_us = waiter->due_us;
        condition_signal(&flights->changed);
    }
    stats_add(&metrics[is_leader ? FLIGHTS_LED : FLIGHTS_JOINED], 1);
    return rpc_call_defer(call);
}

/* Under the lock; *job is NULL afterwards if a flight took it. */
static enum status join(struct flights *flights, const char *key, struct flight_job **job,
                        struct rpc_call *call, struct flight_receipt *receipt,
                        struct error *err)
{
    uint64_t now_us = clock_mono_us();
    bool started = false;

    if (failures_find(err, flights->failures, key, now_us)) {
        stats_add(&metrics[FLIGHTS_PAUSED], 1);
        return err->status;
    }
    struct flight *flight = find_or_start(flights, key, job, &started);
    if (flight == NULL)
        return refuse_full(err);
    return park(flights, flight, call, receipt, started, now_us);
}

enum status flights_join(struct flights *flights, const char *key, struct flight_job *job,
                         struct rpc_call *call, struct flight_receipt *receipt,
                         struct error *err)
{
    enum status st;

    if (strlen(key) > KEY_BYTES_MAX) {
        st = error_set(err, ST_INTERNAL, "flight key longer than %d bytes", KEY_BYTES_MAX);
    } else {
        mutex_lock(&flights->mutex);
        st = join(flights, key, &job, call, receipt, err);
        mutex_unlock(&flights->mutex);
    }
    if (job != NULL)
        job->free(job);
    return st;
}

unsigned flights_count(struct flights *flights)
{
    mutex_lock(&flights->mutex);
    unsigned count = (unsigned)flights->by_key.count;
    mutex_unlock(&flights->mutex);
    return count;
}
