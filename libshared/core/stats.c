#include "core/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

#define FIRST_BOUND_US ((uint64_t)10)
#define US_PER_SECOND  ((uint64_t)1000000)

struct table {
    struct stats_metric *metrics;
    size_t count;
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct table tables[STATS_TABLES_MAX];
static size_t table_count;

void stats_add(struct stats_metric *metric, int64_t delta)
{
    atomic_fetch_add_explicit(&metric->value, delta, memory_order_relaxed);
}

void stats_set(struct stats_metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t stats_value(const struct stats_metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/* Largest duration of a bucket; the last one takes the rest. */
static uint64_t bucket_bound_us(size_t bucket)
{
    return bucket == STATS_BUCKETS - 1 ? UINT64_MAX : FIRST_BOUND_US << bucket;
}

void stats_observe_us(struct stats_metric *metric, uint64_t duration_us)
{
    size_t bucket = 0;

    while (duration_us > bucket_bound_us(bucket))
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->value,
                              duration_us > INT64_MAX ? INT64_MAX : (int64_t)duration_us,
                              memory_order_relaxed);
}

/* Copies the buckets as running totals; returns the grand total. */
static uint64_t read_totals(uint64_t totals[STATS_BUCKETS],
                            const struct stats_metric *metric)
{
    uint64_t total = 0;

    for (size_t i = 0; i < STATS_BUCKETS; i++) {
        total += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        totals[i] = total;
    }
    return total;
}

uint64_t stats_quantile_us(const struct stats_metric *metric, unsigned per_mille)
{
    uint64_t totals[STATS_BUCKETS];
    uint64_t total = read_totals(totals, metric);
    uint64_t rank;
    size_t bucket = 0;

    if (total == 0)
        return 0;
    if (per_mille > 1000)
        per_mille = 1000;
    /* The share rounded up, in two parts so that it cannot overflow. */
    rank = total / 1000 * per_mille + (total % 1000 * per_mille + 999) / 1000;
    while (totals[bucket] < rank || totals[bucket] == 0)
        bucket++;
    return bucket_bound_us(bucket);
}

void stats_register(struct stats_metric *metrics, size_t count)
{
    mutex_lock(&registry_lock);
    if (table_count == STATS_TABLES_MAX)
        log_abort("too many metric tables", ENOSPC);
    tables[table_count++] = (struct table){metrics, count};
    mutex_unlock(&registry_lock);
}

void stats_unregister(struct stats_metric *metrics)
{
    mutex_lock(&registry_lock);
    for (size_t i = 0; i < table_count; i++) {
        if (tables[i].metrics != metrics)
            continue;
        table_count--;
        memmove(&tables[i], &tables[i + 1], (table_count - i) * sizeof(tables[0]));
        break;
    }
    mutex_unlock(&registry_lock);
}

static void print_seconds(struct buf *out, uint64_t us)
{
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / US_PER_SECOND, us % US_PER_SECOND);
}

static void print_labels(struct buf *out, const struct stats_metric *metric)
{
    if (metric->labels != NULL)
        buf_printf(out, "{%s}", metric->labels);
}

static void print_histogram(struct buf *out, const struct stats_metric *metric)
{
    uint64_t totals[STATS_BUCKETS];
    uint64_t total = read_totals(totals, metric);
    const char *labels = metric->labels == NULL ? "" : metric->labels;

    for (size_t i = 0; i < STATS_BUCKETS; i++) {
        buf_printf(out, "%s_bucket{%s%sle=\"", metric->name, labels, *labels ? "," : "");
        if (i == STATS_BUCKETS - 1)
            buf_append_text(out, "+Inf");
        else
            print_seconds(out, bucket_bound_us(i));
        buf_printf(out, "\"} %" PRIu64 "\n", totals[i]);
    }
    buf_printf(out, "%s_sum", metric->name);
    print_labels(out, metric);
    buf_append_text(out, " ");
    print_seconds(out, (uint64_t)stats_value(metric));
    buf_printf(out, "\n%s_count", metric->name);
    print_labels(out, metric);
    buf_printf(out, " %" PRIu64 "\n", total);
}

static void print_metric(struct buf *out, const struct stats_metric *metric)
{
    if (metric->kind == STATS_HISTOGRAM) {
        print_histogram(out, metric);
        return;
    }
    buf_append_text(out, metric->name);
    print_labels(out, metric);
    buf_printf(out, " %" PRId64 "\n", stats_value(metric));
}

static void print_header(struct buf *out, const struct stats_metric *metric)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    buf_printf(out, "# HELP %s %s\n", metric->name,
               metric->help == NULL ? "" : metric->help);
    buf_printf(out, "# TYPE %s %s\n", metric->name, kinds[metric->kind]);
}

/* By name, so that a name's lines stand together whichever tables hold them. */
static int compare_names(const void *left, const void *right)
{
    const struct stats_metric *a = *(const struct stats_metric *const *)left;
    const struct stats_metric *b = *(const struct stats_metric *const *)right;
    int order = strcmp(a->name, b->name);

    if (order != 0)
        return order;
    return strcmp(a->labels == NULL ? "" : a->labels, b->labels == NULL ? "" : b->labels);
}

/* The registry is locked. The array is the caller's. */
static const struct stats_metric **sorted_metrics(size_t *count)
{
    const struct stats_metric **sorted;
    size_t total = 0;

    for (size_t i = 0; i < table_count; i++)
        total += tables[i].count;
    sorted = mem_alloc_array(total, sizeof(const struct stats_metric *));
    total = 0;
    for (size_t i = 0; i < table_count; i++) {
        for (size_t j = 0; j < tables[i].count; j++)
            sorted[total++] = &tables[i].metrics[j];
    }
    qsort(sorted, total, sizeof(const struct stats_metric *), compare_names);
    *count = total;
    return sorted;
}

void stats_print(struct buf *out)
{
    const struct stats_metric **sorted;
    size_t count;

    mutex_lock(&registry_lock);
    sorted = sorted_metrics(&count);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
            print_header(out, sorted[i]);
        print_metric(out, sorted[i]);
    }
    mutex_unlock(&registry_lock);
    mem_free(sorted);
}

void stats_each(void (*visit)(const struct stats_metric *metric, void *context),
                void *context)
{
    mutex_lock(&registry_lock);
    for (size_t i = 0; i < table_count; i++) {
        for (size_t j = 0; j < tables[i].count; j++)
            visit(&tables[i].metrics[j], context);
    }
    mutex_unlock(&registry_lock);
}
