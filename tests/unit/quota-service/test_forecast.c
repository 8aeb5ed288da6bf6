/* Traces of use by the hour, and what is said of them before they are over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "core/rng.h"
#include "forecast.h"

#define HOUR USAGE_SERIES_HOUR_US
#define DAY  (24 * HOUR)

/* November 2026 begins on a Sunday. */
#define NOVEMBER 1793491200000000LL
#define DAYS     30 /* it has */

/* What the hour that begins at at_us posts. */
typedef int64_t (*trace_fn)(int64_t at_us);

static struct usage_series series;

static struct forecast_budget november(int64_t limit_milli)
{
    return (struct forecast_budget){.period = {NOVEMBER, NOVEMBER + DAYS * DAY},
                                    .limit_milli = limit_milli};
}

static int is_weekend(int64_t at_us)
{
    return (at_us / DAY + 4) % 7 == 0 || (at_us / DAY + 4) % 7 == 6;
}

static int64_t always_1000(int64_t at_us)
{
    (void)at_us;
    return 1000;
}

static int64_t never(int64_t at_us)
{
    (void)at_us;
    return 0;
}

static int64_t workdays(int64_t at_us)
{
    return is_weekend(at_us) ? 0 : 1000;
}

static int64_t quiet_weekends(int64_t at_us)
{
    return is_weekend(at_us) ? 300 : 1000;
}

/* From 8 to 18, and of changing days. */
static int64_t office(int64_t at_us)
{
    int64_t hour = at_us / HOUR % 24;
    int64_t busy = (at_us / DAY * 2654435761 >> 7) % 600;

    return is_weekend(at_us) || hour < 8 || hour >= 18 ? 0 : 2000 + busy;
}

/* All of it from since_us to now_us is known. */
static void play(trace_fn trace, struct forecast_budget *budget, int64_t since_us,
                 int64_t now_us)
{
    usage_series_init(&series, since_us);
    budget->posted_milli = 0;
    for (int64_t at_us = since_us; at_us < now_us; at_us += HOUR) {
        usage_series_add(&series, at_us, trace(at_us));
        if (at_us >= budget->period.start_us)
            budget->posted_milli += trace(at_us);
    }
}

static struct forecast forecast_at(const struct forecast_budget *budget, int64_t now_us)
{
    struct forecast forecast;

    assert_true(forecast_make(&series, budget, now_us, &forecast));
    return forecast;
}

/* Both times count from the period's start. */
static void assert_near(int64_t told_us, int64_t truth_us, int64_t percent)
{
    if (llabs(told_us - truth_us) * 100 > percent * truth_us)
        fail_msg("told day %.2f, was day %.2f", (double)told_us / (double)DAY,
                 (double)truth_us / (double)DAY);
}

static void test_make_constant_rate_is_exhausted_when_arithmetic_says(void **state)
{
    (void)state;
    for (int day = 1; day < 20; day++) {
        for (int known = 0; known < 40; known += 13) {
            struct forecast_budget budget = november(20 * 24 * 1000 + 500);
            int64_t now_us = NOVEMBER + day * DAY + HOUR / 2;
            struct forecast told;

            play(always_1000, &budget, NOVEMBER - known * DAY, now_us - HOUR / 2);
            usage_series_add(&series, now_us, 500); /* of half an hour */
            budget.posted_milli += 500;
            told = forecast_at(&budget, now_us);
            assert_near(told.exhausted_at_p50_us - NOVEMBER, 20 * DAY + HOUR / 2, 2);
            assert_in_range(told.burn_rate_ppm, 1500000 * 0.98, 1500000 * 1.02);
            if (day > 2) /* what never varied is sure */
                assert_near(told.exhausted_at_p90_us - NOVEMBER, 20 * DAY, 2);
        }
    }
}

