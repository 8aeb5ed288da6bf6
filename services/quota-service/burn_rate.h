/*
 * burn_rate.h - the alarm that a meter is spent much faster than its period allows.
 *
 * Sustainable is limit / length of the period. The alarm begins when both the last hour and
 * the last five minutes were above 14 times that (the hour: it is no blip; the five minutes:
 * it still goes on), and ends when the hour is down to 7 times. It is told once when it
 * begins and once when it ends.
 *
 * No alarm begins before the hour has posted 1 % of the limit and the price of
 * BURN_RATE_LEAST_UNITS units, so that a call or two of a tiny budget are none. Of a month,
 * 14 times sustainable for an hour is 1.9 % of the limit: the 1 % matters for periods longer
 * than 58 days only.
 *
 * Integers, exact for limits to 10^15 and periods of an hour to a century. Pure; values only.
 */
#ifndef BURN_RATE_H
#define BURN_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "periods.h"

#define BURN_RATE_BEGINS_TIMES  14
#define BURN_RATE_ENDS_TIMES    7
#define BURN_RATE_LEAST_PERCENT 1
#define BURN_RATE_LEAST_UNITS   5

struct burn_rate_budget {
    struct period period; /* an hour to a century long */
    int64_t limit_milli;
    int64_t unit_price_milli;
};

/* What was posted of late; may be negative (see usage_series.h). */
struct burn_rate_posted {
    int64_t hour_milli;
    int64_t five_minutes_milli;
};

enum burn_rate_edge { BURN_RATE_SAME, BURN_RATE_BEGAN, BURN_RATE_ENDED };

/* Judge again, after each change and each minute or so. *is_burning is the alarm's state,
 * false at first. */
enum burn_rate_edge burn_rate_judge(bool *is_burning, const struct burn_rate_budget *budget,
                                    struct burn_rate_posted posted);

#endif /* BURN_RATE_H */
