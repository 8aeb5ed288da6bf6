/*
 * metered_call.h - the one door to a provider: no call without a reservation.
 *
 *     place in the outbox -> reserve -> HTTP -> adapter reads -> outcome table
 *          -> settle or void -> answer
 *
 * A settlement that cannot be delivered now goes to the outbox (settlements.h), and the
 * caller still gets the answer. A refused reservation comes back as quota-service gave it;
 * when quota-service cannot decide, nothing is called (UNAVAILABLE, QUOTA_UNAVAILABLE).
 *
 * Before anything is reserved: a caller with too little time left gets DEADLINE_EXCEEDED; a
 * provider without its key, FAILED_PRECONDITION (PROVIDER_NOT_CONFIGURED); a dry run,
 * FAILED_PRECONDITION (DRY_RUN) that says what would be called and the most it could cost.
 * The provider gets its own time-out or what the caller has left, less what settling takes.
 *
 * Threads: any.
 */
#ifndef GATEWAY_METERED_CALL_H
#define GATEWAY_METERED_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "budget.h"
#include "core/arena.h"
#include "creator.h"
#include "http_client.h"
#include "outcome.h"
#include "provider.h"
#include "settlements.h"

/* Who wants a call and why. Text is borrowed, never NULL. */
struct call_context {
    const char *user;
    const char *reason;
    const char *tenant;
    const char *cooldown_key;
    bool is_interactive;
    bool is_dry_run;
    uint64_t deadline_us; /* of the caller, monotonic */
    struct arena *arena;  /* where answers go */
};

/* What a call turned out to cost. */
struct call_receipt {
    struct op_id reservation_id;
    int64_t held_until_us; /* unless settled before; wall clock */
    int64_t credits_milli;
    uint64_t latency_us;
    unsigned attempts;
    unsigned http_status;
    enum call_outcome outcome;
};

/*
 * The adapter's part: read the body into *context and say what it is. `root` is the body's
 * JSON object, NULL when it has none; `http_status` is 200 to 599.
 */
typedef void (*call_reader)(void *context, unsigned http_status, const json_t *root,
                            struct outcome_reading *out);

struct metered_request {
    struct provider *provider;
    const struct call_context *context;
    const char *action; /* "search": for the call log and limits per endpoint */
    const char *meter;
    int64_t amount_milli; /* the most it can cost */
    enum platform platform;
    const char *creator; /* the one it is about, or "" */
    const char *url;
    const char *body; /* NULL: GET */
    call_reader read;
    void *read_context;
    /* Not 0: what CALL_OK costs is known later only, so the reservation is to stay for so
     * long and metered_settle_late ends it. quota-service may hold it for less (QUOTA_HOLD_MAX;
     * the receipt says until when); then it is presumed spent, until an ending corrects it. */
    uint64_t keep_ms;
};

/* How a reservation that was kept ended. */
struct metered_ending {
    struct op_id reservation_id;
    enum call_outcome outcome;
    int64_t actual_milli;
    const struct call_receipt *learnt_by; /* the call that told */
};

struct metered_door {
    struct http_client *http;
    const struct budget *budget;
    struct settlements *settlements;
};

/*
 * ST_OK: the reader's context holds the answer, or receipt->outcome is CALL_EMPTY and the
 * provider had none. *receipt is filled whenever the provider was asked.
 */
MUST_USE enum status metered_call(struct call_receipt *receipt,
                                  const struct metered_door *door,
                                  const struct metered_request *request, struct error *err);

/* Post what a kept reservation cost, lapsed or not. A second ending changes nothing; one for
 * which the outbox has no room is logged and dropped. */
void metered_settle_late(const struct metered_door *door,
                         const struct metered_ending *ending);

#endif /* GATEWAY_METERED_CALL_H */
