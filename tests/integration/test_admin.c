/* What an operator sees: Health and Admin of each daemon, ops pages, and the program
 * metercache from end to end. S1, S3, S4. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/admin.h"
#include "core/base.h"
#include "core/mem.h"
#include "support/fixture.h"
#include "support/http.h"

static const enum stack_service SERVICES[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};
static const char *const OPS[] = {"STACK_CACHE_OPS_URL", "STACK_QUOTA_OPS_URL",
                                  "STACK_GATEWAY_OPS_URL"};

/* ------------------------------------------------------------- Health and Admin ------- */

static void test_health_of_each_service_is_serving_without_a_token(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        struct caller nobody;
        Metercache__V1__HealthCheckResponse *reply = NULL;

        caller_init(
            &nobody,
            stack_connect(fixture->stack, stack_endpoint(fixture->stack, SERVICES[i]), ""));
        assert_ok(call_health(&nobody, &reply), &nobody.err);
        assert_int_equal(reply->status,
                         METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_SERVING);
        caller_done(&nobody);
    }
}

static void test_ping_tells_which_process_answers(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        struct caller alice;
        Metercache__V1__PingResponse *reply = NULL;

        caller_init(&alice, stack_client(fixture->stack, SERVICES[i], "alice"));
        assert_ok(client_admin_ping(&reply, alice.client, &request, NULL, &alice.arena,
                                    &alice.err),
                  &alice.err);
        assert_string_equal(reply->service, stack_service_name(SERVICES[i]));
        assert_int_equal(reply->protocol_version, 1);
        assert_string_not_equal(reply->version, "");
        assert_string_not_equal(reply->instance_id, "");
        assert_true(reply->uptime_us > 0);
        assert_true(reply->now_us > 0);
        caller_done(&alice);
    }
}

static bool holds(const ProtobufCBinaryData *data, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= data->len; i++) {
        if (memcmp(data->data + i, word, size) == 0)
            return true;
    }
    return false;
}

static void assert_methods_are_described(struct caller *admin)
{
    Metercache__V1__ListMethodsRequest list_request =
        METERCACHE__V1__LIST_METHODS_REQUEST__INIT;
    Metercache__V1__DescribeRequest describe_request =
        METERCACHE__V1__DESCRIBE_REQUEST__INIT;
    Metercache__V1__ListMethodsResponse *list = NULL;
    Metercache__V1__DescribeResponse *described = NULL;
    bool has_health = false;

    assert_ok(client_admin_list_methods(&list, admin->client, &list_request, NULL,
                                        &admin->arena, &admin->err),
              &admin->err);
    assert_ok(client_admin_describe(&described, admin->client, &describe_request, NULL,
                                    &admin->arena, &admin->err),
              &admin->err);
    assert_true(described->file_descriptor_set.len > 1000);
    for (size_t i = 0; i < list->n_methods; i++) {
        const Metercache__V1__MethodInfo *method = list->methods[i];
        const char *slash = strrchr(method->name, '/');

        assert_non_null(slash);
        assert_true(!method->implemented || method->n_roles > 0);
        assert_true(holds(&described->file_descriptor_set, slash + 1));
        has_health |= strcmp(method->name, "/metercache.v1.HealthService/Check") == 0;
    }
    assert_true(has_health);
}

static void assert_stats_and_connections(struct caller *admin)
{
    Metercache__V1__GetStatsRequest stats_request = METERCACHE__V1__GET_STATS_REQUEST__INIT;
    Metercache__V1__ListConnectionsRequest connections_request =
        METERCACHE__V1__LIST_CONNECTIONS_REQUEST__INIT;
    Metercache__V1__GetStatsResponse *stats = NULL;
    Metercache__V1__ListConnectionsResponse *connections = NULL;

    assert_ok(client_admin_get_stats(&stats, admin->client, &stats_request, NULL,
                                     &admin->arena, &admin->err),
              &admin->err);
    assert_true(stats->n_stats > 0);
    for (size_t i = 0; i < stats->n_stats; i++)
        assert_string_not_equal(stats->stats[i]->help, "");
    assert_ok(client_admin_list_connections(&connections, admin->client,
                                            &connections_request, NULL, &admin->arena,
                                            &admin->err),
              &admin->err);
    assert_true(connections->n_connections > 0);
    for (size_t i = 0; i < connections->n_connections; i++)
        assert_non_null(strstr(connections->connections[i]->peer, "127.0.0.1"));
}

