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

static int last_day(int year, int month)
{
    struct tm next = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = 0};
    time_t at = timegm(&next); /* day 0: the last one of the month before */
    struct tm out;

    gmtime_r(&at, &out);
    return out.tm_mday;
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

/* Anchors 1 to 31 over 400 years: each period is the one the calendar says, and begins
 * where the one before it ended. */
static void test_periods_from_400_years_leave_no_gap_and_no_overlap(void **state)
{
    (void)state;
    for (unsigned anchor = 1; anchor <= PERIODS_ANCHOR_MAX; anchor++) {
        struct period period = periods_containing(anchor, utc(2000, 1, 31) + DAY_US - 1);

        for (int month = 0; month < 400 * 12; month++) {
            int year = 2000 + month / 12;
            int length = last_day(year, month % 12 + 1);
            int day = (int)anchor < length ? (int)anchor : length;

            assert_int_equal(period.start_us, utc(year, month % 12 + 1, day));
            assert_true(period.end_us > period.start_us);
            assert_period(periods_containing(anchor, period.start_us), period.start_us,
                          period.end_us);
            assert_period(periods_containing(anchor, period.end_us - 1), period.start_us,
                          period.end_us);
            period = periods_from(anchor, period.end_us);
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
        cmocka_unit_test(test_periods_from_400_years_leave_no_gap_and_no_overlap),
        cmocka_unit_test(test_periods_from_changed_anchor_ends_at_the_next_boundary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
