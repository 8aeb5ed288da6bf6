/* The writer against a ledger that the test plays. */
#include "writer_fixture.h"

#define ABSENT_LOOKUPS 3 /* quota_core_close.c */

static void test_submit_before_the_ledger_is_open_is_refused_at_once(void **state)
{
    struct error err;
    struct caller *caller;

    (void)state;
    assert_false(writer_is_ready(writer, &err));
    caller = submit(reserve_op(1));
    assert_true(is_answered(caller)); /* before submit returned */
    assert_unavailable(caller);
    ledger_fails(LEDGER_OPEN, ST_UNAVAILABLE, "");
    await_call(LEDGER_OPEN); /* tried again */
    ledger_opens(0);
    await_ready();
}

static void test_reserve_is_answered_after_its_commit_and_not_before(void **state)
{
    struct caller *caller = submit(reserve_op(1000));
    struct quota_meter_view counter;

    (void)state;
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_batch, 12);
    assert_int_equal(called_rows, 1);
    assert_false(is_answered(caller));
    assert_true(usage_at(writer_usage(writer), REPORTS, clock_wall_us(), &counter));
    assert_int_equal(counter.held_milli, 0); /* readers see what is committed */
    ledger_commits();
    assert_answer(caller, QUOTA_DONE);
    assert_true(usage_at(writer_usage(writer), REPORTS, clock_wall_us(), &counter));
    assert_int_equal(counter.held_milli, 1000);
}

static void test_batch_fills_while_the_former_is_in_flight(void **state)
{
    struct caller *first = submit(reserve_op(1));
    struct caller *more[10];

    (void)state;
    await_call(LEDGER_COMMIT);
    for (int i = 0; i < 10; i++)
        more[i] = submit(reserve_op(1));
    assert_answer(submit(reserve_op(LIMIT + 1)), QUOTA_REFUSED); /* needs no commit */
    ledger_commits();
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_rows, 10);
    assert_answer(first, QUOTA_DONE);
    ledger_commits();
    for (int i = 0; i < 10; i++)
        assert_answer(more[i], QUOTA_DONE);
}

static void test_repeated_op_id_joins_the_answer_in_flight(void **state)
{
    struct quota_op op = reserve_op(1000);
    struct caller *first = submit(op);
    struct caller *again;

    (void)state;
    await_call(LEDGER_COMMIT);
    again = submit(op);
    assert_answer(submit(reserve_op(LIMIT + 1)), QUOTA_REFUSED); /* behind `again` */
    assert_false(is_answered(again));
    ledger_commits();
    assert_answer(first, QUOTA_DONE);
    assert_answer(again, QUOTA_DONE);
    assert_true(again->answer.replayed);
    assert_int_equal(again->answer.expires_at_us, first->answer.expires_at_us);
}

static void test_settle_of_a_reservation_in_flight_goes_into_the_next_batch(void **state)
{
    struct quota_op reserve = reserve_op(1000);
    struct caller *blocker = submit(reserve_op(1));
    struct caller *reserved;
    struct caller *settled;

    (void)state;
    await_call(LEDGER_COMMIT);
    reserved = submit(reserve);
    settled = submit(settle_op(reserve.op_id, 400));
    ledger_commits();
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_rows, 1);
    assert_int_equal(called_kinds[0], QUOTA_RESERVE);
    ledger_commits();
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_kinds[0], QUOTA_SETTLE);
    ledger_commits();
    assert_answer(blocker, QUOTA_DONE);
    assert_answer(reserved, QUOTA_DONE);
    assert_answer(settled, QUOTA_DONE);
    assert_int_equal(settled->answer.posted_milli, 400);
}

static void test_commit_in_doubt_that_was_committed_is_acknowledged(void **state)
{
    struct quota_op op = reserve_op(1000);
    struct caller *caller = submit(op);
    struct caller *again;

    (void)state;
    await_call(LEDGER_COMMIT);
    ledger_fails(LEDGER_COMMIT, ST_UNAVAILABLE, "");
    assert_unavailable(caller); /* nothing is certain */
    await_call(LEDGER_GET_BATCH);
    assert_unavailable(submit(reserve_op(1)));
    assert_int_equal(called_batch, 12);
    ledger_says_batch(true, 3, 12);
    await_ready();
    again = submit(op);
    assert_answer(again, QUOTA_DONE); /* with no further commit */
    assert_true(again->answer.replayed);
}

