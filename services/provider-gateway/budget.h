/*
 * budget.h - the quota-service as the gateway needs it: reserve, and settle or void.
 *
 * A table of two functions, so that the door for metered calls (metered_call.h) knows
 * nothing of the wire: quota_client_rpc.c fills it for real, tests fill it with what they
 * like.
 */
#ifndef GATEWAY_BUDGET_H
#define GATEWAY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/op_id.h"
#include "outcome.h"

/* Borrowed text; NULL is not allowed, "" is. */
struct budget_reservation {
    struct op_id id;
    const char *meter;
    int64_t amount_milli;
    uint64_t hold_ms;
    const char *provider;
    const char *action;
    const char *reason;
    int platform; /* a metercache.v1.Platform */
    const char *creator;
    const char *user;
    const char *tenant;
    const char *endpoint;
    const char *cooldown_key;
    bool is_interactive;
};

/* What came of a reservation. */
struct budget_hold {
    int64_t
        expires_at_us; /* held: when it is presumed spent; may be before what was asked */
    bool in_doubt;     /* refused: it may be held all the same */
};

#define BUDGET_DETAIL_SIZE 64

/* Owns nothing: may be copied and kept. */
struct budget_settlement {
    struct op_id id; /* of this settlement: the same on every attempt */
    struct op_id reservation_id;
    bool is_void;
    int64_t actual_milli; /* 0 for a void */
    enum call_outcome outcome;
    int64_t started_at_us;
    uint64_t latency_us;
    unsigned http_status;
    char detail[BUDGET_DETAIL_SIZE];
};

struct budget {
    void *context;
    /*
     * ST_OK: held. ST_EXHAUSTED: refused, with its violations. ST_ABORTED: nothing is held
     * under this id, another one may be. ST_UNAVAILABLE (reason QUOTA_UNAVAILABLE): no
     * decision. `hold` is zero before.
     */
    enum status (*reserve)(void *context, const struct budget_reservation *reservation,
                           uint64_t timeout_ms, struct budget_hold *hold,
                           struct error *err);
    /* The status as quota-service gave it, or why it could not be asked. */
    enum status (*settle)(void *context, const struct budget_settlement *settlement,
                          uint64_t timeout_ms, struct error *err);
};

#endif /* GATEWAY_BUDGET_H */