static void test_admin_methods_tell_how_each_service_is_doing(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        struct caller admin;

        caller_init(&admin, stack_client(fixture->stack, SERVICES[i], "admin"));
        assert_methods_are_described(&admin);
        assert_stats_and_connections(&admin);
        caller_done(&admin);
    }
}

/* No token, key or password, whatever it is called. */
static void assert_no_secret(struct fixture *fixture, const char *text)
{
    static const char *const TOKEN_NAMES[] = {"alice", "admin", "cache-service",
                                              "quota-service", "provider-gateway"};

    assert_null(strstr(text, "simulator-modash-key"));
    assert_null(strstr(text, "simulator-clay-key"));
    assert_null(strstr(text, "postgresql://"));
    for (size_t i = 0; i < COUNT_OF(TOKEN_NAMES); i++)
        assert_null(strstr(text, stack_token(fixture->stack, TOKEN_NAMES[i])));
}

/* S2 */
static void test_show_config_hides_every_secret(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__ShowConfigRequest request = METERCACHE__V1__SHOW_CONFIG_REQUEST__INIT;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        struct caller admin;
        Metercache__V1__ShowConfigResponse *reply = NULL;
        size_t hidden = 0;

        caller_init(&admin, stack_client(fixture->stack, SERVICES[i], "admin"));
        assert_ok(client_admin_show_config(&reply, admin.client, &request, NULL,
                                           &admin.arena, &admin.err),
                  &admin.err);
        assert_true(reply->n_values > 5);
        for (size_t at = 0; at < reply->n_values; at++) {
            const Metercache__V1__ConfigValue *value = reply->values[at];

            assert_no_secret(fixture, value->value);
            hidden += strcmp(value->value, "(secret)") == 0;
            /* keys are the gateway's alone */
            assert_true(SERVICES[i] == STACK_GATEWAY ||
                        strstr(value->name, "API_KEY") == NULL);
            assert_true(SERVICES[i] == STACK_CACHE ||
                        strstr(value->name, "DATABASE") == NULL);
        }
        assert_true(hidden > 0);
        caller_done(&admin);
    }
}

static void test_set_log_level_tells_the_former_one(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__SetLogLevelRequest request =
        METERCACHE__V1__SET_LOG_LEVEL_REQUEST__INIT;
    Metercache__V1__SetLogLevelResponse *reply = NULL;
    static const char *const LEVELS[] = {"debug", "error", "info"};
    const char *former = "info";

    for (size_t i = 0; i < COUNT_OF(LEVELS); i++) {
        request.level = (char *)LEVELS[i];
        assert_ok(client_admin_set_log_level(&reply, fixture->admin.client, &request, NULL,
                                             &fixture->admin.arena, &fixture->admin.err),
                  &fixture->admin.err);
        assert_int_equal(strcasecmp(reply->former_level, former), 0);
        former = LEVELS[i];
    }
    request.level = (char *)"loud";
    assert_status(client_admin_set_log_level(&reply, fixture->admin.client, &request, NULL,
                                             &fixture->admin.arena, &fixture->admin.err),
                  &fixture->admin.err, ST_INVALID);
    assert_field(&fixture->admin.err, "level");
}

/* --------------------------------------------------------------------- ops pages ------- */

static int ask_ops(struct fixture *fixture, const char *name, const char *path, char **body)
{
    char *url = mem_printf("%s%s", stack_value(fixture->stack, name), path);
    struct http_answer answer;

    http_ask(&answer, url, NULL, NULL);
    mem_free(url);
    *body = answer.body;
    return answer.status;
}

static int ops_status(struct fixture *fixture, const char *name, const char *path)
{
    char *body;
    int status = ask_ops(fixture, name, path, &body);

    mem_free(body);
    return status;
}