static void test_make_rate_that_lasts_the_period_says_0(void **state)
{
    struct forecast_budget budget = november(31 * 24 * 1000);
    struct forecast told;

    (void)state;
    play(always_1000, &budget, NOVEMBER - 20 * DAY, NOVEMBER + 10 * DAY);
    told = forecast_at(&budget, NOVEMBER + 10 * DAY);
    assert_int_equal(told.exhausted_at_p50_us, 0);
    assert_int_equal(told.exhausted_at_p90_us, 0);
    assert_int_equal(told.safe_daily_milli, 21 * 24 * 1000 / 20);
    assert_in_range(told.burn_rate_ppm, 960000, 970000);
}

static void test_make_no_use_is_never_exhausted(void **state)
{
    struct forecast_budget budget = november(1);
    struct forecast told;

    (void)state;
    play(never, &budget, NOVEMBER - 20 * DAY, NOVEMBER + 10 * DAY);
    told = forecast_at(&budget, NOVEMBER + 10 * DAY);
    assert_int_equal(told.exhausted_at_p50_us, 0);
    assert_int_equal(told.exhausted_at_p90_us, 0);
    assert_int_equal(told.burn_rate_ppm, 0);
}

static void test_make_spent_or_held_already_says_now(void **state)
{
    struct forecast_budget budget = november(100 * 1000);
    int64_t now_us = NOVEMBER + 10 * DAY;

    (void)state;
    play(never, &budget, NOVEMBER, now_us);
    budget.posted_milli = 60 * 1000;
    for (budget.held_milli = 40 * 1000; budget.held_milli < 90 * 1000;
         budget.held_milli += 10 * 1000) {
        struct forecast told = forecast_at(&budget, now_us);

        assert_int_equal(told.exhausted_at_p50_us, now_us);
        assert_int_equal(told.exhausted_at_p90_us, now_us);
        assert_int_equal(told.safe_daily_milli, 0);
    }
}

static void test_make_held_counts_as_used(void **state)
{
    struct forecast_budget budget = november(20 * 24 * 1000);
    int64_t now_us = NOVEMBER + 10 * DAY;
    struct forecast told;

    (void)state;
    play(always_1000, &budget, NOVEMBER, now_us);
    budget.held_milli = 5 * 24 * 1000;
    told = forecast_at(&budget, now_us);
    assert_near(told.exhausted_at_p50_us - NOVEMBER, 15 * DAY, 1);
    assert_int_equal(told.safe_daily_milli, 5 * 24 * 1000 / 20);
}

static void test_make_before_24_hours_are_known_says_nothing(void **state)
{
    struct forecast_budget budget = november(1000);
    struct forecast told;

    (void)state;
    usage_series_init(&series, NOVEMBER + 1);
    budget.posted_milli = 2000;
    assert_false(forecast_make(&series, &budget, NOVEMBER + DAY, &told));
    assert_false(forecast_make(&series, &budget, NOVEMBER, &told));
    assert_true(forecast_make(&series, &budget, NOVEMBER + DAY + HOUR, &told));
}

static void test_make_outside_of_the_period_says_nothing(void **state)
{
    struct forecast_budget budget = november(1000);
    struct forecast told;

    (void)state;
    usage_series_init(&series, NOVEMBER - 20 * DAY);
    assert_false(forecast_make(&series, &budget, NOVEMBER - 1, &told));
    assert_true(forecast_make(&series, &budget, NOVEMBER, &told));
    assert_true(forecast_make(&series, &budget, budget.period.end_us - 1, &told));
    assert_false(forecast_make(&series, &budget, budget.period.end_us, &told));
}

static void test_safe_daily_is_what_is_left_by_days_begun(void **state)
{
    struct forecast_budget budget = november(1000);

    (void)state;
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER), 1000 / 30);
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER + 1), 1000 / 30);
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER + DAY), 1000 / 29);
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER + 29 * DAY), 1000);
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER + 30 * DAY - 1), 1000);
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER + 30 * DAY), 0);
    budget.held_milli = 2000;
    assert_int_equal(forecast_safe_daily_milli(&budget, NOVEMBER), 0);
}

