/* Deferred calls, overload, draining and closing, over loopback tcp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "metercache/v1/rpc.pb-c.h"
#include "support/rpc_loopback.h"

/* ---- deferring ---- */

static void test_defer_resume_runs_handler_again(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_methods(&loopback, LOOPBACK_WAIT_MS, &pending);
    rpc_call_resume(loopback_take_held(&loopback), &ERROR_NONE);
    pending_await(&pending, 1);
    assert_int_equal(pending.by_status[ST_OK], 1);
    assert_int_equal(loopback_executions(&loopback), 2);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_defer_resume_with_error_hands_it_to_handler(void **state)
{
    struct error wake = ERROR_NONE;
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_methods(&loopback, LOOPBACK_WAIT_MS, &pending);
    error_set(&wake, ST_NOT_FOUND, "the leader found nothing");
    rpc_call_resume(loopback_take_held(&loopback), &wake);
    pending_await(&pending, 1);
    assert_string_equal(pending.err.message, "the leader found nothing");
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_defer_finish_answers_from_the_holder(void **state)
{
    struct error err = ERROR_NONE;
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_methods(&loopback, LOOPBACK_WAIT_MS, &pending);
    rpc_call_finish(loopback_take_held(&loopback), ST_OK, NULL);
    pending_await(&pending, 1);
    loopback_start_methods(&loopback, LOOPBACK_WAIT_MS, &pending);
    error_set(&err, ST_PRECONDITION, "no");
    rpc_call_finish(loopback_take_held(&loopback), ST_PRECONDITION, &err);
    pending_await(&pending, 2);
    assert_int_equal(pending.by_status[ST_OK], 1);
    assert_int_equal(pending.by_status[ST_PRECONDITION], 1);
    assert_int_equal(loopback_executions(&loopback), 2);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_defer_deadline_answers_and_late_resume_does_nothing(void **state)
{
    struct rpc_server_load load;
    struct loopback loopback;
    struct pending pending;
    struct rpc_call *held;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_methods(&loopback, 100, &pending);
    held = loopback_take_held(&loopback);
    pending_await(&pending, 1);
    assert_int_equal(pending.by_status[ST_DEADLINE], 1);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK); /* the context is free */
    rpc_call_resume(held, &ERROR_NONE);
    assert_int_equal(loopback_executions(&loopback), 2); /* deferring, and the ping */
    rpc_server_load(loopback.server, &load);
    assert_true(load.inflight <= 1); /* the keeper may still be answering */
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_defer_many_at_once_are_each_answered_once(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 40; i++)
            loopback_start_methods(&loopback, LOOPBACK_WAIT_MS, &pending);
        for (unsigned i = 0; i < 40; i++) {
            struct rpc_call *held = loopback_take_held(&loopback);

            if (i % 2 == 0)
                rpc_call_resume(held, &ERROR_NONE);
            else
                rpc_call_finish(held, ST_OK, NULL);
        }
        pending_await(&pending, (round + 1) * 40);
    }
    assert_int_equal(pending.by_status[ST_OK], 800);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_close_with_held_calls_leaves_them_to_their_holder(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_methods(&loopback, LOOPBACK_WAIT_MS, &pending);
    loopback_await_held(&loopback, 1);
    loopback_close(&loopback); /* resumes after the server has gone */
    pending_await(&pending, 1);
    pending_free(&pending);
}

/* ---- load, drain, close ---- */

static void test_overload_refuses_sheddable_first(void **state)
{
    struct rpc_call_options sheddable = {
        .priority = METERCACHE__V1__PRIORITY__PRIORITY_SHEDDABLE,
        .no_retry = true,
    };
    struct rpc_server_options options;
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.contexts = 10;
    loopback_open(&loopback, &options, "staff:bob");
    pending_init(&pending);
    for (int i = 0; i < 7; i++)
        loopback_start_stats(&loopback, (struct rpc_call_options){0}, &pending);
    loopback_await_gate(&loopback, 4);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    assert_int_equal(loopback_stats(&loopback, "x", sheddable, NULL), ST_EXHAUSTED);
    assert_string_equal(loopback.err.reason, "OVERLOADED");
    assert_int_equal(loopback.err.retry_after_ms, 100);
    assert_false(loopback.outcome.executed);
    loopback_open_gate(&loopback);
    pending_await(&pending, 7);
    assert_int_equal(pending.by_status[ST_OK], 7);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_queue_full_is_refused_at_once(void **state)
{
    struct rpc_server_options options;
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.workers = 1;
    options.queue_limit = 2;
    loopback_open(&loopback, &options, "staff:bob");
    pending_init(&pending);
    loopback_start_stats(&loopback, (struct rpc_call_options){0}, &pending);
    loopback_await_gate(&loopback, 1);
    for (int i = 0; i < 8; i++)
        loopback_start_stats(&loopback, (struct rpc_call_options){.no_retry = true},
                             &pending);
    pending_await(&pending, 6); /* one runs, two wait */
    assert_int_equal(pending.by_status[ST_EXHAUSTED], 6);
    assert_string_equal(pending.err.reason, "QUEUE_FULL");
    loopback_open_gate(&loopback);
    pending_await(&pending, 9);
    assert_int_equal(pending.by_status[ST_OK], 3);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_one_connection_takes_no_more_than_its_share(void **state)
{
    struct rpc_server_options options;
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.inflight_per_connection = 3;
    loopback_open(&loopback, &options, "staff:bob");
    pending_init(&pending);
    for (int i = 0; i < 5; i++)
        loopback_start_stats(&loopback, (struct rpc_call_options){.no_retry = true},
                             &pending);
    pending_await(&pending, 2);
    assert_string_equal(pending.err.reason, "CONNECTION_LIMIT");
    loopback_open_gate(&loopback);
    pending_await(&pending, 5);
    assert_int_equal(pending.by_status[ST_OK], 3);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_drain_waits_for_work_and_refuses_new(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_stats(&loopback, (struct rpc_call_options){0}, &pending);
    loopback_await_gate(&loopback, 1);
    assert_false(rpc_server_drain(loopback.server, clock_deadline_ms(20)));
    assert_int_equal(
        loopback_stats(&loopback, "x", (struct rpc_call_options){.no_retry = true}, NULL),
        ST_UNAVAILABLE);
    assert_string_equal(loopback.err.reason, "DRAINING");
    assert_false(loopback.outcome.executed);
    loopback_open_gate(&loopback);
    assert_true(rpc_server_drain(loopback.server, clock_deadline_ms(LOOPBACK_WAIT_MS)));
    pending_await(&pending, 1);
    assert_int_equal(pending.by_status[ST_OK], 1);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_client_close_cancels_calls_in_flight(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    for (int i = 0; i < 10; i++)
        loopback_start_stats(&loopback, (struct rpc_call_options){0}, &pending);
    loopback_await_gate(&loopback, 4);
    rpc_client_close(loopback.client);
    loopback.client = NULL;
    assert_int_equal(pending.done, 10);
    assert_int_equal(pending.by_status[ST_CANCELLED], 10);
    loopback_close(&loopback);
    pending_free(&pending);
}

static bool has_one_live_worker(void *context)
{
    struct loopback *loopback = context;
    struct rpc_server_load load;

    rpc_server_load(loopback->server, &load);
    return load.queued == 0;
}

static void test_deadline_cancels_what_still_waits_in_the_queue(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    for (int i = 0; i < 4; i++)
        loopback_start_methods(&loopback, 100,
                               &pending); /* deferred: cancelled at the deadline */
    loopback_await_held(&loopback, 4);
    pending_await(&pending, 4);
    assert_int_equal(pending.by_status[ST_DEADLINE], 4);
    loopback_await(has_one_live_worker, &loopback);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
    pending_free(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defer_resume_runs_handler_again),
        cmocka_unit_test(test_defer_resume_with_error_hands_it_to_handler),
        cmocka_unit_test(test_defer_finish_answers_from_the_holder),
        cmocka_unit_test(test_defer_deadline_answers_and_late_resume_does_nothing),
        cmocka_unit_test(test_defer_many_at_once_are_each_answered_once),
        cmocka_unit_test(test_close_with_held_calls_leaves_them_to_their_holder),
        cmocka_unit_test(test_overload_refuses_sheddable_first),
        cmocka_unit_test(test_queue_full_is_refused_at_once),
        cmocka_unit_test(test_one_connection_takes_no_more_than_its_share),
        cmocka_unit_test(test_drain_waits_for_work_and_refuses_new),
        cmocka_unit_test(test_client_close_cancels_calls_in_flight),
        cmocka_unit_test(test_deadline_cancels_what_still_waits_in_the_queue),
    };

    log_setup("test", LOG_TEXT, LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
