/*
 * selection.h - a creator's detailed profile: stored while younger than its freshness
 * (30 days by default), else one report is bought, once however many ask (C3).
 *
 * A provider's "not found" or "private" is remembered, so that it is not asked again soon.
 */
#ifndef CREATORS_SELECTION_H
#define CREATORS_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "engine/policy.h"
#include "rpc/method.h"
#include "store/creators_store.h"

struct selection_answer {
    struct creator creator;
    const char *document; /* NULL when it was not wanted */
    struct policy_freshness freshness;
    uint32_t provider_calls;
    int64_t credits_milli;
};

/* Answer or defer. ST_NOT_FOUND when the provider has no such creator (reason
 * PROVIDER_NOT_FOUND or PROVIDER_PRIVATE); outages and a spent budget pass through when no
 * older report is stored. */
MUST_USE enum status selection_run(struct selection_answer *out, struct rpc_call *call,
                                   const struct creator_key *key, bool with_document,
                                   struct error *err);

#endif /* CREATORS_SELECTION_H */