/* The period begins on each weekday, the limit is reached at noon of each day with use. */
static void check_by_day_7(trace_fn trace, int known_days, int percent)
{
    for (int first = 0; first < 7; first++) {
        int64_t start_us = NOVEMBER + first * DAY;
        struct forecast_budget budget = {.period = {start_us, start_us + 30 * DAY}};
        int64_t sum = 0;

        for (int64_t at_us = start_us; at_us < start_us + 28 * DAY; at_us += HOUR) {
            int64_t now_us = start_us + 7 * DAY;

            sum += trace(at_us);
            if (at_us < now_us + DAY || at_us / HOUR % 24 != 11 || trace(at_us) == 0)
                continue;
            budget.limit_milli = sum;
            play(trace, &budget, start_us - known_days * DAY, now_us);
            assert_near(forecast_at(&budget, now_us).exhausted_at_p50_us - start_us,
                        at_us + HOUR - start_us, percent);
        }
    }
}

static void test_make_weekday_trace_is_near_by_day_7(void **state)
{
    (void)state;
    check_by_day_7(workdays, 35, 10);
    check_by_day_7(workdays, 14, 10);
    check_by_day_7(quiet_weekends, 35, 10);
    check_by_day_7(office, 35, 15); /* a Monday may be taken for the Friday before */
}

static void test_make_first_week_of_a_weekday_trace_is_near_by_day_7(void **state)
{
    (void)state;
    check_by_day_7(workdays, 0, 25); /* weekends are not known yet */
    check_by_day_7(quiet_weekends, 0, 15);
}

static void test_make_known_weekdays_are_surer_than_unknown_ones(void **state)
{
    struct forecast_budget budget = november(15 * 24 * 1000);
    struct forecast known;
    struct forecast unknown;

    (void)state;
    play(workdays, &budget, NOVEMBER, NOVEMBER + 10 * DAY);
    unknown = forecast_at(&budget, NOVEMBER + 10 * DAY);
    play(workdays, &budget, NOVEMBER - 25 * DAY, NOVEMBER + 10 * DAY);
    known = forecast_at(&budget, NOVEMBER + 10 * DAY);
    assert_true(unknown.exhausted_at_p90_us == 0 ||
                unknown.exhausted_at_p90_us > known.exhausted_at_p90_us);
    assert_true(known.exhausted_at_p90_us - known.exhausted_at_p50_us < DAY);
}

static int64_t odd_days(int64_t at_us)
{
    return at_us / DAY % 2 == 0 ? 500 : 1500;
}

static void test_make_fewer_days_known_are_less_sure(void **state)
{
    struct forecast_budget budget = november(20 * 24 * 1000);
    int64_t now_us = NOVEMBER + 12 * DAY;
    int64_t apart_us[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct forecast told;

        play(odd_days, &budget, now_us - (i == 0 ? 4 : 12) * DAY, now_us);
        budget.posted_milli = 12 * 24 * 1000;
        told = forecast_at(&budget, now_us);
        apart_us[i] = told.exhausted_at_p90_us - told.exhausted_at_p50_us;
        assert_int_not_equal(told.exhausted_at_p90_us, 0);
    }
    assert_true(apart_us[0] > apart_us[1] + DAY);
}

static void test_make_busy_first_hour_of_a_period_says_little(void **state)
{
    struct forecast_budget budget = november(20 * 24 * 1000);

    (void)state;
    play(always_1000, &budget, NOVEMBER - 10 * DAY, NOVEMBER);
    usage_series_add(&series, NOVEMBER, 20000);
    budget.posted_milli = 20000;
    assert_near(forecast_at(&budget, NOVEMBER + HOUR).exhausted_at_p50_us - NOVEMBER,
                16 * DAY, 10);
}

