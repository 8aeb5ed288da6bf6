/*
 * calls_store.h - the log of provider calls (C7), read only: the ledger writes it.
 *
 * Errors and threads: store.h.
 */
#ifndef STORE_CALLS_STORE_H
#define STORE_CALLS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/op_id.h"
#include "store/store.h"

#define CALLS_STORE_LIST_MAX 1000

struct call_record {
    int64_t at_us;         /* when it was settled, on the ledger's clock */
    struct op_id event_id; /* of the settlement; orders the log, by the time it was made */
    struct op_id op_id;    /* of the reservation */
    const char *provider;
    const char *action;
    const char *reason;
    int platform;
    const char *creator;
    const char *user;
    int64_t started_at_us; /* 0: not known */
    int outcome;           /* Metercache__V1__CallOutcome */
    int64_t credits_milli; /* a correction's row holds the change, so that rows add up */
    int64_t latency_us;
    int http_status;
    const char *meter;
    const char *detail;
};

/* "" and 0 do not filter. */
struct calls_filter {
    const char *provider;
    const char *action;
    const char *user;
    int64_t from_us;  /* at or after */
    int64_t until_us; /* before */
    int outcome;
};

/* A place in the log; the listing goes on behind it. All zero: the newest end. */
struct calls_cursor {
    struct op_id event_id;
};

/* Newest first, at most `limit` (up to CALLS_STORE_LIST_MAX), NULL when there is none. */
MUST_USE enum status calls_store_list(const struct call_record **out, size_t *count,
                                      const struct store_call *call,
                                      const struct calls_filter *filter,
                                      const struct calls_cursor *behind, size_t limit,
                                      struct error *err);

#endif /* STORE_CALLS_STORE_H */
