#include "usage_series.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#define BUCKET_S 300

/* One of the two rings, seen alike. */
struct ring {
    int64_t *sums;
    int64_t count;
    int64_t *newest;
};

static struct ring buckets_of(struct usage_series *series)
{
    return (struct ring){series->buckets_milli, USAGE_SERIES_BUCKET_COUNT,
                         &series->newest_bucket};
}

static struct ring hours_of(struct usage_series *series)
{
    return (struct ring){series->hours_milli, USAGE_SERIES_HOUR_COUNT,
                         &series->newest_hour};
}

/* The place of slot `number`, made the newest if it is later; NULL: older than the ring. */
static int64_t *place(struct ring ring, int64_t number)
{
    int64_t stale = number - *ring.newest;

    if (stale > ring.count)
        stale = ring.count;
    for (int64_t i = 0; i < stale; i++)
        ring.sums[(number - i) % ring.count] = 0;
    if (stale > 0)
        *ring.newest = number;
    return number > *ring.newest - ring.count ? &ring.sums[number % ring.count] : NULL;
}

static int64_t bounded(int64_t sum)
{
    if (sum > USAGE_SERIES_MAX_MILLI)
        return USAGE_SERIES_MAX_MILLI;
    return sum < -USAGE_SERIES_MAX_MILLI ? -USAGE_SERIES_MAX_MILLI : sum;
}

static void add(struct ring ring, int64_t number, int64_t amount_milli)
{
    int64_t *sum = place(ring, number);

    if (sum != NULL)
        *sum = bounded(*sum + bounded(amount_milli));
}

static void set(struct ring ring, int64_t number, int64_t posted_milli)
{
    int64_t *sum = place(ring, number);

    if (sum != NULL)
        *sum = bounded(posted_milli);
}

void usage_series_init(struct usage_series *series, int64_t since_us)
{
    assert(since_us >= 0);
    *series = (struct usage_series){.since_us = since_us};
}

void usage_series_add(struct usage_series *series, int64_t at_us, int64_t amount_milli)
{
    assert(at_us >= 0);
    add(buckets_of(series), at_us / USAGE_SERIES_BUCKET_US, amount_milli);
    add(hours_of(series), at_us / USAGE_SERIES_HOUR_US, amount_milli);
}

void usage_series_load_bucket(struct usage_series *series, int64_t start_us,
                              int64_t posted_milli)
{
    assert(start_us >= 0);
    set(buckets_of(series), start_us / USAGE_SERIES_BUCKET_US, posted_milli);
}

void usage_series_load_hour(struct usage_series *series, int64_t start_us,
                            int64_t posted_milli)
{
    assert(start_us >= 0);
    set(hours_of(series), start_us / USAGE_SERIES_HOUR_US, posted_milli);
}

static bool has(int64_t number, int64_t newest, int64_t count)
{
    return number >= 0 && number > newest - count && number <= newest;
}

static int64_t bucket_milli(const struct usage_series *series, int64_t bucket)
{
    if (!has(bucket, series->newest_bucket, USAGE_SERIES_BUCKET_COUNT))
        return 0;
    return series->buckets_milli[bucket % USAGE_SERIES_BUCKET_COUNT];
}

int64_t usage_series_last_milli(const struct usage_series *series, int64_t now_us,
                                unsigned buckets)
{
    int64_t current = now_us / USAGE_SERIES_BUCKET_US;
    int64_t left_s = BUCKET_S - now_us % USAGE_SERIES_BUCKET_US / 1000000;
    int64_t sum = 0;

    assert(now_us >= 0 && buckets >= 1 && buckets < USAGE_SERIES_BUCKET_COUNT);
    for (int64_t i = 0; i < (int64_t)buckets; i++)
        sum += bucket_milli(series, current - i);
    return sum + bucket_milli(series, current - (int64_t)buckets) * left_s / BUCKET_S;
}

int64_t usage_series_hours_milli(const struct usage_series *series, int64_t from_hour,
                                 int64_t until_hour)
{
    int64_t oldest = series->newest_hour - USAGE_SERIES_HOUR_COUNT + 1;
    int64_t sum = 0;

    if (from_hour < oldest)
        from_hour = oldest;
    if (from_hour < 0)
        from_hour = 0;
    if (until_hour > series->newest_hour + 1)
        until_hour = series->newest_hour + 1;
    for (int64_t hour = from_hour; hour < until_hour; hour++)
        sum += series->hours_milli[hour % USAGE_SERIES_HOUR_COUNT];
    return sum;
}
