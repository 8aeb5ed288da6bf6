/*
 * usage_series.h - what one meter posted lately: by five minutes and by hours.
 *
 * Two rings. Buckets of five minutes reach back an hour (the twelve before the current
 * one) and answer how fast a meter burns; hours reach back 35 days (the 840 before the
 * current one) and feed the forecast. Both begin at multiples of their length since 1970. A
 * posting counts in both; the two are loaded apart, from rows of the ledger of either length.
 *
 * What is older than a ring is not kept; later times than the newest are zero. Corrections
 * are negative postings at the time they are made, and so a sum may be negative. A bucket or
 * an hour saturates at USAGE_SERIES_MAX_MILLI either way.
 *
 * since_us says from when on the series is complete. It is the caller's word: no use and not
 * knowing look alike here.
 *
 * Pure, no allocation, under 7 KiB. Not locked. Times are unix microseconds from 1970 on.
 */
#ifndef USAGE_SERIES_H
#define USAGE_SERIES_H

#include <stdint.h>

#define USAGE_SERIES_BUCKET_US    (300LL * 1000000)
#define USAGE_SERIES_HOUR_US      (3600LL * 1000000)
#define USAGE_SERIES_BUCKET_COUNT 13
#define USAGE_SERIES_HOUR_COUNT   841
#define USAGE_SERIES_MAX_MILLI    1000000000000000LL

struct usage_series {
    int64_t since_us;
    int64_t newest_bucket; /* that anything was posted in, counted since 1970 */
    int64_t newest_hour;
    int64_t buckets_milli[USAGE_SERIES_BUCKET_COUNT]; /* bucket n at n % count */
    int64_t hours_milli[USAGE_SERIES_HOUR_COUNT];
};

/* Nothing posted; complete from since_us on: when the meter was first counted, or the
 * first row to be loaded. */
void usage_series_init(struct usage_series *series, int64_t since_us);

/* A committed posting, a correction when negative. */
void usage_series_add(struct usage_series *series, int64_t at_us, int64_t amount_milli);

/* Set the bucket or the hour that holds start_us, as the ledger has it. In any order, any
 * number of times. */
void usage_series_load_bucket(struct usage_series *series, int64_t start_us,
                              int64_t posted_milli);
void usage_series_load_hour(struct usage_series *series, int64_t start_us,
                            int64_t posted_milli);

/* Posted within the `buckets` times five minutes before now_us, 1 to 12. Of the bucket that
 * lies partly before them, its share by time. */
int64_t usage_series_last_milli(const struct usage_series *series, int64_t now_us,
                                unsigned buckets);

/* Posted in the hours [from_hour, until_hour), counted since 1970. */
int64_t usage_series_hours_milli(const struct usage_series *series, int64_t from_hour,
                                 int64_t until_hour);

#endif /* USAGE_SERIES_H */
