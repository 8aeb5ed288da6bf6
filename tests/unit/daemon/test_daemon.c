/* A tiny daemon as a child process: from argv to the exit status. */
#include "daemon/daemon.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "client/admin.h"
#include "client/calls.h"
#include "client/health.h"
#include "core/base.h"
#include "core/thread.h"
#include "support/expect.h"
#include "support/http.h"
#include "support/tiny_daemon.h"

static struct tiny_daemon tiny;

static const char *const NOTHING[] = {NULL};

static int done(void **state)
{
    (void)state;
    tiny_daemon_done(&tiny);
    return 0;
}

static enum status ping(void)
{
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    Metercache__V1__PingResponse *reply;
    const struct client_options options = {.timeout_ms = 5000};

    return client_admin_ping(&reply, tiny.client, &request, &options, &tiny.arena,
                             &tiny.err);
}

static enum status list_calls(const char *order)
{
    Metercache__V1__ListCallsRequest request = METERCACHE__V1__LIST_CALLS_REQUEST__INIT;
    Metercache__V1__ListCallsResponse *reply;

    request.provider = (char *)order;
    return client_calls_list_calls(&reply, tiny.client, &request, NULL, &tiny.arena,
                                   &tiny.err);
}

static int http_status(const char *path)
{
    struct http_answer answer;
    char url[256];

    snprintf(url, sizeof url, "http://%s%s", tiny.ops, path);
    http_ask(&answer, url, NULL, NULL);

    int status = answer.status;

    http_answer_done(&answer);
    return status;
}

/* A call that waits at the daemon's gate while the test goes on. */
struct waiting_call {
    pthread_t thread;
    struct rpc_client *client;
    enum status status;
};

static void *call_the_gate(void *argument)
{
    struct waiting_call *waiting = argument;
    Metercache__V1__ListCallsRequest request = METERCACHE__V1__LIST_CALLS_REQUEST__INIT;
    Metercache__V1__ListCallsResponse *reply;
    struct arena arena;
    struct error err;

    arena_init(&arena, 1 << 20);
    request.provider = (char *)"gate";
    waiting->status =
        client_calls_list_calls(&reply, waiting->client, &request, NULL, &arena, &err);
    arena_done(&arena);
    return NULL;
}

static void start_waiting(struct waiting_call *waiting)
{
    const struct rpc_client_options options = {
        .endpoints = tiny.url,
        .bearer = tiny.tokens[RPC_ROLE_CLIENT],
        .fail_fast_ms = 200, /* so that it soon gives up on a daemon that has left */
    };

    assert_ok(rpc_client_open(&waiting->client, &options, &tiny.err), &tiny.err);
    thread_start(&waiting->thread, "waiting", 0, call_the_gate, waiting);
    child_await_text(&tiny.child, "at the gate");
}

static enum status end_waiting(struct waiting_call *waiting)
{
    thread_join(waiting->thread);
    rpc_client_close(waiting->client);
    return waiting->status;
}

static void test_start_serves_and_sigterm_ends_with_0(void **state)
{
    (void)state;
    tiny_daemon_start(&tiny, NOTHING);
    assert_ok(ping(), &tiny.err);
    assert_int_equal(http_status("/livez"), 200);
    assert_int_equal(http_status("/readyz"), 200);
    assert_int_equal(http_status("/metrics"), 200);
    child_signal(&tiny.child, SIGTERM);
    assert_int_equal(child_wait(&tiny.child), 0);
    assert_int_equal(child_count_text(&tiny.child, "service drains"), 1);
    assert_int_equal(child_count_text(&tiny.child, "service closed"), 1);
    assert_int_equal(child_count_text(&tiny.child, " stopped "), 1);
}

static void test_sigint_ends_with_0_too(void **state)
{
    (void)state;
    tiny_daemon_start(&tiny, NOTHING);
    child_signal(&tiny.child, SIGINT);
    assert_int_equal(child_wait(&tiny.child), 0);
}

