/*
 * quota_stats.h - what the service counts, as rows. Update with stats_add and the like.
 */
#ifndef QUOTA_STATS_H
#define QUOTA_STATS_H

#include "core/stats.h"

enum quota_stat {
    QUOTA_STAT_RESERVED,
    QUOTA_STAT_SETTLED,
    QUOTA_STAT_VOIDED,
    QUOTA_STAT_LAPSED,
    QUOTA_STAT_CORRECTED,
    QUOTA_STAT_ADJUSTED,
    QUOTA_STAT_OVERAGE_MILLI,
    QUOTA_STAT_REFUSED,
    QUOTA_STAT_REPLAYED,
    QUOTA_STAT_UNAVAILABLE,
    QUOTA_STAT_LOOKED_UP,
    QUOTA_STAT_HELD,
    QUOTA_STAT_COUNTERS,
    QUOTA_STAT_FROZEN,
    QUOTA_STAT_BATCHES,
    QUOTA_STAT_COMMIT_SECONDS,
    QUOTA_STAT_DOUBTS,
    QUOTA_STAT_ALERTS,
    QUOTA_STAT_COUNT
};

extern struct stats_metric quota_stats[QUOTA_STAT_COUNT];

#endif /* QUOTA_STATS_H */
