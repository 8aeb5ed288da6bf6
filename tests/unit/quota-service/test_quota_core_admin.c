/* What admins do: rules that change while they are used, corrections, adjustments. */
#include "core_fixture.h"

static struct quota_answer set_limit(struct limit_rule rule)
{
    struct quota_op op = {
        .kind = QUOTA_SET_LIMIT, .actor = "eve", .note = "why", .rule = &rule};

    rule.meter = REPORTS;
    rule.subject_size = (uint16_t)strlen(rule.subject);
    return step(&op);
}

static struct quota_answer set_meter_limit(int64_t amount_milli)
{
    return set_limit((struct limit_rule){
        .scope = LIMIT_METER, .mode = LIMIT_HARD, .amount_milli = amount_milli});
}

static struct quota_answer reserve(int64_t amount_milli)
{
    struct quota_op op = reserve_op(amount_milli);

    return step(&op);
}

static struct quota_answer correct(struct op_id reservation_id, int64_t actual_milli)
{
    struct quota_op op = close_op(QUOTA_CORRECT, reservation_id, actual_milli);

    op.actor = "eve";
    op.note = "the bill says so";
    return step(&op);
}

static struct quota_answer adjust(int64_t amount_milli)
{
    struct quota_op op = close_op(QUOTA_ADJUST, (struct op_id){{0}}, amount_milli);

    op.meter = REPORTS;
    op.actor = "eve";
    op.note = "the bill says so";
    return step(&op);
}

static void settle_unknown(struct op_id id, int64_t actual_milli)
{
    struct quota_op op = close_op(QUOTA_SETTLE, id, actual_milli);

    op.call.outcome = QUOTA_OUTCOME_UNKNOWN;
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    commit();
}

static struct op_id lapsed(int64_t amount_milli)
{
    struct op_id id = reserved(amount_milli);

    now_us += HOLD_US;
    assert_int_equal(tick(now_us, 10), 1);
    commit();
    return id;
}

/* ---- limits ---------------------------------------------------------------------------- */

static void test_set_limit_raise_holds_for_the_next_operation(void **state)
{
    struct quota_answer answer;

    (void)state;
    reserved(LIMIT);
    assert_int_equal(reserve(1).verdict, QUOTA_REFUSED);
    answer = set_meter_limit(LIMIT + 500);
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_int_equal(answer.limit_version, 1);
    assert_int_equal(answer.limit_set_at_us, now_us);
    assert_int_equal(answer.batch, batch.number); /* told when it is committed */
    answer = reserve(500);
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_int_equal(answer.meter.limit_version, 1);
    assert_int_equal(last_row()->limit_version, 1);
    assert_int_equal(reserve(1).verdict, QUOTA_REFUSED);
}

static void test_set_limit_cut_below_use_leaves_nothing(void **state)
{
    struct op_id id = reserved(6000);
    struct quota_answer answer;

    (void)state;
    assert_int_equal(set_meter_limit(5000).verdict, QUOTA_DONE);
    answer = reserve(1);
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_int_equal(answer.hits[0].limit_milli, 5000);
    assert_int_equal(answer.hits[0].left_milli, 0);
    assert_int_equal(left_milli(&answer.meter), 0);
    assert_int_equal(settle(id, 6000).overage_milli, 0); /* what was granted stays so */
}

static void test_set_limit_goes_into_the_batch_and_the_periods_ahead(void **state)
{
    (void)state;
    commit();
    set_meter_limit(5000);
    quota_core_seal(core, &batch);
    assert_int_equal(batch.limit_count, 1);
    assert_int_equal(batch.limits[0].version, 1);
    assert_string_equal(batch.limits[0].set_by, "eve");
    assert_string_equal(batch.limits[0].reason, "why");
    assert_int_equal(batch.limits[0].anchor_day, 1); /* not given: as it was */
    assert_int_equal(batch.limits[0].threshold_count, 4);
    assert_int_equal(batch.counter_count, 3);
    assert_int_equal(counter_at(T0).limit_milli, 5000);
    assert_int_equal(counter_at(JAN_US).limit_milli, 5000);
}

