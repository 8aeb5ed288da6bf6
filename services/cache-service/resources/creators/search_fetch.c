#include "resources/creators/search_fetch.h"

#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/parse.h"
#include "engine/persist.h"
#include "resources/creators/upstream_rpc.h"
#include "resources/events_rpc.h"
#include "store/searches_store.h"

#define ARENA_BYTES      (4 * 1024 * 1024)
#define STORE_LIMIT_MS   10000
#define FRESH_US(config) ((int64_t)(config)->search_fresh_ms * CLOCK_US_PER_MS)

struct search_fetch {
    struct flight_job job; /* first: the flight knows this part alone */
    const struct cache_service *service;
    int platform;
    char *filters;
    char *sort;
    uint8_t hash[FILTERS_HASH_SIZE];
    int64_t count;
    int64_t generation; /* gone on with though stale; 0: none */
    char *user;
};

static bool is_fresh(const struct search *search, int64_t now_us)
{
    return policy_state(search->fetched_at_us, search->fresh_until_us, now_us) ==
           POLICY_FRESH;
}

bool search_fetch_answers(const struct search *search, int64_t count, int64_t generation,
                          int64_t now_us)
{
    bool is_own = generation != 0 && search->held_generation == generation;

    return (is_own || is_fresh(search, now_us)) &&
           (search->held >= count || search->exhausted);
}

bool search_fetch_is_last_page(uint32_t page, uint32_t returned, int64_t total)
{
    if (returned < UPSTREAM_PAGE_SIZE || page >= UPSTREAM_PAGE_LAST)
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

/* Goes on with the generation that is stored, instead of beginning another: it is fresh, it
 * is the one whoever asks has had filled so far, or it is half filled and not yet old. */
static bool goes_on(const struct search *search, const struct search_fetch *fetch,
                    int64_t now_us)
{
    bool is_half_filled = search->held_generation < search->generation &&
                          (search->filled == 0 || now_us < search->filled_fresh_until_us);

    return search->generation == fetch->generation || is_half_filled ||
           is_fresh(search, now_us);
}

static enum status find_or_start(struct search *out, const struct search_fetch *fetch,
                                 struct arena *arena, struct error *err)
{
    const struct store_call call = store_call_of(fetch, arena);
    struct search search = {0};
    bool found = false;

    enum status st = searches_store_find(&search, &found, &call, fetch->hash, err);
    if (st != ST_OK)
        return st;
    if (found && goes_on(&search, fetch, clock_wall_us())) {
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

/* A page that was bought, on its way into the store. */
struct kept {
    const struct search_fetch *fetch;
    struct search_page page;
    struct search search; /* as it is then */
    struct arena *arena;
};

static enum status store_once(void *context, struct error *err)
{
    struct kept *kept = context;
    const struct store_call call = store_call_of(kept->fetch, kept->arena);

    return searches_store_append_page(&kept->search, &call, &kept->page, err);
}

static enum status store_page(const struct search *search, const struct search_fetch *fetch,
                              const struct upstream_page *bought, struct arena *arena,
                              struct error *err)
{
    int64_t now_us = clock_wall_us();
    struct kept kept = {
        .fetch = fetch,
        .page =
            {
                .generation = search->generation,
                .next_page = search->next_page,
                .creators = bought->creators,
                .creator_count = bought->count,
                .total = bought->total,
                .exhausted = search_fetch_is_last_page((uint32_t)search->next_page,
                                                       bought->returned, bought->total),
                .fetched_at_us = now_us,
                .fresh_until_us = now_us + FRESH_US(fetch->service->config),
                .wanted = fetch->count,
            },
        .arena = arena,
    };

    memcpy(kept.page.filter_hash, fetch->hash, sizeof(kept.page.filter_hash));
    return persist(store_once, &kept, err);
}

static void tell(const struct search_fetch *fetch)
{
    char key[2 * FILTERS_HASH_SIZE + 1];

    parse_format_hex(key, fetch->hash, sizeof(fetch->hash));
    events_filled(fetch->service->events, EVENTS_KIND_SEARCH, key, clock_wall_us());
}

static enum status fetch_page(const struct search *search, const struct search_fetch *fetch,
                              struct flight_receipt *receipt, struct arena *arena,
                              struct error *err)
{
    const struct upstream upstream = {
        .gateway = fetch->service->gateway,
        .timeout_ms = fetch->service->config->gateway_timeout_ms,
        .user = fetch->user,
        .reason = "search",
        .receipt = receipt,
    };
    struct upstream_page bought = {0};

    enum status st = upstream_search(&bought, &upstream, fetch->platform, fetch->filters,
                                     fetch->sort, (uint32_t)search->next_page, arena, err);
    if (st != ST_OK)
        return st;
    st = store_page(search, fetch, &bought, arena, err);
    if (st == ST_OK) {
        receipt->fetched = (uint32_t)bought.count;
        tell(fetch);
    }
    /* Another replica has stored that page: those who wait look at what is there now. */
    return st == ST_ABORTED ? ST_OK : st;
}

static enum status run(struct flight_job *job, struct flight_receipt *receipt,
                       struct error *err)
{
    const struct search_fetch *fetch = (const struct search_fetch *)job;
    struct search search = {0};
    struct arena arena;

    arena_init(&arena, ARENA_BYTES);
    enum status st = find_or_start(&search, fetch, &arena, err);
    if (st == ST_ABORTED) /* begun by another replica meanwhile */
        st = find_or_start(&search, fetch, &arena, err);
    if (st == ST_OK &&
        !search_fetch_answers(&search, fetch->count, fetch->generation, clock_wall_us()))
        st = fetch_page(&search, fetch, receipt, &arena, err);
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
                                    const struct search_query *query, int64_t generation)
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
    fetch->generation = generation;
    fetch->user = mem_strdup(query->user);
    return &fetch->job;
}
