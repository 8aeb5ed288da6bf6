/*
 * forecast.h - when a meter's budget will be spent, inside its own period.
 *
 * What an hour to come will post is a weighted sum of what past ones did. Until 14 days are
 * known, every hour is the same:
 *
 *     0.55      the rate of the last seven days
 *     0.40 * a  the rate of the period to date; a: its known part / 7 days, 1 at most
 *     0.05      the rate of the last 24 hours
 *
 * From then on, weekdays differ, for budgets are spent on workdays:
 *
 *     0.70      the same weekday in the last five weeks, each week half of the one after it
 *               (so that the last seven days make half of this)
 *     0.28      the same weekday in the whole weeks of the period to date, if there are any
 *     0.02      the rate of the last 24 hours, weekend or not
 *
 * Divided by the sum of the weights. A sudden change matters little at first: that is what
 * burn_rate.h and burn_rate_ppm are for. The weights do not depend on the use, and so more
 * use, whenever it was, never moves the median later.
 *
 * P50 is when the expected sum reaches what is left; P90 when it does so less 1.28 standard
 * deviations, of the days that the model would have missed by so much, and of its own rate
 * (for T days to come, seen from n: variance s^2 * (T + T^2 / n)). What is held counts as
 * used.
 *
 * Floating point, because nothing is granted or refused by it; what it says are integers.
 * Pure; reads the series only, in under 10 us.
 */
#ifndef FORECAST_H
#define FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base.h"
#include "periods.h"
#include "usage_series.h"

#define FORECAST_KNOWN_HOURS   24        /* until then there is none */
#define FORECAST_PROFILE_HOURS (14 * 24) /* until then weekdays are alike */

struct forecast_budget {
    struct period period;
    int64_t limit_milli;
    int64_t posted_milli;
    int64_t held_milli;
};

struct forecast {
    /* By when it is spent with probability 1/2 and 9/10; 0: not within the period; now,
     * when it is spent already. When p90 is not 0, p50 is not either and p50 <= p90. */
    int64_t exhausted_at_p50_us;
    int64_t exhausted_at_p90_us;
    /* What is left, by the days left (a day begun is a day), rounded down. */
    int64_t safe_daily_milli;
    /* The last 24 hours' rate, of limit / length of the period; 10^15 at most. */
    int64_t burn_rate_ppm;
};

/* False, and no forecast: the series is not known for 24 hours, or now_us is not within the
 * period. */
bool forecast_make(const struct usage_series *series, const struct forecast_budget *budget,
                   int64_t now_us, struct forecast *out) MUST_USE;

/* The one line of it that needs no history: 0 outside of the period. */
int64_t forecast_safe_daily_milli(const struct forecast_budget *budget, int64_t now_us);

#endif /* FORECAST_H */
