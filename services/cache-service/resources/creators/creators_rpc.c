/*
 * creators_rpc.c - CreatorService between the wire and its domain.
 *
 *     handler: check and decode -> search.h / selection.h / enrichment.h -> encode
 *
 * A deferred handler runs again from its start when it is resumed.
 */
#include "resources/creators/creators_rpc.h"

#include <stdio.h>
#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/op_id.h"
#include "core/parse.h"
#include "metercache/v1/creators.pb-c.h"
#include "resources/creators/creator_wire_rpc.h"
#include "resources/creators/enrichment.h"
#include "resources/creators/search.h"
#include "resources/creators/selection.h"
#include "resources/page_rpc.h"
#include "store/searches_store.h"

#define SEARCHES_PAGE_DEFAULT 50
#define CURSOR_SIZE           48

#define STATE(name) METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_##name
_Static_assert((int)CREATOR_ENRICHMENT_NONE == (int)STATE(UNSPECIFIED) &&
                   (int)CREATOR_ENRICHMENT_FOUND == (int)STATE(FOUND) &&
                   (int)CREATOR_ENRICHMENT_NOT_FOUND == (int)STATE(NOT_FOUND) &&
                   (int)CREATOR_ENRICHMENT_PENDING == (int)STATE(PENDING),
               "creators_store.h mirrors creators.proto");

static enum status creators_to_wire(Metercache__V1__Creator ***out,
                                    const struct creator *creators, size_t count,
                                    struct arena *arena, struct error *err)
{
    Metercache__V1__Creator **wire = arena_alloc_array(arena, count, sizeof(wire[0]));

    if (wire == NULL && count > 0)
        return error_out_of_arena(err);
    for (size_t i = 0; i < count; i++) {
        wire[i] = creator_to_wire(&creators[i], arena);
        if (wire[i] == NULL)
            return error_out_of_arena(err);
    }
    *out = wire;
    return ST_OK;
}

/* ------------------------------------------------------------------ Search ------- */

static enum status cursor_parse(struct search_cursor *out, const char *token,
                                struct error *err)
{
    struct search_cursor cursor = {0};
    char generation[CURSOR_SIZE];
    const char *dot = strchr(token, '.');

    if (token[0] == '\0') {
        *out = cursor;
        return ST_OK;
    }
    if (dot == NULL || strlen(token) >= sizeof(generation))
        return error_field(err, "page.page_token", "is not one that a search gave");
    (void)snprintf(generation, sizeof(generation), "%.*s", (int)(dot - token), token);
    if (!parse_i64(&cursor.generation, generation, 1, INT64_MAX) ||
        !parse_i64(&cursor.position, dot + 1, 1, SEARCH_COUNT_MAX))
        return error_field(err, "page.page_token", "is not one that a search gave");
    *out = cursor;
    return ST_OK;
}

static char *cursor_format(const struct search_cursor *cursor, struct arena *arena)
{
    if (cursor->generation == 0)
        return arena_strdup(arena, "");
    return arena_printf(arena, "%lld.%lld", (long long)cursor->generation,
                        (long long)cursor->position);
}

static enum status search_decode(struct search_query *out, const struct rpc_call *call,
                                 const Metercache__V1__SearchRequest *request,
                                 struct error *err)
{
    struct search_query query = {
        .platform = (int)request->platform,
        .count = request->count,
        .page_size = page_size(request->page, SEARCH_PAGE_MAX, SEARCH_PAGE_MAX),
        .user = rpc_call_user(call),
    };

    enum status st = creator_check_platform(query.platform, "platform", err);
    if (st != ST_OK)
        return st;
    if (query.count < 1 || query.count > SEARCH_COUNT_MAX)
        return error_field(err, "count", "must be from 1 to %d", SEARCH_COUNT_MAX);
    st = cursor_parse(&query.cursor, page_token(request->page), err);
    if (st != ST_OK)
        return st;
    st = filters_canonicalise(&query.filters, creator_platform_name(query.platform),
                              request->filters_json, request->sort_json, call->arena, err);
    if (st == ST_OK)
        *out = query;
    return st;
}

/* The user's own history; the answer does not depend on it. */
static void record_search(const struct rpc_call *call, const struct search_query *query,
                          const struct search_answer *answer)
{
    const struct store_call store = cache_service_store_call(call);
    struct search_request record = {
        .id = op_id_new(),
        .platform = query->platform,
        .filters = query->filters.filters,
        .count = query->count,
        .from_cache = answer->from_cache,
        .discovered = answer->discovered,
        .at_us = clock_wall_us(),
    };
    struct error err = ERROR_NONE;

    memcpy(record.filter_hash, query->filters.hash, sizeof(record.filter_hash));
    if (searches_store_record_request(&store, query->user, &record, &err) != ST_OK)
        log_event(LOG_WARN, "search not recorded", LOG_STR("user", query->user),
                  LOG_STR("message", err.message));
}