static void test_sigpipe_is_ignored(void **state)
{
    (void)state;
    tiny_daemon_start(&tiny, NOTHING);
    child_signal(&tiny.child, SIGPIPE);
    assert_ok(ping(), &tiny.err);
    child_signal(&tiny.child, SIGTERM);
    assert_int_equal(child_wait(&tiny.child), 0);
}

static void test_sigterm_lets_requests_in_flight_finish(void **state)
{
    (void)state;
    struct waiting_call waiting;

    tiny_daemon_start(&tiny, NOTHING);
    start_waiting(&waiting);
    child_signal(&tiny.child, SIGTERM);
    child_await_text(&tiny.child, "service drains");
    /* New work is refused once the drain has begun ... */
    assert_eventually(ping() == ST_UNAVAILABLE, CHILD_WAIT_MS);
    assert_int_equal(http_status("/readyz"), 503);
    assert_int_equal(http_status("/livez"), 200);
    /* ... and what was there before gets its answer. */
    child_open_gate(&tiny.child);
    assert_int_equal(end_waiting(&waiting), ST_OK);
    assert_int_equal(child_wait(&tiny.child), 0);
    assert_int_equal(child_count_text(&tiny.child, "service closed"), 1);
}

static void test_second_signal_leaves_at_once(void **state)
{
    (void)state;
    static const struct {
        int first;
        int second;
        int exit_status;
    } rows[] = {
        {SIGTERM, SIGTERM, 128 + SIGTERM},
        {SIGINT, SIGINT, 128 + SIGINT},
        {SIGTERM, SIGINT, 128 + SIGINT},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct waiting_call waiting;

        tiny_daemon_start(&tiny, NOTHING);
        start_waiting(&waiting);
        child_signal(&tiny.child, rows[i].first);
        child_await_text(&tiny.child, "service drains");
        child_signal(&tiny.child, rows[i].second);
        assert_int_equal(child_wait(&tiny.child), rows[i].exit_status);
        assert_int_equal(end_waiting(&waiting), ST_UNAVAILABLE);
        if (i + 1 < COUNT_OF(rows))
            tiny_daemon_done(&tiny);
    }
}

static void test_drain_timeout_leaves_work_behind(void **state)
{
    (void)state;
    const char *const settings[] = {"TINY_DRAIN_TIMEOUT=200ms", NULL};
    struct waiting_call waiting;

    tiny_daemon_start(&tiny, settings);
    start_waiting(&waiting);
    child_signal(&tiny.child, SIGTERM);
    assert_int_equal(child_wait(&tiny.child), 0);
    assert_int_equal(child_count_text(&tiny.child, "requests left behind"), 1);
    assert_int_equal(child_count_text(&tiny.child, "service closed"), 0);
    assert_int_equal(end_waiting(&waiting), ST_UNAVAILABLE);
}

static void test_sighup_reads_the_tokens_again(void **state)
{
    (void)state;
    tiny_daemon_start(&tiny, NOTHING);
    assert_ok(ping(), &tiny.err);
    tiny_daemon_write_tokens(&tiny);
    child_signal(&tiny.child, SIGHUP);
    child_await_text(&tiny.child, "tokens reloaded");
    assert_status(ping(), &tiny.err, ST_UNAUTHENTICATED);
    tiny_daemon_call_as(&tiny, RPC_ROLE_CLIENT);
    assert_ok(ping(), &tiny.err);
}

static void test_sighup_with_a_broken_file_keeps_the_tokens(void **state)
{
    (void)state;
    FILE *file;

    tiny_daemon_start(&tiny, NOTHING);
    file = fopen(tiny.tokens_path, "w");
    assert_non_null(file);
    fputs("rubbish\n", file);
    fclose(file);
    child_signal(&tiny.child, SIGHUP);
    child_await_text(&tiny.child, "tokens not reloaded");
    child_await_text(&tiny.child, "line 1");
    assert_ok(ping(), &tiny.err);
}

static void test_request_exit_ends_with_its_status(void **state)
{
    (void)state;
    tiny_daemon_start(&tiny, NOTHING);
    assert_ok(list_calls("fenced"), &tiny.err);
    assert_int_equal(child_wait(&tiny.child), DAEMON_EXIT_INTERNAL);
    assert_int_equal(child_count_text(&tiny.child, "service closed"), 1);
}

