/*
 * search_fetch.h - the flight that buys discovery pages until a search holds enough.
 */
#ifndef CREATORS_SEARCH_FETCH_H
#define CREATORS_SEARCH_FETCH_H

#include "engine/flights.h"
#include "resources/creators/search.h"

struct cache_service;
struct search;

/* The job of a flight: fetch pages until `query->count` creators are held, or the provider
 * has no more. Copies what it needs. */
struct flight_job *search_fetch_new(const struct cache_service *service,
                                    const struct search_query *query);

/* Pure: do the stored results answer for `count` creators at `now_us`? */
bool search_fetch_is_satisfied(const struct search *search, int64_t count, int64_t now_us);

/* Pure: was this the provider's last page? */
bool search_fetch_is_last_page(uint32_t page, size_t creators_on_page, int64_t total);

#endif /* CREATORS_SEARCH_FETCH_H */
