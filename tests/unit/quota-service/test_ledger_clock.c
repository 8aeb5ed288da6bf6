/* Two clocks that can be wrong, one that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger_clock.h"

#define SECOND_US 1000000LL
#define T0        1795000000000000LL

static struct ledger_clock clock;
static int64_t wall_us;
static uint64_t mono_us;

static int set_up(void **state)
{
    (void)state;
    ledger_clock_init(&clock, T0 - SECOND_US);
    wall_us = T0;
    mono_us = 500;
    assert_int_equal(ledger_clock_read(&clock, wall_us, mono_us), T0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return 0;
}

/* Time passes on both clocks, by amounts of their own. */
static int64_t pass(int64_t by_wall_us, int64_t by_mono_us)
{
    wall_us += by_wall_us;
    mono_us += (uint64_t)by_mono_us;
    return ledger_clock_read(&clock, wall_us, mono_us);
}

static void test_ledger_clock_follows_the_wall(void **state)
{
    (void)state;
    assert_int_equal(pass(SECOND_US, SECOND_US), T0 + SECOND_US);
    assert_int_equal(pass(86400 * SECOND_US, 86400 * SECOND_US), T0 + 86401 * SECOND_US);
    assert_false(ledger_clock_is_frozen(&clock));
}

static void test_ledger_clock_slewed_by_ntp_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 3600; i++) /* 500 ppm, the most there is */
        pass(SECOND_US + 500, SECOND_US);
    for (int i = 0; i < 3600; i++)
        pass(SECOND_US - 500, SECOND_US);
    assert_false(ledger_clock_is_frozen(&clock));
    assert_int_equal(clock.now_us, T0 + 7200 * SECOND_US);
    pass(4 * SECOND_US, 0); /* a small step ahead */
    assert_int_equal(clock.now_us, wall_us);
    assert_false(ledger_clock_is_frozen(&clock));
}

static void test_ledger_clock_nonsense_between_two_good_readings_changes_nothing(
    void **state)
{
    (void)state;
    pass(3600 * SECOND_US, 0); /* an hour ahead */
    assert_true(ledger_clock_is_frozen(&clock));
    assert_int_equal(clock.now_us, T0);
    pass(-3600 * SECOND_US + 10, 10);
    assert_true(ledger_clock_is_frozen(&clock)); /* two that agree are wanted */
    assert_int_equal(pass(SECOND_US, SECOND_US), T0 + SECOND_US + 10);
    assert_false(ledger_clock_is_frozen(&clock));
}

static void test_ledger_clock_ahead_an_hour_is_believed_when_it_stays(void **state)
{
    (void)state;
    assert_int_equal(pass(3600 * SECOND_US, 0), T0);
    assert_int_equal(pass(SECOND_US / 2, SECOND_US / 2), T0 + SECOND_US / 2);
    assert_true(ledger_clock_is_frozen(&clock)); /* by the monotonic clock alone */
    assert_int_equal(pass(SECOND_US / 2, SECOND_US / 2), T0 + 3601 * SECOND_US);
    assert_false(ledger_clock_is_frozen(&clock));
    assert_int_equal(clock.freezes, 1);
}

static void test_ledger_clock_back_ten_seconds_never_goes_back(void **state)
{
    (void)state;
    assert_int_equal(pass(-10 * SECOND_US, 0), T0);
    assert_true(ledger_clock_is_frozen(&clock));
    assert_int_equal(pass(SECOND_US / 2, SECOND_US / 2), T0 + SECOND_US / 2);
    assert_int_equal(pass(SECOND_US / 2, SECOND_US / 2), T0 + SECOND_US / 2);
    assert_false(ledger_clock_is_frozen(&clock)); /* believed, though it is behind */
    assert_int_equal(pass(9 * SECOND_US, 9 * SECOND_US), T0 + SECOND_US / 2);
    assert_int_equal(pass(SECOND_US, SECOND_US), T0 + SECOND_US); /* caught up */
}

static void test_ledger_clock_suspended_machine_costs_a_second(void **state)
{
    (void)state;
    pass(8 * 3600 * SECOND_US, 10); /* the monotonic clock stood still */
    assert_true(ledger_clock_is_frozen(&clock));
    pass(SECOND_US, SECOND_US);
    assert_false(ledger_clock_is_frozen(&clock));
    assert_int_equal(clock.now_us, wall_us);
}

static void test_ledger_clock_flapping_wall_never_moves_now(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        pass(i % 2 == 0 ? 3600 * SECOND_US : -3600 * SECOND_US, SECOND_US);
        assert_true(ledger_clock_is_frozen(&clock));
        assert_int_equal(clock.now_us, T0 + (i + 1) * SECOND_US);
    }
    assert_int_equal(clock.freezes, 1);
}

static void test_ledger_clock_first_reading_long_before_the_last_commit_freezes(
    void **state)
{
    (void)state;
    ledger_clock_init(&clock, T0);
    assert_int_equal(ledger_clock_read(&clock, T0 - 5 * SECOND_US, 1), T0);
    assert_false(ledger_clock_is_frozen(&clock)); /* as far as clocks may differ */
    ledger_clock_init(&clock, T0);
    assert_int_equal(ledger_clock_read(&clock, T0 - 6 * SECOND_US, 1), T0);
    assert_true(ledger_clock_is_frozen(&clock));
    ledger_clock_init(&clock, 0); /* nothing was committed yet */
    assert_int_equal(ledger_clock_read(&clock, T0, 1), T0);
    assert_false(ledger_clock_is_frozen(&clock));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_ledger_clock_follows_the_wall),
        TEST(test_ledger_clock_slewed_by_ntp_goes_on),
        TEST(test_ledger_clock_nonsense_between_two_good_readings_changes_nothing),
        TEST(test_ledger_clock_ahead_an_hour_is_believed_when_it_stays),
        TEST(test_ledger_clock_back_ten_seconds_never_goes_back),
        TEST(test_ledger_clock_suspended_machine_costs_a_second),
        TEST(test_ledger_clock_flapping_wall_never_moves_now),
        TEST(test_ledger_clock_first_reading_long_before_the_last_commit_freezes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
