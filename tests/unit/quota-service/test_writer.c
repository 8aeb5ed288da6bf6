/* The writer against a ledger that the test plays. */
#include "writer_fixture.h"

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
    struct quota_counter counter;

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
    assert_answer(submit(reserve_op(LIMIT + 1)), QUOTA_METER_SPENT); /* needs no commit */
    ledger_commits();
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_rows, 10);
    assert_answer(first, QUOTA_DONE);
    ledger_commits();
    for (int i = 0; i < 10; i++)
        assert_answer(more[i], QUOTA_DONE);
}

/* Callers `first` to the last one handed out, as one chain. */
static void submit_chain(size_t first)
{
    for (size_t i = first; i + 1 < caller_count; i++)
        callers[i].op.next = &callers[i + 1].op;
    writer_submit_chain(writer, &callers[first].op, &callers[caller_count - 1].op,
                        (uint32_t)(caller_count - first));
}

static struct caller *prepare(struct quota_op op)
{
    struct caller *caller = &callers[caller_count++];

    *caller = (struct caller){.op = {.op = op, .answered = answered}};
    return caller;
}

static void test_chain_is_judged_in_its_order_and_each_by_itself(void **state)
{
    struct caller *first = prepare(reserve_op(LIMIT - 1));
    struct caller *refused = prepare(reserve_op(2));
    struct caller *last = prepare(reserve_op(1));

    (void)state;
    submit_chain(0);
    assert_answer(refused, QUOTA_METER_SPENT);
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_rows, 2);
    assert_false(is_answered(first));
    assert_false(is_answered(last));
    ledger_commits();
    assert_answer(first, QUOTA_DONE);
    assert_answer(last, QUOTA_DONE);
}

static void test_chain_that_does_not_fit_is_refused_whole_and_at_once(void **state)
{
    struct caller *held = submit(reserve_op(1));

    (void)state;
    await_call(LEDGER_COMMIT);
    for (size_t i = 1; i < OPS_MAX; i++)
        prepare(reserve_op(1));
    submit_chain(1); /* now as many are under way as may be */
    prepare(reserve_op(1));
    prepare(reserve_op(1));
    submit_chain(OPS_MAX);
    assert_true(is_answered(&callers[OPS_MAX])); /* before submit returned */
    assert_true(is_answered(&callers[OPS_MAX + 1]));
    assert_unavailable(&callers[OPS_MAX]);
    assert_unavailable(&callers[OPS_MAX + 1]);
    ledger_commits();
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_rows, OPS_MAX - 1);
    ledger_commits();
    assert_answer(held, QUOTA_DONE);
    assert_answer(&callers[OPS_MAX - 1], QUOTA_DONE);
}

static void test_repeated_op_id_joins_the_answer_in_flight(void **state)
{
    struct quota_op op = reserve_op(1000);
    struct caller *first = submit(op);
    struct caller *again;

    (void)state;
    await_call(LEDGER_COMMIT);
    again = submit(op);
    assert_answer(submit(reserve_op(LIMIT + 1)), QUOTA_METER_SPENT); /* behind `again` */
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
    struct quota_counter counter;

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

static void assert_ends(void)
{
    static bool ended;
    struct error err;
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);

    do {
        mutex_lock(&mutex);
        ended = exit_status == 70;
        mutex_unlock(&mutex);
        assert_true(clock_mono_us() < deadline_us);
    } while (!ended);
    assert_false(writer_is_ready(writer, &err));
    assert_unavailable(submit(reserve_op(1)));
    mutex_lock(&mutex);
    assert_false(is_called); /* nothing was written after */
    mutex_unlock(&mutex);
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
    await(&looked_up);
    assert_false(is_answered(caller));
    send_reply(reply_to(LEDGER_GET_OPERATIONS));
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_submit_before_the_ledger_is_open_is_refused_at_once, set_up_opening,
            tear_down),
        TEST(test_reserve_is_answered_after_its_commit_and_not_before),
        TEST(test_batch_fills_while_the_former_is_in_flight),
        TEST(test_chain_is_judged_in_its_order_and_each_by_itself),
        TEST(test_chain_that_does_not_fit_is_refused_whole_and_at_once),
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
