/*
 * ops.h - /livez, /readyz and /metrics over HTTP on an address of its own.
 *
 * libmicrohttpd with a connection cap, a connection time-out and GET alone. Nothing secret
 * is served; keep it off public networks all the same.
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
};

MUST_USE enum status ops_open(struct ops **out, const struct ops_options *options,
                              struct error *err);
const char *ops_address(const struct ops *ops);
void ops_close(struct ops *ops); /* accepts NULL */

#endif /* OPS_OPS_H */
