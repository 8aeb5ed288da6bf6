/* Months and anchors (C6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "core/base.h"
#include "periods.h"

#define DAY_US 86400000000LL

static int64_t utc(int year, int month, int day)
{
    struct tm when = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

    return (int64_t)timegm(&when) * 1000000;
}

/* A calendar that counts one day after the other: the day since 1970 that each month from
 * January 2000 on begins with. */
#define MONTHS (400 * 12)

static int64_t month_starts[MONTHS + 2];

static int february_days(int year)
{
    if (year % 400 == 0)
        return 29;
    return year % 100 != 0 && year % 4 == 0 ? 29 : 28;
}

static int count_months(void **state)
{
    int year = 1970;
    int month = 0;
    int date = 1;

    (void)state;
    for (int64_t day = 0; (year - 2000) * 12 + month < MONTHS + 2; day++) {
        int lengths[] = {31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        lengths[1] = february_days(year);
        if (date == 1 && year >= 2000)
            month_starts[(year - 2000) * 12 + month] = day;
        if (++date > lengths[month]) {
            date = 1;
            month = (month + 1) % 12;
            year += month == 0;
        }
    }
    return 0;
}

static int64_t counted_start(unsigned anchor, int month)
{
    int64_t length = month_starts[month + 1] - month_starts[month];

    return (month_starts[month] + (anchor < length ? anchor : length) - 1) * DAY_US;
}

static void assert_period(struct period period, int64_t start_us, int64_t end_us)
{
    assert_int_equal(period.start_us, start_us);
    assert_int_equal(period.end_us, end_us);
}

static void test_periods_containing_calendar_month_has_exact_edges(void **state)
{
    (void)state;
    assert_period(periods_containing(1, utc(2026, 11, 1)), utc(2026, 11, 1),
                  utc(2026, 12, 1));
    assert_period(periods_containing(1, utc(2026, 12, 1) - 1), utc(2026, 11, 1),
                  utc(2026, 12, 1));
    assert_period(periods_containing(1, utc(2026, 12, 31)), utc(2026, 12, 1),
                  utc(2027, 1, 1));
}

static void test_periods_containing_anchor_31_clamps_from_the_anchor(void **state)
{
    (void)state;
    assert_period(periods_containing(31, utc(2027, 2, 15)), utc(2027, 1, 31),
                  utc(2027, 2, 28));
    assert_period(periods_containing(31, utc(2027, 3, 1)), utc(2027, 2, 28),
                  utc(2027, 3, 31));
    assert_period(periods_containing(31, utc(2028, 3, 1)), utc(2028, 2, 29),
                  utc(2028, 3, 31));
    assert_period(periods_containing(30, utc(2028, 3, 29)), utc(2028, 2, 29),
                  utc(2028, 3, 30));
}

static void test_periods_containing_first_days_of_1970_reaches_back(void **state)
{
    (void)state;
    assert_period(periods_containing(15, 0), utc(1969, 12, 15), utc(1970, 1, 15));
}

static void test_periods_counted_calendar_is_that_of_libc(void **state)
{
    (void)state;
    for (int month = 0; month < MONTHS + 2; month++)
        assert_int_equal(month_starts[month] * DAY_US,
                         utc(2000 + month / 12, month % 12 + 1, 1));
}

/* Anchors 1 to 31 over 400 years: each period is the one the calendar says, holds all of
 * itself and nothing else, and begins where the one before it ended. */
static void test_periods_400_years_leave_no_gap_and_no_overlap(void **state)
{
    (void)state;
    for (unsigned anchor = 1; anchor <= PERIODS_ANCHOR_MAX; anchor++) {
        struct period period = periods_containing(anchor, counted_start(anchor, 0));
        int64_t before_us = periods_containing(anchor, period.start_us - 1).start_us;

        for (int month = 0; month < MONTHS; month++) {
            int64_t start_us = counted_start(anchor, month);
            int64_t end_us = counted_start(anchor, month + 1);
            int64_t middle_us = start_us + (end_us - start_us) / 2;

            assert_period(period, start_us, end_us);
            assert_period(periods_containing(anchor, start_us - 1), before_us, start_us);
            assert_period(periods_containing(anchor, start_us), start_us, end_us);
            assert_period(periods_containing(anchor, middle_us), start_us, end_us);
            assert_period(periods_containing(anchor, end_us - 1), start_us, end_us);
            before_us = start_us;
            period = periods_from(anchor, end_us);
        }
    }
}

static void test_periods_from_changed_anchor_ends_at_the_next_boundary(void **state)
{
    (void)state;
    assert_period(periods_from(15, utc(2026, 12, 1)), utc(2026, 12, 1), utc(2026, 12, 15));
    assert_period(periods_from(15, utc(2026, 12, 15)), utc(2026, 12, 15), utc(2027, 1, 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods_containing_calendar_month_has_exact_edges),
        cmocka_unit_test(test_periods_containing_anchor_31_clamps_from_the_anchor),
        cmocka_unit_test(test_periods_containing_first_days_of_1970_reaches_back),
        cmocka_unit_test(test_periods_counted_calendar_is_that_of_libc),
        cmocka_unit_test(test_periods_400_years_leave_no_gap_and_no_overlap),
        cmocka_unit_test(test_periods_from_changed_anchor_ends_at_the_next_boundary),
    };

    return cmocka_run_group_tests(tests, count_months, NULL);
}
