/* A real server and a real client over loopback tcp. */
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
#include "metercache/v1/health.pb-c.h"
#include "metercache/v1/rpc.pb-c.h"
#include "support/rpc_loopback.h"

/* ---- the plain ways ---- */

static void test_call_inline_handler_answers(void **state)
{
    struct loopback loopback;
    Metercache__V1__PingResponse *reply = NULL;

    (void)state;
    loopback_open(&loopback, NULL, "client:alice");
    assert_int_equal(loopback_ping(&loopback, &reply), ST_OK);
    assert_string_equal(reply->service, "client:alice:alice");
    assert_true(loopback.outcome.executed);
    assert_int_equal(loopback.outcome.attempts, 1);
    assert_int_equal(strlen(loopback.outcome.instance_id), 32);
    loopback_close(&loopback);
}

static void test_call_blocking_handler_answers(void **state)
{
    struct loopback loopback;
    Metercache__V1__GetStatsResponse *reply = NULL;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    loopback_open_gate(&loopback);
    assert_int_equal(loopback_stats(&loopback, "x", (struct rpc_call_options){0}, &reply),
                     ST_OK);
    assert_int_equal(reply->n_stats, 1);
    assert_string_equal(reply->stats[0]->name, "x");
    loopback_close(&loopback);
}

static void test_call_64_at_once_are_all_answered(void **state)
{
    struct loopback loopback;
    struct pending pending;
    struct rpc_server_options options;

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.contexts = 128;
    loopback_open(&loopback, &options, "client:alice");
    pending_init(&pending);
    for (int i = 0; i < 64; i++)
        loopback_start_stats(&loopback, (struct rpc_call_options){0}, &pending);
    loopback_await_gate(&loopback, 4); /* as many as there are workers */
    loopback_open_gate(&loopback);
    pending_await(&pending, 64);
    assert_int_equal(pending.by_status[ST_OK], 64);
    loopback_close(&loopback);
    pending_free(&pending);
}

/* ---- who may ---- */

static void test_call_without_token_is_unauthenticated(void **state)
{
    struct loopback loopback;

    (void)state;
    loopback_open(&loopback, NULL, NULL);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_UNAUTHENTICATED);
    assert_false(loopback.outcome.executed);
    assert_int_equal(loopback.executions, 0);
    loopback_close(&loopback);
}

static void test_call_wrong_role_is_denied_naming_method_and_role(void **state)
{
    Metercache__V1__SetLogLevelRequest request =
        METERCACHE__V1__SET_LOG_LEVEL_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = ADMIN_METHOD("SetLogLevel"),
        .reply_type = &metercache__v1__set_log_level_response__descriptor,
    };
    struct loopback loopback;
    ProtobufCMessage *reply;

    (void)state;
    loopback_open(&loopback, NULL, "client:alice");
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &reply), ST_DENIED);
    assert_non_null(strstr(loopback.err.message, "SetLogLevel"));
    assert_non_null(strstr(loopback.err.message, "client"));
    assert_int_equal(loopback.executions, 0);
    loopback_close(&loopback);
}

static void test_call_on_behalf_of_is_for_services(void **state)
{
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = ADMIN_METHOD("Ping"),
        .reply_type = &metercache__v1__ping_response__descriptor,
        .on_behalf_of = "carol",
    };
    struct loopback loopback;
    ProtobufCMessage *reply = NULL;

    (void)state;
    loopback_open(&loopback, NULL, "service:shop");
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &reply), ST_OK);
    assert_string_equal(((Metercache__V1__PingResponse *)reply)->service,
                        "service:shop:carol");
    rpc_client_close(loopback.client);
    loopback_open_client(&loopback, rpc_server_url(loopback.server), "client:alice");
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &reply), ST_DENIED);
    loopback_close(&loopback);
}

static void test_health_is_public_and_says_why_not(void **state)
{
    Metercache__V1__HealthCheckRequest request = METERCACHE__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = "/metercache.v1.HealthService/Check",
        .reply_type = &metercache__v1__health_check_response__descriptor,
    };
    struct loopback loopback;
    ProtobufCMessage *message = NULL;
    Metercache__V1__HealthCheckResponse *reply;

    (void)state;
    loopback_open(&loopback, NULL, "expired");
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &message), ST_OK);
    reply = (Metercache__V1__HealthCheckResponse *)message;
    assert_int_equal(reply->status, METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_SERVING);
    mutex_lock(&loopback.mutex);
    loopback.is_ready = false;
    mutex_unlock(&loopback.mutex);
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &message), ST_OK);
    reply = (Metercache__V1__HealthCheckResponse *)message;
    assert_int_equal(reply->status,
                     METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_NOT_SERVING);
    assert_string_equal(reply->reason, "warming up");
    loopback_close(&loopback);
}

