#include "resources/creators/search.h"

#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/parse.h"
#include "engine/flights.h"
#include "resources/creators/dry_run.h"
#include "resources/creators/search_fetch.h"
#include "store/searches_store.h"

#define KEY_SIZE (sizeof("search:") + 2 * FILTERS_HASH_SIZE)

/* What a call remembers while it waits for flights. */
struct search_progress {
    int64_t held_before; /* fresh creators held when the call first looked */
    int64_t generation;  /* that its flights fill; 0 before the first has landed */
    struct flight_receipt receipt; /* of the flight being waited for */
    uint32_t provider_calls;
    int64_t credits_milli;
    bool was_live;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum status fill_answer(struct search_answer *out, const struct store_call *store,
                               const struct search_query *query,
                               const struct search *search, struct error *err)
{
    int64_t available = smaller(search->held, query->count);
    int64_t left = available - query->cursor.position;
    size_t limit = left > 0 ? (size_t)smaller(left, query->page_size) : 0;

    if (limit > 0) {
        enum status st =
            searches_store_results(&out->creators, &out->creator_count, store,
                                   query->filters.hash, query->cursor.position, limit, err);
        if (st != ST_OK)
            return st;
    }
    int64_t position = query->cursor.position + (int64_t)out->creator_count;
    if (position < available)
        out->next = (struct search_cursor){search->held_generation, position};
    out->available = (uint32_t)available;
    out->total = search->total;
    out->exhausted = search->exhausted;
    return ST_OK;
}

static enum status answer(struct search_answer *out, const struct rpc_call *call,
                          const struct search_query *query, const struct search *search,
                          const struct error *failure, struct error *err)
{
    const struct store_call store = cache_service_store_call(call);
    const struct search_progress *progress = call->state;
    struct search_answer result = {0};

    enum status st = fill_answer(&result, &store, query, search, err);
    if (st != ST_OK)
        return st;
    result.from_cache = result.available;
    if (progress->was_live) {
        result.from_cache = (uint32_t)smaller(progress->held_before, result.available);
        result.discovered = result.available - result.from_cache;
    }
    result.provider_calls = progress->provider_calls;
    result.credits_milli = progress->credits_milli;
    result.freshness = (struct policy_freshness){
        .source = progress->was_live ? POLICY_SOURCE_LIVE : POLICY_SOURCE_CACHED,
        .fetched_at_us = search->fetched_at_us,
        .fresh_until_us = search->fresh_until_us,
        .now_us = clock_wall_us(),
    };
    if (failure != NULL)
        policy_mark_stale(&result.freshness, failure);
    *out = result;
    return ST_OK;
}

/* A call goes on with the generation it has begun to fill, also when that grows stale
 * meanwhile: else a short freshness would make it begin again for ever. */
static enum status join_flight(struct rpc_call *call, const struct search_query *query,
                               const struct search *search, struct error *err)
{
    const struct cache_service *service = call->service;
    struct search_progress *progress = call->state;
    char key[KEY_SIZE];

    if (call->is_resumed && progress->generation == 0)
        progress->generation = search->generation;
    memcpy(key, "search:", sizeof("search:"));
    parse_format_hex(key + sizeof("search:") - 1, query->filters.hash, FILTERS_HASH_SIZE);
    return flights_join(service->flights, key,
                        search_fetch_new(service, query, progress->generation), call,
                        &progress->receipt, err);
}

static void count_flight(struct search_progress *progress, const struct error *outcome)
{
    progress->provider_calls += progress->receipt.provider_calls;
    progress->credits_milli += progress->receipt.credits_milli;
    if (outcome->status == ST_OK || progress->receipt.fetched > 0)
        progress->was_live = true;
}

static struct search_progress *progress_of(struct rpc_call *call,
                                           const struct search *search, int64_t now_us)
{
    if (call->state == NULL) {
        struct search_progress *progress = arena_alloc(call->arena, sizeof(*progress));

        if (progress != NULL && policy_state(search->fetched_at_us, search->fresh_until_us,
                                             now_us) == POLICY_FRESH)
            progress->held_before = search->held;
        call->state = progress;
    }
    return call->state;
}

static enum status check_cursor(const struct search_query *query,
                                const struct search *search, struct error *err)
{
    if (query->cursor.generation == search->held_generation)
        return ST_OK;
    (void)error_set(err, ST_ABORTED,
                    "the search has been refreshed since that page, "
                    "start again without a page token");
    return error_reason(err, "PAGE_EXPIRED");
}

/* What is held answers for an outage; anything else surfaces. */
static enum status answer_despite(struct search_answer *out, const struct rpc_call *call,
                                  const struct search_query *query,
                                  const struct search *search, const struct error *failure,
                                  struct error *err)
{
    const struct error copy = *failure;

    if (search->held > 0 && policy_covers_with_stale(copy.status))
        return answer(out, call, query, search, &copy, err);
    *err = copy;
    return copy.status;
}

/* Waits for another page of the search, unless something stands in the way. */
static enum status fetch_more(struct search_answer *out, struct rpc_call *call,
                              const struct search_query *query, const struct search *search,
                              struct error *err)
{
    if (call->is_dry_run)
        return dry_run_refuse("discovery would be called for the rest", err);
    enum status st = join_flight(call, query, search, err);
    if (st == RPC_DEFERRED)
        return st;
    return answer_despite(out, call, query, search, err, err);
}

enum status search_run(struct search_answer *out, struct rpc_call *call,
                       const struct search_query *query, struct error *err)
{
    const struct store_call store = cache_service_store_call(call);
    int64_t now_us = clock_wall_us();
    struct search search = {.total = -1};
    bool found = false;

    enum status st = searches_store_find(&search, &found, &store, query->filters.hash, err);
    if (st != ST_OK)
        return st;
    struct search_progress *progress = progress_of(call, &search, now_us);
    if (progress == NULL)
        return error_out_of_arena(err);
    if (query->cursor.generation != 0) {
        st = check_cursor(query, &search, err);
        return st == ST_OK ? answer(out, call, query, &search, NULL, err) : st;
    }
    if (call->is_resumed)
        count_flight(progress, &call->wake);
    if (search_fetch_answers(&search, query->count, progress->generation, now_us))
        return answer(out, call, query, &search, NULL, err);
    if (call->is_resumed && call->wake.status != ST_OK)
        return answer_despite(out, call, query, &search, &call->wake, err);
    return fetch_more(out, call, query, &search, err);
}
