/*
 * server_impl.h - what the files of the server share (internal to rpc).
 *
 *     server.c        options, opening, draining, closing, housekeeping
 *     server_slot.c   nng contexts: receive -> dispatch -> send
 *     server_pipe.c   connections: caps, idle ones
 *     server_probe.c  the guard's call through the listener
 *     server_stats.c  metrics and the log line of a request
 */
#ifndef RPC_SERVER_IMPL_H
#define RPC_SERVER_IMPL_H

#include <nng/nng.h>
#include <stdatomic.h>

#include "core/op_id.h"
#include "core/stats.h"
#include "rpc/dispatch.h"
#include "rpc/guard.h"
#include "rpc/listener.h"
#include "rpc/server.h"
#include "rpc/workers.h"

/*
 * One nng context. It receives a request, holds its job until the answer is made, sends,
 * and receives again. Two aios, because closing stops receives while sends go on.
 */
struct rpc_slot {
    struct rpc_server *server;
    nng_ctx ctx;
    nng_aio *receive;
    nng_aio *send;
    uint64_t send_due_us;
    bool is_settling;
    struct rpc_job *job;
    nng_msg *message; /* the request's, to be used again for the answer; or NULL */
};

enum rpc_server_metric {
    RPC_METRIC_CODES, /* one a status */
    RPC_METRIC_INFLIGHT = RPC_METRIC_CODES + STATUS_COUNT,
    RPC_METRIC_QUEUE,
    RPC_METRIC_SHED,
    RPC_METRIC_LOST_REPLIES,
    RPC_METRIC_CONNECTIONS,
    RPC_METRIC_CONNECTIONS_REFUSED,
    RPC_METRIC_CONNECTIONS_IDLE,
    RPC_METRIC_GUARD_RESTARTS,
    RPC_METRIC_COUNT,
};

struct rpc_server {
    struct rpc_server_options options; /* defaults filled in; name copied */
    char instance_id[2 * OP_ID_SIZE + 1];

    struct rpc_registry registry;
    struct rpc_admission admission;
    struct rpc_idempotency *idempotency;
    struct rpc_connections *connections;
    struct rpc_jobs *jobs;
    struct rpc_workers workers;
    struct rpc_dispatcher dispatcher;

    nng_socket socket;
    bool has_socket;
    struct rpc_listener listener;
    struct rpc_slot *slots;
    unsigned slot_count;
    atomic_bool is_stopping;

    pthread_t keeper; /* sweeps deadlines and idle connections */
    bool has_keeper;
    struct rpc_guard *guard;

    struct stats_metric metrics[RPC_METRIC_COUNT];
    char *metric_labels[STATUS_COUNT + 1];
};

/* server_slot.c */
MUST_USE enum status rpc_server_open_slots(struct rpc_server *server, struct error *err);
void rpc_server_stop_receiving(struct rpc_server *server);
void rpc_server_close_slots(struct rpc_server *server);
void rpc_server_answer(void *server, struct rpc_job *job); /* rpc_jobs_owner.answer */
/* rpc_jobs_owner.release */
void rpc_server_release(void *server, struct rpc_job *job);
void rpc_server_work(void *server, struct rpc_job *job); /* rpc_workers.run */

/* server_pipe.c */
MUST_USE enum status rpc_server_watch_pipes(struct rpc_server *server, struct error *err);
void rpc_server_close_idle(struct rpc_server *server, uint64_t now_us);

/* server_probe.c */
bool rpc_server_probe(void *server);
bool rpc_server_restart(void *server);

/* server_stats.c */
void rpc_server_open_metrics(struct rpc_server *server);
void rpc_server_close_metrics(struct rpc_server *server);
/* Count the request and write its line to the log. */
void rpc_server_note(struct rpc_server *server, const struct rpc_job *job, uint64_t now_us);

#endif /* RPC_SERVER_IMPL_H */
