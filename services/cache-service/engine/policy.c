#include "engine/policy.h"

#include <stdio.h>

enum policy_state policy_state(int64_t fetched_at_us, int64_t fresh_until_us,
                               int64_t now_us)
{
    if (fetched_at_us == 0)
        return POLICY_ABSENT;
    return now_us < fresh_until_us ? POLICY_FRESH : POLICY_STALE;
}

bool policy_covers_with_stale(enum status failure)
{
    switch (failure) {
    case ST_UNAVAILABLE:
    case ST_DEADLINE:
    case ST_EXHAUSTED:
    case ST_ABORTED:
        return true;
    default:
        return false;
    }
}

void policy_mark_stale(struct policy_freshness *freshness, const struct error *failure)
{
    freshness->source = POLICY_SOURCE_STALE;
    (void)snprintf(freshness->stale_reason, sizeof(freshness->stale_reason), "%s: %.200s",
                   failure->reason[0] != '\0' ? failure->reason
                                              : status_name(failure->status),
                   failure->message);
}
