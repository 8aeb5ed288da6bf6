#include "resources/creators/search_fetch.h"

#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/mem.h"
#include "resources/creators/upstream_rpc.h"
#include "store/searches_store.h"

#define ARENA_BYTES      (4 * 1024 * 1024)
#define STORE_LIMIT_MS   10000
#define TRIES_MAX        5
#define FRESH_US(config) ((int64_t)(config)->search_fresh_ms * CLOCK_US_PER_MS)

struct search_fetch {
    struct flight_job job; /* first: the flight knows this part alone */
    const struct cache_service *service;
    int platform;
    char *filters;
    char *sort;
    uint8_t hash[FILTERS_HASH_SIZE];
    int64_t count;
    char *user;
};

bool search_fetch_is_satisfied(const struct search *search, int64_t count, int64_t now_us)
{
    if (policy_state(search->fetched_at_us, search->fresh_until_us, now_us) != POLICY_FRESH)
        return false;
    return search->held >= count || search->exhausted;
}

bool search_fetch_is_last_page(uint32_t page, size_t creators_on_page, int64_t total)
{
    if (creators_on_page < UPSTREAM_PAGE_SIZE || page >= UPSTREAM_PAGE_LAST)
        return true;
    return total >= 0 && ((int64_t)page + 1) * UPSTREAM_PAGE_SIZE >= total;
}

static struct store_call store_call_of(const struct search_fetch *fetch,
                                       struct arena *arena)
{
    return (struct store_call){
        .store = fetch->service->store,
        .arena = arena,
        .deadline_us = clock_deadline_ms(STORE_LIMIT_MS),
    };
}

/* The search to fill: the one stored while it is fresh, else a new generation of it. */
static enum status find_or_start(struct search *out, bool *satisfied,
                                 const struct search_fetch *fetch, struct arena *arena,
                                 struct error *err)
{
    const struct store_call call = store_call_of(fetch, arena);
    int64_t now_us = clock_wall_us();
    struct search search = {0};
    bool found = false;

    enum status st = searches_store_find(&search, &found, &call, fetch->hash, err);
    if (st != ST_OK)
        return st;
    *satisfied = found && search_fetch_is_satisfied(&search, fetch->count, now_us);
    bool is_being_filled = found && search.held_generation < search.generation;
    bool is_fresh = found && policy_state(search.fetched_at_us, search.fresh_until_us,
                                          now_us) == POLICY_FRESH;
    if (*satisfied || is_being_filled || is_fresh) {
        *out = search;
        return ST_OK;
    }
    struct search_start start = {
        .platform = fetch->platform,
        .filters = fetch->filters,
        .sort = fetch->sort,
        .seen_generation = search.generation,
    };
    memcpy(start.filter_hash, fetch->hash, sizeof(start.filter_hash));
    return searches_store_start(out, &call, &start, err);
}

static enum status fetch_page(struct search *search, const struct search_fetch *fetch,
                              struct flight_receipt *receipt, struct arena *arena,
                              struct error *err)
{
    const struct cache_config *config = fetch->service->config;
    const struct upstream upstream = {
        .gateway = fetch->service->gateway,
        .timeout_ms = config->gateway_timeout_ms,
        .user = fetch->user,
        .reason = "search",
        .receipt = receipt,
    };
    uint32_t number = (uint32_t)search->next_page;
    struct upstream_page bought = {0};

    enum status st = upstream_search(&bought, &upstream, fetch->platform, fetch->filters,
                                     fetch->sort, number, arena, err);
    if (st != ST_OK)
        return st;
    receipt->fetched += (uint32_t)bought.count;

    const struct store_call call = store_call_of(fetch, arena);
    int64_t now_us = clock_wall_us();
    struct search_page page = {
        .generation = search->generation,
        .next_page = search->next_page,
        .creators = bought.creators,
        .creator_count = bought.count,
        .total = bought.total,
        .exhausted = search_fetch_is_last_page(number, bought.count, bought.total),
        .fetched_at_us = now_us,
        .fresh_until_us = now_us + FRESH_US(config),
    };
    memcpy(page.filter_hash, fetch->hash, sizeof(page.filter_hash));
    return searches_store_append_page(search, &call, &page, err);
}

static enum status fill(const struct search_fetch *fetch, struct flight_receipt *receipt,
                        struct arena *arena, struct error *err)
{
    struct search search = {0};
    bool satisfied = false;

    enum status st = find_or_start(&search, &satisfied, fetch, arena, err);
    while (st == ST_OK && !satisfied) {
        st = fetch_page(&search, fetch, receipt, arena, err);
        /* Filters and sort are the job's own, the search's texts are not read again. */
        arena_reset(arena);
        satisfied = st == ST_OK &&
                    search_fetch_is_satisfied(&search, fetch->count, clock_wall_us());
    }
    return st;
}

static enum status run(struct flight_job *job, struct flight_receipt *receipt,
                       struct error *err)
{
    struct search_fetch *fetch = (struct search_fetch *)job;
    struct arena arena;
    enum status st = ST_ABORTED;

    arena_init(&arena, ARENA_BYTES);
    /* Another replica may fill the same search: then look at what it stored, and go on. */
    for (int tries = 0; st == ST_ABORTED && tries < TRIES_MAX; tries++)
        st = fill(fetch, receipt, &arena, err);
    arena_done(&arena);
    return st;
}

static void free_job(struct flight_job *job)
{
    struct search_fetch *fetch = (struct search_fetch *)job;

    mem_free(fetch->filters);
    mem_free(fetch->sort);
    mem_free(fetch->user);
    mem_free(fetch);
}

struct flight_job *search_fetch_new(const struct cache_service *service,
                                    const struct search_query *query)
{
    struct search_fetch *fetch = mem_alloc(sizeof(*fetch));

    fetch->job.run = run;
    fetch->job.free = free_job;
    fetch->service = service;
    fetch->platform = query->platform;
    fetch->filters = mem_strdup(query->filters.filters);
    fetch->sort = mem_strdup(query->filters.sort);
    memcpy(fetch->hash, query->filters.hash, sizeof(fetch->hash));
    fetch->count = query->count;
    fetch->user = mem_strdup(query->user);
    return &fetch->job;
}
