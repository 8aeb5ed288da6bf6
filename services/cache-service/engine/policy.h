/*
 * policy.h - what the age of an entry means, and which failures old data may cover.
 *
 * Pure. Times are absolute unix microseconds from one clock and never re-based.
 */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

enum policy_state {
    POLICY_ABSENT,
    POLICY_FRESH,
    POLICY_STALE,
};

/* fetched_at_us 0: nothing was ever fetched. */
enum policy_state policy_state(int64_t fetched_at_us, int64_t fresh_until_us,
                               int64_t now_us);

/*
 * May old data answer instead of this failure? Yes for outages: provider or quota-service
 * unreachable, too slow, throttled, budget spent. No for what the provider said on purpose
 * (not found, private, refused): that surfaces.
 */
bool policy_covers_with_stale(enum status failure);

/* Where an answer came from (metercache.v1.Source by number) and how old it is. */
enum policy_source {
    POLICY_SOURCE_LIVE = 1,
    POLICY_SOURCE_CACHED = 2,
    POLICY_SOURCE_STALE = 3,
};

struct policy_freshness {
    enum policy_source source;
    int64_t fetched_at_us;
    int64_t fresh_until_us;
    int64_t now_us;
    char stale_reason[256]; /* with POLICY_SOURCE_STALE */
};

/* Freshness of stored data served because of `failure`. */
void policy_mark_stale(struct policy_freshness *freshness, const struct error *failure);

#endif /* ENGINE_POLICY_H */
