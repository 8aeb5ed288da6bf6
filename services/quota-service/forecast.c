#include "forecast.h"

#include <math.h>

#define HOUR_US    USAGE_SERIES_HOUR_US
#define DAY_US     (24 * HOUR_US)
#define DAY_HOURS  24
#define WEEK_HOURS (7 * DAY_HOURS)
#define DAYS_MAX   28 /* that the spread is taken from */
#define PPM_MAX    1e15
#define P90_SIGMAS 1.2815515655446004

/* The weights of forecast.h: while weekdays are alike, and when they are known. */
#define ALIKE_WEEK     0.55
#define ALIKE_PERIOD   0.40
#define ALIKE_DAY      0.05
#define WEEKDAY_WEEKS  0.70
#define WEEKDAY_PERIOD 0.28
#define WEEKDAY_DAY    0.02

/* What the past says of the future, in thousandths of a credit. */
struct model {
    double hourly_milli;     /* whatever the weekday */
    double weekday_milli[7]; /* an hour of this weekday, besides */
    double day_variance;     /* of a day's total around what the model expects */
    double days;             /* that it was seen on */
};

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t left_milli(const struct forecast_budget *budget)
{
    return later(budget->limit_milli - budget->posted_milli - budget->held_milli, 0);
}

/* 0 is Thursday, as was 1970-01-01. */
static int64_t weekday_of(int64_t hour)
{
    return hour / DAY_HOURS % 7;
}

/* Posted an hour since from_us, or since the series is known. */
static double rate_since(const struct usage_series *series, int64_t from_us, int64_t now_us)
{
    int64_t from_hour = from_us / HOUR_US;
    int64_t start_us = later(from_hour * HOUR_US, series->since_us);
    int64_t posted = usage_series_hours_milli(series, from_hour, now_us / HOUR_US + 1);

    if (posted <= 0 || start_us >= now_us)
        return 0;
    return (double)posted * (double)HOUR_US / (double)(now_us - start_us);
}

/* Whole hours known before the current one, of at most `most`. */
static int64_t known_hours(const struct usage_series *series, int64_t now_us, int64_t most)
{
    int64_t first = (series->since_us + HOUR_US - 1) / HOUR_US;

    return earlier(now_us / HOUR_US - first, most);
}

/* Weekdays are alike: flat rates only. */
static void learn_rates(struct model *model, const struct usage_series *series,
                        int64_t period_start_us, int64_t now_us)
{
    int64_t seen_us = now_us - later(period_start_us, series->since_us);
    double part = (double)seen_us / (double)(WEEK_HOURS * HOUR_US);
    double period_share = ALIKE_PERIOD * (part < 1 ? part : 1);

    model->hourly_milli =
        (period_share * rate_since(series, period_start_us, now_us) +
         ALIKE_WEEK * rate_since(series, later(now_us - 7 * DAY_US, 0), now_us) +
         ALIKE_DAY * rate_since(series, later(now_us - DAY_US, 0), now_us)) /
        (period_share + ALIKE_WEEK + ALIKE_DAY);
}

/* Weeks are those of 7 * 24 whole hours before the current one, the latest first. */
static void learn_weekdays(struct model *model, const struct usage_series *series,
                           int64_t period_start_us, int64_t now_us, int64_t weeks)
{
    int64_t until_hour = now_us / HOUR_US;
    int64_t period_weeks =
        earlier((until_hour - period_start_us / HOUR_US) / WEEK_HOURS, weeks);
    double period_share = period_weeks > 0 ? WEEKDAY_PERIOD / (double)period_weeks : 0;
    double sum = WEEKDAY_WEEKS + WEEKDAY_DAY + (period_weeks > 0 ? WEEKDAY_PERIOD : 0);
    double share = WEEKDAY_WEEKS / (2 - ldexp(1, 1 - (int)weeks)); /* of the latest */

    model->hourly_milli =
        WEEKDAY_DAY / sum * rate_since(series, later(now_us - DAY_US, 0), now_us);
    for (int64_t week = 0; week < weeks; week++) {
        double all = (share + (week < period_weeks ? period_share : 0)) / sum;
        int64_t from = until_hour - (week + 1) * WEEK_HOURS;

        for (int64_t hour = from; hour < from + WEEK_HOURS; hour++)
            model->weekday_milli[weekday_of(hour)] +=
                all / DAY_HOURS * (double)usage_series_hours_milli(series, hour, hour + 1);
        share /= 2;
    }
    for (int day = 0; day < 7; day++) {
        if (model->weekday_milli[day] < 0) /* more corrected than used */
            model->weekday_milli[day] = 0;
    }
}

static double expected_milli(const struct model *model, int64_t hour)
{
    return model->hourly_milli + model->weekday_milli[weekday_of(hour)];
}

/* How far days (of 24 hours up to the current one) were from the model. One day alone tells
 * no spread: then it is taken to be as large as the day. */