static enum status search_encode(Metercache__V1__SearchResponse *reply,
                                 const struct search_query *query,
                                 const struct search_answer *answer, struct arena *arena,
                                 struct error *err)
{
    enum status st = creators_to_wire(&reply->creators, answer->creators,
                                      answer->creator_count, arena, err);
    if (st != ST_OK)
        return st;
    reply->n_creators = answer->creator_count;
    reply->page = page_response(cursor_format(&answer->next, arena), arena);
    reply->available = answer->available;
    reply->total = answer->total;
    reply->exhausted = answer->exhausted;
    reply->from_cache = answer->from_cache;
    reply->discovered = answer->discovered;
    reply->filter_hash.data =
        arena_memdup(arena, query->filters.hash, sizeof(query->filters.hash));
    reply->filter_hash.len = sizeof(query->filters.hash);
    reply->freshness = creator_freshness_to_wire(&answer->freshness, arena);
    reply->cost =
        creator_cost_to_wire(answer->provider_calls, answer->credits_milli, arena);
    if (reply->page == NULL || reply->filter_hash.data == NULL ||
        reply->freshness == NULL || reply->cost == NULL)
        return error_out_of_arena(err);
    return ST_OK;
}

static enum status search(struct rpc_call *call, const void *in, void *out,
                          struct error *err)
{
    struct search_query query;
    struct search_answer answer;

    enum status st = search_decode(&query, call, in, err);
    if (st != ST_OK)
        return st;
    st = search_run(&answer, call, &query, err);
    if (st != ST_OK)
        return st;
    if (query.cursor.generation == 0 && !call->is_dry_run)
        record_search(call, &query, &answer);
    return search_encode(out, &query, &answer, call->arena, err);
}

/* -------------------------------------------------- GetCreator, SelectCreator ------- */

static enum status get_creator(struct rpc_call *call, const void *in, void *out,
                               struct error *err)
{
    const Metercache__V1__GetCreatorRequest *request = in;
    Metercache__V1__GetCreatorResponse *reply = out;
    struct store_call store = cache_service_store_call(call);
    struct creator creator;
    struct creator_key key;
    bool found = false;

    enum status st = creator_key_from_wire(&key, request->creator, err);
    if (st != ST_OK)
        return st;
    store.may_lag = true;
    st = creators_store_find(&creator, &found, &store, &key, err);
    if (st != ST_OK)
        return st;
    if (!found)
        return error_set(err, ST_NOT_FOUND, "no such creator is cached");
    const struct policy_freshness freshness = {
        .source = POLICY_SOURCE_CACHED,
        .fetched_at_us = creator.updated_at_us,
        .now_us = clock_wall_us(),
    };
    reply->creator = creator_to_wire(&creator, call->arena);
    reply->freshness = creator_freshness_to_wire(&freshness, call->arena);
    return reply->creator == NULL || reply->freshness == NULL ? error_out_of_arena(err)
                                                              : ST_OK;
}

static enum status select_creator(struct rpc_call *call, const void *in, void *out,
                                  struct error *err)
{
    const Metercache__V1__SelectCreatorRequest *request = in;
    Metercache__V1__SelectCreatorResponse *reply = out;
    struct selection_answer answer;
    struct creator_key key;

    enum status st = creator_key_from_wire(&key, request->creator, err);
    if (st != ST_OK)
        return st;
    st = selection_run(&answer, call, &key, !request->omit_report, err);
    if (st != ST_OK)
        return st;
    reply->creator = creator_to_wire(&answer.creator, call->arena);
    if (answer.document != NULL)
        reply->report_json = (char *)answer.document;
    reply->freshness = creator_freshness_to_wire(&answer.freshness, call->arena);
    reply->cost =
        creator_cost_to_wire(answer.provider_calls, answer.credits_milli, call->arena);
    if (reply->creator == NULL || reply->freshness == NULL || reply->cost == NULL)
        return error_out_of_arena(err);
    return ST_OK;
}

/* ----------------------------------------------------------- EnrichCreator ------- */

