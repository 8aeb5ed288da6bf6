/* What the core knows after a restart, and what it recalls from the ledger. */
#include "core_fixture.h"

/* A restart at `now_us` over what the ledger holds: November's counter and one hold. */
static struct quota_row open_row;

static void restart(int64_t last_at_us, struct quota_counter november, bool with_open)
{
    quota_core_reset(core, 41, last_at_us, last_at_us);
    assert_true(quota_core_load_counter(core, &november));
    assert_true(quota_core_start(core, time_at(now_us), &batch));
    if (with_open)
        assert_true(quota_core_load_reservation(core, &open_row));
    assert_true(quota_core_loaded(core));
}

static struct quota_counter november(int64_t posted_milli, int64_t held_milli)
{
    return (struct quota_counter){.meter = REPORTS,
                                  .scope = LIMIT_METER,
                                  .period = {NOV_US, DEC_US},
                                  .limit_milli = LIMIT,
                                  .posted_milli = posted_milli,
                                  .held_milli = held_milli};
}

static int set_up_open(void **state)
{
    set_up(state);
    open_row = (struct quota_row){.kind = QUOTA_RESERVE,
                                  .op_id = op_id_make(T0 - HOLD_US, 0, 99),
                                  .meter = REPORTS,
                                  .period_start_us = NOV_US,
                                  .amount_milli = 3000,
                                  .at_us = T0 - HOLD_US,
                                  .expires_at_us = T0 + HOLD_US};
    open_row.reservation_id = open_row.op_id;
    return 0;
}

static struct quota_row event(enum quota_kind kind, int64_t amount_milli)
{
    struct quota_row row = open_row;

    row.kind = kind;
    row.op_id = op_id_make(T0 - SECOND_US, 0, 100 + (uint64_t)kind);
    row.amount_milli = amount_milli;
    return row;
}

static void recall_rows(const struct quota_row *rows, size_t count)
{
    const struct quota_recall found = {
        .last_batch = batch.number - 1, .rows = rows, .row_count = count, .open = &batch};

    quota_core_recall(core, &found);
}

static void test_start_goes_on_where_the_ledger_stands(void **state)
{
    struct quota_op op;

    (void)state;
    restart(T0, november(6000, 3000), true);
    assert_int_equal(batch.number, 42);
    assert_counter(6000, 3000, 0);
    op = reserve_op(1001);
    op.lookups = 1;
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    assert_int_equal(settle(open_row.op_id, 2000).verdict, QUOTA_LOOK_UP); /* its op id */
    now_us += 1000;
    assert_int_equal(settle(open_row.op_id, 2000).verdict, QUOTA_DONE);
    assert_counter(8000, 0, 0);
}

static void test_start_overdue_reservations_lapse_at_once(void **state)
{
    (void)state;
    now_us = T0 + 2 * HOLD_US;
    restart(T0, november(0, 3000), true);
    assert_int_equal(tick(now_us, 10), 1);
    assert_counter(3000, 0, 0);
}

static void test_start_limit_cut_below_use_leaves_nothing_and_refuses_free_of_harm(
    void **state)
{
    struct quota_counter row = november(LIMIT + 5000, 0);
    struct quota_counter counter;
    struct quota_op op;

    (void)state;
    row.limit_milli = 3 * LIMIT; /* what it was before the setting was cut */
    restart(0, row, false);
    counter = counter_at(T0);
    assert_int_equal(counter.limit_milli, LIMIT);
    assert_int_equal(
        counters_left_milli(counter.limit_milli, counter.posted_milli, counter.held_milli),
        0);
    op = reserve_op(1);
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    quota_core_seal(core, &batch);
    assert_false(quota_core_is_empty(core, &batch)); /* the ledger learns of it */
}

static void test_start_ended_periods_keep_their_limit(void **state)
{
    struct quota_counter row = november(0, 0);

    (void)state;
    row.limit_milli = 5;
    now_us = DEC_US;
    restart(0, row, false);
    assert_int_equal(counter_at(DEC_US - 1).limit_milli, 5);
    assert_int_equal(counter_at(DEC_US).limit_milli, LIMIT);
}

