/*
 * stats.h - counters, gauges and latency histograms, declared as rows.
 *
 * A module declares its metrics as a static table and registers it once; the ops page and
 * the Stats method print every registered table. Updates are relaxed atomics: any thread,
 * no lock. Names follow Prometheus: base units, `_total` for counters, `_seconds`.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum stats_kind { STATS_COUNTER, STATS_GAUGE, STATS_HISTOGRAM };

#define STATS_TABLES_MAX 256
#define STATS_BUCKETS    23 /* 10 us, doubling, to about 21 s; the last takes the rest */

struct stats_metric {
    const char *name;   /* "metercache_rpc_requests_total" */
    const char *labels; /* "method=\"Search\"" or NULL */
    enum stats_kind kind;
    const char *help;
    atomic_int_least64_t value; /* counter or gauge; histogram: sum in microseconds */
    atomic_uint_least64_t buckets[STATS_BUCKETS]; /* histogram only */
};

void stats_add(struct stats_metric *metric, int64_t delta);
void stats_set(struct stats_metric *metric, int64_t value);
void stats_observe_us(struct stats_metric *metric, uint64_t duration_us);
int64_t stats_value(const struct stats_metric *metric);
/* Upper bound of the bucket that holds the quantile (per_mille 990 = p99), in us: 0 when
 * nothing was observed, UINT64_MAX when it lies in the last bucket. */
uint64_t stats_quantile_us(const struct stats_metric *metric, unsigned per_mille);

/* `metrics` lives as long as the process, or until stats_unregister. More than
 * STATS_TABLES_MAX tables are a bug and abort. */
void stats_register(struct stats_metric *metrics, size_t count);
void stats_unregister(struct stats_metric *metrics);

/* Every registered metric in the Prometheus text format 0.0.4, sorted by name and labels,
 * HELP and TYPE once a name. */
void stats_print(struct buf *out);
/* Call `visit` for each registered metric, in order of registration. The registry is locked
 * meanwhile: `visit` never calls stats_register, _unregister, _print or _each. */
void stats_each(void (*visit)(const struct stats_metric *metric, void *context),
                void *context);

#endif /* CORE_STATS_H */
