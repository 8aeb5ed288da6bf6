#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "core/clock.h"

static void test_clock_format_utc_known_times(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {1795260030123456, "2026-11-21T11:20:30.123456Z"},
        {1709164800000000, "2024-02-29T00:00:00.000000Z"},
        {INT64_MAX, "294247-01-10T04:00:54.775807Z"},
        {INT64_MIN, "-290308-12-21T19:59:05.224192Z"},
    };
    char text[CLOCK_TEXT_SIZE];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        clock_format_utc(text, rows[i].unix_us);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_clock_mono_us_never_goes_back(void **state)
{
    (void)state;
    uint64_t last_us = clock_mono_us();

    for (int i = 0; i < 1000; i++) {
        uint64_t now_us = clock_mono_us();

        assert_true(now_us >= last_us);
        last_us = now_us;
    }
}

static void test_clock_wall_us_is_after_this_was_written(void **state)
{
    (void)state;
    assert_true(clock_wall_us() > 1700000000 * CLOCK_US_PER_SECOND);
}

static void test_clock_left_ms_rounds_up_and_ends_at_zero(void **state)
{
    (void)state;
    uint64_t left_ms = clock_left_ms(clock_deadline_ms(60000));

    assert_in_range(left_ms, 1, 60000);
    assert_int_equal(clock_left_ms(0), 0);
    assert_int_equal(clock_left_ms(clock_mono_us()), 0);
}

static void test_clock_deadline_ms_out_of_range_means_never(void **state)
{
    (void)state;
    assert_true(clock_deadline_ms(UINT64_MAX) == UINT64_MAX);
    assert_true(clock_left_ms(UINT64_MAX) > 1000);
}

static void test_clock_timespec_splits_seconds(void **state)
{
    (void)state;
    struct timespec time = clock_timespec(12345678);

    assert_int_equal(time.tv_sec, 12);
    assert_int_equal(time.tv_nsec, 345678000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_format_utc_known_times),
        cmocka_unit_test(test_clock_mono_us_never_goes_back),
        cmocka_unit_test(test_clock_wall_us_is_after_this_was_written),
        cmocka_unit_test(test_clock_left_ms_rounds_up_and_ends_at_zero),
        cmocka_unit_test(test_clock_deadline_ms_out_of_range_means_never),
        cmocka_unit_test(test_clock_timespec_splits_seconds),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
