/*
 * ops.h - /livez, /readyz and /metrics over HTTP on an address of its own.
 *
 * libmicrohttpd with a connection cap, a connection time-out and GET alone. Nothing secret
 * is served; keep it off public networks all the same.
 *
 * /livez says 200 while the process lives, /readyz 200 or 503 with the reason, /metrics all
 * registered counters; any other path is 404, any method but GET and HEAD 405. A connection
 * serves one request. At most 64 connections, 16 an address.
 *
 * Threads: open and close from one thread; is_ready runs on the thread of ops.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include <stdbool.h>

#include "core/error.h"

struct ops;

struct ops_options {
    const char *address; /* "127.0.0.1:9101"; port 0: any */
    bool (*is_ready)(void *context, struct error *why_not); /* never blocks */
    void *context;
    unsigned timeout_s; /* a connection that is silent that long is cut; 0: 10 */
};

/* ST_INVALID: the address is malformed; ST_UNAVAILABLE: it cannot be bound. *out is owned. */
MUST_USE enum status ops_open(struct ops **out, const struct ops_options *options,
                              struct error *err);
/* As bound, a port 0 resolved: "127.0.0.1:9101" or "[::1]:9101"; borrowed. */
const char *ops_address(const struct ops *ops);
void ops_close(struct ops *ops); /* accepts NULL */

#endif /* OPS_OPS_H */
