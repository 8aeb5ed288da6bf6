/* Operations of many callers in few messages, against a server that the test plays. */
#include "quota_batch_fixture.h"

static void test_first_ones_leave_at_once_and_the_rest_together(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        start(i);
    assert_int_equal(await_message(0)->request->n_operations, 1);
    assert_int_equal(await_message(1)->request->n_operations, 1);
    answer(await_message(0));
    assert_int_equal(await_message(2)->request->n_operations, 256);
    answer(await_message(2));
    assert_int_equal(await_message(3)->request->n_operations, 42);
    answer(await_message(3));
    answer(await_message(1));
    for (int i = 0; i < 300; i++)
        assert_ended(&callers[i], ST_OK, true);
    for (size_t i = 3; i < 300; i++)
        assert_true(callers[i].order > callers[i - 1].order);
}

static void test_each_gets_its_own_answer(void **state)
{
    struct caller *first = start(1);
    struct caller *second = start(2);
    struct caller *refused = start(-1);
    struct caller *unsure = start(-14);
    struct caller *fine = start(5);

    (void)state;
    answer(await_message(0));
    answer(await_message(1));
    answer(await_message(2));
    assert_ended(first, ST_OK, true);
    assert_ended(second, ST_OK, true);
    assert_ended(refused, ST_EXHAUSTED, true);
    assert_string_equal(refused->err.message, "spent");
    assert_string_equal(refused->err.reason, "METER_SPENT");
    assert_int_equal(refused->err.retry_after_ms, 9);
    assert_int_equal(refused->err.violation_count, 1);
    assert_string_equal(refused->err.violations[0].subject, "modash.reports");
    assert_int_equal(refused->err.violations[0].left_milli, 7);
    assert_ended(unsure, ST_UNAVAILABLE, true);
    assert_ended(fine, ST_OK, true);
}

static void test_message_that_fails_ends_all_of_it(void **state)
{
    struct caller *first;
    struct caller *second;
    struct error err;

    (void)state;
    open_batch((struct client_quota_batch_options){.messages = 1});
    start(0);
    await_message(0);
    first = start(1);
    second = start(2);
    answer(await_message(0));
    error_set(&err, ST_INTERNAL, "no");
    assert_int_equal(await_message(1)->request->n_operations, 2);
    rpc_call_finish(await_message(1)->call, ST_INTERNAL, &err);
    assert_ended(first, ST_INTERNAL, true);
    assert_ended(second, ST_INTERNAL, true);
    assert_false(first->has_result);
}

static void test_message_that_is_unavailable_is_sent_again(void **state)
{
    struct caller *caller = start(1);
    struct error err;

    (void)state;
    error_set(&err, ST_UNAVAILABLE, "in a moment");
    err.retry_after_ms = 1;
    rpc_call_finish(await_message(0)->call, ST_UNAVAILABLE, &err);
    answer(await_message(1));
    assert_ended(caller, ST_OK, true);
}

static void test_too_few_results_are_no_answer(void **state)
{
    struct caller *caller = start(1);

    (void)state;
    rpc_call_finish(await_message(0)->call, ST_OK, NULL);
    assert_ended(caller, ST_INTERNAL, true);
}

static void test_beyond_the_queue_limit_is_refused_at_once(void **state)
{
    struct caller *refused;

    (void)state;
    open_batch((struct client_quota_batch_options){.messages = 1, .queue_limit = 2});
    start(1);
    start(2);
    refused = start(3);
    assert_true(refused->is_over);
    assert_ended(refused, ST_EXHAUSTED, false);
    assert_string_equal(refused->err.reason, "CLIENT_LIMIT");
    answer(await_message(0));
    answer(await_message(1));
    assert_ended(&callers[1], ST_OK, true);
    start(4); /* there is room again */
    answer(await_message(2));
    assert_ended(&callers[3], ST_OK, true);
}

static void test_message_is_no_larger_than_its_limit(void **state)
{
    (void)state;
    open_batch((struct client_quota_batch_options){.messages = 1, .message_bytes = 40});
    for (int i = 0; i < 9; i++)
        start(1000000); /* 6 bytes, counted as 10 */
    answer(await_message(0));
    for (size_t i = 1; i <= 2; i++) {
        assert_int_equal(await_message(i)->request->n_operations, 4);
        answer(await_message(i));
    }
    assert_ended(&callers[8], ST_OK, true);
}

static void test_operation_that_waits_too_long_is_not_sent(void **state)
{
    struct caller *late;
    struct caller *next;

    (void)state;
    open_batch((struct client_quota_batch_options){.messages = 1});
    start(1);
    late = start_with(2, (struct client_quota_call){.timeout_ms = 1});
    next = start(3);
    for (uint64_t until_us = clock_deadline_ms(2); clock_mono_us() < until_us;) {}
    answer(await_message(0));
    assert_int_equal(await_message(1)->request->n_operations, 1);
    answer(await_message(1));
    assert_ended(late, ST_DEADLINE, false);
    assert_ended(next, ST_OK, true);
}

