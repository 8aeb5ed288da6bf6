/*
 * The writer against a ledger that the test plays: it sees each call and answers when and
 * how the test says. (The ledger_rpc_* functions here take the place of the real ones.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "ledger_rpc.h"
#include "writer.h"

#define REPORTS     1
#define LIMIT       10000
#define PATIENCE_MS 10000
#define OPS_MAX     64

/* ---- the ledger the test plays --------------------------------------------------------- */

static pthread_mutex_t mutex;
static pthread_cond_t changed;
static ledger_done reply_done;
static void *reply_context;
static bool is_called;
static enum ledger_call called;
static uint64_t called_batch;
static size_t called_rows;
static enum quota_kind called_kinds[BATCH_ROWS_MAX];
static bool looked_up;
static int exit_status;

struct ledger_rpc {
    int unused;
};

static struct ledger_rpc the_ledger;

enum status ledger_rpc_open(struct ledger_rpc **out,
                            const struct ledger_rpc_options *options, struct error *err)
{
    (void)err;
    reply_done = options->done;
    reply_context = options->context;
    *out = &the_ledger;
    return ST_OK;
}

void ledger_rpc_close(struct ledger_rpc *ledger)
{
    (void)ledger;
}

void ledger_reply_free(struct ledger_reply *reply)
{
    mem_free(reply->counters);
    mem_free(reply->rows);
    mem_free(reply);
}