static void test_side_listener_serves_health_but_not_admin(void **state)
{
    (void)state;
    const char *const settings[] = {"TINY_SIDE_LISTEN_URL=tcp://127.0.0.1:0", NULL};
    Metercache__V1__HealthCheckRequest request = METERCACHE__V1__HEALTH_CHECK_REQUEST__INIT;
    Metercache__V1__HealthCheckResponse *reply = NULL;
    char url[128];

    tiny_daemon_start(&tiny, settings);
    assert_true(child_find_word(&tiny.child, "listener=side url=", url, sizeof url));
    tiny_daemon_call_at(&tiny, url, RPC_ROLE_ADMIN);
    assert_ok(
        client_health_check(&reply, tiny.client, &request, NULL, &tiny.arena, &tiny.err),
        &tiny.err);
    assert_int_equal(reply->status, METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_SERVING);
    assert_ok(list_calls(""), &tiny.err);
    assert_status(ping(), &tiny.err, ST_UNIMPLEMENTED);
    child_signal(&tiny.child, SIGTERM);
    assert_int_equal(child_wait(&tiny.child), 0);
}

static void test_wrong_configuration_ends_with_78_and_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *settings[3];
        const char *said;
    } rows[] = {
        {{"TINY_NUMBER=eight"}, "tiny: TINY_NUMBER: 'eight' given"},
        {{"TINY_WORKERS=0"}, "tiny: TINY_WORKERS: '0' given"},
        {{"TINY_WORKRES=1"}, "TINY_WORKRES is no setting; the nearest one is TINY_WORKERS"},
        {{"WEE_KEY=1"}, "WEE_KEY is no setting"},
        {{"TINY_KEY_FILE=/nowhere/key"}, "TINY_KEY_FILE: cannot open '/nowhere/key'"},
        {{"TINY_TOKENS_FILE=/nowhere/tokens"}, "'/nowhere/tokens'"},
        {{"TINY_TOKENS_FILE="}, "TINY_TOKENS_FILE is not set"},
        {{"TINY_LISTEN_URL=udp://127.0.0.1:1"}, "udp://127.0.0.1:1"},
        {{"TINY_SIDE_LISTEN_URL=nonsense"}, "listener 'side' on 'nonsense'"},
        {{"TINY_OPS_ADDRESS=127.0.0.1"}, "TINY_OPS_ADDRESS: '127.0.0.1' is no address"},
        {{"TINY_LOG_LEVEL=loud"}, "TINY_LOG_LEVEL: 'loud' given"},
        {{"TINY_LOG_FORMAT=xml"}, "TINY_LOG_FORMAT: 'xml' given"},
        {{"TINY_TLS_CA_FILE=/ca"}, "set all three or none"},
        {{"TINY_LISTEN_URL=tls+tcp://127.0.0.1:0"}, "TINY_TLS_CA_FILE is not set"},
        {{"TINY_OPEN=INVALID_ARGUMENT"}, "open was told to fail"},
        {{"TINY_OPEN=FAILED_PRECONDITION"}, "open was told to fail"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = tiny_daemon_run(&tiny, NOTHING, rows[i].settings);

        print_message("row %zu: %s", i, tiny.child.text);
        assert_int_equal(status, DAEMON_EXIT_CONFIGURATION);
        assert_non_null(strstr(tiny.child.text, rows[i].said));
        assert_int_equal(child_count_text(&tiny.child, "tiny: "), 1);
        assert_null(strstr(tiny.child.text, TINY_SECRET));
        if (i + 1 < COUNT_OF(rows))
            tiny_daemon_done(&tiny);
    }
}

static void test_open_that_fails_within_ends_with_70(void **state)
{
    (void)state;
    const char *const settings[] = {"TINY_OPEN=INTERNAL", NULL};

    assert_int_equal(tiny_daemon_run(&tiny, NOTHING, settings), DAEMON_EXIT_INTERNAL);
    assert_non_null(strstr(tiny.child.text, "tiny: open was told to fail\n"));
}