/* ---- what goes wrong ---- */

static void test_call_internal_error_stays_inside(void **state)
{
    struct loopback loopback;
    char text[32];

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    loopback_open_gate(&loopback);
    snprintf(text, sizeof(text), "fail:%d", ST_INTERNAL);
    assert_int_equal(loopback_stats(&loopback, text, (struct rpc_call_options){0}, NULL),
                     ST_INTERNAL);
    assert_null(strstr(loopback.err.message, "secret"));
    assert_non_null(strstr(loopback.err.message, "call id"));
    snprintf(text, sizeof(text), "fail:%d", ST_NOT_FOUND);
    assert_int_equal(loopback_stats(&loopback, text, (struct rpc_call_options){0}, NULL),
                     ST_NOT_FOUND);
    assert_string_equal(loopback.err.message, "secret of the handler");
    loopback_close(&loopback);
}

static void test_call_unknown_and_unbuilt_methods_are_unimplemented(void **state)
{
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = "/metercache.v1.AdminService/NoSuch",
        .reply_type = &metercache__v1__ping_response__descriptor,
    };
    struct loopback loopback;
    ProtobufCMessage *reply;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &reply),
                     ST_UNIMPLEMENTED);
    options.method = ADMIN_METHOD("ShowConfig");
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &reply),
                     ST_UNIMPLEMENTED);
    loopback_close(&loopback);
}

static void test_call_deadline_passes_in_handler_is_told(void **state)
{
    struct loopback loopback;
    uint64_t started_us = clock_mono_us();

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    assert_int_equal(
        loopback_stats(&loopback, "x", (struct rpc_call_options){.timeout_ms = 50}, NULL),
        ST_DEADLINE);
    assert_true(clock_mono_us() - started_us < 5000000);
    assert_true(loopback.outcome.executed);
    loopback_close(&loopback);
}

static void test_call_queued_past_its_deadline_never_runs(void **state)
{
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    for (int i = 0; i < 4; i++)
        loopback_start_stats(&loopback, (struct rpc_call_options){0}, &pending);
    loopback_await_gate(&loopback, 4); /* all workers are busy */
    assert_int_equal(loopback_stats(&loopback, "late",
                                    (struct rpc_call_options){.timeout_ms = 50}, NULL),
                     ST_DEADLINE);
    loopback_open_gate(&loopback);
    pending_await(&pending, 4);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK); /* the queue was emptied */
    assert_int_equal(loopback_executions(&loopback), 5);     /* 4 and the ping */
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_call_oversize_request_is_refused_before_it_leaves(void **state)
{
    Metercache__V1__SetLogLevelRequest request =
        METERCACHE__V1__SET_LOG_LEVEL_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = ADMIN_METHOD("SetLogLevel"),
        .reply_type = &metercache__v1__set_log_level_response__descriptor,
    };
    static char big[2 * 1024 * 1024];
    struct loopback loopback;
    ProtobufCMessage *reply;

    (void)state;
    loopback_open(&loopback, NULL, "admin:root");
    memset(big, 'x', sizeof(big) - 1);
    request.level = big;
    assert_int_equal(loopback_call(&loopback, &options, &request.base, &reply),
                     ST_EXHAUSTED);
    assert_string_equal(loopback.err.reason, "REQUEST_TOO_LARGE");
    assert_false(loopback.outcome.executed);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

static enum status describe(struct loopback *loopback, size_t bytes, size_t *got)
{
    Metercache__V1__DescribeRequest request = METERCACHE__V1__DESCRIBE_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = ADMIN_METHOD("Describe"),
        .reply_type = &metercache__v1__describe_response__descriptor,
    };
    ProtobufCMessage *message = NULL;
    enum status st;

    loopback->describe_bytes = bytes;
    st = loopback_call(loopback, &options, &request.base, &message);
    if (st == ST_OK)
        *got = ((Metercache__V1__DescribeResponse *)message)->file_descriptor_set.len;
    return st;
}