static enum status enrich_creator(struct rpc_call *call, const void *in, void *out,
                                  struct error *err)
{
    const Metercache__V1__EnrichCreatorRequest *request = in;
    Metercache__V1__EnrichCreatorResponse *reply = out;
    struct enrichment_answer answer;
    struct creator_key key;

    enum status st = creator_key_from_wire(&key, request->creator, err);
    if (st != ST_OK)
        return st;
    st = enrichment_run(&answer, call, &key, err);
    if (st != ST_OK)
        return st;
    reply->creator = creator_to_wire(&answer.creator, call->arena);
    reply->state = (Metercache__V1__EnrichmentState)answer.state;
    reply->email = (char *)answer.email;
    reply->freshness = creator_freshness_to_wire(&answer.freshness, call->arena);
    reply->cost =
        creator_cost_to_wire(answer.provider_calls, answer.credits_milli, call->arena);
    if (reply->creator == NULL || reply->freshness == NULL || reply->cost == NULL)
        return error_out_of_arena(err);
    return ST_OK;
}

/* ------------------------------------------------------------ ListSearches ------- */

static Metercache__V1__SearchRecord *record_to_wire(const struct search_request *record,
                                                    struct arena *arena)
{
    Metercache__V1__SearchRecord *wire = arena_alloc(arena, sizeof(*wire));

    if (wire == NULL)
        return NULL;
    metercache__v1__search_record__init(wire);
    wire->search_id.data = (uint8_t *)record->id.bytes;
    wire->search_id.len = OP_ID_SIZE;
    wire->platform = (Metercache__V1__Platform)record->platform;
    wire->filters_json = (char *)record->filters;
    wire->count = record->count;
    wire->at_us = record->at_us;
    wire->from_cache = record->from_cache;
    wire->discovered = record->discovered;
    wire->filter_hash.data = (uint8_t *)record->filter_hash;
    wire->filter_hash.len = sizeof(record->filter_hash);
    return wire;
}

static enum status searches_encode(Metercache__V1__ListSearchesResponse *reply,
                                   const struct search_request *records, size_t count,
                                   size_t limit, struct arena *arena, struct error *err)
{
    char token[OP_ID_TEXT_SIZE] = "";

    reply->searches = arena_alloc_array(arena, count, sizeof(reply->searches[0]));
    if (reply->searches == NULL && count > 0)
        return error_out_of_arena(err);
    for (size_t i = 0; i < count; i++) {
        reply->searches[i] = record_to_wire(&records[i], arena);
        if (reply->searches[i] == NULL)
            return error_out_of_arena(err);
    }
    reply->n_searches = count;
    if (count == limit)
        op_id_format(token, &records[count - 1].id);
    reply->page = page_response(arena_strdup(arena, token), arena);
    return reply->page == NULL ? error_out_of_arena(err) : ST_OK;
}

static enum status list_searches(struct rpc_call *call, const void *in, void *out,
                                 struct error *err)
{
    const Metercache__V1__ListSearchesRequest *request = in;
    const struct store_call store = cache_service_store_call(call);
    const struct search_request *records = NULL;
    const char *token = page_token(request->page);
    size_t limit =
        page_size(request->page, SEARCHES_PAGE_DEFAULT, SEARCHES_STORE_REQUEST_MAX);
    struct op_id before = {{0}};
    size_t count = 0;

    if (token[0] != '\0' && !op_id_parse(&before, token))
        return error_field(err, "page.page_token", "is not one that a listing gave");
    enum status st = searches_store_list_requests(&records, &count, &store,
                                                  rpc_call_user(call), &before, limit, err);
    if (st != ST_OK)
        return st;
    return searches_encode(out, records, count, limit, call->arena, err);
}

#define ROLES (RPC_ROLE_CLIENT | RPC_ROLE_STAFF | RPC_ROLE_ADMIN | RPC_ROLE_SERVICE)
#define ROW(name_, flags_, handler_)                                              \
    {                                                                             \
        .service = &metercache__v1__creator_service__descriptor, .name = (name_), \
        .roles = ROLES, .flags = (flags_), .handler = (handler_)                  \
    }

/* What may fetch is not idempotent: a fetch that failed may have been charged. */
// clang-format off
const struct rpc_method creators_methods[] = {
    ROW("Search",        0,              search),
    ROW("GetCreator",    RPC_IDEMPOTENT, get_creator),
    ROW("SelectCreator", 0,              select_creator),
    ROW("EnrichCreator", 0,              enrich_creator),
    ROW("ListSearches",  RPC_IDEMPOTENT, list_searches),
    {.service = NULL},
};
// clang-format on
