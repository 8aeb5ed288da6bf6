#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "usage.h"

static struct usage usage;

static int set_up(void **state)
{
    (void)state;
    usage_init(&usage);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    usage_done(&usage);
    return 0;
}

static struct quota_counter row(uint32_t meter, int64_t start_us, int64_t posted_milli)
{
    return (struct quota_counter){
        .meter = meter, .period = {start_us, start_us + 100}, .posted_milli = posted_milli};
}

static void test_usage_at_finds_the_period_of_the_time(void **state)
{
    struct quota_counter rows[] = {row(0, 100, 1), row(0, 200, 2), row(1, 100, 3)};
    struct quota_counter found;

    (void)state;
    usage_set(&usage, rows, 3);
    assert_true(usage_at(&usage, 0, 199, &found));
    assert_int_equal(found.posted_milli, 1);
    assert_true(usage_at(&usage, 0, 200, &found));
    assert_int_equal(found.posted_milli, 2);
    assert_false(usage_at(&usage, 1, 200, &found));
}

static void test_usage_merge_replaces_what_is_known(void **state)
{
    struct quota_counter first = row(0, 100, 1);
    struct quota_counter newer = row(0, 100, 9);
    struct quota_counter found;

    (void)state;
    usage_merge(&usage, &first, 1);
    usage_merge(&usage, &newer, 1);
    assert_int_equal(usage.count, 1);
    assert_true(usage_at(&usage, 0, 100, &found));
    assert_int_equal(found.posted_milli, 9);
}

static void test_usage_merge_into_a_full_table_drops_the_oldest(void **state)
{
    struct quota_counter found;

    (void)state;
    for (int64_t i = 0; i <= COUNTERS_MAX; i++) {
        struct quota_counter next = row(0, i * 100, i);

        usage_merge(&usage, &next, 1);
    }
    assert_false(usage_at(&usage, 0, 0, &found));
    assert_true(usage_at(&usage, 0, COUNTERS_MAX * 100, &found));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_usage_at_finds_the_period_of_the_time),
        TEST(test_usage_merge_replaces_what_is_known),
        TEST(test_usage_merge_into_a_full_table_drops_the_oldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
