/* What readers see: what is committed, and no more. */
#include "core_fixture.h"

#include "usage.h"

static struct usage usage;
static struct limit_rule rules[LIMITS_MAX];

static int set_up_usage(void **state)
{
    set_up(state);
    usage_init(&usage);
    return 0;
}

static int tear_down_usage(void **state)
{
    usage_done(&usage);
    return tear_down(state);
}

static struct quota_counter row(uint32_t meter, int64_t start_us, int64_t posted_milli)
{
    return (struct quota_counter){.meter = meter,
                                  .scope = LIMIT_METER,
                                  .period = {start_us, start_us + 100},
                                  .posted_milli = posted_milli};
}

static void merge(struct quota_counter one)
{
    static struct quota_batch changed;

    changed.counter_count = 1;
    changed.counters[0] = one;
    usage_commit(&usage, core, &changed);
}

static void test_usage_at_finds_the_period_of_the_time(void **state)
{
    struct quota_meter_view found;

    (void)state;
    merge(row(0, 100, 1));
    merge(row(0, 200, 2));
    merge(row(1, 100, 3));
    assert_true(usage_at(&usage, 0, 199, &found));
    assert_int_equal(found.posted_milli, 1);
    assert_true(usage_at(&usage, 0, 200, &found));
    assert_int_equal(found.posted_milli, 2);
    assert_false(usage_at(&usage, 1, 200, &found));
}

static void test_usage_commit_replaces_what_is_known(void **state)
{
    struct quota_meter_view found;

    (void)state;
    merge(row(0, 100, 1));
    merge(row(0, 100, 9));
    assert_int_equal(usage.count, 1);
    assert_true(usage_at(&usage, 0, 100, &found));
    assert_int_equal(found.posted_milli, 9);
}

static void test_usage_commit_into_a_full_table_drops_the_oldest(void **state)
{
    struct quota_meter_view found;

    (void)state;
    for (int64_t i = 0; i <= COUNTERS_METER_ROWS; i++)
        merge(row(0, i * 100, i));
    assert_false(usage_at(&usage, 0, 0, &found));
    assert_true(usage_at(&usage, 0, COUNTERS_METER_ROWS * 100, &found));
}

static void test_usage_commit_passes_over_counters_of_users(void **state)
{
    struct quota_counter of_user = row(0, 100, 5);
    struct quota_meter_view found;

    (void)state;
    of_user.scope = LIMIT_USER;
    merge(of_user);
    assert_int_equal(usage.count, 0);
    assert_false(usage_at(&usage, 0, 100, &found));
}

static void test_usage_open_takes_meters_and_limits_of_the_core(void **state)
{
    struct quota_meter_view found;
    uint64_t version = 99;

    (void)state;
    merge(row(0, 100, 1)); /* of a former epoch */
    reserved(700);
    usage_open(&usage, core);
    assert_false(usage_at(&usage, 0, 100, &found));
    assert_true(usage_at(&usage, REPORTS, T0, &found));
    assert_int_equal(found.held_milli, 700);
    assert_int_equal(found.limit_milli, LIMIT);
    assert_int_equal(found.soft_limit_milli, LIMIT_NONE);
    assert_int_equal(usage_limits(&usage, METERS_NONE, rules, &version), 3);
    assert_int_equal(version, 0); /* the settings' */
    assert_int_equal(usage_limits(&usage, REPORTS, rules, &version), 1);
    assert_int_equal(rules[0].amount_milli, LIMIT);
}

static void set_soft(int64_t amount_milli, bool is_removed)
{
    const struct limit_rule rule = {.scope = LIMIT_METER,
                                    .mode = LIMIT_SOFT,
                                    .meter = REPORTS,
                                    .amount_milli = amount_milli,
                                    .is_removed = is_removed};
    struct quota_op op = {
        .kind = QUOTA_SET_LIMIT, .actor = "eve", .note = "why", .rule = &rule};

    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    quota_core_seal(core, &batch);
    quota_core_committed(core, batch.number);
    usage_commit(&usage, core, &batch);
    quota_core_begin(core, &batch);
}

static void test_usage_commit_takes_changed_limits_and_leaves_removed_ones_out(void **state)
{
    struct quota_meter_view found;
    uint64_t version;

    (void)state;
    usage_open(&usage, core);
    set_soft(8000, false);
    assert_true(usage_at(&usage, REPORTS, T0, &found));
    assert_int_equal(found.soft_limit_milli, 8000);
    assert_int_equal(found.limit_version, 1);
    assert_int_equal(usage_limits(&usage, REPORTS, rules, &version), 2);
    set_soft(0, true);
    assert_true(usage_at(&usage, REPORTS, T0, &found));
    assert_int_equal(found.soft_limit_milli, LIMIT_NONE);
    assert_int_equal(usage_limits(&usage, REPORTS, rules, &version), 1);
    assert_int_equal(version, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_usage, tear_down_usage)
    const struct CMUnitTest tests[] = {
        TEST(test_usage_at_finds_the_period_of_the_time),
        TEST(test_usage_commit_replaces_what_is_known),
        TEST(test_usage_commit_into_a_full_table_drops_the_oldest),
        TEST(test_usage_commit_passes_over_counters_of_users),
        TEST(test_usage_open_takes_meters_and_limits_of_the_core),
        TEST(test_usage_commit_takes_changed_limits_and_leaves_removed_ones_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
