/* Jumps, steps and slews of the wall clock, read beside a monotonic one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger_clock.h"
#include "periods.h"

#define SECOND 1000000LL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define T0     1795219200000000LL /* 2026-11-21 */

/* The machine's two clocks, as a test moves them. */
static int64_t wall_us;
static uint64_t mono_us;
static struct ledger_clock ledger_clock;

static int64_t read_both(void)
{
    return ledger_clock_read(&ledger_clock, wall_us, mono_us);
}

static int64_t pass(int64_t us)
{
    wall_us += us;
    mono_us += (uint64_t)us;
    return read_both();
}

static int start(void **state)
{
    (void)state;
    wall_us = T0;
    mono_us = 77 * SECOND;
    ledger_clock_init(&ledger_clock, T0 - HOUR);
    return 0;
}

static int run_a_while(void **state)
{
    start(state);
    read_both();
    pass(SECOND);
    return 0;
}

static void assert_running(int64_t now_us)
{
    assert_false(ledger_clock_is_frozen(&ledger_clock));
    assert_int_equal(ledger_clock_due_us(&ledger_clock), now_us);
}

static void assert_frozen(int64_t due_us)
{
    assert_true(ledger_clock_is_frozen(&ledger_clock));
    assert_int_equal(ledger_clock_due_us(&ledger_clock), due_us);
}

static void test_read_first_after_a_long_outage_is_the_wall(void **state)
{
    (void)state;
    ledger_clock_init(&ledger_clock, T0 - 100 * DAY);
    assert_int_equal(read_both(), T0);
    assert_running(T0);
}

static void test_read_first_little_before_the_last_commit_stands_still(void **state)
{
    (void)state;
    ledger_clock_init(&ledger_clock, T0 + 5 * SECOND);
    assert_int_equal(read_both(), T0 + 5 * SECOND);
    assert_running(T0 + 5 * SECOND);
    assert_int_equal(pass(6 * SECOND), T0 + 6 * SECOND);
}

static void test_read_first_long_before_the_last_commit_is_frozen_there(void **state)
{
    (void)state;
    ledger_clock_init(&ledger_clock, T0 + HOUR);
    assert_int_equal(read_both(), T0 + HOUR);
    assert_int_equal(pass(30 * 60 * SECOND), T0 + HOUR); /* steady, and not credible */
    assert_int_equal(pass(29 * 60 * SECOND), T0 + HOUR);
    assert_frozen(T0 + HOUR);

    pass(55 * SECOND); /* within 5 s of the commit */
    assert_frozen(T0 + HOUR);
    assert_int_equal(pass(10 * SECOND), T0 + HOUR + 5 * SECOND);
    assert_running(T0 + HOUR + 5 * SECOND);
    assert_int_equal(ledger_clock_freezes(&ledger_clock), 1);
}

static void test_read_set_right_after_a_frozen_start_thaws_a_second_later(void **state)
{
    (void)state;
    ledger_clock_init(&ledger_clock, T0);
    wall_us = 3 * SECOND; /* no battery: it is 1970 */
    read_both();
    pass(SECOND);
    wall_us = T0 + 60 * SECOND;
    assert_int_equal(read_both(), T0);
    assert_frozen(T0);
    assert_int_equal(pass(SECOND), T0 + 61 * SECOND);
    assert_running(T0 + 61 * SECOND);
}

static void test_read_no_date_is_never_taken(void **state)
{
    static const int64_t walls[] = {INT64_MIN, -1, INT64_MAX};

    (void)state;
    for (int i = 0; i < 3; i++) {
        start(state);
        read_both();
        wall_us = walls[i];
        for (int second = 1; second <= 10; second++) {
            mono_us += SECOND;
            assert_int_equal(read_both(), T0 + second * SECOND);
        }
        assert_frozen(T0);
    }
}

static void test_read_slew_either_way_runs_on(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) { /* 10 %, as far as chrony goes */
        wall_us += i % 20000 < 10000 ? SECOND / 10 : -SECOND / 10;
        assert_true(pass(SECOND) >= wall_us);
    }
    assert_running(wall_us);
    assert_int_equal(ledger_clock_freezes(&ledger_clock), 0);
}

static void test_read_many_small_steps_freeze(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        wall_us += SECOND; /* the wall runs twice as fast */
        pass(SECOND);
    }
    assert_true(ledger_clock_freezes(&ledger_clock) >= 1);
}

static void test_read_leap_second_stands_still(void **state)
{
    int64_t before = pass(SECOND);

    (void)state;
    wall_us -= SECOND;
    assert_int_equal(pass(SECOND / 2), before);
    assert_int_equal(pass(SECOND), before + SECOND / 2);
    assert_running(before + SECOND / 2);
    assert_int_equal(ledger_clock_freezes(&ledger_clock), 0);
}

static void test_read_jump_of_tolerance_passes_and_one_beyond_freezes(void **state)
{
    int64_t before = wall_us;

    (void)state;
    wall_us += 5 * SECOND;
    assert_int_equal(read_both(), before + 5 * SECOND);
    wall_us += 1;
    assert_int_equal(read_both(), before + 5 * SECOND);
    assert_frozen(before + 5 * SECOND);
}

static void test_read_jump_forward_goes_by_monotonic_time_until_confirmed(void **state)
{
    int64_t before = wall_us;

    (void)state;
    wall_us += HOUR;
    assert_int_equal(read_both(), before);
    assert_int_equal(pass(SECOND - 1), before + SECOND - 1);
    assert_frozen(before);
    assert_int_equal(pass(1), before + HOUR + SECOND);
    assert_running(before + HOUR + SECOND);
    assert_int_equal(ledger_clock_freezes(&ledger_clock), 1);
    assert_int_equal(pass(HOUR), before + 2 * HOUR + SECOND);
}

