#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rng.h"
#include "usage_series.h"

#define MINUTE (60LL * 1000000)
#define HOUR   USAGE_SERIES_HOUR_US
#define T0     1795219200000000LL /* 2026-11-21, a whole hour */
#define HOUR0  (T0 / HOUR)

static struct usage_series series;

static int set_up(void **state)
{
    (void)state;
    usage_series_init(&series, T0);
    return 0;
}

static int64_t hours(int64_t from, int64_t until)
{
    return usage_series_hours_milli(&series, HOUR0 + from, HOUR0 + until);
}

static void test_add_counts_in_both_rings(void **state)
{
    (void)state;
    usage_series_add(&series, T0, 3);
    usage_series_add(&series, T0 + HOUR - 1, 4);
    usage_series_add(&series, T0 + HOUR, 50);
    assert_int_equal(hours(0, 1), 7);
    assert_int_equal(hours(0, 2), 57);
    assert_int_equal(hours(1, 2), 50);
    assert_int_equal(usage_series_last_milli(&series, T0 + HOUR, 1), 54);
    assert_int_equal(usage_series_last_milli(&series, T0 + HOUR, 12), 57);
}

static void test_add_correction_is_taken_where_it_is_made(void **state)
{
    (void)state;
    usage_series_add(&series, T0, 100);
    usage_series_add(&series, T0 + HOUR, -100);
    assert_int_equal(hours(0, 1), 100);
    assert_int_equal(hours(1, 2), -100);
    assert_int_equal(hours(0, 2), 0);
    assert_int_equal(usage_series_last_milli(&series, T0 + HOUR, 1), -100);
}

static void test_add_late_is_kept_and_too_late_is_not(void **state)
{
    (void)state;
    usage_series_add(&series, T0 + 900 * HOUR, 1);
    usage_series_add(&series, T0 + 60 * HOUR, 2); /* the oldest there is room for */
    usage_series_add(&series, T0 + 59 * HOUR, 4);
    assert_int_equal(hours(0, 1000), 3);
    assert_int_equal(usage_series_last_milli(&series, T0 + 900 * HOUR, 12), 1);
}

static void test_add_after_a_pause_forgets_what_is_older(void **state)
{
    (void)state;
    usage_series_add(&series, T0, 1);
    usage_series_add(&series, T0 + 840 * HOUR, 2);
    assert_int_equal(hours(0, 841), 3);
    usage_series_add(&series, T0 + 841 * HOUR, 4);
    assert_int_equal(hours(0, 842), 6);
    usage_series_add(&series, T0 + 100000 * HOUR, 8);
    assert_int_equal(hours(0, 100001), 8);
}

static void test_add_saturates(void **state)
{
    (void)state;
    usage_series_add(&series, T0, INT64_MAX);
    usage_series_add(&series, T0, INT64_MAX);
    assert_int_equal(hours(0, 1), USAGE_SERIES_MAX_MILLI);
    assert_int_equal(usage_series_last_milli(&series, T0 + 6 * MINUTE, 1),
                     USAGE_SERIES_MAX_MILLI / 5 * 4);
    usage_series_add(&series, T0 + HOUR, INT64_MIN);
    usage_series_add(&series, T0 + HOUR, INT64_MIN);
    assert_int_equal(hours(1, 2), -USAGE_SERIES_MAX_MILLI);
}

static void test_hours_outside_of_what_is_known_are_zero(void **state)
{
    (void)state;
    assert_int_equal(usage_series_hours_milli(&series, -10, 10), 0);
    usage_series_add(&series, T0, 5);
    assert_int_equal(hours(-2000, 2000), 5);
    assert_int_equal(hours(1, 2000), 0);
    assert_int_equal(hours(-2000, 0), 0);
    assert_int_equal(hours(1, 0), 0);
}

