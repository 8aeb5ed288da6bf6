/* AdminService of a tiny daemon, asked as an operator would. */
#include "daemon/admin_rpc.h"

#include <string.h>

#include "client/admin.h"
#include "core/base.h"
#include "support/expect.h"
#include "support/tiny_daemon.h"

static struct tiny_daemon tiny;

static int start(void **state)
{
    const char *const settings[] = {"TINY_LOG_LEVEL=info", NULL};

    (void)state;
    tiny_daemon_start(&tiny, settings);
    return 0;
}

static int done(void **state)
{
    (void)state;
    tiny_daemon_done(&tiny);
    return 0;
}

/* CALL(ping, Ping, PING): Metercache__V1__PingResponse *call_ping(void), asserted ST_OK. */
#define CALL(name, Type, TYPE)                                                            \
    static enum status try_##name(Metercache__V1__##Type##Response **reply)               \
    {                                                                                     \
        Metercache__V1__##Type##Request request = METERCACHE__V1__##TYPE##_REQUEST__INIT; \
                                                                                          \
        return client_admin_##name(reply, tiny.client, &request, NULL, &tiny.arena,       \
                                   &tiny.err);                                            \
    }                                                                                     \
    static Metercache__V1__##Type##Response *call_##name(void)                            \
    {                                                                                     \
        Metercache__V1__##Type##Response *reply = NULL;                                   \
                                                                                          \
        assert_ok(try_##name(&reply), &tiny.err);                                         \
        return reply;                                                                     \
    }                                                                                     \
    static enum status status_of_##name(void)                                             \
    {                                                                                     \
        Metercache__V1__##Type##Response *reply = NULL;                                   \
                                                                                          \
        return try_##name(&reply);                                                        \
    }

CALL(ping, Ping, PING)
CALL(get_stats, GetStats, GET_STATS)
CALL(list_methods, ListMethods, LIST_METHODS)
CALL(describe, Describe, DESCRIBE)
CALL(list_connections, ListConnections, LIST_CONNECTIONS)
CALL(show_config, ShowConfig, SHOW_CONFIG)

static enum status set_log_level(const char *level,
                                 Metercache__V1__SetLogLevelResponse **reply)
{
    Metercache__V1__SetLogLevelRequest request =
        METERCACHE__V1__SET_LOG_LEVEL_REQUEST__INIT;

    request.level = (char *)level;
    return client_admin_set_log_level(reply, tiny.client, &request, NULL, &tiny.arena,
                                      &tiny.err);
}

static enum status status_of_set_log_level(void)
{
    Metercache__V1__SetLogLevelResponse *reply;

    return set_log_level("info", &reply);
}

static enum status status_of_drain(void)
{
    Metercache__V1__DrainRequest request = METERCACHE__V1__DRAIN_REQUEST__INIT;
    Metercache__V1__DrainResponse *reply;

    return client_admin_drain(&reply, tiny.client, &request, NULL, &tiny.arena, &tiny.err);
}

static void test_each_role_gets_what_it_may(void **state)
{
    (void)state;
    const uint32_t operators = RPC_ROLE_STAFF | RPC_ROLE_ADMIN;
    const struct {
        enum status (*call)(void);
        uint32_t roles;
    } rows[] = {
        {status_of_ping, RPC_ROLES_ANY},
        {status_of_list_methods, RPC_ROLES_ANY},
        {status_of_describe, RPC_ROLES_ANY},
        {status_of_get_stats, operators},
        {status_of_list_connections, operators},
        {status_of_show_config, operators},
        {status_of_set_log_level, RPC_ROLE_ADMIN},
        {status_of_drain, RPC_ROLE_ADMIN}, /* admin is not asked: see below */
    };

    for (unsigned role = RPC_ROLE_CLIENT; role <= RPC_ROLE_SERVICE; role <<= 1) {
        tiny_daemon_call_as(&tiny, (enum rpc_role)role);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            bool may = (rows[i].roles & role) != 0;

            if (may && rows[i].call == status_of_drain)
                continue;
            print_message("%s, row %zu\n", rpc_role_name((enum rpc_role)role), i);
            assert_status(rows[i].call(), &tiny.err, may ? ST_OK : ST_DENIED);
        }
    }
}

