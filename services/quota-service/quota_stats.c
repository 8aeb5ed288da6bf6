#include "quota_stats.h"

#define COUNTER(name_, help_)                                   \
    {                                                           \
        .name = (name_), .kind = STATS_COUNTER, .help = (help_) \
    }

// clang-format off
struct stats_metric quota_stats[QUOTA_STAT_COUNT] = {
    [QUOTA_STAT_RESERVED] = COUNTER("metercache_quota_reserved_total",
        "Reservations committed."),
    [QUOTA_STAT_SETTLED] = COUNTER("metercache_quota_settled_total",
        "Reservations settled in time."),
    [QUOTA_STAT_VOIDED] = COUNTER("metercache_quota_voided_total",
        "Reservations voided in time."),
    [QUOTA_STAT_LAPSED] = COUNTER("metercache_quota_lapsed_total",
        "Reservations presumed spent because nobody settled them."),
    [QUOTA_STAT_CORRECTED] = COUNTER("metercache_quota_corrected_total",
        "Presumed outcomes corrected, by a late settle or void or by an admin."),
    [QUOTA_STAT_OVERAGE_MILLI] = COUNTER("metercache_quota_overage_milli_total",
        "Thousandths of a credit posted beyond what was reserved."),
    [QUOTA_STAT_ADJUSTED] = COUNTER("metercache_quota_adjusted_total",
        "Adjustments of what a meter has posted."),
    [QUOTA_STAT_REFUSED] = COUNTER("metercache_quota_refused_total",
        "Reservations refused by a limit."),
    [QUOTA_STAT_REPLAYED] = COUNTER("metercache_quota_replayed_total",
        "Repeated operations that got their stored answer."),
    [QUOTA_STAT_UNAVAILABLE] = COUNTER("metercache_quota_unavailable_total",
        "Operations answered UNAVAILABLE because the ledger was not at hand."),
    [QUOTA_STAT_LOOKED_UP] = COUNTER("metercache_quota_looked_up_total",
        "Operations whose ids were looked up in the ledger."),
    [QUOTA_STAT_HELD] = {.name = "metercache_quota_open_reservations", .kind = STATS_GAUGE,
        .help = "Reservations that are open."},
    [QUOTA_STAT_COUNTERS] = {.name = "metercache_quota_counters", .kind = STATS_GAUGE,
        .help = "Counters in memory."},
    [QUOTA_STAT_FROZEN] = {.name = "metercache_quota_clock_frozen", .kind = STATS_GAUGE,
        .help = "1 while the clock is not believed: no period begins, nothing lapses."},
    [QUOTA_STAT_BATCHES] = COUNTER("metercache_quota_batches_total",
        "Batches committed."),
    [QUOTA_STAT_COMMIT_SECONDS] = {.name = "metercache_quota_commit_seconds",
        .kind = STATS_HISTOGRAM, .help = "Time from sealing a batch to knowing its outcome."},
    [QUOTA_STAT_DOUBTS] = COUNTER("metercache_quota_doubts_total",
        "Batches whose outcome was not known at first."),
    [QUOTA_STAT_ALERTS] = COUNTER("metercache_quota_alerts_total",
        "Thresholds crossed, soft limits passed, overage, burn-rate alarms."),
};
// clang-format on
