/* The rules of reserve, settle, void and lapse, each by itself (C6, C7, C8). */
#include "core_fixture.h"

/* ---- reserve --------------------------------------------------------------------------- */

static void test_reserve_up_to_the_limit_is_granted_and_one_more_refused(void **state)
{
    struct quota_op op = reserve_op(LIMIT);
    struct quota_op one_more;
    struct quota_answer answer = step(&op);

    (void)state;
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_int_equal(answer.batch, batch.number); /* told after the commit */
    assert_int_equal(answer.expires_at_us, now_us + HOLD_US);
    assert_int_equal(left_milli(&answer.meter), 0);
    one_more = reserve_op(1);
    answer = step(&one_more);
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_int_equal(answer.batch, 0); /* told at once */
    assert_int_equal(answer.hit_count, 1);
    assert_int_equal(answer.hits[0].scope, LIMIT_METER);
    assert_int_equal(answer.hits[0].mode, LIMIT_HARD);
    assert_int_equal(answer.hits[0].limit_milli, LIMIT);
    assert_int_equal(answer.hits[0].left_milli, 0);
    assert_int_equal(answer.hits[0].resets_at_us, DEC_US);
    assert_int_equal(left_milli(&answer.meter), 0);
    assert_int_equal(answer.meter.period.end_us, DEC_US);
}

static void test_reserve_refused_costs_nothing(void **state)
{
    struct quota_op op = reserve_op(LIMIT + 1);

    (void)state;
    commit(); /* the rows made ahead at the start */
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    assert_counter(0, 0, 0);
    assert_true(quota_core_is_empty(core, &batch));
    reserved(LIMIT); /* all of it is still there */
}

static void test_reserve_of_nothing_is_granted_on_a_spent_meter(void **state)
{
    struct quota_op free_call = reserve_op(0);

    (void)state;
    reserved(LIMIT);
    assert_int_equal(step(&free_call).verdict, QUOTA_DONE);
}

static void test_reserve_row_carries_the_whole_event(void **state)
{
    const char *texts[] = {"modash", "report", "select", "42", "ada", "", "/Select", ""};
    const struct limit_rule rule = {.scope = LIMIT_METER,
                                    .mode = LIMIT_HARD,
                                    .meter = REPORTS,
                                    .amount_milli = LIMIT,
                                    .version = 7};
    struct quota_op op = reserve_op(1000);
    struct error err;
    const char *user;

    (void)state;
    assert_true(quota_core_load_limit(core, &rule));
    assert_int_equal(purpose_pack(&op.purpose, 1, 0, texts, &err), ST_OK);
    step(&op);
    assert_int_equal(last_row()->kind, QUOTA_RESERVE);
    assert_true(op_id_equal(&last_row()->reservation_id, &op.op_id));
    assert_int_equal(last_row()->amount_milli, 1000);
    assert_int_equal(last_row()->period_start_us, NOV_US);
    assert_int_equal(last_row()->limit_version, 7);
    assert_int_equal(purpose_text(&last_row()->purpose, PURPOSE_user, &user), 3);
    assert_memory_equal(user, "ada", 3);
    assert_memory_equal(last_row()->body_hash, op.body_hash, sizeof(op.body_hash));
}

static void test_reserve_beyond_the_open_limit_is_refused(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < core_options.held_limit; i++) {
        struct quota_op op = reserve_op(0);

        assert_int_equal(step(&op).verdict, QUOTA_DONE);
        if (batch.row_count == BATCH_ROWS_MAX)
            commit();
    }
    struct quota_op op = reserve_op(0);
    assert_int_equal(step(&op).verdict, QUOTA_TOO_MANY_OPEN);
}

static void test_reserve_into_a_full_batch_waits_for_the_next(void **state)
{
    struct quota_op op;

    (void)state;
    for (unsigned i = 0; i < BATCH_ROWS_MAX; i++) {
        op = reserve_op(0);
        assert_int_equal(step(&op).verdict, QUOTA_DONE);
    }
    op = reserve_op(0);
    assert_int_equal(step(&op).verdict, QUOTA_NEXT_BATCH);
    commit();
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
}

static void test_reserve_with_long_purposes_fills_a_batch_by_bytes(void **state)
{
    size_t granted = 0;

    (void)state;
    for (;;) {
        struct quota_op op = reserve_op(0);

        op.purpose.size = 400;
        if (step(&op).verdict == QUOTA_NEXT_BATCH)
            break;
        granted++;
    }
    assert_in_range(granted, 500, BATCH_ROWS_MAX - 1);
}

/* ---- op ids ---------------------------------------------------------------------------- */

