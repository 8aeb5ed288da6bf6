/*
 * flights.h - single flight: however many calls want a key, it is fetched once.
 *
 * The first call that joins a key leads: its job runs on a fetcher thread. Calls that join
 * while it runs are parked (no thread waits) and all are resumed when it lands, with its
 * error if it had one; then they look the value up again. A flight belongs to the service:
 * a call is resumed a little before its own deadline, so that it can still answer with what
 * is held, and the flight goes on.
 *
 *   join ──> failed lately? ──> its error, until the pause is over (failures.h)
 *        ──> under way?     ──> parked with the others
 *        ──> else           ──> started
 *
 * Bounds: `fetchers` jobs run at once, `flights_max` keys are queued or running,
 * `waiters_max` calls are parked; beyond that a join fails with ST_UNAVAILABLE, reason
 * FETCH_QUEUE_FULL, and a retry hint.
 *
 * Threads: any may join. Lock: one mutex, held for table look-ups alone, never while a job
 * runs or a call is resumed.
 */
#ifndef ENGINE_FLIGHTS_H
#define ENGINE_FLIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "rpc/method.h"

struct flights;

struct flights_options {
    unsigned fetchers;
    unsigned flights_max;
    unsigned waiters_max;
    uint64_t backoff_first_ms; /* pause after a failure; doubles */
    uint64_t backoff_max_ms;
};

#define FLIGHT_RESOLVED_SIZE 136

/* What a flight did, for the calls that waited for it. Costs are told to its leader alone. */
struct flight_receipt {
    bool is_leader; /* this call's join started the flight */
    uint32_t provider_calls;
    int64_t credits_milli;
    uint32_t fetched; /* things stored by the flight, in the job's own unit */
    char resolved[FLIGHT_RESOLVED_SIZE]; /* identity the provider gave; "" when none */
};

/*
 * The work of one flight. Runs once on a fetcher; fills what it did into *receipt also
 * when it fails half way. flights_join takes the job over and frees it in every case.
 */
struct flight_job {
    enum status (*run)(struct flight_job *job, struct flight_receipt *receipt,
                       struct error *err);
    void (*free)(struct flight_job *job);
};

struct flights *flights_open(const struct flights_options *options);
/* Waits for running jobs; calls still parked are resumed with ST_UNAVAILABLE. */
void flights_close(struct flights *flights); /* accepts NULL */

/*
 * Join the flight of `key` (at most 255 bytes), starting it with `job` when none is under
 * way. Returns RPC_DEFERRED, which the handler passes on, or the error that stands in the
 * way. `receipt` lives in the call's arena and is filled before the call is resumed.
 */
MUST_USE enum status flights_join(struct flights *flights, const char *key,
                                  struct flight_job *job, struct rpc_call *call,
                                  struct flight_receipt *receipt, struct error *err);

/* Flights queued or running now. */
unsigned flights_count(struct flights *flights);

#endif /* ENGINE_FLIGHTS_H */