static void test_read_jump_back_never_goes_back(void **state)
{
    int64_t before = wall_us;

    (void)state;
    wall_us -= 10 * SECOND;
    assert_int_equal(read_both(), before);
    assert_frozen(before);
    assert_int_equal(pass(SECOND / 2), before + SECOND / 2);
    assert_int_equal(pass(SECOND / 2), before + SECOND / 2);
    assert_running(before + SECOND / 2);                     /* the wall: before - 9 s */
    assert_int_equal(pass(9 * SECOND), before + SECOND / 2); /* before */
    assert_int_equal(pass(2 * SECOND), before + 2 * SECOND);
    assert_int_equal(ledger_clock_freezes(&ledger_clock), 1);
}

static void test_read_suspended_machine_thaws_at_the_second_reading(void **state)
{
    int64_t before = wall_us;

    (void)state;
    wall_us += 8 * HOUR; /* CLOCK_MONOTONIC slept too */
    assert_int_equal(pass(SECOND / 100), before + SECOND / 100);
    assert_frozen(before);
    assert_int_equal(pass(SECOND), before + 8 * HOUR + SECOND / 100 + SECOND);
    assert_running(wall_us);
}

static void test_read_flapping_wall_stays_frozen(void **state)
{
    int64_t before = wall_us;

    (void)state;
    for (int i = 1; i <= 100; i++) {
        wall_us += i % 2 == 1 ? HOUR : -HOUR;
        assert_int_equal(pass(2 * SECOND), before + i * 2 * SECOND);
        assert_frozen(before);
    }
    assert_int_equal(ledger_clock_freezes(&ledger_clock), 1);
    assert_int_equal(pass(2 * SECOND), before + 202 * SECOND); /* and it was right */
    assert_running(before + 202 * SECOND);
}

static void test_read_blip_between_two_good_ones_needs_two_again(void **state)
{
    int64_t before = wall_us;

    (void)state;
    wall_us += HOUR;
    read_both();
    pass(SECOND / 2);
    wall_us += HOUR; /* another one */
    read_both();
    pass(SECOND / 2);
    assert_frozen(before);
    pass(SECOND / 2);
    assert_running(before + 2 * HOUR + 3 * SECOND / 2);
}

/* What confirmed the last freeze says nothing about the next one. */
static void test_read_second_freeze_needs_two_readings_of_its_own(void **state)
{
    (void)state;
    wall_us += HOUR;
    read_both();
    pass(SECOND);
    for (int i = 0; i < 2; i++) { /* 4 s ahead of what confirmed */
        wall_us += 2 * SECOND;
        pass(20 * SECOND);
    }
    assert_running(wall_us);
    wall_us -= 6 * SECOND; /* 2 s behind it */
    read_both();
    assert_true(ledger_clock_is_frozen(&ledger_clock));
    pass(SECOND);
    assert_false(ledger_clock_is_frozen(&ledger_clock));
}

static void test_read_no_date_between_two_good_ones_needs_two_again(void **state)
{
    (void)state;
    wall_us += HOUR;
    read_both();
    ledger_clock_read(&ledger_clock, -1, mono_us);
    pass(SECOND);
    assert_true(ledger_clock_is_frozen(&ledger_clock));
    pass(SECOND);
    assert_running(wall_us);
}

static void test_due_month_end_during_a_freeze_waits(void **state)
{
    struct period november = periods_containing(1, T0);
    int64_t end_us = november.end_us;

    (void)state;
    wall_us = end_us - 3 * SECOND;
    ledger_clock_init(&ledger_clock, wall_us);
    read_both();
    for (int i = 0; i < 10; i++) { /* a wild wall, past the month's end */
        wall_us += i % 2 == 0 ? 40 * DAY : -30 * DAY;
        pass(SECOND);
    }
    assert_int_equal(read_both(), end_us + 7 * SECOND);
    assert_frozen(end_us - 3 * SECOND); /* November still */

    wall_us = end_us + 7 * SECOND;
    read_both();
    pass(SECOND);
    assert_running(end_us + 8 * SECOND); /* and now December */
}

int main(void)
{
#define IDLE(test)    cmocka_unit_test_setup(test, start)
#define RUNNING(test) cmocka_unit_test_setup(test, run_a_while)
    const struct CMUnitTest tests[] = {
        IDLE(test_read_first_after_a_long_outage_is_the_wall),
        IDLE(test_read_first_little_before_the_last_commit_stands_still),
        IDLE(test_read_first_long_before_the_last_commit_is_frozen_there),
        IDLE(test_read_set_right_after_a_frozen_start_thaws_a_second_later),
        IDLE(test_read_no_date_is_never_taken),
        RUNNING(test_read_slew_either_way_runs_on),
        RUNNING(test_read_many_small_steps_freeze),
        RUNNING(test_read_leap_second_stands_still),
        RUNNING(test_read_jump_of_tolerance_passes_and_one_beyond_freezes),
        RUNNING(test_read_jump_forward_goes_by_monotonic_time_until_confirmed),
        RUNNING(test_read_jump_back_never_goes_back),
        RUNNING(test_read_suspended_machine_thaws_at_the_second_reading),
        RUNNING(test_read_flapping_wall_stays_frozen),
        RUNNING(test_read_blip_between_two_good_ones_needs_two_again),
        RUNNING(test_read_second_freeze_needs_two_readings_of_its_own),
        RUNNING(test_read_no_date_between_two_good_ones_needs_two_again),
        IDLE(test_due_month_end_during_a_freeze_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