static void test_step_repeated_op_id_gets_the_same_answer_and_no_second_effect(void **state)
{
    struct quota_op op = reserve_op(4000);
    struct quota_answer first = step(&op);
    struct quota_answer again = step(&op);

    (void)state;
    assert_true(again.replayed);
    assert_int_equal(again.batch, batch.number); /* joins the answer under way */
    assert_int_equal(again.expires_at_us, first.expires_at_us);
    assert_counter(0, 4000, 0);
    commit();
    now_us += HOLD_US / 2;
    again = step(&op);
    assert_int_equal(again.batch, 0);
    assert_int_equal(again.expires_at_us, first.expires_at_us);
    assert_int_equal(again.meter.held_milli, 4000);
    assert_true(quota_core_is_empty(core, &batch));
}

static void test_step_repeated_op_id_with_another_body_is_refused(void **state)
{
    struct quota_op op = reserve_op(4000);
    struct quota_op settle_op;

    (void)state;
    step(&op);
    op.body_hash[15] ^= 1;
    assert_int_equal(step(&op).verdict, QUOTA_OP_ID_REUSED);
    settle_op = close_op(QUOTA_SETTLE, op.op_id, 4000);
    settle_op.op_id = op.op_id; /* the reservation's own id for the settle */
    assert_int_equal(step(&settle_op).verdict, QUOTA_OP_ID_REUSED);
    assert_counter(0, 4000, 0);
}

static void test_step_refusal_is_sticky_for_its_op_id(void **state)
{
    struct op_id all = reserved(LIMIT);
    struct quota_op op = reserve_op(1);
    struct quota_op fresh;

    (void)state;
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    assert_int_equal(void_it(all).verdict, QUOTA_DONE);
    commit();
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED); /* a retry cannot flip it */
    assert_true(step(&op).replayed);
    fresh = reserve_op(1);
    assert_int_equal(step(&fresh).verdict, QUOTA_DONE);
}

static void test_step_op_id_out_of_its_time_or_version_is_refused(void **state)
{
    struct quota_op op = reserve_op(1);

    (void)state;
    op.op_id = op_id_make(now_us + QUOTA_CORE_OP_ID_AHEAD_US, 0, 1);
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    op.op_id = op_id_make(now_us + QUOTA_CORE_OP_ID_AHEAD_US + 1000, 0, 1);
    assert_int_equal(step(&op).verdict, QUOTA_OP_ID_TIME);
    op.op_id = op_id_make(now_us - QUOTA_CORE_OP_ID_AGE_US - 1000, 0, 1);
    assert_int_equal(step(&op).verdict, QUOTA_OP_ID_TIME);
    op.op_id = op_id_make(now_us, 0, 1);
    op.op_id.bytes[6] = 0x40; /* version 4 */
    assert_int_equal(step(&op).verdict, QUOTA_OP_ID_TIME);
}

/* Refusals are in memory alone: who was told of one before must not be granted now. */
static void test_reserve_id_made_before_the_core_opened_is_stale(void **state)
{
    struct quota_op op = reserve_op(1);

    (void)state;
    op.op_id = op_id_make(T0 - 1000, 0, 1);
    assert_int_equal(step(&op).verdict, QUOTA_OP_ID_STALE);
    op.op_id = op_id_make(T0, 0, 2);
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
}

static void test_settle_id_made_before_the_core_opened_is_taken(void **state)
{
    struct op_id id = reserved(1000);
    struct quota_op op = close_op(QUOTA_SETTLE, id, 1000);

    (void)state;
    op.op_id = op_id_make(T0 - DAY_US, 0, 1);
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
}

static void test_reserve_refused_so_long_ago_that_it_is_forgotten_is_stale(void **state)
{
    struct quota_op first = reserve_op(LIMIT + 1);
    struct quota_op other;

    (void)state;
    now_us += SECOND_US;
    other = reserve_op(1); /* made later than the refused one, asked later */
    assert_int_equal(step(&first).verdict, QUOTA_REFUSED);
    for (uint32_t i = 0; i < core_options.refused_limit; i++) {
        struct quota_op op = reserve_op(LIMIT + 1);

        assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    }
    first.amount_milli = 1;
    assert_int_equal(step(&first).verdict, QUOTA_OP_ID_STALE);
    assert_int_equal(step(&other).verdict, QUOTA_DONE);
    assert_counter(0, 1, 0);
}

/* ---- settle and void ------------------------------------------------------------------- */

static void test_settle_less_than_held_returns_the_rest(void **state)
{
    struct op_id id = reserved(5000);
    struct quota_answer answer = settle(id, 2000);

    (void)state;
    assert_int_equal(answer.posted_milli, 2000);
    assert_int_equal(answer.overage_milli, 0);
    assert_counter(2000, 0, 0);
    assert_int_equal(last_row()->amount_milli, 2000);
    assert_int_equal(last_row()->released_milli, 5000);
}

