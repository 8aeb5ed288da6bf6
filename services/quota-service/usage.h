/*
 * usage.h - the committed state of meters and limits, for readers.
 *
 * The writer puts in what each committed batch changed; GetUsage and ListLimits read. Both
 * under a lock of its own, held for copying only.
 */
#ifndef USAGE_H
#define USAGE_H

#include <pthread.h>
#include <stddef.h>

#include "quota_core.h"

struct usage {
    pthread_mutex_t mutex;
    struct quota_counter rows[COUNTERS_METER_ROWS]; /* scope METER */
    size_t count;
    struct limit_rule *rules; /* LIMITS_MAX */
    size_t rule_count;
    uint64_t limit_version;
};

void usage_init(struct usage *usage);
void usage_done(struct usage *usage);

/* Forget what was known and take all of the core's. */
void usage_open(struct usage *usage, const struct quota_core *core);
/* What the batch changed; the limits of the core only when it changed any. */
void usage_commit(struct usage *usage, const struct quota_core *core,
                  const struct quota_batch *batch);

/* The meter's row of the period that holds at_us. False: none is known. */
bool usage_at(struct usage *usage, uint32_t meter, int64_t at_us,
              struct quota_meter_view *out) MUST_USE;
/* Rules in force, of one meter or (METERS_NONE) all, into `out` of LIMITS_MAX; returns how
 * many. */
size_t usage_limits(struct usage *usage, unsigned meter, struct limit_rule *out,
                    uint64_t *version);

#endif /* USAGE_H */
