#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "burn_rate.h"
#include "usage_series.h"

#define SECOND 1000000LL
#define DAY    (86400 * SECOND)
#define T0     1795219200000000LL /* 2026-11-21 */

/* Reports of one credit, 720 a month of 720 hours: a credit an hour is sustainable. */
static const struct burn_rate_budget ONE_AN_HOUR = {{0, 30 * DAY}, 720000, 1000};

static bool is_burning;

static int quiet(void **state)
{
    (void)state;
    is_burning = false;
    return 0;
}

static enum burn_rate_edge judge(const struct burn_rate_budget *budget, int64_t hour_milli,
                                 int64_t five_minutes_milli)
{
    return burn_rate_judge(&is_burning, budget,
                           (struct burn_rate_posted){hour_milli, five_minutes_milli});
}

static void test_judge_both_windows_above_begins_once(void **state)
{
    (void)state;
    assert_int_equal(judge(&ONE_AN_HOUR, 14001, 1167), BURN_RATE_BEGAN);
    assert_true(is_burning);
    assert_int_equal(judge(&ONE_AN_HOUR, 20000, 5000), BURN_RATE_SAME);
}

static void test_judge_one_window_at_14_times_is_no_alarm(void **state)
{
    (void)state;
    assert_int_equal(judge(&ONE_AN_HOUR, 14000, 5000), BURN_RATE_SAME);
    assert_int_equal(judge(&ONE_AN_HOUR, 20000, 1166), BURN_RATE_SAME); /* over by now */
    assert_int_equal(judge(&ONE_AN_HOUR, -5, -5), BURN_RATE_SAME);
    assert_false(is_burning);
}

static void test_judge_between_7_and_14_times_keeps_the_alarm(void **state)
{
    (void)state;
    assert_int_equal(judge(&ONE_AN_HOUR, 20000, 2000), BURN_RATE_BEGAN);
    assert_int_equal(judge(&ONE_AN_HOUR, 13000, 0), BURN_RATE_SAME);
    assert_int_equal(judge(&ONE_AN_HOUR, 7001, 0), BURN_RATE_SAME);
    assert_int_equal(judge(&ONE_AN_HOUR, 7000, 0), BURN_RATE_ENDED);
    assert_int_equal(judge(&ONE_AN_HOUR, 13000, 2000), BURN_RATE_SAME);
    assert_int_equal(judge(&ONE_AN_HOUR, 15000, 2000), BURN_RATE_BEGAN);
}

static void test_judge_few_units_of_a_tiny_budget_are_no_alarm(void **state)
{
    struct burn_rate_budget twenty = {{0, 30 * DAY}, 20000, 1000};

    (void)state;
    assert_int_equal(judge(&twenty, 1000, 1000), BURN_RATE_SAME); /* 36 times */
    assert_int_equal(judge(&twenty, 4999, 4999), BURN_RATE_SAME);
    assert_int_equal(judge(&twenty, 5000, 5000), BURN_RATE_BEGAN);
}

static void test_judge_less_than_one_percent_of_a_year_is_no_alarm(void **state)
{
    struct burn_rate_budget year = {{0, 365 * DAY}, 8760000, 1};

    (void)state;
    assert_int_equal(judge(&year, 87599, 87599), BURN_RATE_SAME);
    assert_int_equal(judge(&year, 87600, 87600), BURN_RATE_BEGAN);
}

static void test_judge_no_limit_to_spend_begins_and_ends(void **state)
{
    struct burn_rate_budget nothing = {{0, 30 * DAY}, 0, 0};

    (void)state;
    assert_int_equal(judge(&nothing, 0, 0), BURN_RATE_SAME);
    assert_int_equal(judge(&nothing, 1, 1), BURN_RATE_BEGAN);
    assert_int_equal(judge(&nothing, 0, 0), BURN_RATE_ENDED);
}