static void test_ops_pages_answer_and_hold_no_secret(void **state)
{
    static const char *const PAGES[] = {"/livez", "/readyz", "/metrics"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(OPS); i++) {
        for (size_t at = 0; at < COUNT_OF(PAGES); at++) {
            char *body;

            assert_int_equal(ask_ops(fixture, OPS[i], PAGES[at], &body), 200);
            assert_no_secret(fixture, body);
            if (strcmp(PAGES[at], "/metrics") == 0)
                assert_non_null(strstr(body, "# TYPE "));
            mem_free(body);
        }
        assert_int_equal(ops_status(fixture, OPS[i], "/"), 404);
        assert_int_equal(ops_status(fixture, OPS[i], "/a%41"), 404);
    }
}

/* Not ready, but alive, while what it needs is away; ready again once that is back. */
static void test_readiness_follows_the_database(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    stack_kill(fixture->stack, STACK_POSTGRES);
    assert_eventually(ops_status(fixture, OPS[0], "/readyz") == 503, 15000);
    assert_int_equal(ops_status(fixture, OPS[0], "/livez"), 200);
    fixture->alice.timeout_ms = 5000;
    assert_status(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
                  &fixture->alice.err, ST_UNAVAILABLE);
    assert_true(fixture->alice.outcome.elapsed_us < 5 * CLOCK_US_PER_SECOND);
    stack_start(fixture->stack, STACK_POSTGRES);
    assert_eventually(ops_status(fixture, OPS[0], "/readyz") == 200, 15000);
    assert_eventually(
        call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply) == ST_OK,
        15000);
    fixture->alice.timeout_ms = 0;
}

/* --------------------------------------------------------------- the program metercache ---- */

static int run_as(struct fixture *fixture, const char *token_name,
                  const char *const *arguments, char **out)
{
    return stack_run_cli(fixture->stack, token_name, arguments, out);
}

/* Runs with --json as alice; the exit status must be 0 and the output one document. */
static json_t *run_json(struct fixture *fixture, const char *const *arguments)
{
    const char *all[16] = {"--json"};
    json_error_t error;
    char *out;
    int status;

    for (size_t i = 0; arguments[i] != NULL && i < COUNT_OF(all) - 2; i++)
        all[i + 1] = arguments[i];
    status = run_as(fixture, "alice", all, &out);
    if (status != 0)
        fail_msg("metercache %s ended with %d: %s", arguments[0], status, out);
    json_t *root = json_loads(out, 0, &error);
    if (root == NULL)
        fail_msg("metercache %s: %s in: %.200s", arguments[0], error.text, out);
    mem_free(out);
    return root;
}

#define RUN_JSON(...) run_json(fixture, (const char *const[]){__VA_ARGS__, NULL})

static int run_status(struct fixture *fixture, const char *token_name,
                      const char *const *arguments)
{
    char *out;
    int status = run_as(fixture, token_name, arguments, &out);

    mem_free(out);
    return status;
}

#define RUN(token_name, ...) \
    run_status(fixture, (token_name), (const char *const[]){__VA_ARGS__, NULL})

static int64_t number_at(const json_t *root, const char *object, const char *name)
{
    const json_t *value = json_object_get(json_object_get(root, object), name);

    assert_non_null(value);
    return json_integer_value(value);
}

/* The main job, as a person does it. */
static void test_cli_does_the_main_job(void **state)
{
    static const char FILTERS[] = "{\"influencer\":{\"followers\":{\"min\":60000}}}";
    struct fixture *fixture = *state;
    json_t *found = RUN_JSON("creators", "search", "--platform", "instagram", "--filters",
                             FILTERS, "--count", "20");
    json_t *creators = json_object_get(found, "creators");

    assert_int_equal(json_array_size(creators), 20);
    assert_int_equal(number_at(found, "cost", "credits_milli"), 300);
    json_t *again = RUN_JSON("creators", "search", "--platform", "instagram", "--filters",
                             FILTERS, "--count", "20");
    assert_int_equal(number_at(again, "cost", "credits_milli"), 0);
    json_decref(again);

    const char *id = NULL;
    for (size_t i = 0; i < json_array_size(creators) && id == NULL; i++) {
        const json_t *creator = json_array_get(creators, i);

        if (!json_is_true(json_object_get(creator, "is_private")))
            id = json_string_value(json_object_get(creator, "provider_user_id"));
    }
    json_t *selected = RUN_JSON("creators", "select", "instagram", id);
    assert_int_equal(number_at(selected, "cost", "credits_milli"), 1000);
    json_decref(selected);
    json_t *enriched = RUN_JSON("creators", "enrich", "instagram", id);
    assert_non_null(json_object_get(enriched, "state"));
    json_decref(enriched);
    json_t *got = RUN_JSON("creators", "get", "instagram", id);
    assert_true(
        json_is_true(json_object_get(json_object_get(got, "creator"), "has_report")));
    json_decref(got);
    json_decref(found);
}

