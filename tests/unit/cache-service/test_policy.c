/* Ages and failures: what is fresh, what may answer instead (C8, B8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base.h"
#include "engine/policy.h"

#define T0 1800000000000000LL

static void test_state_of_what_was_never_fetched_is_absent(void **state)
{
    (void)state;
    assert_int_equal(policy_state(0, T0 + 1, T0), POLICY_ABSENT);
}

static void test_state_at_the_end_of_freshness_is_stale(void **state)
{
    (void)state;
    assert_int_equal(policy_state(T0 - 5, T0, T0 - 1), POLICY_FRESH);
    assert_int_equal(policy_state(T0 - 5, T0, T0), POLICY_STALE);
}

static void test_covers_with_stale_outages_only(void **state)
{
    (void)state;
    static const struct {
        enum status failure;
        bool covers;
    } rows[] = {
        {ST_UNAVAILABLE, true}, {ST_DEADLINE, true},   {ST_EXHAUSTED, true},
        {ST_ABORTED, true},     {ST_NOT_FOUND, false}, {ST_DENIED, false},
        {ST_INVALID, false},    {ST_INTERNAL, false},  {ST_PRECONDITION, false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(policy_covers_with_stale(rows[i].failure), rows[i].covers);
}

static void test_mark_stale_names_reason_and_message(void **state)
{
    (void)state;
    struct policy_freshness freshness = {.source = POLICY_SOURCE_CACHED};
    struct error failure = ERROR_NONE;

    (void)error_set(&failure, ST_UNAVAILABLE, "modash answered 500");
    (void)error_reason(&failure, "PROVIDER_ERROR");
    policy_mark_stale(&freshness, &failure);

    assert_int_equal(freshness.source, POLICY_SOURCE_STALE);
    assert_string_equal(freshness.stale_reason, "PROVIDER_ERROR: modash answered 500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_of_what_was_never_fetched_is_absent),
        cmocka_unit_test(test_state_at_the_end_of_freshness_is_stale),
        cmocka_unit_test(test_covers_with_stale_outages_only),
        cmocka_unit_test(test_mark_stale_names_reason_and_message),
    };

    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