static void test_settle_more_than_held_posts_everything_as_overage(void **state)
{
    struct op_id id = reserved(LIMIT);
    struct quota_answer answer = settle(id, LIMIT + 500);
    struct quota_counter counter = counter_at(T0);

    (void)state;
    assert_int_equal(answer.posted_milli, LIMIT + 500);
    assert_int_equal(answer.overage_milli, 500);
    assert_counter(LIMIT + 500, 0, 500);
    assert_int_equal(
        counters_left_milli(counter.limit_milli, counter.posted_milli, counter.held_milli),
        0); /* never negative */
}

static void test_settle_twice_with_another_op_id_is_refused(void **state)
{
    struct op_id id = reserved(5000);
    struct quota_answer answer;

    (void)state;
    settle(id, 2000);
    answer = settle(id, 3000);
    assert_int_equal(answer.verdict, QUOTA_ALREADY_SETTLED);
    assert_int_equal(answer.batch, batch.number); /* not told before it is true */
    commit();
    answer = void_it(id);
    assert_int_equal(answer.verdict, QUOTA_ALREADY_SETTLED);
    assert_int_equal(answer.batch, 0);
    assert_counter(2000, 0, 0);
}

static void test_settle_in_the_batch_of_its_reserve_waits_for_the_next(void **state)
{
    struct quota_op op = reserve_op(5000);
    struct quota_op close;

    (void)state;
    step(&op);
    close = close_op(QUOTA_SETTLE, op.op_id, 5000);
    assert_int_equal(step(&close).verdict, QUOTA_NEXT_BATCH);
    commit();
    assert_int_equal(step(&close).verdict, QUOTA_DONE);
}

static void test_void_returns_everything(void **state)
{
    struct op_id id = reserved(5000);
    struct quota_answer answer = void_it(id);

    (void)state;
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_false(answer.corrected);
    assert_int_equal(last_row()->kind, QUOTA_VOID);
    assert_int_equal(last_row()->amount_milli, 0);
    assert_int_equal(last_row()->released_milli, 5000);
    assert_counter(0, 0, 0);
}

static void test_settle_goes_to_the_reservations_own_period(void **state)
{
    struct op_id id;

    (void)state;
    now_us = DEC_US - SECOND_US;
    id = reserved(5000);
    now_us = DEC_US + SECOND_US; /* a month has ended meanwhile */
    settle(id, 4000);
    assert_int_equal(counter_at(DEC_US - 1).posted_milli, 4000);
    assert_int_equal(counter_at(DEC_US).posted_milli, 0);
    assert_int_equal(last_row()->period_start_us, NOV_US);
}

/* ---- lapse ----------------------------------------------------------------------------- */

static void test_tick_lapses_at_the_deadline_and_never_before(void **state)
{
    (void)state;
    reserved(5000);
    assert_int_equal(quota_core_next_due_us(core), T0 + HOLD_US);
    assert_int_equal(tick(T0 + HOLD_US - 1, 10), 0);
    assert_int_equal(tick(T0 + HOLD_US, 10), 1);
    assert_int_equal(last_row()->kind, QUOTA_LAPSE);
    assert_int_equal(last_row()->call.outcome, 12);
    assert_false(op_id_is_v7(&last_row()->op_id)); /* no caller can have this id */
    assert_counter(5000, 0, 0);                    /* presumed spent */
    assert_int_equal(quota_core_next_due_us(core), DEC_US);
}

static void test_tick_lapses_in_order_and_bounded(void **state)
{
    struct op_id ids[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        ids[i] = reserved(1);
        now_us += SECOND_US;
    }
    now_us += HOLD_US;
    assert_int_equal(tick(now_us, 3), 3);
    assert_int_equal(tick(now_us, 3), 2);
    for (int i = 0; i < 5; i++)
        assert_true(op_id_equal(&batch.rows[i].reservation_id, &ids[i]));
}

static void test_tick_leaves_a_reservation_of_the_same_batch(void **state)
{
    struct quota_op op = reserve_op(1);

    (void)state;
    step(&op);
    assert_int_equal(tick(now_us + HOLD_US, 10), 0);
    commit();
    assert_int_equal(tick(now_us + HOLD_US, 10), 1);
}

static void lapse_now(void)
{
    now_us += HOLD_US;
    assert_int_equal(tick(now_us, 10), 1);
    commit();
}

