/* The rows of meters (C6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meters.h"

static const struct quota_config config = {
    .discovery_results_per_month = 140000,
    .reports_per_month = 1400,
    .enrichments_per_month = 2000,
};

static void test_meters_find_knows_each_row_by_its_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < METER_COUNT; i++)
        assert_int_equal(meters_find(METERS[i].name), i);
    assert_int_equal(meters_find("modash"), METERS_NONE);
    assert_int_equal(meters_find(""), METERS_NONE);
}

static void test_meters_limit_is_units_times_price(void **state)
{
    (void)state;
    /* both Modash budgets are 1,400 credits */
    assert_int_equal(meters_limit_milli(meters_find("modash.discovery"), &config), 1400000);
    assert_int_equal(meters_limit_milli(meters_find("modash.reports"), &config), 1400000);
    assert_int_equal(meters_limit_milli(meters_find("clay.enrichment"), &config), 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meters_find_knows_each_row_by_its_name),
        cmocka_unit_test(test_meters_limit_is_units_times_price),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