static void test_commit_in_doubt_that_was_lost_is_sent_again_as_it_was(void **state)
{
    struct quota_op op = reserve_op(1000);
    struct caller *caller = submit(op);
    struct quota_meter_view counter;

    (void)state;
    await_call(LEDGER_COMMIT);
    ledger_fails(LEDGER_COMMIT, ST_DEADLINE, "");
    assert_unavailable(caller);
    await_call(LEDGER_GET_BATCH);
    ledger_fails(LEDGER_GET_BATCH, ST_UNAVAILABLE, "");
    await_call(LEDGER_GET_BATCH);
    ledger_says_batch(false, 3, 11);
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_batch, 12);
    assert_int_equal(called_rows, 1);
    /* the first sending arrived after all, and this one finds it done */
    ledger_fails(LEDGER_COMMIT, ST_PRECONDITION, "WRONG_BATCH");
    await_call(LEDGER_GET_BATCH);
    ledger_says_batch(true, 3, 12);
    await_ready();
    assert_true(usage_at(writer_usage(writer), REPORTS, clock_wall_us(), &counter));
    assert_int_equal(counter.held_milli, 1000); /* once */
}

static void test_commit_that_hangs_frees_its_callers(void **state)
{
    struct caller *caller = submit(reserve_op(1000));

    (void)state;
    await_call(LEDGER_COMMIT);
    assert_unavailable(caller);
    assert_unavailable(submit(reserve_op(1)));
    ledger_commits(); /* late, but certain */
    await_ready();
}

static void test_fenced_writer_never_writes_again(void **state)
{
    struct caller *caller = submit(reserve_op(1000));
    struct caller *next;

    (void)state;
    await_call(LEDGER_COMMIT);
    next = submit(reserve_op(1));
    ledger_fails(LEDGER_COMMIT, ST_PRECONDITION, "FENCED");
    assert_unavailable(caller);
    assert_unavailable(next);
    assert_ends();
}

static void test_writer_that_finds_itself_fenced_in_doubt_ends(void **state)
{
    struct caller *caller = submit(reserve_op(1000));

    (void)state;
    await_call(LEDGER_COMMIT);
    ledger_fails(LEDGER_COMMIT, ST_UNAVAILABLE, "");
    assert_unavailable(caller);
    await_call(LEDGER_GET_BATCH);
    ledger_says_batch(false, 4, 11);
    assert_ends();
}

static void test_disagreement_with_the_ledger_ends_the_writer(void **state)
{
    struct caller *caller = submit(reserve_op(1000));

    (void)state;
    await_call(LEDGER_COMMIT);
    ledger_fails(LEDGER_COMMIT, ST_DATA_LOSS, "COUNTERS_DISAGREE");
    assert_unavailable(caller);
    assert_ends();
}

static void test_unknown_reservation_is_looked_up_and_then_not_found(void **state)
{
    struct caller *caller = submit(settle_op(op_id_new(), 1));

    (void)state;
    for (unsigned i = 0; i < ABSENT_LOOKUPS; i++) { /* it may be forgotten between two */
        await(&looked_up);
        assert_false(is_answered(caller));
        looked_up = false;
        send_reply(reply_to(LEDGER_GET_OPERATIONS));
    }
    assert_answer(caller, QUOTA_NO_RESERVATION);
}

static void test_look_up_that_fails_is_unavailable(void **state)
{
    struct caller *caller = submit(settle_op(op_id_new(), 1));

    (void)state;
    await(&looked_up);
    ledger_fails(LEDGER_GET_OPERATIONS, ST_UNAVAILABLE, "");
    assert_unavailable(caller);
}

static void test_due_reservation_lapses_without_being_asked(void **state)
{
    struct quota_op op = reserve_op(1000);
    struct caller *caller;

    (void)state;
    op.hold_us = 1000;
    caller = submit(op);
    await_call(LEDGER_COMMIT);
    ledger_commits();
    assert_answer(caller, QUOTA_DONE);
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_kinds[0], QUOTA_LAPSE);
    ledger_commits();
}

static void test_close_answers_everybody(void **state)
{
    struct caller *waiting = submit(reserve_op(1000));

    (void)state;
    await_call(LEDGER_COMMIT);
    writer_close(writer);
    assert_unavailable(waiting);
    set_up_opening(state); /* for tear_down */
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define OPENING(name) cmocka_unit_test_setup_teardown(name, set_up_opening, tear_down)
    const struct CMUnitTest tests[] = {
        OPENING(test_submit_before_the_ledger_is_open_is_refused_at_once),
        TEST(test_reserve_is_answered_after_its_commit_and_not_before),
        TEST(test_batch_fills_while_the_former_is_in_flight),
        TEST(test_repeated_op_id_joins_the_answer_in_flight),
        TEST(test_settle_of_a_reservation_in_flight_goes_into_the_next_batch),
        TEST(test_commit_in_doubt_that_was_committed_is_acknowledged),
        TEST(test_commit_in_doubt_that_was_lost_is_sent_again_as_it_was),
        TEST(test_commit_that_hangs_frees_its_callers),
        TEST(test_fenced_writer_never_writes_again),
        TEST(test_writer_that_finds_itself_fenced_in_doubt_ends),
        TEST(test_disagreement_with_the_ledger_ends_the_writer),
        TEST(test_unknown_reservation_is_looked_up_and_then_not_found),
        TEST(test_look_up_that_fails_is_unavailable),
        TEST(test_due_reservation_lapses_without_being_asked),
        TEST(test_close_answers_everybody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
