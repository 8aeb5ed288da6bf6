/*
 * usage.h - the committed state of meters and limits, for readers, and what they posted by
 * time: forecasts, and the alarm for a budget that burns too fast.
 *
 * The writer puts in what each committed batch changed; GetUsage and ListLimits read. Both
 * under a lock of its own, held for copying and a forecast (some 10 us) only.
 */
#ifndef USAGE_H
#define USAGE_H

#include <pthread.h>
#include <stddef.h>

#include "forecast.h"
#include "ledger_client_rpc.h"
#include "quota_core.h"
#include "usage_series.h"

struct usage {
    pthread_mutex_t mutex;
    struct quota_counter rows[COUNTERS_METER_ROWS]; /* scope METER */
    size_t count;
    struct limit_rule *rules; /* LIMITS_MAX */
    size_t rule_count;
    uint64_t limit_version;
    struct usage_series series[METERS_MAX];
    bool is_burning[METERS_MAX]; /* the writer's own */
};

#define USAGE_HOURS_US   (35LL * 86400 * 1000000) /* of hours that are loaded */
#define USAGE_BUCKETS_US (65LL * 60 * 1000000)    /* and of buckets */

void usage_init(struct usage *usage);
void usage_done(struct usage *usage);

/* What the ledger has by hours, of the last 35 days; then by buckets of five minutes, of the
 * last hour. Before anything is committed. */
void usage_load_hours(struct usage *usage, const struct ledger_usage *rows, size_t count,
                      int64_t now_us);
void usage_load_buckets(struct usage *usage, const struct ledger_usage *rows, size_t count);

/* Forget what was known and take all of the core's. */
void usage_open(struct usage *usage, const struct quota_core *core);
/* What the batch changed; the limits of the core only when it changed any. */
void usage_commit(struct usage *usage, const struct quota_core *core,
                  const struct quota_batch *batch);

/* The meter's row of the period that holds at_us. False: none is known. */
bool usage_at(struct usage *usage, uint32_t meter, int64_t at_us,
              struct quota_meter_view *out) MUST_USE;
/* False: not enough is known yet. */
bool usage_forecast(struct usage *usage, const struct quota_meter_view *view, int64_t at_us,
                    struct forecast *out) MUST_USE;
/* True once when a meter began to burn over 14 times too fast, with what the last hour
 * posted; for the writer alone. */
bool usage_began_to_burn(struct usage *usage, uint32_t meter, int64_t now_us,
                         int64_t *hour_milli) MUST_USE;
/* Rules in force, of one meter or (METERS_NONE) all, into `out` of LIMITS_MAX; returns how
 * many. */
size_t usage_limits(struct usage *usage, unsigned meter, struct limit_rule *out,
                    uint64_t *version);

#endif /* USAGE_H */
