/*
 * search_fetch.h - the flight that buys a search's next page.
 */
#ifndef CREATORS_SEARCH_FETCH_H
#define CREATORS_SEARCH_FETCH_H

#include "engine/flights.h"
#include "resources/creators/search.h"

struct cache_service;
struct search;

/*
 * The job of a flight: buy and store one page, unless `query->count` creators are held
 * already. One page, so that a call that wants little never waits for one that wants much,
 * and nothing is bought once all who asked have left. `generation` of the search is gone on
 * with though it be stale; 0: none. Copies what it needs.
 */
struct flight_job *search_fetch_new(const struct cache_service *service,
                                    const struct search_query *query, int64_t generation);

/*
 * Pure: do the results held answer for `count` creators? When they are fresh; and also when
 * they are of `generation`, which whoever asks has just had filled (0: none), so that a
 * short freshness does not make it begin again for ever.
 */
bool search_fetch_answers(const struct search *search, int64_t count, int64_t generation,
                          int64_t now_us);

/* Pure: was this the provider's last page? `returned` counts what the provider sent. */
bool search_fetch_is_last_page(uint32_t page, uint32_t returned, int64_t total);

#endif /* CREATORS_SEARCH_FETCH_H */