static void note(enum ledger_call call, uint64_t batch)
{
    mutex_lock(&mutex);
    is_called = true;
    called = call;
    called_batch = batch;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

void ledger_rpc_open_epoch(struct ledger_rpc *ledger)
{
    (void)ledger;
    note(LEDGER_OPEN, 0);
}

void ledger_rpc_list_open(struct ledger_rpc *ledger, const char *page)
{
    (void)ledger;
    (void)page;
    note(LEDGER_LIST_OPEN, 0);
}

void ledger_rpc_commit(struct ledger_rpc *ledger, uint64_t epoch,
                       const struct quota_batch *batch)
{
    (void)ledger;
    assert_int_equal(epoch, 3);
    called_rows = batch->row_count;
    for (size_t i = 0; i < batch->row_count; i++)
        called_kinds[i] = batch->rows[i].kind;
    note(LEDGER_COMMIT, batch->number);
}

void ledger_rpc_get_batch(struct ledger_rpc *ledger, uint64_t epoch, uint64_t batch)
{
    (void)ledger;
    assert_int_equal(epoch, 3);
    note(LEDGER_GET_BATCH, batch);
}

void ledger_rpc_get_operations(struct ledger_rpc *ledger, const struct op_id *ids,
                               size_t count)
{
    (void)ledger;
    (void)ids;
    assert_true(count > 0);
    mutex_lock(&mutex);
    looked_up = true;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

/* ---- the words of the tests ------------------------------------------------------------ */

struct caller {
    struct writer_op op; /* first */
    bool is_answered;
    bool has_answer;
    struct quota_answer answer;
    struct error err;
};

static struct writer *writer;
static struct caller callers[OPS_MAX];
static size_t caller_count;

static void await(const bool *flag)
{
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);

    mutex_lock(&mutex);
    while (!*flag) {
        if (!condition_wait_until(&changed, &mutex, deadline_us)) {
            mutex_unlock(&mutex);
            fail_msg("nothing came in time");
        }
    }
    mutex_unlock(&mutex);
}

static void await_call(enum ledger_call call)
{
    await(&is_called);
    mutex_lock(&mutex);
    is_called = false;
    mutex_unlock(&mutex);
    assert_int_equal(called, call);
}

static struct ledger_reply *reply_to(enum ledger_call call)
{
    struct ledger_reply *reply = mem_alloc(sizeof(*reply));

    reply->call = call;
    reply->executed = true;
    return reply;
}

static void send_reply(struct ledger_reply *reply)
{
    reply_done(reply_context, reply);
}

static void ledger_fails(enum ledger_call call, enum status status, const char *reason)
{
    struct ledger_reply *reply = reply_to(call);

    error_set(&reply->err, status, "the test says so");
    error_reason(&reply->err, reason);
    send_reply(reply);
}

static void ledger_commits(void)
{
    send_reply(reply_to(LEDGER_COMMIT));
}

static void ledger_says_batch(bool committed, uint64_t epoch, uint64_t last_batch)
{
    struct ledger_reply *reply = reply_to(LEDGER_GET_BATCH);

    reply->committed = committed;
    reply->epoch = epoch;
    reply->last_batch = last_batch;
    send_reply(reply);
}

static void note_exit(int status)
{
    mutex_lock(&mutex);
    exit_status = status;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

static void answered(struct writer_op *op, const struct quota_answer *answer,
                     const struct error *err)
{
    struct caller *caller = (struct caller *)(void *)op;

    mutex_lock(&mutex);
    caller->has_answer = answer != NULL;
    if (answer != NULL)
        caller->answer = *answer;
    else
        caller->err = *err;
    assert_false(caller->is_answered); /* exactly once */
    caller->is_answered = true;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

static struct caller *submit(struct quota_op op)
{
    struct caller *caller = &callers[caller_count++];

    *caller = (struct caller){.op = {.op = op, .answered = answered}};
    writer_submit(writer, &caller->op);
    return caller;
}

static struct quota_op reserve_op(int64_t amount_milli)
{
    return (struct quota_op){.kind = QUOTA_RESERVE,
                             .op_id = op_id_new(),
                             .meter = REPORTS,
                             .hold_us = 60000000,
                             .amount_milli = amount_milli};
}

static struct quota_op settle_op(struct op_id reservation_id, int64_t actual_milli)
{
    return (struct quota_op){.kind = QUOTA_SETTLE,
                             .op_id = op_id_new(),
                             .reservation_id = reservation_id,
                             .amount_milli = actual_milli};
}

static bool is_answered(struct caller *caller)
{
    bool answered_now;

    mutex_lock(&mutex);
    answered_now = caller->is_answered;
    mutex_unlock(&mutex);
    return answered_now;
}

static void assert_answer(struct caller *caller, enum quota_verdict verdict)
{
    await(&caller->is_answered);
    assert_true(caller->has_answer);
    assert_int_equal(caller->answer.verdict, verdict);
}

static void assert_unavailable(struct caller *caller)
{
    await(&caller->is_answered);
    assert_false(caller->has_answer);
    assert_int_equal(caller->err.status, ST_UNAVAILABLE);
    assert_true(caller->err.retry_after_ms > 0);
}

static void await_ready(void)
{
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);
    struct error err;

    while (!writer_is_ready(writer, &err))
        assert_true(clock_mono_us() < deadline_us);
}

static void ledger_opens(int64_t last_at_us)
{
    struct ledger_reply *reply = reply_to(LEDGER_OPEN);

    reply->epoch = 3;
    reply->last_batch = 10;
    reply->last_at_us = last_at_us;
    send_reply(reply);
    await_call(LEDGER_LIST_OPEN);
    send_reply(reply_to(LEDGER_LIST_OPEN));
}

static int set_up_opening(void **state)
{
    const struct writer_options options = {
        .core = {.held_limit = 1000,
                 .closed_limit = 4096,
                 .done_limit = 4096,
                 .refused_limit = 64,
                 .anchor_day = 1,
                 .meter_count = 3,
                 .limits_milli = {1400000, LIMIT, 2000000}},
        .queue_limit = OPS_MAX,
        .end = note_exit,
    };
    struct error err;

    (void)state;
    mutex_init(&mutex);
    condition_init(&changed);
    is_called = false;
    looked_up = false;
    exit_status = 0;
    caller_count = 0;
    assert_int_equal(writer_open(&writer, &options, &err), ST_OK);
    await_call(LEDGER_OPEN);
    return 0;
}

/* Serving, the periods made ahead are committed as batch 11. */
static int set_up(void **state)
{
    set_up_opening(state);
    ledger_opens(0);
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_batch, 11);
    assert_int_equal(called_rows, 0);
    ledger_commits();
    await_ready();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    writer_close(writer);
    condition_done(&changed);
    mutex_done(&mutex);
    return 0;
}

/* ---- the tests ------------------------------------------------------------------------- */

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