static void test_taken_address_ends_with_70_and_names_it(void **state)
{
    (void)state;
    static struct tiny_daemon second;
    char setting[256];
    const char *const settings[] = {setting, NULL};

    tiny_daemon_start(&tiny, NOTHING);
    snprintf(setting, sizeof setting, "TINY_OPS_ADDRESS=%s", tiny.ops);
    assert_int_equal(tiny_daemon_run(&second, NOTHING, settings), DAEMON_EXIT_INTERNAL);
    assert_non_null(strstr(second.child.text, tiny.ops));
    assert_int_equal(child_count_text(&second.child, "service closed"), 1);
    tiny_daemon_done(&second);
}

static void test_arguments_do_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[3];
        const char *settings[3];
        int exit_status;
        const char *said;
    } rows[] = {
        {{"--help"}, {NULL}, 0, "usage: tiny [option | command]"},
        {{"--help"}, {"TINY_NUMBER=x"}, 0, "TINY_KEY_FILE"},
        {{"--version"}, {NULL}, 0, "tiny 0."},
        {{"--list-settings"}, {NULL}, 0, "TINY_LISTEN_URL\nTINY_OPS_ADDRESS\n"},
        {{"--print-config"}, {"TINY_NUMBER=9"}, 0, "TINY_KEY=(secret)\nTINY_NUMBER=9\n"},
        {{"--print-config"}, {"TINY_NUMBER=x"}, 78, "TINY_NUMBER"},
        {{"--check"}, {NULL}, 0, "tiny: settings and tokens are fine\n"},
        {{"--check"}, {"TINY_TOKENS_FILE=/nowhere"}, 78, "/nowhere"},
        {{"greet"}, {"TINY_TOKENS_FILE="}, 3, "hello 7\n"},
        {{"greet"}, {"TINY_NUMBER=x"}, 78, "TINY_NUMBER"},
        {{"--halp"}, {NULL}, 64, "'--halp' is no option and no command"},
        {{"meet"}, {NULL}, 64, "'meet' is no option and no command"},
        {{"greet", "me"}, {NULL}, 64, "'me' is one too many"},
        {{""}, {NULL}, 64, "'' is no option"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int status = tiny_daemon_run(&tiny, rows[i].arguments, rows[i].settings);

        print_message("row %zu: %s", i, tiny.child.text);
        assert_int_equal(status, rows[i].exit_status);
        assert_non_null(strstr(tiny.child.text, rows[i].said));
        assert_null(strstr(tiny.child.text, "started"));
        if (i + 1 < COUNT_OF(rows))
            tiny_daemon_done(&tiny);
    }
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_start_serves_and_sigterm_ends_with_0, done),
        cmocka_unit_test_teardown(test_sigint_ends_with_0_too, done),
        cmocka_unit_test_teardown(test_sigpipe_is_ignored, done),
        cmocka_unit_test_teardown(test_sigterm_lets_requests_in_flight_finish, done),
        cmocka_unit_test_teardown(test_second_signal_leaves_at_once, done),
        cmocka_unit_test_teardown(test_drain_timeout_leaves_work_behind, done),
        cmocka_unit_test_teardown(test_sighup_reads_the_tokens_again, done),
        cmocka_unit_test_teardown(test_sighup_with_a_broken_file_keeps_the_tokens, done),
        cmocka_unit_test_teardown(test_request_exit_ends_with_its_status, done),
        cmocka_unit_test_teardown(test_side_listener_serves_health_but_not_admin, done),
        cmocka_unit_test_teardown(test_wrong_configuration_ends_with_78_and_one_line, done),
        cmocka_unit_test_teardown(test_open_that_fails_within_ends_with_70, done),
        cmocka_unit_test_teardown(test_taken_address_ends_with_70_and_names_it, done),
        cmocka_unit_test_teardown(test_arguments_do_what_they_say, done),
    };

    if (argc > 1 && strcmp(argv[1], CHILD_MARK) == 0)
        return tiny_daemon_main(argc - 1, argv + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