static void test_call_large_reply_arrives_and_too_large_is_refused(void **state)
{
    struct loopback loopback;
    size_t got = 0;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    assert_int_equal(describe(&loopback, (size_t)3 * 1024 * 1024, &got), ST_OK);
    assert_int_equal(got, 3 * 1024 * 1024);
    assert_int_equal(describe(&loopback, (size_t)5 * 1024 * 1024, &got), ST_EXHAUSTED);
    assert_string_equal(loopback.err.reason, "REPLY_TOO_LARGE");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

static void test_call_compressed_reply_is_opened(void **state)
{
    struct rpc_client_options options = {.bearer = "staff:bob", .accept_compressed = true};
    struct loopback loopback;
    size_t got = 0;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    rpc_client_close(loopback.client);
    options.endpoints = rpc_server_url(loopback.server);
    assert_int_equal(rpc_client_open(&loopback.client, &options, &loopback.err), ST_OK);
    assert_int_equal(describe(&loopback, 100000, &got), ST_OK);
    assert_int_equal(got, 100000);
    loopback_close(&loopback);
}

/* ---- idempotency keys ---- */

static void test_key_same_request_is_replayed(void **state)
{
    struct rpc_call_options keyed = {.idempotency_key = "k1", .idempotency_key_size = 2};
    Metercache__V1__GetStatsResponse *reply = NULL;
    struct loopback loopback;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    loopback_open_gate(&loopback);
    assert_int_equal(loopback_stats(&loopback, "x", keyed, &reply), ST_OK);
    assert_false(loopback.outcome.replayed);
    assert_int_equal(loopback_stats(&loopback, "x", keyed, &reply), ST_OK);
    assert_true(loopback.outcome.replayed);
    assert_string_equal(reply->stats[0]->name, "x");
    assert_int_equal(loopback_executions(&loopback), 1);
    assert_int_equal(loopback_stats(&loopback, "y", keyed, &reply), ST_EXISTS);
    assert_string_equal(loopback.err.reason, "KEY_REUSED");
    loopback_close(&loopback);
}

static void test_key_in_flight_is_retried_until_it_is_there(void **state)
{
    struct rpc_call_options keyed = {.idempotency_key = "k2", .idempotency_key_size = 2};
    struct loopback loopback;
    struct pending pending;

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    pending_init(&pending);
    loopback_start_stats(&loopback, keyed, &pending);
    loopback_await_gate(&loopback, 1);
    keyed.no_retry = true;
    assert_int_equal(loopback_stats(&loopback, "", keyed, NULL), ST_ABORTED);
    assert_string_equal(loopback.err.reason, "KEY_IN_FLIGHT");
    keyed.no_retry = false;
    loopback_start_stats(&loopback, keyed, &pending);
    loopback_open_gate(&loopback);
    pending_await(&pending, 2);
    assert_int_equal(pending.by_status[ST_OK], 2);
    assert_int_equal(loopback_executions(&loopback), 1);
    loopback_close(&loopback);
    pending_free(&pending);
}

static void test_key_of_a_failed_call_is_free_again(void **state)
{
    struct rpc_call_options keyed = {.idempotency_key = "k3", .idempotency_key_size = 2};
    struct loopback loopback;
    char text[32];

    (void)state;
    loopback_open(&loopback, NULL, "staff:bob");
    loopback_open_gate(&loopback);
    snprintf(text, sizeof(text), "fail:%d", ST_NOT_FOUND);
    assert_int_equal(loopback_stats(&loopback, text, keyed, NULL), ST_NOT_FOUND);
    assert_int_equal(loopback_stats(&loopback, text, keyed, NULL), ST_NOT_FOUND);
    assert_int_equal(loopback_executions(&loopback), 2);
    loopback_close(&loopback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_inline_handler_answers),
        cmocka_unit_test(test_call_blocking_handler_answers),
        cmocka_unit_test(test_call_64_at_once_are_all_answered),
        cmocka_unit_test(test_call_without_token_is_unauthenticated),
        cmocka_unit_test(test_call_wrong_role_is_denied_naming_method_and_role),
        cmocka_unit_test(test_call_on_behalf_of_is_for_services),
        cmocka_unit_test(test_health_is_public_and_says_why_not),
        cmocka_unit_test(test_call_internal_error_stays_inside),
        cmocka_unit_test(test_call_unknown_and_unbuilt_methods_are_unimplemented),
        cmocka_unit_test(test_call_deadline_passes_in_handler_is_told),
        cmocka_unit_test(test_call_queued_past_its_deadline_never_runs),
        cmocka_unit_test(test_call_oversize_request_is_refused_before_it_leaves),
        cmocka_unit_test(test_call_large_reply_arrives_and_too_large_is_refused),
        cmocka_unit_test(test_call_compressed_reply_is_opened),
        cmocka_unit_test(test_key_same_request_is_replayed),
        cmocka_unit_test(test_key_in_flight_is_retried_until_it_is_there),
        cmocka_unit_test(test_key_of_a_failed_call_is_free_again),
    };

    log_setup("test", LOG_TEXT, LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
