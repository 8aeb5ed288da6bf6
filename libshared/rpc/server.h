/*
 * server.h - serves method tables on one nng REP listener.
 *
 * A request's way: nng context -> size and shape -> unpack into the request's arena ->
 * version -> authenticate -> method -> authorise -> deadline -> admission -> idempotency
 * -> inline handler, or the workers' queue -> handler -> pack -> send. Everything a peer
 * can make us hold is bounded by the options below.
 *
 * The listener is watched from inside (guard.h): nng before 1.10 can stop accepting for
 * ever, so a real Health call goes through it every second.
 *
 * Threads: open, drain and close from one thread; handlers run on nng's or workers' ones.
 */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "rpc/identity.h"
#include "rpc/method.h"

struct rpc_server;

struct rpc_server_options {
    const char *name;        /* "cache-service" */
    const char *listen_url;  /* tcp://, ipc:// (0700 folder) or tls+tcp://; port 0: any */
    const char *tls_ca_file; /* with tls+tcp:// all three; else NULL */
    const char *tls_cert_file;
    const char *tls_key_file;

    const struct rpc_method *const
        *tables; /* arrays of rows, each ended by .service NULL */
    size_t table_count;
    void *service; /* given to handlers as call->service */

    rpc_authenticate authenticate;
    void *authenticate_context;

    /* For Health.Check (rpc/health.h); NULL: always ready. Never blocks. */
    bool (*is_ready)(void *ready_context, struct error *why_not);
    void *ready_context;
    /* Called when the guard gives up on the listener; NULL: _exit(70). */
    void (*on_guard_failure)(void *guard_context);
    void *guard_context;

    /* 0 takes the default in brackets */
    unsigned contexts;                /* requests inside the process [256] */
    unsigned workers;                 /* threads for blocking handlers [16] */
    unsigned queue_limit;             /* requests that wait for a worker [contexts] */
    unsigned inflight_per_connection; /* [128] */
    unsigned connections;             /* in all [1024] */
    unsigned connections_per_address; /* [256] */
    size_t request_bytes;             /* largest frame taken [1 MiB] */
    size_t reply_bytes;               /* largest frame sent [4 MiB] */
    size_t arena_bytes;               /* memory of one request [16 MiB] */
    uint64_t default_timeout_ms;      /* for requests that name none [30000] */
    uint64_t send_timeout_ms;    /* a client that does not read loses its reply [5000] */
    uint64_t idle_connection_ms; /* [600000] */
    bool guard;                  /* watch the listener; exit(70) when it cannot be cured */
};

struct rpc_server_load {
    uint32_t inflight;
    uint32_t limit;
    uint32_t queued;
    bool draining;
};

/* Start serving. *out is owned; finish with rpc_server_close. */
MUST_USE enum status rpc_server_open(struct rpc_server **out,
                                     const struct rpc_server_options *options,
                                     struct error *err);

/* The address as bound (a port 0 resolved), borrowed. */
const char *rpc_server_url(const struct rpc_server *server);

/* As in the envelope of its replies; borrowed. */
const char *rpc_server_instance_id(const struct rpc_server *server);

void rpc_server_load(const struct rpc_server *server, struct rpc_server_load *out);

/*
 * Refuse new work (UNAVAILABLE, draining, not executed), wait until nothing is in flight
 * or the deadline passes, then a little longer for replies to leave. False: some were left.
 */
bool rpc_server_drain(struct rpc_server *server, uint64_t deadline_us);

void rpc_server_close(struct rpc_server *server); /* accepts NULL */

/* For the admin service: each method known from the descriptors of all tables. */
struct rpc_method_info {
    const char *full_name;
    const struct rpc_method *row; /* NULL: declared, answers UNIMPLEMENTED */
};
size_t rpc_server_methods(const struct rpc_server *server,
                          const struct rpc_method_info **out);

struct rpc_connection_info {
    uint32_t id;
    char peer[64];
    int64_t since_us;
    int64_t last_request_at_us;
    uint64_t requests;
    uint32_t inflight;
};
/* Up to `max` connections into `out`; returns how many. */
size_t rpc_server_connections(struct rpc_server *server, struct rpc_connection_info *out,
                              size_t max);

#endif /* RPC_SERVER_H */