static void test_start_after_months_of_silence_makes_the_period_of_now(void **state)
{
    struct quota_op op;

    (void)state;
    now_us = T0 + 200 * DAY_US;
    restart(T0, november(LIMIT, 0), false);
    assert_true(counter_at(now_us).period.start_us > FEB_US);
    op = reserve_op(LIMIT);
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
}

static void test_start_anchor_moved_begins_where_made_periods_end(void **state)
{
    struct quota_core_options moved = core_options;
    struct quota_counter row = november(0, 0);
    struct quota_counter bridge;

    (void)state;
    moved.anchor_day = 15;
    quota_core_free(core);
    core = quota_core_new(&moved);
    restart(T0, row, false);
    bridge = counter_at(DEC_US);
    assert_int_equal(counter_at(T0).period.end_us, DEC_US); /* stays */
    assert_int_equal(bridge.period.end_us, DEC_US + 14 * DAY_US);
    assert_int_equal(counter_at(bridge.period.end_us).period.end_us, JAN_US + 14 * DAY_US);
}

static void test_start_holds_that_disagree_are_found(void **state)
{
    struct quota_counter row = november(0, 3001);

    (void)state;
    quota_core_reset(core, 41, T0, T0);
    assert_true(quota_core_load_counter(core, &row));
    assert_true(quota_core_start(core, time_at(now_us), &batch));
    assert_true(quota_core_load_reservation(core, &open_row));
    assert_false(quota_core_loaded(core));
}

static void test_load_counter_overlapping_or_negative_is_refused(void **state)
{
    struct quota_counter row = november(0, 0);
    struct quota_counter negative = {
        .meter = 0, .scope = LIMIT_METER, .period = {NOV_US, DEC_US}, .held_milli = -1};

    (void)state;
    quota_core_reset(core, 41, T0, T0);
    assert_true(quota_core_load_counter(core, &row));
    row.period.start_us = DEC_US - 1;
    row.period.end_us = JAN_US;
    assert_false(quota_core_load_counter(core, &row));
    assert_false(quota_core_load_counter(core, &negative));
    row.meter = core_options.meter_count;
    assert_false(quota_core_load_counter(core, &row));
}

static void test_load_reservation_of_unknown_period_is_refused(void **state)
{
    (void)state;
    quota_core_reset(core, 41, T0, T0);
    assert_false(quota_core_load_reservation(core, &open_row));
}

/* ---- look-ups -------------------------------------------------------------------------- */

static void test_step_id_as_old_as_the_ledgers_newest_is_looked_up_first(void **state)
{
    struct quota_op op;

    (void)state;
    restart(T0, november(0, 0), false);
    op = reserve_op(1);
    assert_int_equal(step(&op).verdict, QUOTA_LOOK_UP);
    op.lookups = 1; /* the ledger does not have it */
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    now_us += 1000;
    op = reserve_op(1); /* too young to stand in the ledger */
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
}

static void test_recall_gives_the_stored_answer_again(void **state)
{
    struct quota_row rows[] = {open_row, event(QUOTA_SETTLE, 2500)};
    struct quota_op again;

    (void)state;
    restart(T0, november(2500, 0), false);
    again = close_op(QUOTA_SETTLE, open_row.op_id, 2500);
    again.op_id = rows[1].op_id;
    memcpy(rows[1].body_hash, again.body_hash, sizeof(again.body_hash));
    assert_int_equal(step(&again).verdict, QUOTA_LOOK_UP);
    recall_rows(rows, COUNT_OF(rows));
    again.lookups = 1;
    assert_int_equal(step(&again).verdict, QUOTA_DONE);
    assert_true(step(&again).replayed);
    assert_int_equal(step(&again).posted_milli, 2500);
    again.body_hash[9] = 1;
    assert_int_equal(step(&again).verdict, QUOTA_OP_ID_REUSED);
    assert_counter(2500, 0, 0);
}