/* A Wednesday on which much was corrected is not going to give anything back. */
static void test_make_corrections_are_not_foreseen(void **state)
{
    struct forecast_budget budget = november(24 * 24 * 1000);
    int64_t now_us = NOVEMBER + 10 * DAY;
    int64_t without_us;

    (void)state;
    play(always_1000, &budget, NOVEMBER - 20 * DAY, now_us);
    for (int week = 1; week <= 4; week++) /* of all that Wednesdays used */
        usage_series_add(&series, NOVEMBER + (10 - 7 * week) * DAY, -24 * 1000);
    without_us = forecast_at(&budget, now_us).exhausted_at_p50_us;
    for (int week = 1; week <= 4; week++)
        usage_series_add(&series, NOVEMBER + (10 - 7 * week) * DAY, -240 * 1000);
    assert_int_equal(forecast_at(&budget, now_us).exhausted_at_p50_us, without_us);
}

static void test_make_period_that_ends_within_an_hour_ends_there(void **state)
{
    struct forecast_budget budget = november(0);
    int64_t now_us = NOVEMBER + 10 * DAY;

    (void)state;
    budget.period.end_us = now_us + HOUR / 2;
    play(always_1000, &budget, NOVEMBER, now_us);
    budget.limit_milli = budget.posted_milli + 400;
    assert_int_not_equal(forecast_at(&budget, now_us).exhausted_at_p50_us, 0);
    budget.limit_milli = budget.posted_milli + 600;
    assert_int_equal(forecast_at(&budget, now_us).exhausted_at_p50_us, 0);
}

/* Days of any size, from the same hat: what is told is true as often as it says. */
static void test_make_random_days_are_exhausted_as_often_as_told(void **state)
{
    int by_p50 = 0;
    int by_p90 = 0;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 50);
    for (int run = 0; run < 2000; run++) {
        struct forecast_budget budget = november(200 * 1000);
        int64_t now_us = NOVEMBER + 12 * DAY;
        int64_t at_us = NOVEMBER - 20 * DAY;
        struct forecast told;

        usage_series_init(&series, at_us);
        for (; at_us < now_us; at_us += DAY) {
            int64_t milli = (int64_t)rng_below(&rng, 20000);

            usage_series_add(&series, at_us + 12 * HOUR, milli);
            budget.posted_milli += at_us >= NOVEMBER ? milli : 0;
        }
        told = forecast_at(&budget, now_us);
        for (int64_t sum = budget.posted_milli; sum < budget.limit_milli; at_us += DAY)
            sum += (int64_t)rng_below(&rng, 20000);
        by_p50 +=
            told.exhausted_at_p50_us == 0 || at_us <= told.exhausted_at_p50_us + DAY / 2;
        by_p90 +=
            told.exhausted_at_p90_us == 0 || at_us <= told.exhausted_at_p90_us + DAY / 2;
    }
    assert_in_range(by_p50, 2000 * 40 / 100, 2000 * 62 / 100);
    assert_in_range(by_p90, 2000 * 83 / 100, 2000 * 97 / 100);
}

static int64_t or_never(int64_t exhausted_at_us)
{
    return exhausted_at_us == 0 ? INT64_MAX : exhausted_at_us;
}

