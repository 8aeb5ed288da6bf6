#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/backoff.h"

static const struct backoff_policy POLICY = {.first_ms = 100, .max_ms = 5000};

static uint64_t largest_ms(const struct backoff_policy *policy, unsigned attempt)
{
    uint64_t largest = 0;

    for (uint64_t dice = 0; dice < 6000; dice++) {
        uint64_t delay = backoff_delay_ms(policy, attempt, dice);

        if (delay > largest)
            largest = delay;
    }
    return largest;
}

static void test_backoff_delay_ms_ceiling_doubles_up_to_the_most(void **state)
{
    (void)state;
    assert_int_equal(largest_ms(&POLICY, 0), 100);
    assert_int_equal(largest_ms(&POLICY, 1), 100);
    assert_int_equal(largest_ms(&POLICY, 2), 200);
    assert_int_equal(largest_ms(&POLICY, 6), 3200);
    assert_int_equal(largest_ms(&POLICY, 7), 5000);
    assert_int_equal(largest_ms(&POLICY, UINT32_MAX), 5000);
}

static void test_backoff_delay_ms_never_below_half_the_ceiling(void **state)
{
    (void)state;
    for (uint64_t dice = 0; dice < 1000; dice++)
        assert_in_range(backoff_delay_ms(&POLICY, 2, dice), 100, 200);
    assert_int_equal(backoff_delay_ms(&POLICY, 2, 0), 100);
    assert_int_equal(backoff_delay_ms(&POLICY, 2, 100), 200);
}

static void test_backoff_delay_ms_of_huge_limits_does_not_overflow(void **state)
{
    (void)state;
    const struct backoff_policy policy = {.first_ms = 3, .max_ms = UINT64_MAX};

    assert_true(backoff_delay_ms(&policy, 1000, UINT64_MAX) >= UINT64_MAX / 2);
    assert_true(backoff_delay_ms(&policy, 63, 0) >= UINT64_C(3) << 61);
}

static void test_backoff_delay_ms_of_one_ms_is_at_most_one(void **state)
{
    (void)state;
    const struct backoff_policy policy = {.first_ms = 1, .max_ms = 1};

    assert_int_equal(largest_ms(&policy, 9), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff_delay_ms_ceiling_doubles_up_to_the_most),
        cmocka_unit_test(test_backoff_delay_ms_never_below_half_the_ceiling),
        cmocka_unit_test(test_backoff_delay_ms_of_huge_limits_does_not_overflow),
        cmocka_unit_test(test_backoff_delay_ms_of_one_ms_is_at_most_one),
    };
    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
