#include "engine/flights.h"

#include <stdatomic.h>
#include <string.h>

#include "core/list.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/queue.h"
#include "core/stats.h"
#include "core/thread.h"

#define KEY_BYTES_MAX 255
#define FULL_RETRY_MS 500
/* Jobs call libpq, JSON and TLS-free RPC: more stack than a plain worker needs. */
#define FETCHER_STACK_BYTES (1024 * 1024)

struct waiter {
    struct rpc_call *call;
    struct flight_receipt *receipt;
    struct list_link link;
};

struct flight {
    char key[KEY_BYTES_MAX + 1];
    struct flight_job *job;
    struct list waiters;
};

struct flights {
    pthread_mutex_t mutex; /* guards the map and every flight's waiters */
    struct map by_key;
    struct queue queue; /* flights that wait for a fetcher */
    unsigned flights_max;
    atomic_bool is_closing; /* flights still queued land with ST_UNAVAILABLE */
    pthread_t *fetchers;
    unsigned fetcher_count;
};

enum { FLIGHTS_LED, FLIGHTS_JOINED, FLIGHTS_FAILED, FLIGHTS_REFUSED, FLIGHTS_RUNNING };

static struct stats_metric metrics[] = {
    [FLIGHTS_LED] = {.name = "metercache_flights_led_total",
                     .kind = STATS_COUNTER,
                     .help = "Fetches started because nothing usable was held"},
    [FLIGHTS_JOINED] = {.name = "metercache_flights_joined_total",
                        .kind = STATS_COUNTER,
                        .help = "Calls that shared a fetch already under way"},
    [FLIGHTS_FAILED] = {.name = "metercache_flights_failed_total",
                        .kind = STATS_COUNTER,
                        .help = "Fetches that ended in an error"},
    [FLIGHTS_REFUSED] = {.name = "metercache_flights_refused_total",
                         .kind = STATS_COUNTER,
                         .help = "Fetches refused because too many were queued"},
    [FLIGHTS_RUNNING] = {.name = "metercache_flights_inflight",
                         .kind = STATS_GAUGE,
                         .help = "Fetches queued or running"},
};

static void flight_free(struct flight *flight)
{
    flight->job->free(flight->job);
    mem_free(flight);
}

/* Takes the flight off the table, so that the next join starts a new one. */
static void detach(struct flights *flights, struct flight *flight)
{
    mutex_lock(&flights->mutex);
    (void)map_remove(&flights->by_key, flight->key, strlen(flight->key));
    stats_set(&metrics[FLIGHTS_RUNNING], (int64_t)flights->by_key.count);
    mutex_unlock(&flights->mutex);
}

/* Nobody can join a detached flight: its waiters are ours without the lock. */
static void land(struct flight *flight, const struct flight_receipt *done,
                 const struct error *outcome)
{
    struct list_link *link;

    while ((link = list_take_first(&flight->waiters)) != NULL) {
        struct waiter *waiter = list_item(link, struct waiter, link);
        struct rpc_call *call = waiter->call;
        bool is_leader = waiter->receipt->is_leader;

        *waiter->receipt = *done;
        waiter->receipt->is_leader = is_leader;
        if (!is_leader) { /* what it cost is told once */
            waiter->receipt->provider_calls = 0;
            waiter->receipt->credits_milli = 0;
        }
        mem_free(waiter);
        rpc_call_resume(call, outcome);
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
        detach(flights, flight);
        land(flight, &receipt, &err);
    }
    return NULL;
}

struct flights *flights_open(unsigned fetchers, unsigned flights_max)
{
    struct flights *flights = mem_alloc(sizeof(*flights));

    mutex_init(&flights->mutex);
    map_init(&flights->by_key);
    queue_init(&flights->queue, flights_max);
    flights->flights_max = flights_max;
    flights->fetchers = mem_alloc_array(fetchers, sizeof(flights->fetchers[0]));
    flights->fetcher_count = fetchers;
    stats_register(metrics, COUNT_OF(metrics));
    for (unsigned i = 0; i < fetchers; i++)
        thread_start(&flights->fetchers[i], "fetcher", FETCHER_STACK_BYTES, fetcher_run,
                     flights);
    return flights;
}

void flights_close(struct flights *flights)
{
    if (flights == NULL)
        return;
    atomic_store(&flights->is_closing, true);
    queue_close(&flights->queue);
    for (unsigned i = 0; i < flights->fetcher_count; i++)
        thread_join(flights->fetchers[i]);
    stats_unregister(metrics);
    mem_free(flights->fetchers);
    queue_done(&flights->queue);
    map_done(&flights->by_key);
    mutex_done(&flights->mutex);
    mem_free(flights);
}

/* Under the lock: the flight of `key`, started with `job` if need be; NULL when full. */
static struct flight *find_or_start(struct flights *flights, const char *key,
                                    struct flight_job **job, bool *started)
{
    struct flight *flight = map_get(&flights->by_key, key, strlen(key));

    *started = false;
    if (flight != NULL)
        return flight;
    if (flights->by_key.count >= flights->flights_max)
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
    stats_set(&metrics[FLIGHTS_RUNNING], (int64_t)flights->by_key.count);
    return flight;
}

enum status flights_join(struct flights *flights, const char *key, struct flight_job *job,
                         struct rpc_call *call, struct flight_receipt *receipt,
                         struct error *err)
{
    enum status st;
    bool started = false;

    if (strlen(key) > KEY_BYTES_MAX) {
        job->free(job);
        return error_set(err, ST_INTERNAL, "flight key longer than %d bytes",
                         KEY_BYTES_MAX);
    }
    mutex_lock(&flights->mutex);
    struct flight *flight = find_or_start(flights, key, &job, &started);
    if (flight != NULL) {
        struct waiter *waiter = mem_alloc(sizeof(*waiter));

        *receipt = (struct flight_receipt){.is_leader = started};
        waiter->call = call;
        waiter->receipt = receipt;
        list_append(&flight->waiters, &waiter->link);
        st = rpc_call_defer(call);
        stats_add(&metrics[started ? FLIGHTS_LED : FLIGHTS_JOINED], 1);
    } else {
        st = error_set(err, ST_EXHAUSTED, "too many fetches are under way");
        err->retry_after_ms = FULL_RETRY_MS;
        (void)error_reason(err, "FETCH_QUEUE_FULL");
        stats_add(&metrics[FLIGHTS_REFUSED], 1);
    }
    mutex_unlock(&flights->mutex);
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