static void test_settle_after_a_lapse_corrects_once(void **state)
{
    struct op_id id = reserved(5000);
    struct quota_answer answer;

    (void)state;
    lapse_now();
    answer = settle(id, 2000);
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_true(answer.corrected);
    assert_int_equal(answer.posted_milli, 2000);
    assert_int_equal(last_row()->kind, QUOTA_CORRECT);
    assert_int_equal(last_row()->amount_milli, -3000);
    assert_int_equal(last_row()->released_milli, 0);
    assert_counter(2000, 0, 0);
    commit();
    assert_int_equal(settle(id, 1).verdict, QUOTA_ALREADY_SETTLED);
}

static void test_settle_after_a_lapse_beyond_the_hold_is_overage(void **state)
{
    struct op_id id = reserved(5000);

    (void)state;
    lapse_now();
    assert_int_equal(settle(id, 6000).overage_milli, 1000);
    assert_counter(6000, 0, 1000);
}

static void test_void_after_a_lapse_gives_the_amount_back(void **state)
{
    struct op_id id = reserved(5000);

    (void)state;
    lapse_now();
    assert_true(void_it(id).corrected);
    assert_int_equal(last_row()->amount_milli, -5000);
    assert_counter(0, 0, 0);
}

/* ---- periods and time ------------------------------------------------------------------ */

static void test_start_makes_two_periods_ahead(void **state)
{
    (void)state;
    quota_core_seal(core, &batch);
    assert_int_equal(batch.counter_count, 9); /* three meters: now and two ahead */
    assert_int_equal(counter_at(JAN_US).period.start_us, JAN_US);
    assert_int_equal(counter_at(JAN_US).period.end_us, FEB_US);
}

static void test_step_next_month_is_charged_in_its_own_row(void **state)
{
    (void)state;
    reserved(LIMIT);
    now_us = DEC_US - 1;
    struct quota_op op = reserve_op(1);
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    now_us = DEC_US + QUOTA_CORE_BOUNDARY_US;
    reserved(LIMIT);
    assert_int_equal(counter_at(DEC_US).held_milli, LIMIT);
    assert_int_equal(counter_at(FEB_US).posted_milli, 0); /* made ahead by now */
}

static void test_step_clock_that_goes_back_is_not_believed(void **state)
{
    (void)state;
    now_us = DEC_US + 1;
    reserved(1);
    jump(-DAY_US);
    struct quota_op op = reserve_op(1);
    step(&op);
    assert_int_equal(last_row()->period_start_us, DEC_US);
    assert_int_equal(last_row()->at_us, DEC_US + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CORE_TEST(test_reserve_up_to_the_limit_is_granted_and_one_more_refused),
        CORE_TEST(test_reserve_refused_costs_nothing),
        CORE_TEST(test_reserve_of_nothing_is_granted_on_a_spent_meter),
        CORE_TEST(test_reserve_row_carries_the_whole_event),
        CORE_TEST(test_reserve_beyond_the_open_limit_is_refused),
        CORE_TEST(test_reserve_into_a_full_batch_waits_for_the_next),
        CORE_TEST(test_reserve_with_long_purposes_fills_a_batch_by_bytes),
        CORE_TEST(test_step_repeated_op_id_gets_the_same_answer_and_no_second_effect),
        CORE_TEST(test_step_repeated_op_id_with_another_body_is_refused),
        CORE_TEST(test_step_refusal_is_sticky_for_its_op_id),
        CORE_TEST(test_step_op_id_out_of_its_time_or_version_is_refused),
        CORE_TEST(test_reserve_id_made_before_the_core_opened_is_stale),
        CORE_TEST(test_settle_id_made_before_the_core_opened_is_taken),
        CORE_TEST(test_reserve_refused_so_long_ago_that_it_is_forgotten_is_stale),
        CORE_TEST(test_settle_less_than_held_returns_the_rest),
        CORE_TEST(test_settle_more_than_held_posts_everything_as_overage),
        CORE_TEST(test_settle_twice_with_another_op_id_is_refused),
        CORE_TEST(test_settle_in_the_batch_of_its_reserve_waits_for_the_next),
        CORE_TEST(test_void_returns_everything),
        CORE_TEST(test_settle_goes_to_the_reservations_own_period),
        CORE_TEST(test_tick_lapses_at_the_deadline_and_never_before),
        CORE_TEST(test_tick_lapses_in_order_and_bounded),
        CORE_TEST(test_tick_leaves_a_reservation_of_the_same_batch),
        CORE_TEST(test_settle_after_a_lapse_corrects_once),
        CORE_TEST(test_settle_after_a_lapse_beyond_the_hold_is_overage),
        CORE_TEST(test_void_after_a_lapse_gives_the_amount_back),
        CORE_TEST(test_start_makes_two_periods_ahead),
        CORE_TEST(test_step_next_month_is_charged_in_its_own_row),
        CORE_TEST(test_step_clock_that_goes_back_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