/* Any trace, and more use at any hour of it, corrections too. */
static void test_make_more_use_never_moves_p50_later(void **state)
{
    struct rng rng;

    (void)state;
    rng_seed(&rng, 7);
    for (int run = 0; run < 3000; run++) {
        int64_t known = 24 + (int64_t)rng_below(&rng, 800);
        int64_t now_us = NOVEMBER + (int64_t)rng_below(&rng, (uint64_t)(DAYS * DAY));
        int64_t hour0 = now_us / HOUR - known;
        struct forecast_budget budget = november((int64_t)rng_below(&rng, 3000000));
        int64_t before_us;

        usage_series_init(&series, hour0 * HOUR);
        for (int64_t hour = hour0; hour < now_us / HOUR; hour++)
            usage_series_add(
                &series, hour * HOUR,
                rng_below(&rng, 8) == 0 ? (int64_t)rng_below(&rng, 40000) - 4000 : 0);
        budget.posted_milli = (int64_t)rng_below(&rng, 500000);
        before_us = or_never(forecast_at(&budget, now_us).exhausted_at_p50_us);
        for (int more = 0; more < 5; more++) {
            int64_t at_us = (hour0 + (int64_t)rng_below(&rng, (uint64_t)known)) * HOUR;
            int64_t milli = (int64_t)rng_below(&rng, more == 4 ? 1000000 : 10000);
            struct forecast told;

            usage_series_add(&series, at_us, milli);
            budget.posted_milli += at_us >= NOVEMBER ? milli : 0;
            told = forecast_at(&budget, now_us);
            assert_true(or_never(told.exhausted_at_p50_us) <= before_us);
            assert_true(or_never(told.exhausted_at_p90_us) >=
                        or_never(told.exhausted_at_p50_us));
            before_us = or_never(told.exhausted_at_p50_us);
        }
    }
}

static void test_make_largest_amounts_stay_within_bounds(void **state)
{
    int64_t most = USAGE_SERIES_MAX_MILLI;
    struct forecast_budget budget = november(most);
    struct forecast told;

    (void)state;
    usage_series_init(&series, NOVEMBER - 30 * DAY);
    for (int64_t at_us = NOVEMBER - 30 * DAY; at_us < NOVEMBER + DAY; at_us += HOUR)
        usage_series_add(&series, at_us, most);
    told = forecast_at(&budget, NOVEMBER + DAY);
    assert_in_range(told.exhausted_at_p50_us, NOVEMBER + DAY, NOVEMBER + DAY + 2 * HOUR);
    budget.limit_milli = 0;
    assert_int_equal(forecast_at(&budget, NOVEMBER + DAY).burn_rate_ppm, 1000000000000000);
}

/* A read of three meters in 50 us; loosely, for sanitizers and busy machines. */
static void test_make_costs_little(void **state)
{
    struct forecast_budget budget = november(1000000000);
    clock_t begun;
    double each_us;

    (void)state;
    play(office, &budget, NOVEMBER - 35 * DAY, NOVEMBER + HOUR);
    begun = clock();
    for (int i = 0; i < 1000; i++)
        forecast_at(&budget, NOVEMBER + HOUR + i);
    each_us = (double)(clock() - begun) * 1e6 / CLOCKS_PER_SEC / 1000;
    print_message("%.1f us a forecast\n", each_us);
    assert_true(each_us < 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_constant_rate_is_exhausted_when_arithmetic_says),
        cmocka_unit_test(test_make_rate_that_lasts_the_period_says_0),
        cmocka_unit_test(test_make_no_use_is_never_exhausted),
        cmocka_unit_test(test_make_spent_or_held_already_says_now),
        cmocka_unit_test(test_make_held_counts_as_used),
        cmocka_unit_test(test_make_before_24_hours_are_known_says_nothing),
        cmocka_unit_test(test_make_outside_of_the_period_says_nothing),
        cmocka_unit_test(test_safe_daily_is_what_is_left_by_days_begun),
        cmocka_unit_test(test_make_weekday_trace_is_near_by_day_7),
        cmocka_unit_test(test_make_first_week_of_a_weekday_trace_is_near_by_day_7),
        cmocka_unit_test(test_make_known_weekdays_are_surer_than_unknown_ones),
        cmocka_unit_test(test_make_fewer_days_known_are_less_sure),
        cmocka_unit_test(test_make_busy_first_hour_of_a_period_says_little),
        cmocka_unit_test(test_make_corrections_are_not_foreseen),
        cmocka_unit_test(test_make_period_that_ends_within_an_hour_ends_there),
        cmocka_unit_test(test_make_random_days_are_exhausted_as_often_as_told),
        cmocka_unit_test(test_make_more_use_never_moves_p50_later),
        cmocka_unit_test(test_make_largest_amounts_stay_within_bounds),
        cmocka_unit_test(test_make_costs_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