static void test_last_oldest_bucket_counts_by_its_share(void **state)
{
    (void)state;
    usage_series_add(&series, T0, 3000);
    assert_int_equal(usage_series_last_milli(&series, T0 + 5 * MINUTE, 1), 3000);
    assert_int_equal(usage_series_last_milli(&series, T0 + 6 * MINUTE, 1), 2400);
    assert_int_equal(usage_series_last_milli(&series, T0 + 10 * MINUTE - 1, 1), 10);
    assert_int_equal(usage_series_last_milli(&series, T0 + 10 * MINUTE, 1), 0);
    assert_int_equal(usage_series_last_milli(&series, T0 + 62 * MINUTE, 12), 1800);
    assert_int_equal(usage_series_last_milli(&series, T0 + 65 * MINUTE, 12), 0);
}

static void test_last_constant_rate_is_exact_at_any_time(void **state)
{
    (void)state;
    for (int minute = 0; minute < 200; minute++) {
        usage_series_add(&series, T0 + minute * MINUTE, 1000);
        if (minute < 65)
            continue;
        assert_in_range(usage_series_last_milli(&series, T0 + (minute + 1) * MINUTE, 12),
                        60000, 60000);
        assert_in_range(usage_series_last_milli(&series, T0 + (minute + 1) * MINUTE, 1),
                        5000, 5000);
    }
}

static void test_load_sets_either_ring_in_any_order(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        usage_series_load_hour(&series, T0 + 2 * HOUR, 40);
        usage_series_load_hour(&series, T0, 10);
        usage_series_load_bucket(&series, T0 + 2 * HOUR, 7);
        usage_series_load_bucket(&series, T0 + 2 * HOUR - 5 * MINUTE, 5);
    }
    usage_series_add(&series, T0 + 2 * HOUR + MINUTE, 2);
    assert_int_equal(hours(0, 3), 52);
    assert_int_equal(usage_series_last_milli(&series, T0 + 2 * HOUR + 5 * MINUTE - 1, 2),
                     14);
}

/* Any postings, by and large in order: as a list of all of them says. */
static void test_random_postings_agree_with_a_list(void **state)
{
    static struct {
        int64_t hour;
        int64_t milli;
    } list[20000];
    int64_t newest = 0;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 19);
    for (int i = 0; i < 20000; i++) {
        int64_t at = i / 4 + (int64_t)rng_below(&rng, 20);

        list[i].milli = (int64_t)rng_below(&rng, 2000) - 500;
        list[i].hour = at;
        newest = at > newest ? at : newest;
        usage_series_add(&series, T0 + at * HOUR + (int64_t)rng_below(&rng, (uint64_t)HOUR),
                         list[i].milli);
    }
    for (int64_t from = newest - 840; from <= newest; from += 7) {
        int64_t sum = 0;

        for (int i = 0; i < 20000; i++) {
            if (from <= list[i].hour && list[i].hour < from + 100)
                sum += list[i].milli;
        }
        assert_int_equal(hours(from, from + 100), sum);
    }
}

static void test_series_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct usage_series) <= 7 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_add_counts_in_both_rings, set_up),
        cmocka_unit_test_setup(test_add_correction_is_taken_where_it_is_made, set_up),
        cmocka_unit_test_setup(test_add_late_is_kept_and_too_late_is_not, set_up),
        cmocka_unit_test_setup(test_add_after_a_pause_forgets_what_is_older, set_up),
        cmocka_unit_test_setup(test_add_saturates, set_up),
        cmocka_unit_test_setup(test_hours_outside_of_what_is_known_are_zero, set_up),
        cmocka_unit_test_setup(test_last_oldest_bucket_counts_by_its_share, set_up),
        cmocka_unit_test_setup(test_last_constant_rate_is_exact_at_any_time, set_up),
        cmocka_unit_test_setup(test_load_sets_either_ring_in_any_order, set_up),
        cmocka_unit_test_setup(test_random_postings_agree_with_a_list, set_up),
        cmocka_unit_test_setup(test_series_is_small, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
