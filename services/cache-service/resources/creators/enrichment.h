/*
 * enrichment.h - a creator's e-mail address (C4).
 *
 * Only once a detailed profile is stored; a known address is returned, from a report or an
 * earlier look-up; else the enrichment provider is asked, once however many ask. It may
 * take minutes: then callers are told PENDING, and the next one asks after the same run.
 * Never calls the discovery provider.
 */
#ifndef CREATORS_ENRICHMENT_H
#define CREATORS_ENRICHMENT_H

#include "core/error.h"
#include "engine/policy.h"
#include "rpc/method.h"
#include "store/creators_store.h"

struct enrichment_answer {
    struct creator creator;
    enum creator_enrichment_state state;
    const char *email; /* "" unless FOUND */
    struct policy_freshness freshness;
    uint32_t provider_calls;
    int64_t credits_milli;
};

/* Answer or defer. ST_NOT_FOUND: unknown creator. ST_PRECONDITION (reason
 * REPORT_MISSING): no detailed profile is stored, select the creator first. */
MUST_USE enum status enrichment_run(struct enrichment_answer *out, struct rpc_call *call,
                                    const struct creator_key *key, struct error *err);

#endif /* CREATORS_ENRICHMENT_H */