static void test_set_limit_of_an_ended_period_stays(void **state)
{
    (void)state;
    now_us = DEC_US + DAY_US;
    assert_int_equal(reserve(1).verdict, QUOTA_DONE);
    set_meter_limit(5000);
    assert_int_equal(counter_at(DEC_US - 1).limit_milli, LIMIT);
    assert_int_equal(counter_at(DEC_US).limit_milli, 5000);
}

static void test_set_limit_removed_from_a_meter_is_the_settings_again(void **state)
{
    (void)state;
    set_meter_limit(5000);
    commit();
    assert_int_equal(set_limit((struct limit_rule){.scope = LIMIT_METER,
                                                   .mode = LIMIT_HARD,
                                                   .is_removed = true})
                         .limit_version,
                     2);
    assert_int_equal(reserve(LIMIT).verdict, QUOTA_DONE);
    assert_int_equal(reserve(1).verdict, QUOTA_REFUSED);
}

/* The ledger judges a batch by its last limit: what was granted under a higher one in the
 * same batch must not look overspent. */
static void test_set_limit_second_change_of_a_meter_waits_for_the_next_batch(void **state)
{
    (void)state;
    assert_int_equal(set_meter_limit(2 * LIMIT).verdict, QUOTA_DONE);
    assert_int_equal(reserve(2 * LIMIT).verdict, QUOTA_DONE);
    assert_int_equal(set_meter_limit(1).verdict, QUOTA_NEXT_BATCH);
    assert_int_equal(counter_at(T0).limit_milli, 2 * LIMIT);
    commit();
    assert_int_equal(set_meter_limit(1).verdict, QUOTA_DONE);
    assert_int_equal(counter_at(T0).limit_milli, 1);
}

static void test_set_limit_of_an_anchor_begins_where_made_periods_end(void **state)
{
    (void)state;
    set_limit((struct limit_rule){
        .scope = LIMIT_METER, .mode = LIMIT_HARD, .amount_milli = LIMIT, .anchor_day = 15});
    now_us = DEC_US;
    assert_int_equal(reserve(1).verdict, QUOTA_DONE);
    assert_int_equal(counter_at(DEC_US).period.start_us, DEC_US);
    assert_int_equal(counter_at(FEB_US).period.end_us, FEB_US + 14 * DAY_US);
}

/* ---- corrections ----------------------------------------------------------------------- */

static void test_correct_of_a_lapsed_reservation_works_once(void **state)
{
    struct op_id id = lapsed(5000);
    struct quota_answer answer = correct(id, 2000);

    (void)state;
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_true(answer.corrected);
    assert_counter(2000, 0, 0);
    assert_int_equal(last_row()->kind, QUOTA_CORRECT);
    assert_int_equal(last_row()->amount_milli, -3000);
    assert_string_equal(last_row()->actor, "eve");
    assert_string_equal(last_row()->note, "the bill says so");
    commit();
    assert_int_equal(correct(id, 1).verdict, QUOTA_ALREADY_SETTLED);
    assert_int_equal(settle(id, 1).verdict, QUOTA_ALREADY_SETTLED);
}

static void test_correct_of_an_unknown_outcome_works_once(void **state)
{
    struct op_id id = reserved(5000);

    (void)state;
    settle_unknown(id, 5000);
    assert_int_equal(settle(id, 1).verdict, QUOTA_ALREADY_SETTLED); /* no admin */
    assert_int_equal(correct(id, 0).verdict, QUOTA_DONE);
    assert_counter(0, 0, 0);
    commit();
    assert_int_equal(correct(id, 1).verdict, QUOTA_ALREADY_SETTLED);
}

static void test_correct_of_what_is_known_or_open_is_refused(void **state)
{
    struct op_id open = reserved(10);
    struct op_id posted = reserved(10);
    struct op_id voided = reserved(10);

    (void)state;
    settle(posted, 10);
    void_it(voided);
    commit();
    assert_int_equal(correct(open, 1).verdict, QUOTA_OUTCOME_KNOWN);
    assert_int_equal(correct(posted, 1).verdict, QUOTA_OUTCOME_KNOWN);
    assert_int_equal(correct(voided, 1).verdict, QUOTA_OUTCOME_KNOWN);
    assert_counter(10, 10, 0);
}

