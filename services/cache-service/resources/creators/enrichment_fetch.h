/*
 * enrichment_fetch.h - the flight that starts or follows an e-mail look-up and stores what
 * became of it.
 */
#ifndef CREATORS_ENRICHMENT_FETCH_H
#define CREATORS_ENRICHMENT_FETCH_H

#include "engine/flights.h"
#include "store/creators_store.h"

struct cache_service;

/* A look-up at the provider. */
struct enrichment_run {
    const char *id;      /* "": to be started */
    int64_t asked_at_us; /* when it was started */
};

/* The job for a stored creator; copies what it needs. */
struct flight_job *enrichment_fetch_new(const struct cache_service *service,
                                        const struct creator *creator,
                                        const struct enrichment_run *run, const char *user);

#endif /* CREATORS_ENRICHMENT_FETCH_H */
