/*
 * job.h - one request inside a server, from its bytes to its answer (internal to rpc).
 *
 *            enter                       rpc_call_defer
 *     IDLE --------> RUNNING (handler) -----------------> PARKING
 *                       ^   \                               | handler returned
 *           resume      |    \ answer                       v
 *          +------------+     `--> IDLE      deadline,    PARKED
 *          |                                 cancel      /  |  \ finish
 *       PARKED <--------------------------- ABANDONED <-'   |   `--> answer
 *                                               | resume, finish
 *                                               v
 *                                             freed
 *
 * A resume or finish that comes while the handler that deferred still runs (PARKING) is
 * noted (WOKEN, FINISHED) and acted upon when it returns.
 *
 * ABANDONED: the caller got its answer from a replacement job, while this one's memory and
 * its share of the admission limit stay until the holder lets go, also when the server has
 * closed meanwhile. That is why struct rpc_jobs counts its jobs and outlives the server.
 *
 * Threads: `state`, `link` and `is_tracked` under jobs->mutex; all else belongs to whoever
 * runs the job. No nng function is called with the mutex held: nng's pipe callbacks take it.
 */
#ifndef RPC_JOB_H
#define RPC_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/list.h"
#include "metercache/v1/rpc.pb-c.h"
#include "rpc/connections.h"
#include "rpc/idempotency.h"
#include "rpc/method.h"
#include "rpc/registry.h"

enum rpc_job_state {
    RPC_JOB_RUNNING, /* or idle, or in the workers' queue */
    RPC_JOB_PARKING,
    RPC_JOB_WOKEN,
    RPC_JOB_FINISHED,
    RPC_JOB_PARKED,
    RPC_JOB_ABANDONED,
};

struct rpc_job {
    struct rpc_call call; /* first: what handlers hold is the job */
    struct arena arena;
    struct rpc_jobs *jobs;
    void *slot; /* where the answer leaves; of the server */

    const Metercache__V1__Request *request; /* NULL: could not be read */
    uint32_t version;
    const struct rpc_registry_entry *entry; /* NULL: no such method */
    const uint8_t *payload;                 /* decompressed */
    size_t payload_size;
    ProtobufCMessage *input;
    ProtobufCMessage *output;
    struct rpc_connection *connection;
    uint32_t connection_id;
    bool connection_has_room;
    bool is_admitted;
    struct rpc_idempotency_entry *claim;

    uint64_t received_us; /* monotonic */
    uint64_t started_us;  /* 0: not yet */

    struct error outcome;
    bool executed;
    bool replayed;
    const uint8_t *stored; /* with `replayed`: the answer's payload */
    size_t stored_size;

    enum rpc_job_state state;
    struct list_link link;
    bool is_tracked;
    atomic_bool is_cancelled;
};

struct rpc_jobs_owner {
    void *context;
    /* Queue the job for a worker; never refuses and calls no nng function, for the mutex
     * may be held. */
    void (*run)(void *context, struct rpc_job *job);
    /* Send job->outcome or its output; the job is then its slot's again. */
    void (*answer)(void *context, struct rpc_job *job);
    /* Give back what the job holds of the server: admission, claim, connection. Under the
     * mutex, so it only counts. */
    void (*release)(void *context, struct rpc_job *job);
    /* For Health.Check. */
    bool (*has_service)(void *context, const char *name);
    bool (*is_ready)(void *context, struct error *why_not);
};

struct rpc_jobs {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job was parked, or rpc_jobs_wake */
    struct rpc_jobs_owner owner;
    size_t arena_bytes;
    struct list live; /* queued, running on a worker, or parked */
    size_t job_count;
    size_t orphan_count;
    unsigned answering; /* holders that are inside owner.answer */
    bool is_closing;
    bool is_closed;
};

struct rpc_jobs *rpc_jobs_new(struct rpc_jobs_owner owner, size_t arena_bytes);
/* Answers parked jobs UNAVAILABLE, and every job that parks from now on. Afterwards no
 * holder is inside the owner's functions, or gets there. */
void rpc_jobs_close(struct rpc_jobs *jobs);
/* The owner's end, after its last rpc_job_free. Jobs that others still hold keep the memory
 * until they are let go. */
void rpc_jobs_release(struct rpc_jobs *jobs);

struct rpc_job *rpc_job_new(struct rpc_jobs *jobs);
void rpc_job_free(struct rpc_job *job);
/* Forget the last request; keeps slot and memory. */
void rpc_job_reset(struct rpc_job *job);

/* From queueing to the answer a job may be found by cancel frames. */
void rpc_jobs_track(struct rpc_job *job);
void rpc_jobs_untrack(struct rpc_job *job);

/* What to do when a handler has returned RPC_DEFERRED. After STAY the job is not ours. */
enum rpc_parking { RPC_PARKING_STAY, RPC_PARKING_RUN, RPC_PARKING_ANSWER };
enum rpc_parking rpc_jobs_park(struct rpc_job *job);

/* The caller named by `caller` gives the call up. */
void rpc_jobs_cancel(struct rpc_jobs *jobs, const struct op_id *call_id,
                     const struct rpc_identity *caller);
/* The connection is gone: nobody waits for what is queued from it. */
void rpc_jobs_disconnect(struct rpc_jobs *jobs, uint32_t connection_id);

/* Answer parked jobs whose deadline passed; returns the next deadline, or UINT64_MAX. */
uint64_t rpc_jobs_sweep(struct rpc_jobs *jobs, uint64_t now_us);
/* Wait until `until_us`, or until a job is parked or rpc_jobs_wake. */
void rpc_jobs_wait(struct rpc_jobs *jobs, uint64_t until_us);
void rpc_jobs_wake(struct rpc_jobs *jobs);
size_t rpc_jobs_orphans(struct rpc_jobs *jobs);

#endif /* RPC_JOB_H */
