/*
 * searches_store.h - searches by the hash of their canonical filters, their results in the
 * provider's order, and who asked for what.
 *
 * A search is filled page by page. To fill it anew, a generation is started, which grows
 * unseen while the held one goes on answering, so that a provider that fails half-way
 * takes nothing away:
 *
 *     start -> generation 1, next_page 0      append -> pages 0, 1, 2 ..., each held at once
 *     start -> generation 2, next_page 0      held: all of generation 1
 *     append page 0 of generation 2           held: still generation 1; filled: 15
 *     append page n of generation 2           enough: generation 2 is held, the other gone
 *
 * Enough is as many results as the held generation has or as the caller wants, whichever is
 * less, or the provider's last page. The turn happens in the transaction of the append.
 *
 * An append takes effect only if generation and next_page are those its caller saw, so of
 * two that fill the same search one stores and the other gets ST_ABORTED.
 *
 * Errors and threads: store.h.
 */
#ifndef STORE_SEARCHES_STORE_H
#define STORE_SEARCHES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/op_id.h"
#include "store/creators_store.h"
#include "store/store.h"

#define SEARCHES_STORE_HASH_SIZE   32
#define SEARCHES_STORE_RESULTS_MAX 1000
#define SEARCHES_STORE_REQUEST_MAX 200

struct search {
    uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE];
    int platform;
    const char *filters; /* canonical JSON */
    const char *sort;    /* canonical JSON */

    /* What an append adds to. */
    int64_t generation; /* 1 and up */
    int64_t next_page;  /* of that generation; 0 is the first */
    int64_t filled;     /* its results stored; held when held_generation == generation */
    int64_t filled_fresh_until_us; /* what fresh_until_us becomes with it; 0: no page yet */

    /* What is served; held_generation < generation while the new one is not enough, 0 before
     * the first page ever. */
    int64_t held_generation;
    int64_t held;  /* its results: positions 0 to held - 1 */
    int64_t total; /* matches the provider reports; -1: unknown */
    bool exhausted;
    int64_t fetched_at_us;  /* of the first page of held_generation; 0: none */
    int64_t fresh_until_us; /* 0: none */
};

MUST_USE enum status searches_store_find(
    struct search *out, bool *found, const struct store_call *call,
    const uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE], struct error *err);

/*
 * Up to `limit` (at most SEARCHES_STORE_RESULTS_MAX) creators of the held generation, from
 * `from_position` on, in the provider's order, into *out (an array in call->arena, NULL when
 * there is none).
 */
MUST_USE enum status searches_store_results(
    const struct creator **out, size_t *count, const struct store_call *call,
    const uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE], int64_t from_position,
    size_t limit, struct error *err);

struct search_start {
    uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE];
    int platform;
    const char *filters;
    const char *sort;
    int64_t seen_generation; /* of the search as the caller found it; 0: it was absent */
};

/*
 * Begin the generation after `seen_generation`, which is abandoned unless it is held;
 * *out is the search as it is then. ST_ABORTED when somebody else has begun it.
 */
MUST_USE enum status searches_store_start(struct search *out, const struct store_call *call,
                                          const struct search_start *start,
                                          struct error *err);

struct search_page {
    uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE];
    int64_t generation; /* as found */
    int64_t next_page;  /* as found: the number of this page */
    const struct creator *creators;
    size_t creator_count; /* at most SEARCHES_STORE_RESULTS_MAX; may be 0 */
    int64_t wanted;       /* results that are enough to hold this generation; 0: at once */
    int64_t total;        /* -1: unknown */
    bool exhausted;       /* the provider has no further page */
    int64_t fetched_at_us;
    int64_t fresh_until_us; /* counts on the first page of a generation only */
};

/*
 * Upsert the creators, add those the generation does not list yet behind its results, move
 * to the next page, and hold the generation when that is enough, in one transaction; *out
 * is the search as it is then. ST_ABORTED when generation or page have moved: nothing is
 * stored.
 */
MUST_USE enum status searches_store_append_page(struct search *out,
                                                const struct store_call *call,
                                                const struct search_page *page,
                                                struct error *err);

/* One search as a user asked for it (C10: only that user sees it). */
struct search_request {
    struct op_id id; /* UUID v7 */
    int platform;
    uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE];
    const char *filters; /* canonical JSON */
    uint32_t count;      /* asked for */
    uint32_t from_cache;
    uint32_t discovered;
    int64_t at_us;
};

/* `user` is not empty. Recording the same id again changes nothing. Not waited for on disk:
 * a crash of the database may lose the history's last half second. */
MUST_USE enum status searches_store_record_request(const struct store_call *call,
                                                   const char *user,
                                                   const struct search_request *request,
                                                   struct error *err);

/*
 * The user's own requests, newest first, at most `limit` (up to SEARCHES_STORE_REQUEST_MAX)
 * with ids below *before; all zero: from the newest.
 */
MUST_USE enum status searches_store_list_requests(
    const struct search_request **out, size_t *count, const struct store_call *call,
    const char *user, const struct op_id *before, size_t limit, struct error *err);

#endif /* STORE_SEARCHES_STORE_H */
