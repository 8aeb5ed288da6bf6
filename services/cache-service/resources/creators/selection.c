#include "resources/creators/selection.h"

#include <ctype.h>
#include <stdio.h>

#include "cache_service.h"
#include "core/clock.h"
#include "engine/flights.h"
#include "resources/creators/dry_run.h"
#include "resources/creators/report_fetch.h"

#define KEY_SIZE 256

/* What the store knows of one creator, and the key it is known by. */
struct held {
    struct creator_key key;
    bool is_fresh;
    bool has_creator;
    bool has_report;
    bool has_refusal;
    struct creator creator;
    struct creator_report report;
    struct creator_negative refusal;
};

/* The key to look up: as asked, or by the id that the flight waited for has found out. */
static struct creator_key key_of(const struct rpc_call *call,
                                 const struct creator_key *asked)
{
    const struct flight_receipt *receipt = call->state;

    if (receipt != NULL && receipt->resolved[0] != '\0')
        return (struct creator_key){asked->platform, receipt->resolved, NULL};
    return *asked;
}

static enum status look_up(struct held *out, const struct rpc_call *call,
                           const struct creator_key *asked, bool with_document,
                           int64_t now_us, struct error *err)
{
    const struct store_call store = cache_service_store_call(call);

    out->key = key_of(call, asked);
    enum status st =
        creators_store_find(&out->creator, &out->has_creator, &store, &out->key, err);
    if (st != ST_OK)
        return st;
    if (out->has_creator) {
        /* Known by its id from here on, so that a look-up by handle and one by id share a
         * flight and the report is bought once. */
        out->key =
            (struct creator_key){asked->platform, out->creator.provider_user_id, NULL};
        st = creators_store_report_find(&out->report, &out->has_report, &store, &out->key,
                                        with_document, err);
        if (st != ST_OK)
            return st;
        out->is_fresh = out->has_report &&
                        policy_state(out->report.fetched_at_us, out->report.fresh_until_us,
                                     now_us) == POLICY_FRESH;
    }
    if (out->is_fresh)
        return ST_OK;
    return creators_store_negative_find(&out->refusal, &out->has_refusal, &store, &out->key,
                                        CREATOR_NEGATIVE_REPORT, err);
}

static enum status answer(struct selection_answer *out, const struct rpc_call *call,
                          const struct held *held, const struct error *failure)
{
    const struct flight_receipt *receipt = call->state;
    struct selection_answer result = {
        .creator = held->creator,
        .document = held->report.document,
        .freshness =
            {
                .source = call->is_resumed ? POLICY_SOURCE_LIVE : POLICY_SOURCE_CACHED,
                .fetched_at_us = held->report.fetched_at_us,
                .fresh_until_us = held->report.fresh_until_us,
                .now_us = clock_wall_us(),
            },
    };

    if (receipt != NULL) {
        result.provider_calls = receipt->provider_calls;
        result.credits_milli = receipt->credits_milli;
    }
    if (failure != NULL)
        policy_mark_stale(&result.freshness, failure);
    *out = result;
    return ST_OK;
}

static enum status refuse(const struct creator_negative *refusal, struct error *err)
{
    (void)error_set(err, ST_NOT_FOUND, "the provider has no report of this creator");
    return error_reason(err, refusal->reason);
}

static enum status join_flight(struct rpc_call *call, const struct creator_key *key,
                               struct error *err)
{
    const struct cache_service *service = call->service;
    char flight_key[KEY_SIZE];

    (void)snprintf(flight_key, sizeof(flight_key), "report:%d:%s%s", key->platform,
                   key->provider_user_id != NULL ? "" : "@",
                   key->provider_user_id != NULL ? key->provider_user_id : key->handle);
    for (char *c = flight_key; key->provider_user_id == NULL && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    call->state = arena_alloc(call->arena, sizeof(struct flight_receipt));
    if (call->state == NULL)
        return error_out_of_arena(err);
    return flights_join(service->flights, flight_key,
                        report_fetch_new(service, key, rpc_call_user(call)), call,
                        call->state, err);
}

/* An older report answers for an outage; anything else surfaces. */
static enum status answer_despite(struct selection_answer *out, const struct rpc_call *call,
                                  const struct held *held, const struct error *failure,
                                  struct error *err)
{
    const struct error copy = *failure;

    if (held->has_report && policy_covers_with_stale(copy.status))
        return answer(out, call, held, &copy);
    *err = copy;
    return copy.status;
}

static enum status fetch(struct selection_answer *out, struct rpc_call *call,
                         const struct held *held, struct error *err)
{
    if (call->is_dry_run)
        return dry_run_refuse("one report would be bought", err);
    enum status st = join_flight(call, &held->key, err);
    if (st == RPC_DEFERRED)
        return st;
    call->state = NULL; /* nothing was fetched for this call */
    return answer_despite(out, call, held, err, err);
}

enum status selection_run(struct selection_answer *out, struct rpc_call *call,
                          const struct creator_key *key, bool with_document,
                          struct error *err)
{
    struct held held = {0};
    int64_t now_us = clock_wall_us();
    bool has_landed = call->is_resumed && call->wake.status == ST_OK;

    enum status st = look_up(&held, call, key, with_document, now_us, err);
    if (st != ST_OK)
        return st;
    if (held.is_fresh || (has_landed && held.has_report))
        return answer(out, call, &held, NULL);
    if (call->is_resumed && !has_landed)
        return answer_despite(out, call, &held, &call->wake, err);
    if (held.has_refusal && now_us < held.refusal.until_us)
        return refuse(&held.refusal, err);
    if (has_landed)
        return error_set(err, ST_INTERNAL, "the report that was fetched cannot be found");
    return fetch(out, call, &held, err);
}
