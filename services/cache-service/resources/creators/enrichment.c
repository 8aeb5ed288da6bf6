#include "resources/creators/enrichment.h"

#include <stdio.h>
#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "engine/flights.h"
#include "resources/creators/dry_run.h"
#include "resources/creators/enrichment_fetch.h"

#define KEY_SIZE 256

/* What the store knows of one creator's e-mail address. */
struct held {
    struct creator creator;
    bool has_enrichment;
    struct creator_enrichment enrichment;
};

static enum status look_up(struct held *out, const struct rpc_call *call,
                           const struct creator_key *asked, struct error *err)
{
    const struct store_call store = cache_service_store_call(call);
    bool found = false;

    enum status st = creators_store_find(&out->creator, &found, &store, asked, err);
    if (st != ST_OK)
        return st;
    if (!found)
        return error_set(err, ST_NOT_FOUND, "no such creator is cached");
    if (!out->creator.has_report) {
        (void)error_set(err, ST_PRECONDITION,
                        "no detailed profile of this creator is cached, select it first");
        return error_reason(err, "REPORT_MISSING");
    }
    const struct creator_key key = {asked->platform, out->creator.provider_user_id, NULL};
    return creators_store_enrichment_find(&out->enrichment, &out->has_enrichment, &store,
                                          &key, err);
}

static enum status answer(struct enrichment_answer *out, const struct rpc_call *call,
                          const struct held *held, enum creator_enrichment_state state)
{
    const struct flight_receipt *receipt = call->state;
    struct enrichment_answer result = {
        .creator = held->creator,
        .state = state,
        .email = held->creator.email,
        .freshness =
            {
                .source = call->is_resumed ? POLICY_SOURCE_LIVE : POLICY_SOURCE_CACHED,
                .fetched_at_us = held->has_enrichment ? held->enrichment.answered_at_us
                                                      : held->creator.updated_at_us,
                .fresh_until_us = held->enrichment.fresh_until_us,
                .now_us = clock_wall_us(),
            },
    };

    if (receipt != NULL) {
        result.provider_calls = receipt->provider_calls;
        result.credits_milli = receipt->credits_milli;
    }
    *out = result;
    return ST_OK;
}

/* A known address is final; so is, for a while, that there is none, or that nobody knows
 * what became of a look-up that was paid for. */
static bool is_settled(const struct held *held, int64_t now_us)
{
    const struct creator_enrichment *enrichment = &held->enrichment;

    if (held->creator.email[0] != '\0')
        return true;
    if (!held->has_enrichment || now_us >= enrichment->fresh_until_us)
        return false;
    return enrichment->state == CREATOR_ENRICHMENT_NOT_FOUND ||
           (enrichment->state == CREATOR_ENRICHMENT_PENDING &&
            enrichment->run_id[0] == '\0');
}

static enum creator_enrichment_state state_of(const struct held *held)
{
    if (held->creator.email[0] != '\0')
        return CREATOR_ENRICHMENT_FOUND;
    return held->has_enrichment ? held->enrichment.state : CREATOR_ENRICHMENT_NOT_FOUND;
}

static enum status join_flight(struct rpc_call *call, const struct held *held,
                               int64_t now_us, struct error *err)
{
    const struct cache_service *service = call->service;
    const struct creator *creator = &held->creator;
    char flight_key[KEY_SIZE];
    bool is_running = held->has_enrichment &&
                      held->enrichment.state == CREATOR_ENRICHMENT_PENDING &&
                      now_us < held->enrichment.fresh_until_us;
    const struct enrichment_run run = {
        .id = is_running ? held->enrichment.run_id : "",
        .asked_at_us = is_running ? held->enrichment.asked_at_us : now_us,
    };

    (void)snprintf(flight_key, sizeof(flight_key), "enrich:%d:%s", creator->platform,
                   creator->provider_user_id);
    call->state = arena_alloc(call->arena, sizeof(struct flight_receipt));
    if (call->state == NULL)
        return error_out_of_arena(err);
    return flights_join(service->enrichments, flight_key,
                        enrichment_fetch_new(service, creator, &run, rpc_call_user(call)),
                        call, call->state, err);
}

enum status enrichment_run(struct enrichment_answer *out, struct rpc_call *call,
                           const struct creator_key *key, struct error *err)
{
    struct held held = {0};
    int64_t now_us = clock_wall_us();

    enum status st = look_up(&held, call, key, err);
    if (st != ST_OK)
        return st;
    if (is_settled(&held, now_us) || (call->is_resumed && call->wake.status == ST_OK))
        return answer(out, call, &held, state_of(&held));
    if (call->is_resumed && strcmp(call->wake.reason, "FETCH_SLOW") == 0)
        return answer(out, call, &held, CREATOR_ENRICHMENT_PENDING);
    if (call->is_resumed) {
        *err = call->wake;
        return err->status;
    }
    if (call->is_dry_run)
        return dry_run_refuse("the enrichment provider would be asked", err);
    return join_flight(call, &held, now_us, err);
}
