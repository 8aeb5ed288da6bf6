#include "resources/creators/upstream_rpc.h"

#include <stdio.h>

#include "client/gateway.h"
#include "core/clock.h"
#include "metercache/v1/gateway.pb-c.h"
#include "metercache/v1/rpc.pb-c.h"
#include "resources/creators/creator_wire_rpc.h"

#define ITEM_ID_SIZE 65 /* the enrichment provider takes 64 characters */

static Metercache__V1__CallContext context_of(const struct upstream *upstream)
{
    Metercache__V1__CallContext context = METERCACHE__V1__CALL_CONTEXT__INIT;

    context.user = (char *)upstream->user;
    context.reason = (char *)upstream->reason;
    context.is_interactive = true;
    return context;
}

static struct client_options options_of(const struct upstream *upstream)
{
    return (struct client_options){
        .timeout_ms = upstream->timeout_ms,
        .priority = METERCACHE__V1__PRIORITY__PRIORITY_HIGH,
    };
}

static void count_cost(const struct upstream *upstream,
                       const Metercache__V1__CallReceipt *receipt)
{
    upstream->receipt->provider_calls++;
    if (receipt != NULL)
        upstream->receipt->credits_milli += receipt->credits_milli;
}

enum status upstream_search(struct upstream_page *out, const struct upstream *upstream,
                            int platform, const char *filters, const char *sort,
                            uint32_t page, struct arena *arena, struct error *err)
{
    Metercache__V1__SearchCreatorsRequest request =
        METERCACHE__V1__SEARCH_CREATORS_REQUEST__INIT;
    Metercache__V1__SearchCreatorsResponse *reply = NULL;
    Metercache__V1__CallContext context = context_of(upstream);
    const struct client_options options = options_of(upstream);

    request.context = &context;
    request.platform = (Metercache__V1__Platform)platform;
    request.filters_json = (char *)filters;
    request.sort_json = (char *)sort;
    request.page = page;
    enum status st = client_gateway_search_creators(&reply, upstream->gateway, &request,
                                                    &options, arena, err);
    if (st != ST_OK)
        return st;
    count_cost(upstream, reply->receipt);

    int64_t now_us = clock_wall_us();
    struct creator *creators =
        arena_alloc_array(arena, reply->n_creators, sizeof(creators[0]));
    if (creators == NULL && reply->n_creators > 0)
        return error_out_of_arena(err);
    for (size_t i = 0; i < reply->n_creators; i++)
        creator_from_wire(&creators[i], reply->creators[i], now_us);
    *out = (struct upstream_page){
        .creators = creators,
        .count = reply->n_creators,
        .returned = reply->returned,
        .total = reply->total,
    };
    return ST_OK;
}

enum status upstream_fetch_report(struct upstream_report *out,
                                  const struct upstream *upstream,
                                  const struct creator_key *key, struct arena *arena,
                                  struct error *err)
{
    Metercache__V1__FetchReportRequest request = METERCACHE__V1__FETCH_REPORT_REQUEST__INIT;
    Metercache__V1__FetchReportResponse *reply = NULL;
    Metercache__V1__CallContext context = context_of(upstream);
    Metercache__V1__CreatorRef creator;
    const struct client_options options = options_of(upstream);

    creator_key_to_wire(&creator, key);
    request.context = &context;
    request.creator = &creator;
    enum status st = client_gateway_fetch_report(&reply, upstream->gateway, &request,
                                                 &options, arena, err);
    if (st != ST_OK)
        return st;
    count_cost(upstream, reply->receipt);
    if (reply->creator == NULL)
        return error_set(err, ST_INTERNAL, "the gateway's report names no creator");
    creator_from_wire(&out->creator, reply->creator, clock_wall_us());
    out->document = reply->report_json;
    out->email = reply->n_emails > 0 ? reply->emails[0] : "";
    return ST_OK;
}

static enum creator_enrichment_state state_from_wire(Metercache__V1__EnrichEmailState state)
{
    switch (state) {
    case METERCACHE__V1__ENRICH_EMAIL_STATE__ENRICH_EMAIL_STATE_FOUND:
        return CREATOR_ENRICHMENT_FOUND;
    case METERCACHE__V1__ENRICH_EMAIL_STATE__ENRICH_EMAIL_STATE_PENDING:
        return CREATOR_ENRICHMENT_PENDING;
    default:
        return CREATOR_ENRICHMENT_NOT_FOUND;
    }
}

enum status upstream_enrich(struct upstream_enrichment *out,
                            const struct upstream *upstream, const struct creator *creator,
                            const char *run_id, struct arena *arena, struct error *err)
{
    Metercache__V1__EnrichEmailRequest request = METERCACHE__V1__ENRICH_EMAIL_REQUEST__INIT;
    Metercache__V1__EnrichEmailResponse *reply = NULL;
    Metercache__V1__CallContext context = context_of(upstream);
    const struct client_options options = options_of(upstream);
    char item_id[ITEM_ID_SIZE];

    /* The same for every poll of a run, also after a restart of ours. */
    (void)snprintf(item_id, sizeof(item_id), "%d-%s", creator->platform,
                   creator->provider_user_id);
    request.context = &context;
    request.platform = (Metercache__V1__Platform)creator->platform;
    request.item_id = item_id;
    request.full_name = (char *)creator->full_name;
    request.handle = (char *)creator->handle;
    request.profile_url = (char *)creator->url;
    request.run_id = (char *)run_id;
    enum status st = client_gateway_enrich_email(&reply, upstream->gateway, &request,
                                                 &options, arena, err);
    if (st != ST_OK)
        return st;
    count_cost(upstream, reply->receipt);
    out->state = state_from_wire(reply->state);
    out->email = reply->email;
    out->run_id = reply->run_id;
    return ST_OK;
}