static void learn_variance(struct model *model, const struct usage_series *series,
                           int64_t until_hour, int64_t days)
{
    double squares = 0;

    for (int64_t day = 0; day < days; day++) {
        int64_t from = until_hour - (day + 1) * DAY_HOURS;
        double miss = (double)usage_series_hours_milli(series, from, from + DAY_HOURS);

        for (int64_t hour = from; days > 1 && hour < from + DAY_HOURS; hour++)
            miss -= expected_milli(model, hour);
        squares += miss * miss;
    }
    model->days = (double)days;
    model->day_variance = squares / (days > 1 ? model->days - 1 : 1);
}

static struct model learn(const struct usage_series *series, int64_t period_start_us,
                          int64_t now_us)
{
    int64_t known = known_hours(series, now_us, USAGE_SERIES_HOUR_COUNT - 1);
    struct model model = {0};

    if (known >= FORECAST_PROFILE_HOURS)
        learn_weekdays(&model, series, period_start_us, now_us, known / WEEK_HOURS);
    else
        learn_rates(&model, series, period_start_us, now_us);
    learn_variance(&model, series, now_us / HOUR_US, earlier(known / DAY_HOURS, DAYS_MAX));
    return model;
}

/* When `sum` reaches `left` between two times, as a straight line; 0: it does not. */
static int64_t crossing_us(double left, const double sum[2], const int64_t at_us[2])
{
    double part;

    if (sum[1] < left || sum[1] <= sum[0])
        return 0;
    part = (left - sum[0]) / (sum[1] - sum[0]);
    part = part > 0 ? part : 0;
    return earlier(at_us[0] + (int64_t)(part * (double)(at_us[1] - at_us[0])),
                   at_us[1] - 1);
}

/* Walk the hours to the period's end, and note when the sum that is expected, and the one
 * that is nearly sure, reach what is left. */
static void walk(const struct model *model, const struct forecast_budget *budget,
                 int64_t now_us, struct forecast *out)
{
    double left = (double)left_milli(budget);
    double likely[2] = {0, 0};
    double sure[2] = {0, 0};
    int64_t at_us[2] = {now_us, now_us};

    while (at_us[0] < budget->period.end_us && out->exhausted_at_p90_us == 0) {
        int64_t hour = at_us[0] / HOUR_US;
        double days;

        at_us[1] = earlier((hour + 1) * HOUR_US, budget->period.end_us);
        days = (double)(at_us[1] - now_us) / (double)DAY_US;
        likely[1] = likely[0] + expected_milli(model, hour) *
                                    (double)(at_us[1] - at_us[0]) / (double)HOUR_US;
        sure[1] = likely[1] - P90_SIGMAS * sqrt(model->day_variance *
                                                (days + days * days / model->days));
        if (out->exhausted_at_p50_us == 0)
            out->exhausted_at_p50_us = crossing_us(left, likely, at_us);
        if (out->exhausted_at_p50_us != 0)
            out->exhausted_at_p90_us = crossing_us(left, sure, at_us);
        likely[0] = likely[1];
        sure[0] = sure[1];
        at_us[0] = at_us[1];
    }
}

static int64_t burn_rate_ppm(const struct usage_series *series,
                             const struct forecast_budget *budget, int64_t now_us)
{
    double hourly = rate_since(series, later(now_us - DAY_US, 0), now_us);
    double hours =
        (double)(budget->period.end_us - budget->period.start_us) / (double)HOUR_US;
    double ppm = hourly * hours * 1e6;

    if (ppm <= 0)
        return 0;
    return ppm < PPM_MAX * (double)budget->limit_milli
               ? (int64_t)(ppm / (double)budget->limit_milli)
               : (int64_t)PPM_MAX;
}

static bool is_within(struct period period, int64_t at_us)
{
    return period.start_us <= at_us && at_us < period.end_us;
}

int64_t forecast_safe_daily_milli(const struct forecast_budget *budget, int64_t now_us)
{
    int64_t days = (budget->period.end_us - now_us + DAY_US - 1) / DAY_US;

    return is_within(budget->period, now_us) ? left_milli(budget) / days : 0;
}

bool forecast_make(const struct usage_series *series, const struct forecast_budget *budget,
                   int64_t now_us, struct forecast *out)
{
    struct model model;

    if (!is_within(budget->period, now_us) ||
        known_hours(series, now_us, FORECAST_KNOWN_HOURS) < FORECAST_KNOWN_HOURS)
        return false;
    *out = (struct forecast){
        .safe_daily_milli = forecast_safe_daily_milli(budget, now_us),
        .burn_rate_ppm = burn_rate_ppm(series, budget, now_us),
    };
    if (left_milli(budget) == 0) {
        out->exhausted_at_p50_us = now_us;
        out->exhausted_at_p90_us = now_us;
        return true;
    }
    model = learn(series, budget->period.start_us, now_us);
    walk(&model, budget, now_us, out);
    return true;
}