static void test_judge_largest_amounts_are_exact(void **state)
{
    int64_t limit = 1000000000000000;
    struct burn_rate_budget budgets[] = {{{0, 31 * DAY}, limit, 1},
                                         {{0, 28 * DAY}, limit - 1, 1},
                                         {{0, 3600 * SECOND}, limit, 1}};
    /* floor(limit * 14 * 3600 / seconds), from a calculator */
    static const int64_t at_14_times[] = {18817204301075, 20833333333333,
                                          14000000000000000};

    (void)state;
    for (int i = 0; i < 3; i++) {
        is_burning = false;
        assert_int_equal(judge(&budgets[i], at_14_times[i], INT64_MAX), BURN_RATE_SAME);
        assert_int_equal(judge(&budgets[i], at_14_times[i] + 1, INT64_MAX),
                         BURN_RATE_BEGAN);
        assert_int_equal(judge(&budgets[i], at_14_times[i] / 2 + 1, 0), BURN_RATE_SAME);
        assert_int_equal(judge(&budgets[i], at_14_times[i] / 2, 0), BURN_RATE_ENDED);
    }
}

/* 1,400 reports a month, and a loop that buys one each second. */
static void test_judge_runaway_loop_is_told_within_a_minute(void **state)
{
    struct burn_rate_budget budget = {periods_containing(1, T0), .limit_milli = 1400000,
                                      .unit_price_milli = 1000};
    static struct usage_series series;
    int told_at = 0;

    (void)state;
    usage_series_init(&series, 0);
    for (int second = 0; second < 3600 && told_at == 0; second++) {
        int64_t now_us = T0 + second * SECOND;

        usage_series_add(&series, now_us, 1000);
        if (judge(&budget, usage_series_last_milli(&series, now_us, 12),
                  usage_series_last_milli(&series, now_us, 1)) == BURN_RATE_BEGAN)
            told_at = second;
    }
    assert_in_range(told_at, 20, 60);
    for (int minute = 60; is_burning && minute < 120; minute++) {
        int64_t now_us = T0 + minute * 60 * SECOND;

        judge(&budget, usage_series_last_milli(&series, now_us, 12),
              usage_series_last_milli(&series, now_us, 1));
    }
    assert_false(is_burning);
}

/* At 20 times a steady hour is above 14 times after 42 minutes: the hour's word. */
static void test_judge_twenty_times_is_told_within_the_hour(void **state)
{
    static struct usage_series series;
    int told_at = 0;

    (void)state;
    usage_series_init(&series, 0);
    for (int minute = 0; minute < 60 && told_at == 0; minute++) {
        int64_t now_us = T0 + minute * 60 * SECOND;

        usage_series_add(&series, now_us, 20000 / 60);
        if (judge(&ONE_AN_HOUR, usage_series_last_milli(&series, now_us, 12),
                  usage_series_last_milli(&series, now_us, 1)) == BURN_RATE_BEGAN)
            told_at = minute;
    }
    assert_in_range(told_at, 40, 44);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_judge_both_windows_above_begins_once, quiet),
        cmocka_unit_test_setup(test_judge_one_window_at_14_times_is_no_alarm, quiet),
        cmocka_unit_test_setup(test_judge_between_7_and_14_times_keeps_the_alarm, quiet),
        cmocka_unit_test_setup(test_judge_few_units_of_a_tiny_budget_are_no_alarm, quiet),
        cmocka_unit_test_setup(test_judge_less_than_one_percent_of_a_year_is_no_alarm,
                               quiet),
        cmocka_unit_test_setup(test_judge_no_limit_to_spend_begins_and_ends, quiet),
        cmocka_unit_test_setup(test_judge_largest_amounts_are_exact, quiet),
        cmocka_unit_test_setup(test_judge_runaway_loop_is_told_within_a_minute, quiet),
        cmocka_unit_test_setup(test_judge_twenty_times_is_told_within_the_hour, quiet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