static void test_cli_tells_usage_calls_and_health(void **state)
{
    struct fixture *fixture = *state;
    json_t *usage = RUN_JSON("usage");
    json_t *calls = RUN_JSON("calls", "list");
    json_t *health = RUN_JSON("health");
    json_t *searches = RUN_JSON("creators", "searches");
    json_t *ping = RUN_JSON("call", "AdminService/Ping", "{}");

    assert_int_equal(json_array_size(json_object_get(usage, "meters")), 3);
    assert_non_null(json_object_get(calls, "calls"));
    assert_non_null(json_object_get(searches, "searches"));
    assert_string_equal(json_string_value(json_object_get(ping, "service")),
                        "cache-service");
    json_decref(usage);
    json_decref(calls);
    json_decref(health);
    json_decref(searches);
    json_decref(ping);
    /* for people too */
    assert_int_equal(RUN("alice", "usage"), 0);
    assert_int_equal(RUN("alice", "calls", "list"), 0);
    assert_int_equal(RUN("alice", "health"), 0);
    assert_int_equal(RUN("admin", "stats"), 0);
    assert_int_equal(RUN("admin", "config"), 0);
    assert_int_equal(RUN("admin", "connections"), 0);
    assert_int_equal(RUN("admin", "methods"), 0);
    assert_int_equal(RUN(NULL, "version"), 0);
    assert_int_equal(RUN(NULL, "help"), 0);
}

static void test_cli_exits_with_what_went_wrong(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(RUN("alice", "frobnicate"), 64);
    assert_int_equal(RUN("alice", "creators", "select", "instagram"), 64);
    assert_int_equal(RUN("alice", "creators", "get", "instagram", "123456789"), 10 + 5);
    assert_int_equal(RUN("alice", "creators", "search", "--platform", "instagram",
                         "--filters", "{\"nonsense\":1}"),
                     10 + 3);
    assert_int_equal(RUN("alice", "call", "CreatorService/Search",
                         "{\"platform\":\"instagram\",\"count\":0}"),
                     10 + 3);
    assert_int_equal(RUN("cron", "creators", "get", "instagram", "1"), 10 + 7);
    assert_int_equal(RUN(NULL, "creators", "get", "instagram", "1"), 10 + 16);
    assert_int_equal(RUN("alice", "drain", "cache"), 10 + 7);
    assert_int_equal(RUN("alice", "--endpoint", "tcp://127.0.0.1:1", "creators", "get",
                         "instagram", "1"),
                     10 + 14);
    assert_int_equal(RUN("admin", "call", "CreatorService/MatchCreators", "{}"), 10 + 12);
}

/* An admin ends a process in good order; its supervisor starts it again. */
static void test_drain_ends_the_process_in_good_order(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        assert_int_equal(RUN("admin", "drain", stack_service_name(SERVICES[i])), 0);
        assert_eventually(!stack_is_running(fixture->stack, SERVICES[i]), 15000);
    }
    for (size_t i = 0; i < COUNT_OF(SERVICES); i++)
        stack_start(fixture->stack, SERVICES[i]);
    assert_eventually(RUN("alice", "health") == 0, 10000);
}

static int set_up(void **state)
{
    return fixture_up(state, "admin", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_health_of_each_service_is_serving_without_a_token),
        TEST(test_ping_tells_which_process_answers),
        TEST(test_admin_methods_tell_how_each_service_is_doing),
        TEST(test_show_config_hides_every_secret),
        TEST(test_set_log_level_tells_the_former_one),
        TEST(test_ops_pages_answer_and_hold_no_secret),
        TEST(test_cli_does_the_main_job),
        TEST(test_cli_tells_usage_calls_and_health),
        TEST(test_cli_exits_with_what_went_wrong),
        TEST(test_readiness_follows_the_database),
        TEST(test_drain_ends_the_process_in_good_order),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
