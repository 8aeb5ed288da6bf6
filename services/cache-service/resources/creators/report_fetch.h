/*
 * report_fetch.h - the flight that buys one report and stores it.
 */
#ifndef CREATORS_REPORT_FETCH_H
#define CREATORS_REPORT_FETCH_H

#include "engine/flights.h"
#include "store/creators_store.h"

struct cache_service;

/* The job for `key`, on behalf of `user`; copies what it needs. */
struct flight_job *report_fetch_new(const struct cache_service *service,
                                    const struct creator_key *key, const char *user);

#endif /* CREATORS_REPORT_FETCH_H */