static void test_recall_lapsed_reservation_can_be_corrected(void **state)
{
    struct quota_row rows[] = {event(QUOTA_LAPSE, 3000), open_row};
    struct quota_op op;

    (void)state;
    restart(T0, november(3000, 0), false);
    now_us += 1000;
    op = close_op(QUOTA_SETTLE, open_row.op_id, 1000);
    assert_int_equal(step(&op).verdict, QUOTA_LOOK_UP); /* the reservation is unknown */
    recall_rows(rows, COUNT_OF(rows));
    op.lookups = 1;
    assert_true(step(&op).corrected);
    assert_counter(1000, 0, 0);
}

static void test_recall_corrected_reservation_stays_closed(void **state)
{
    struct quota_row rows[] = {event(QUOTA_CORRECT, -2000), event(QUOTA_LAPSE, 3000),
                               open_row};
    struct quota_op again;

    (void)state;
    restart(T0, november(1000, 0), false);
    recall_rows(rows, COUNT_OF(rows));
    again = close_op(QUOTA_SETTLE, open_row.op_id, 1000);
    again.op_id = rows[0].op_id;
    memcpy(again.body_hash, rows[0].body_hash, sizeof(again.body_hash));
    assert_int_equal(step(&again).posted_milli, 1000); /* as it was told then */
    assert_true(step(&again).corrected);
    now_us += 1000;
    assert_int_equal(settle(open_row.op_id, 5).verdict, QUOTA_ALREADY_SETTLED);
}

/* An unknown outcome that an admin corrected: the settle is told again as it was then. */
static void test_recall_corrected_settle_repeats_its_own_answer(void **state)
{
    struct quota_row rows[] = {open_row, event(QUOTA_SETTLE, 3000),
                               event(QUOTA_CORRECT, -2000)};
    struct quota_op again;

    (void)state;
    rows[1].call.outcome = QUOTA_OUTCOME_UNKNOWN;
    restart(T0, november(1000, 0), false);
    recall_rows(rows, COUNT_OF(rows));
    again = close_op(QUOTA_SETTLE, open_row.op_id, 3000);
    again.op_id = rows[1].op_id;
    memcpy(again.body_hash, rows[1].body_hash, sizeof(again.body_hash));
    assert_int_equal(step(&again).posted_milli, 3000);
    again.op_id = rows[2].op_id;
    assert_int_equal(step(&again).posted_milli, 1000);
}

static void test_step_settle_of_what_never_was_is_not_found(void **state)
{
    struct quota_op op;

    (void)state;
    op = close_op(QUOTA_SETTLE, op_id_make(T0, 0, 12345), 1);
    assert_int_equal(step(&op).verdict, QUOTA_LOOK_UP);
    op.lookups = 3; /* for the op id, the reservation, and once more */
    assert_int_equal(step(&op).verdict, QUOTA_NO_RESERVATION);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_open, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_start_goes_on_where_the_ledger_stands),
        TEST(test_start_overdue_reservations_lapse_at_once),
        TEST(test_start_limit_cut_below_use_leaves_nothing_and_refuses_free_of_harm),
        TEST(test_start_ended_periods_keep_their_limit),
        TEST(test_start_after_months_of_silence_makes_the_period_of_now),
        TEST(test_start_anchor_moved_begins_where_made_periods_end),
        TEST(test_start_holds_that_disagree_are_found),
        TEST(test_load_counter_overlapping_or_negative_is_refused),
        TEST(test_load_reservation_of_unknown_period_is_refused),
        TEST(test_step_id_as_old_as_the_ledgers_newest_is_looked_up_first),
        TEST(test_recall_gives_the_stored_answer_again),
        TEST(test_recall_lapsed_reservation_can_be_corrected),
        TEST(test_recall_corrected_reservation_stays_closed),
        TEST(test_recall_corrected_settle_repeats_its_own_answer),
        TEST(test_step_settle_of_what_never_was_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
