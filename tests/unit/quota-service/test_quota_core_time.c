/* Boundaries of periods, a clock that cannot be believed, and what is told once a period. */
#include "core_subjects.h"

/* ---- boundaries and the clock ---------------------------------------------------------- */

static void test_reserve_near_a_boundary_must_fit_both_periods(void **state)
{
    struct quota_answer answer;

    (void)state;
    reserved(9000); /* of November; nobody settles */
    now_us = DEC_US + SECOND_US;
    answer = reserve((struct who){.user = "ada"}, 1001);
    assert_int_equal(answer.verdict, QUOTA_REFUSED); /* the provider may be a bit behind */
    assert_int_equal(answer.hit_count, 1);
    assert_int_equal(answer.hits[0].resets_at_us, DEC_US);
    assert_int_equal(reserve((struct who){.user = "ada"}, 1000).verdict, QUOTA_DONE);
    assert_int_equal(last_row()->period_start_us, DEC_US); /* charged once */
    now_us = DEC_US + QUOTA_CORE_BOUNDARY_US;
    assert_int_equal(reserve((struct who){.user = "ada"}, 9000).verdict, QUOTA_DONE);
}

static void test_reserve_before_a_boundary_must_fit_the_next_period(void **state)
{
    (void)state;
    (void)set_rule(
        (struct limit_rule){.scope = LIMIT_USER, .mode = LIMIT_HARD, .amount_milli = 500});
    now_us = DEC_US - SECOND_US;
    assert_int_equal(reserve((struct who){.user = "ada"}, 500).verdict, QUOTA_DONE);
    assert_int_equal(last_row()->period_start_us, NOV_US);
    assert_int_equal(look_ups, 1); /* both periods' counters at once */
}

static void test_frozen_clock_begins_no_period_and_lapses_nothing(void **state)
{
    (void)state;
    reserved(LIMIT);
    jump(30 * DAY_US); /* somebody sets the clock a month ahead */
    assert_int_equal(tick(now_us, 10), 0);
    assert_true(quota_core_is_frozen(core));
    assert_int_equal(reserve((struct who){.user = "ada"}, 0).verdict, QUOTA_OP_ID_TIME);
    jump(-30 * DAY_US); /* and back */
    now_us += SECOND_US;
    assert_int_equal(tick(now_us, 10), 0);
    now_us += SECOND_US;
    assert_int_equal(tick(now_us, 10), 0);
    assert_false(quota_core_is_frozen(core));
    assert_counter(0, LIMIT, 0);
    assert_int_equal(quota_core_now_us(core), T0 + 2 * SECOND_US);
}

static void test_clock_that_really_jumped_is_believed_after_a_second(void **state)
{
    (void)state;
    reserved(LIMIT);
    jump(30 * DAY_US); /* the machine slept */
    assert_int_equal(tick(now_us, 10), 0);
    now_us += SECOND_US;
    assert_int_equal(tick(now_us, 10), 1);
    assert_false(quota_core_is_frozen(core));
    assert_int_equal(reserve((struct who){.user = "ada"}, LIMIT).verdict, QUOTA_DONE);
    assert_int_equal(last_row()->period_start_us, DEC_US);
}

/* ---- alerts ---------------------------------------------------------------------------- */

static void test_thresholds_are_told_exactly_once(void **state)
{
    struct op_id id;

    (void)state;
    commit();
    assert_int_equal(reserve((struct who){.user = "ada"}, 4999).verdict, QUOTA_DONE);
    assert_int_equal(batch.alert_count, 0);
    assert_int_equal(reserve((struct who){.user = "ada"}, 1).verdict, QUOTA_DONE);
    assert_int_equal(batch.alert_count, 1);
    assert_int_equal(batch.alerts[0].kind, QUOTA_ALERT_THRESHOLD);
    assert_int_equal(batch.alerts[0].percent, 50);
    assert_int_equal(batch.alerts[0].held_milli, 5000);
    commit();
    id = reserved(5000); /* 80, 95 and 100 at once */
    assert_int_equal(void_it(id).verdict, QUOTA_DONE);
    commit();
    assert_int_equal(reserve((struct who){.user = "ada"}, 5000).verdict, QUOTA_DONE);
    assert_int_equal(batch.alert_count, 0); /* told before, in this period */
    assert_int_equal(counter_at(T0).crossed_percent, 100);
}

static void test_several_thresholds_in_one_step_are_each_told(void **state)
{
    (void)state;
    commit();
    assert_int_equal(reserve((struct who){.user = "ada"}, LIMIT).verdict, QUOTA_DONE);
    assert_int_equal(batch.alert_count, 4);
    assert_int_equal(batch.alerts[0].percent, 50);
    assert_int_equal(batch.alerts[3].percent, 100);
}

static void test_overage_is_told(void **state)
{
    struct op_id id = reserved(100);

    (void)state;
    assert_int_equal(settle(id, 150).overage_milli, 50);
    assert_int_equal(batch.alert_count, 1);
    assert_int_equal(batch.alerts[0].kind, QUOTA_ALERT_OVERAGE);
    assert_int_equal(batch.alerts[0].amount_milli, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBJECT_TEST(test_reserve_near_a_boundary_must_fit_both_periods),
        SUBJECT_TEST(test_reserve_before_a_boundary_must_fit_the_next_period),
        SUBJECT_TEST(test_frozen_clock_begins_no_period_and_lapses_nothing),
        SUBJECT_TEST(test_clock_that_really_jumped_is_believed_after_a_second),
        SUBJECT_TEST(test_thresholds_are_told_exactly_once),
        SUBJECT_TEST(test_several_thresholds_in_one_step_are_each_told),
        SUBJECT_TEST(test_overage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