static void test_ping_says_who_answers(void **state)
{
    (void)state;
    const Metercache__V1__PingResponse *reply = call_ping();

    assert_string_equal(reply->service, "tiny");
    assert_int_equal(reply->protocol_version, 1);
    assert_string_not_equal(reply->version, "");
    assert_int_equal(strlen(reply->instance_id), 32);
    assert_true(reply->uptime_us < 600 * (uint64_t)CLOCK_US_PER_SECOND);
    assert_true(reply->now_us > clock_wall_us() - 60 * CLOCK_US_PER_SECOND);
    assert_string_equal(call_ping()->instance_id, reply->instance_id);
}

static const Metercache__V1__MethodInfo *find_method(
    const Metercache__V1__ListMethodsResponse *reply, const char *name)
{
    for (size_t i = 0; i < reply->n_methods; i++) {
        if (strcmp(reply->methods[i]->name, name) == 0)
            return reply->methods[i];
    }
    fail_msg("%s is not listed", name);
    return NULL;
}

static void test_list_methods_shows_roles_and_kinds(void **state)
{
    (void)state;
    const Metercache__V1__ListMethodsResponse *reply = call_list_methods();
    const Metercache__V1__MethodInfo *drain =
        find_method(reply, "/metercache.v1.AdminService/Drain");
    const Metercache__V1__MethodInfo *check =
        find_method(reply, "/metercache.v1.HealthService/Check");
    const Metercache__V1__MethodInfo *list =
        find_method(reply, "/metercache.v1.CallLogService/ListCalls");

    assert_true(drain->implemented);
    assert_int_equal(drain->n_roles, 1);
    assert_string_equal(drain->roles[0], "admin");
    assert_false(drain->blocking);
    assert_true(check->n_roles >= 1);
    assert_string_equal(check->roles[0], "public");
    assert_true(list->blocking);
    assert_false(list->idempotent);
    assert_int_equal(list->n_roles, 5);
    assert_string_equal(list->roles[0], "client");
    assert_string_equal(list->roles[4], "service");
}

static bool holds(const ProtobufCBinaryData *bytes, const char *text)
{
    size_t size = strlen(text);

    for (size_t i = 0; i + size <= bytes->len; i++) {
        if (memcmp(bytes->data + i, text, size) == 0)
            return true;
    }
    return false;
}

static void test_describe_holds_all_protos(void **state)
{
    (void)state;
    const Metercache__V1__DescribeResponse *reply = call_describe();
    static const char *const names[] = {"metercache/v1/admin.proto",
                                        "metercache/v1/quota.proto", "CreatorService"};

    assert_true(reply->file_descriptor_set.len > 10000);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(holds(&reply->file_descriptor_set, names[i]));
}

static const Metercache__V1__Stat *find_stat(const Metercache__V1__GetStatsResponse *reply,
                                             const char *name)
{
    for (size_t i = 0; i < reply->n_stats; i++) {
        if (strstr(reply->stats[i]->name, name) != NULL)
            return reply->stats[i];
    }
    return NULL;
}

