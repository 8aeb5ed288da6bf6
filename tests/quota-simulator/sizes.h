/*
 * sizes.h - the core's pools for a small world. Included before every file of the build that
 * the simulator runs, core and simulator alike: batches fill up, counters, answers and
 * cooldowns are forgotten and looked up again, all within a few hundred steps. The ratios
 * are the product's: what it can rely on may be relied on here.
 */
#ifndef SIM_SIZES_H
#define SIM_SIZES_H

#define BATCH_ROWS_MAX        8
#define BATCH_LIMITS_MAX      2
#define BATCH_ALERTS_MAX      6
#define BATCH_PUBLISHED_MAX   6
#define COUNTERS_TOUCHED_MAX  36
#define COUNTERS_METER_ROWS   48
#define COOLDOWNS_TOUCHED_MAX 4
#define LIMITS_MAX            32

/* Of the core's options, and of the writer that drives it. */
#define SIM_METERS         2
#define SIM_HELD_LIMIT     20
#define SIM_CLOSED_LIMIT   48
#define SIM_DONE_LIMIT     80
#define SIM_REFUSED_LIMIT  12
#define SIM_COUNTER_LIMIT  130
#define SIM_COOLDOWN_LIMIT 8
#define SIM_QUEUE_LIMIT    12
#define SIM_LOOKUP_MAX     12 /* more than one operation needs */
#define SIM_PAGE_MAX       3

#endif /* SIM_SIZES_H */
