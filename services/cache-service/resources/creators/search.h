/*
 * search.h - creator search: from the cache, with discovery for the rest (C1).
 *
 *     canonical filters -> search row -> enough held and fresh? -> answer
 *                                     -> else join the search's flight, which buys one
 *                                        page, and look again
 *
 * A page is stored as soon as it is bought, so what was paid for survives a failure half
 * way. When the provider or the budget fails, what is held answers, marked stale.
 */
#ifndef CREATORS_SEARCH_H
#define CREATORS_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "engine/policy.h"
#include "resources/creators/filters.h"
#include "rpc/method.h"
#include "store/creators_store.h"

#define SEARCH_COUNT_MAX 100000
#define SEARCH_PAGE_MAX  200

/* Position of an answer's page within the results. */
struct search_cursor {
    int64_t generation; /* 0: the first page, of whatever generation */
    int64_t position;
};

struct search_query {
    int platform;
    struct filters_search filters;
    uint32_t count;     /* creators wanted in all, 1 to SEARCH_COUNT_MAX */
    uint32_t page_size; /* of the answer, 1 to SEARCH_PAGE_MAX */
    struct search_cursor cursor;
    const char *user;
};

struct search_answer {
    const struct creator *creators;
    size_t creator_count;
    struct search_cursor next; /* generation 0: this was the last page */
    uint32_t available;
    int64_t total;
    bool exhausted;
    uint32_t from_cache;
    uint32_t discovered;
    struct policy_freshness freshness;
    uint32_t provider_calls;
    int64_t credits_milli;
};

/*
 * Answer or defer (RPC_DEFERRED). ST_ABORTED (reason PAGE_EXPIRED) when the cursor's
 * generation has been replaced. Errors of the gateway and of the store pass through when
 * nothing is held that could answer.
 */
MUST_USE enum status search_run(struct search_answer *out, struct rpc_call *call,
                                const struct search_query *query, struct error *err);

#endif /* CREATORS_SEARCH_H */