static void test_get_stats_keeps_to_the_prefix(void **state)
{
    (void)state;
    Metercache__V1__GetStatsRequest request = METERCACHE__V1__GET_STATS_REQUEST__INIT;
    Metercache__V1__GetStatsResponse *reply = NULL;

    assert_true(call_get_stats()->n_stats > 5);
    assert_non_null(find_stat(call_get_stats(), "_p99_us"));
    request.prefix = (char *)"metercache_rpc_";
    assert_ok(
        client_admin_get_stats(&reply, tiny.client, &request, NULL, &tiny.arena, &tiny.err),
        &tiny.err);
    assert_true(reply->n_stats > 0);
    for (size_t i = 0; i < reply->n_stats; i++)
        assert_memory_equal(reply->stats[i]->name, "metercache_rpc_", 15);
    request.prefix = (char *)"nothing_is_called_so";
    assert_ok(
        client_admin_get_stats(&reply, tiny.client, &request, NULL, &tiny.arena, &tiny.err),
        &tiny.err);
    assert_int_equal(reply->n_stats, 0);
}

static void test_list_connections_shows_ours(void **state)
{
    (void)state;
    const Metercache__V1__ListConnectionsResponse *reply;

    (void)call_ping();
    reply = call_list_connections();
    assert_true(reply->n_connections >= 1);
    assert_non_null(strstr(reply->connections[0]->peer, "127.0.0.1"));
    assert_true(reply->connections[0]->since_us > 0);
}

static const char *value_of(const Metercache__V1__ShowConfigResponse *reply,
                            const char *name, bool *is_default)
{
    for (size_t i = 0; i < reply->n_values; i++) {
        if (strcmp(reply->values[i]->name, name) == 0) {
            *is_default = reply->values[i]->is_default;
            return reply->values[i]->value;
        }
    }
    fail_msg("%s is not shown", name);
    return NULL;
}

static void test_show_config_hides_secrets(void **state)
{
    (void)state;
    const Metercache__V1__ShowConfigResponse *reply = call_show_config();
    bool is_default;

    assert_string_equal(value_of(reply, "TINY_KEY", &is_default), "(secret)");
    assert_string_equal(value_of(reply, "TINY_WORKERS", &is_default), "4");
    assert_true(is_default);
    assert_string_equal(value_of(reply, "TINY_TOKENS_FILE", &is_default), tiny.tokens_path);
    assert_false(is_default);
    for (size_t i = 0; i < reply->n_values; i++)
        assert_null(strstr(reply->values[i]->value, TINY_SECRET));
}

static void test_set_log_level_takes_effect_and_names_the_former(void **state)
{
    (void)state;
    Metercache__V1__SetLogLevelResponse *reply = NULL;

    assert_ok(set_log_level("DEBUG", &reply), &tiny.err);
    assert_string_equal(reply->former_level, "INFO");
    child_await_text(&tiny.child, "log level set");
    assert_ok(set_log_level("error", &reply), &tiny.err);
    assert_string_equal(reply->former_level, "DEBUG");
    assert_status(set_log_level("loud", &reply), &tiny.err, ST_INVALID);
    assert_field(&tiny.err, "level");
}

static void test_drain_answers_and_ends_the_daemon_with_0(void **state)
{
    (void)state;
    assert_ok(status_of_drain(), &tiny.err);
    assert_int_equal(child_wait(&tiny.child), 0);
    assert_int_equal(child_count_text(&tiny.child, "drain asked for by=admin"), 1);
    assert_int_equal(child_count_text(&tiny.child, "service closed"), 1);
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, start, done)

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(test_each_role_gets_what_it_may),
        WITH_DAEMON(test_ping_says_who_answers),
        WITH_DAEMON(test_list_methods_shows_roles_and_kinds),
        WITH_DAEMON(test_describe_holds_all_protos),
        WITH_DAEMON(test_get_stats_keeps_to_the_prefix),
        WITH_DAEMON(test_list_connections_shows_ours),
        WITH_DAEMON(test_show_config_hides_secrets),
        WITH_DAEMON(test_set_log_level_takes_effect_and_names_the_former),
        WITH_DAEMON(test_drain_answers_and_ends_the_daemon_with_0),
    };

    if (argc > 1 && strcmp(argv[1], CHILD_MARK) == 0)
        return tiny_daemon_main(argc - 1, argv + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
