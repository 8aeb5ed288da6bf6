/*
 * guard.h - watches a listener from inside and cures it, or ends the process.
 *
 * nng before 1.10 stops accepting for ever when a peer leaves in the middle of the
 * handshake, while connects, handshakes and even sends still seem to succeed. So a probe
 * makes a new connection through the listener's own address every second and waits for an
 * answer. Two failures in a row: the listener is started anew. Two more: on_failure. The
 * same when descriptors leak (a wedged nng reaper): nine tenths of the limit are open.
 *
 * Threads: start and stop from one thread, never from a callback; the callbacks run on the
 * guard's own thread, one at a time.
 */
#ifndef RPC_GUARD_H
#define RPC_GUARD_H

#include <stdbool.h>

#include "core/stats.h"

struct rpc_guard;

struct rpc_guard_options {
    const char *name; /* for the log */
    /* A new connection and an answer over it, within a second or so. */
    bool (*probe)(void *context);
    bool (*restart)(void *context);
    void (*on_failure)(void *context); /* NULL: _exit(70) */
    void *context;                     /* of probe and restart */
    void *failure_context;             /* of on_failure */
    struct stats_metric *restarts;     /* counts; NULL: nobody wants to know */
};

struct rpc_guard *rpc_guard_start(const struct rpc_guard_options *options);
void rpc_guard_stop(struct rpc_guard *guard); /* accepts NULL */

#endif /* RPC_GUARD_H */
