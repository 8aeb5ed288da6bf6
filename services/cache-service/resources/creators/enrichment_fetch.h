/*
 * enrichment_fetch.h - the flight that starts or follows an e-mail look-up and stores what
 * became of it.
 */
#ifndef CREATORS_ENRICHMENT_FETCH_H
#define CREATORS_ENRICHMENT_FETCH_H

#include "engine/flights.h"
#include "store/creators_store.h"

struct cache_service;

/* The job for a stored creator; `run_id` "" starts a look-up, else asks after that run.
 * Copies what it needs. */
struct flight_job *enrichment_fetch_new(const struct cache_service *service,
                                        const struct creator *creator, const char *run_id,
                                        const char *user);

#endif /* CREATORS_ENRICHMENT_FETCH_H */
