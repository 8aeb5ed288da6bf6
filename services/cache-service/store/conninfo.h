/*
 * conninfo.h - connection strings, completed so that nothing can hang; prefix `conninfo_`.
 *
 * With only one of tcp_user_timeout and keepalives a cut link hangs libpq: one covers data
 * in flight, the other the wait for an answer. What the operator's string says itself
 * stays as it is.
 */
#ifndef STORE_CONNINFO_H
#define STORE_CONNINFO_H

#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "core/error.h"

struct conninfo {
    const char **keywords; /* NULL-ended, for PQconnectStartParams */
    const char **values;
    size_t count;
    unsigned hosts; /* alternatives named, at least 1 */
};

struct conninfo_extras {
    const char *application;
    uint64_t statement_ms; /* the server's limits; 0: none */
    uint64_t lock_ms;
    uint64_t idle_in_transaction_ms;
};

/* Parse a URL or keyword string and add what is missing. ST_INVALID never repeats the
 * text, which may hold a password. */
MUST_USE enum status conninfo_parse(struct conninfo *out, const char *text,
                                    const struct conninfo_extras *extras,
                                    struct error *err);
void conninfo_done(struct conninfo *info); /* wipes the values */
const char *conninfo_value(const struct conninfo *info, const char *keyword); /* or NULL */

#endif /* STORE_CONNINFO_H */
