/*
 * endpoint.h - one server a client knows: its REQ socket, contexts, and how it does.
 *
 * nng spreads over connections without a look at their load, so each endpoint has a socket
 * of its own and the client picks (client.c). The dialer reconnects by itself; one that
 * does not is replaced, and a connection on which only time-outs happen is closed
 * (rpc_endpoint_tend).
 *
 * Threads: any, between open and close.
 */
#ifndef RPC_ENDPOINT_H
#define RPC_ENDPOINT_H

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "rpc/budget.h"
#include "rpc/listener.h"

struct rpc_endpoint {
    char url[RPC_URL_SIZE];
    struct rpc_tls_files tls;
    nng_socket socket;
    nng_dialer dialer;
    struct rpc_budget budget;
    atomic_uint inflight;
    atomic_uint timeouts;                 /* in a row */
    atomic_uint_least64_t avoid_until_us; /* it drains or just failed */
    atomic_int pipe;                      /* nng's number; 0: not connected */

    pthread_mutex_t mutex; /* for what follows */
    nng_ctx *idle;         /* contexts without a call */
    unsigned idle_count;
    unsigned idle_room;

    uint64_t lonely_since_us; /* of rpc_endpoint_tend alone: not connected since */
};

struct rpc_endpoint_options {
    const char *url;
    struct rpc_tls_files tls;
    size_t reply_bytes;
    unsigned contexts; /* kept idle at most */
};

/* Starts to connect in the background. `out` must not be moved. */
MUST_USE enum status rpc_endpoint_open(struct rpc_endpoint *out,
                                       const struct rpc_endpoint_options *options,
                                       struct error *err);
/* False: nng does not let go of the socket, and the endpoint must stay where it is. */
bool rpc_endpoint_close(struct rpc_endpoint *endpoint) MUST_USE;

/* A call is on its way to it, and over: what rpc_endpoint_load counts. */
void rpc_endpoint_enter(struct rpc_endpoint *endpoint);
void rpc_endpoint_leave(struct rpc_endpoint *endpoint);

/* A context for one call at a time; give it back once no operation is pending on it. */
MUST_USE enum status rpc_endpoint_take(struct rpc_endpoint *endpoint, nng_ctx *out,
                                       struct error *err);
void rpc_endpoint_give(struct rpc_endpoint *endpoint, nng_ctx ctx);

bool rpc_endpoint_is_connected(const struct rpc_endpoint *endpoint);
/* How good a choice it is now: smaller is better. From RPC_ENDPOINT_POOR on it is not
 * connected, drains or has just failed. */
#define RPC_ENDPOINT_POOR (1u << 24)
unsigned rpc_endpoint_load(const struct rpc_endpoint *endpoint, uint64_t now_us);
/* Prefer others for a while. */
void rpc_endpoint_avoid(struct rpc_endpoint *endpoint, uint64_t until_us);
void rpc_endpoint_note_answer(struct rpc_endpoint *endpoint);
void rpc_endpoint_note_timeout(struct rpc_endpoint *endpoint);

/* About once a second, on a thread that may block. */
void rpc_endpoint_tend(struct rpc_endpoint *endpoint, uint64_t now_us);

#endif /* RPC_ENDPOINT_H */