/* What was given back at the settle may be used by others: the ledger takes no more than the
 * limit but as overage. */
static void test_correct_upwards_on_a_spent_meter_is_overage(void **state)
{
    struct op_id id = reserved(5000);

    (void)state;
    settle_unknown(id, 1000);
    reserved(8500);
    assert_int_equal(correct(id, 5000).verdict, QUOTA_DONE);
    assert_int_equal(last_row()->amount_milli, 4000);
    assert_int_equal(last_row()->overage_milli, 3500);
    assert_counter(5000, 8500, 3500);
}

/* ---- adjustments ----------------------------------------------------------------------- */

static void test_adjust_moves_posted_alone(void **state)
{
    struct quota_answer answer = adjust(700);

    (void)state;
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_int_equal(answer.posted_milli, 700);
    assert_int_equal(last_row()->kind, QUOTA_ADJUST);
    assert_int_equal(last_row()->released_milli, 0);
    assert_string_equal(last_row()->actor, "eve");
    assert_counter(700, 0, 0);
    assert_int_equal(adjust(-200).verdict, QUOTA_DONE);
    assert_counter(500, 0, 0);
}

static void test_adjust_repeated_op_id_moves_once(void **state)
{
    struct quota_op op = close_op(QUOTA_ADJUST, (struct op_id){{0}}, 700);

    (void)state;
    op.meter = REPORTS;
    op.actor = "eve";
    op.note = "why";
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    assert_true(step(&op).replayed);
    assert_int_equal(step(&op).posted_milli, 700);
    assert_counter(700, 0, 0);
}

static void test_adjust_beyond_the_limit_is_recorded_as_overage(void **state)
{
    (void)state;
    reserved(9000);
    assert_int_equal(adjust(1500).overage_milli, 500);
    assert_counter(1500, 9000, 500);
}

static void test_adjust_below_zero_is_refused(void **state)
{
    (void)state;
    adjust(700);
    assert_int_equal(adjust(-701).verdict, QUOTA_BELOW_ZERO);
    assert_counter(700, 0, 0);
    assert_int_equal(adjust(-700).verdict, QUOTA_DONE);
    assert_counter(0, 0, 0);
}

/* An adjustment took the presumed amount off already: it cannot be taken off twice. */
static void test_correct_below_zero_is_refused(void **state)
{
    struct op_id id = lapsed(5000);

    (void)state;
    assert_int_equal(adjust(-4000).verdict, QUOTA_DONE);
    assert_int_equal(correct(id, 0).verdict, QUOTA_BELOW_ZERO);
    assert_int_equal(void_it(id).verdict, QUOTA_BELOW_ZERO);
    assert_counter(1000, 0, 0);
    commit();
    assert_int_equal(correct(id, 4000).verdict, QUOTA_DONE);
    assert_counter(0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CORE_TEST(test_set_limit_raise_holds_for_the_next_operation),
        CORE_TEST(test_set_limit_cut_below_use_leaves_nothing),
        CORE_TEST(test_set_limit_goes_into_the_batch_and_the_periods_ahead),
        CORE_TEST(test_set_limit_of_an_ended_period_stays),
        CORE_TEST(test_set_limit_removed_from_a_meter_is_the_settings_again),
        CORE_TEST(test_set_limit_second_change_of_a_meter_waits_for_the_next_batch),
        CORE_TEST(test_set_limit_of_an_anchor_begins_where_made_periods_end),
        CORE_TEST(test_correct_of_a_lapsed_reservation_works_once),
        CORE_TEST(test_correct_of_an_unknown_outcome_works_once),
        CORE_TEST(test_correct_of_what_is_known_or_open_is_refused),
        CORE_TEST(test_correct_upwards_on_a_spent_meter_is_overage),
        CORE_TEST(test_adjust_moves_posted_alone),
        CORE_TEST(test_adjust_repeated_op_id_moves_once),
        CORE_TEST(test_adjust_beyond_the_limit_is_recorded_as_overage),
        CORE_TEST(test_adjust_below_zero_is_refused),
        CORE_TEST(test_correct_below_zero_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