static void test_no_server_is_unavailable_and_not_executed(void **state)
{
    (void)state;
    rpc_server_close(server);
    server = NULL;
    /* What leaves on a connection that is dying already may have arrived. */
    assert_eventually(!rpc_client_is_connected(client), PATIENCE_MS);
    assert_ended(start(1), ST_UNAVAILABLE, false);
}

/* Asks again at once when it is refused. */
static void ask_again(void *context, const struct client_quota_outcome *outcome)
{
    unsigned *left = context;
    const struct client_quota_call call = {.timeout_ms = PATIENCE_MS};
    Metercache__V1__OperationRequest operation;
    Metercache__V1__ReserveRequest request;

    assert_int_equal(outcome->status, ST_EXHAUSTED);
    if (--*left == 0)
        return;
    fill(&operation, &request, 1);
    client_quota_batch_start(batch, &operation, &call, ask_again, left);
}

static void test_failures_on_the_spot_do_not_pile_up_on_the_stack(void **state)
{
    struct rpc_client_options link = {
        .endpoints = rpc_server_url(server), .bearer = "token", .request_bytes = 1};
    const struct client_quota_outcome refused = {.status = ST_EXHAUSTED};
    struct error err;
    unsigned left = 100000;

    (void)state;
    rpc_client_close(client);
    assert_int_equal(rpc_client_open(&client, &link, &err), ST_OK);
    open_batch((struct client_quota_batch_options){.messages = 2});
    ask_again(&left, &refused);
    assert_int_equal(left, 0);
}

static void test_close_ends_what_waits(void **state)
{
    struct caller *flying;
    struct caller *waiting;

    (void)state;
    open_batch((struct client_quota_batch_options){.messages = 1});
    flying = start(1);
    await_message(0);
    waiting = start(2);
    rpc_client_close(client); /* ends what flies */
    client = NULL;
    client_quota_batch_close(batch);
    batch = NULL;
    assert_ended(flying, ST_CANCELLED, true);
    assert_ended(waiting, ST_CANCELLED, false);
    rpc_call_finish(held[0].call, ST_OK, NULL);
}

/* ---- blocking -------------------------------------------------------------------------- */

static enum status call_for(int64_t amount_milli, uint64_t timeout_ms,
                            struct client_quota_answer *out, bool *executed,
                            struct error *err)
{
    Metercache__V1__OperationRequest operation;
    Metercache__V1__ReserveRequest request;
    const struct client_quota_call call = {.timeout_ms = timeout_ms};

    fill(&operation, &request, amount_milli);
    return client_quota_batch_call(batch, &operation, &call, out, executed, err);
}

static void test_call_gives_up_at_its_deadline_and_may_have_been_done(void **state)
{
    struct client_quota_answer out;
    struct error err;
    bool executed = false;

    (void)state;
    assert_int_equal(call_for(1, 50, &out, &executed, &err), ST_DEADLINE);
    assert_true(executed);
    answer(await_message(0)); /* for nobody */
}

#define THREADS 16
#define TURNS   200

static void *call_many(void *argument)
{
    int64_t base = *(const int *)argument * 1000000;

    for (int i = 0; i < TURNS; i++) {
        struct client_quota_answer out;
        struct error err;
        bool executed;
        bool is_refused = i % 7 == 3;
        enum status st =
            call_for(is_refused ? -1 : base + i, PATIENCE_MS, &out, &executed, &err);

        assert_int_equal(st, is_refused ? ST_EXHAUSTED : ST_OK);
        assert_true(executed);
        if (is_refused)
            assert_string_equal(err.reason, "METER_SPENT");
        else
            assert_int_equal(out.expires_at_us, base + i);
    }
    mutex_lock(&mutex);
    ended++;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
    return NULL;
}

/* Answers messages until every thread is through; how many there were. */
static size_t serve_threads(void)
{
    size_t served = 0;

    for (;;) {
        struct held message;

        mutex_lock(&mutex);
        while (arrived == 0 && ended < THREADS)
            condition_wait(&changed, &mutex);
        if (arrived == 0) {
            mutex_unlock(&mutex);
            return served;
        }
        message = held[--arrived];
        mutex_unlock(&mutex);
        answer(&message);
        served++;
    }
}

static void test_threads_share_messages_and_each_gets_its_own(void **state)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        thread_start(&threads[i], "caller", 0, call_many, &numbers[i]);
    }
    assert_true(serve_threads() < (size_t)THREADS * TURNS / 2);
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first_ones_leave_at_once_and_the_rest_together),
        TEST(test_each_gets_its_own_answer),
        TEST(test_message_that_fails_ends_all_of_it),
        TEST(test_message_that_is_unavailable_is_sent_again),
        TEST(test_too_few_results_are_no_answer),
        TEST(test_beyond_the_queue_limit_is_refused_at_once),
        TEST(test_message_is_no_larger_than_its_limit),
        TEST(test_operation_that_waits_too_long_is_not_sent),
        TEST(test_no_server_is_unavailable_and_not_executed),
        TEST(test_failures_on_the_spot_do_not_pile_up_on_the_stack),
        TEST(test_close_ends_what_waits),
        TEST(test_call_gives_up_at_its_deadline_and_may_have_been_done),
        TEST(test_threads_share_messages_and_each_gets_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
