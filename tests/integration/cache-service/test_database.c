/* The pool and its statements against a database that is slow, gone or unsafe. */
#include "store_fixture.h"

#include <signal.h>

#include "core/buf.h"
#include "core/stats.h"
#include "core/thread.h"
#include "store/creators_store.h"

#define HEAL_MS 20000

// clang-format off
static const struct db_statement ONE = {"one", "SELECT 1", 0, "i", DB_ONE};
static const struct db_statement SLEEP = {"sleep", "SELECT pg_sleep(30)", 0, "v", DB_ONE};
static const struct db_statement PID = {"pid", "SELECT pg_backend_pid()", 0, "i", DB_ONE};
// clang-format on

static struct db *a_pool(unsigned connections)
{
    return open_db(pg_cluster_url(cluster, "runtime"), connections);
}

static struct db_session *acquire(struct db *db)
{
    struct db_session *session = NULL;

    assert_status(ST_OK, db_acquire(&session, db, clock_deadline_ms(CALL_MS), &err));
    return session;
}

static enum status execute(struct db_session *session, const struct db_statement *statement,
                           uint64_t timeout_ms)
{
    return db_execute(NULL, session, statement, NULL, clock_deadline_ms(timeout_ms), &err);
}

static enum status find_nobody(uint64_t timeout_ms)
{
    struct creator creator;
    bool found;
    struct creator_key key = {.platform = 1, .provider_user_id = "nobody"};
    struct store_call call = {store, &arena, clock_deadline_ms(timeout_ms), false};

    return creators_store_find(&creator, &found, &call, &key, &err);
}

/* Until a read works again; how long that took does not matter here, that it comes does. */
static void assert_heals(void)
{
    uint64_t deadline_us = clock_deadline_ms(HEAL_MS);

    enum status st = find_nobody(1000);
    while (st != ST_OK && clock_left_ms(deadline_us) > 0) {
        (void)poll(NULL, 0, 10);
        st = find_nobody(1000);
    }
    assert_status(ST_OK, st);
}

static bool metrics_say(const char *line)
{
    struct buf page;

    buf_init(&page, 1u << 20);
    stats_print(&page);
    bool found = strstr(buf_text(&page), line) != NULL;
    buf_done(&page);
    return found;
}

/* ---- deadlines ---- */

static void test_db_execute_past_its_deadline_returns_and_cancels(void **state)
{
    (void)state;
    struct db *db = a_pool(1);
    struct db_session *session = acquire(db);
    uint64_t start_us = clock_mono_us();
    assert_status(ST_DEADLINE, execute(session, &SLEEP, 200));
    uint64_t took_ms = (clock_mono_us() - start_us) / 1000;
    assert_in_range(took_ms, 190, 1000);
    assert_status(ST_UNAVAILABLE, execute(session, &ONE, CALL_MS)); /* a broken session */
    db_release(session);

    session = acquire(db); /* a new connection */
    assert_status(ST_OK, execute(session, &ONE, CALL_MS));
    assert_true(metrics_say("\nmetercache_database_connections_busy 1\n"));
    db_release(session);
    struct db_load load;
    db_load(db, &load);
    assert_int_equal(load.expired, 1);
    assert_int_equal(load.opened, 2);
    assert_int_equal(load.open, 1);
    assert_int_equal(load.busy, 0);
    assert_true(metrics_say("\nmetercache_database_connections_busy 0\n"));

    uint64_t deadline_us = clock_deadline_ms(HEAL_MS);
    int64_t running = 1;
    while (running > 0 && clock_left_ms(deadline_us) > 0)
        running = ask("postgres", "SELECT count(*) FROM pg_stat_activity"
                                  " WHERE state = 'active' AND query LIKE '%pg_sleep(30)%'"
                                  " AND pid <> pg_backend_pid()");
    assert_int_equal(running, 0); /* the server gave up too, long before 30 s */
    db_close(db);
}

static void test_db_execute_server_limit_is_a_deadline(void **state)
{
    (void)state;
    char *conninfo = arena_printf(&arena, "%s&options=-c%%20statement_timeout%%3D100",
                                  pg_cluster_url(cluster, "runtime"));
    struct db *db = open_db(conninfo, 1);
    struct db_session *session = acquire(db);
    assert_status(ST_DEADLINE, execute(session, &SLEEP, CALL_MS));
    assert_status(ST_OK, execute(session, &ONE, CALL_MS)); /* and the connection stays */
    db_release(session);
    db_close(db);
}

/* C8 */
static void test_db_acquire_all_busy_is_unavailable_at_the_deadline(void **state)
{
    (void)state;
    struct db *db = a_pool(1);
    struct db_session *held = acquire(db), *session = NULL;
    assert_status(ST_UNAVAILABLE, db_acquire(&session, db, clock_deadline_ms(50), &err));
    assert_string_equal(err.reason, "DATABASE_BUSY");
    assert_int_equal(err.retry_after_ms, 100);
    assert_null(session);
    db_release(held);
    db_release(acquire(db));
    db_close(db);
}

/* ---- shapes ---- */

static void test_db_execute_other_shape_than_stated_is_internal(void **state)
{
    (void)state;
    // clang-format off
    static const struct db_statement WRONG[] = {
        {"w1", "SELECT 1", 0, "t", DB_ONE},
        {"w2", "SELECT 1, 2", 0, "i", DB_ONE},
        {"w3", "SELECT 1", 0, "", DB_NONE},
        {"w4", "SELECT generate_series(1, 2)", 0, "i", DB_ONE},
        {"w5", "SELECT generate_series(1, 2)", 0, "i", DB_AT_MOST_ONE},
        {"w6", "SELECT 1 WHERE false", 0, "i", DB_ONE},
        {"w7", "SELECT $1::bigint", 1, "i", DB_ONE},
        {"w8", "SELECT nonsense", 0, "i", DB_ONE},
    };
    // clang-format on
    struct db *db = a_pool(1);
    struct db_session *session = acquire(db);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++)
        assert_status(ST_INTERNAL, execute(session, &WRONG[i], CALL_MS));
    assert_status(ST_OK, execute(session, &ONE, CALL_MS));
    db_release(session);
    db_close(db);
}

static void test_db_execute_every_kind_of_value_comes_back(void **state)
{
    (void)state;
    // clang-format off
    static const struct db_statement ECHO = {
        "echo",
        "SELECT $1::bigint, $2::integer, $3::smallint, $4::boolean, $5::timestamptz, $6::uuid,"
        " $7::text, $8::bytea, $9::bigint, $10::timestamptz",
        10, "iiibTutyiT", DB_ONE};
    // clang-format on
    struct db *db = a_pool(1);
    struct db_session *session = acquire(db);
    struct db_params params;
    struct db_result result;
    struct op_id id = op_id_new();
    uint8_t bytes[3] = {0, 255, 7}, read[3];
    db_params_init(&params);
    db_param_i64(&params, INT64_MIN);
    db_param_i32(&params, -5);
    db_param_i16(&params, -6);
    db_param_bool(&params, true);
    db_param_time(&params, 1795300000123456LL);
    db_param_uuid(&params, &id);
    db_param_text(&params, "caf\xc3\xa9 '\"\\");
    db_param_bytes(&params, bytes, sizeof(bytes));
    db_param_known_i64(&params, -1);
    db_param_time(&params, 0);
    assert_status(ST_OK, db_execute(&result, session, &ECHO, &params,
                                    clock_deadline_ms(CALL_MS), &err));
    result.arena = &arena;
    assert_true(db_i64(&result, 0, 0) == INT64_MIN);
    assert_int_equal(db_i64(&result, 0, 1), -5);
    assert_int_equal(db_i64(&result, 0, 2), -6);
    assert_true(db_bool(&result, 0, 3));
    assert_int_equal(db_time_us(&result, 0, 4), 1795300000123456LL);
    struct op_id back = db_uuid(&result, 0, 5);
    assert_true(op_id_equal(&back, &id));
    assert_string_equal(db_text(&result, 0, 6), "caf\xc3\xa9 '\"\\");
    db_bytes(&result, 0, 7, read, sizeof(read));
    assert_memory_equal(read, bytes, sizeof(bytes));
    assert_true(db_is_null(&result, 0, 8));
    assert_int_equal(db_i64_or(&result, 0, 8, -1), -1);
    assert_int_equal(db_time_us(&result, 0, 9), 0);
    assert_status(ST_OK, db_result_finish(&result, &err));
    db_params_done(&params);
    db_release(session);
    db_close(db);
}

static void test_db_release_inside_a_transaction_loses_it(void **state)
{
    (void)state;
    static const struct db_statement INSERT = {
        "left_behind",
        "INSERT INTO metercache.creator_negative VALUES (1, 'left', 1, '', now())", 0, "",
        DB_NONE};
    struct db *db = a_pool(1);
    struct db_session *session = acquire(db);
    assert_status(ST_OK, db_begin_as(session, NULL, clock_deadline_ms(CALL_MS), &err));
    assert_status(ST_OK, execute(session, &INSERT, CALL_MS));
    db_release(session);
    session = acquire(db);
    assert_status(ST_OK, db_begin_as(session, NULL, clock_deadline_ms(CALL_MS), &err));
    assert_status(ST_OK, execute(session, &INSERT, CALL_MS));
    db_rollback(session);
    db_release(session);
    db_close(db);
    assert_int_equal(ask("reader", "SELECT count(*) FROM metercache.creator_negative"
                                   " WHERE key = 'left'"),
                     0);
}

/* ---- a database that dies ---- */

struct sleeper {
    struct db_session *session;
    enum status status;
};

static void *sleep_long(void *argument)
{
    struct sleeper *sleeper = argument;
    struct error own_err;

    sleeper->status = db_execute(NULL, sleeper->session, &SLEEP, NULL,
                                 clock_deadline_ms(HEAL_MS), &own_err);
    return NULL;
}

static void wait_until_asleep(int64_t pid)
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_stat_activity WHERE pid = %lld"
                   " AND wait_event = 'PgSleep'",
                   (long long)pid);
    uint64_t deadline_us = clock_deadline_ms(HEAL_MS);
    while (ask("postgres", sql) == 0)
        assert_true(clock_left_ms(deadline_us) > 0);
}

static int64_t checkpointer(void)
{
    int64_t pid = 0;

    (void)run_sql(&pid, "postgres",
                  "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
                  "i", DB_ONE);
    return pid;
}

/* After such a death the server restarts all its processes, a moment later. */
static void wait_for_restart(int64_t former)
{
    uint64_t deadline_us = clock_deadline_ms(HEAL_MS);

    for (int64_t now = former; now == former || now == 0; now = checkpointer())
        assert_true(clock_left_ms(deadline_us) > 0);
}

static void test_db_execute_backend_killed_is_unavailable_then_heals(void **state)
{
    (void)state;
    struct db *db = a_pool(1);
    struct db_session *session = acquire(db);
    struct db_result result;
    pthread_t thread;
    assert_status(
        ST_OK, db_execute(&result, session, &PID, NULL, clock_deadline_ms(CALL_MS), &err));
    int64_t pid = db_i64(&result, 0, 0);
    db_result_done(&result);
    assert_status(ST_OK, find_nobody(CALL_MS)); /* so that the store holds a connection */

    struct sleeper sleeper = {session, ST_OK};
    thread_start(&thread, "sleeper", 0, sleep_long, &sleeper);
    wait_until_asleep(pid);
    int64_t former = checkpointer();
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    thread_join(thread);
    assert_int_equal(sleeper.status, ST_UNAVAILABLE);
    db_release(session);
    db_close(db);
    wait_for_restart(former);
    assert_heals();
}

static void test_store_server_crashed_is_unavailable_fast_then_heals(void **state)
{
    (void)state;
    assert_status(ST_OK, find_nobody(CALL_MS));
    pg_cluster_crash(cluster);
    for (int i = 0; i < 20; i++) {
        uint64_t start_us = clock_mono_us();

        assert_status(ST_UNAVAILABLE, find_nobody(CALL_MS));
        assert_true(clock_mono_us() - start_us < 1000000);
    }
    assert_true(err.retry_after_ms > 0); /* the first ones may meet a dying connection */
    assert_false(store_is_reachable(store));
    pg_cluster_resume(cluster);
    assert_heals();
    assert_true(store_is_reachable(store));
}

static void test_store_may_lag_falls_back_to_the_primary(void **state)
{
    (void)state;
    struct store *with_replica;
    struct store_options options = {.conninfo = pg_cluster_url(cluster, "runtime"),
                                    .replica_conninfo = "host=/nowhere"};
    struct creator creator;
    bool found = true;
    struct creator_key key = {.platform = 1, .provider_user_id = "nobody"};
    assert_status(ST_OK, store_open(&with_replica, &options, &err));
    struct store_call call = {with_replica, &arena, clock_deadline_ms(CALL_MS), true};
    assert_status(ST_OK, creators_store_find(&creator, &found, &call, &key, &err));
    assert_false(found);
    store_close(with_replica);
}

static enum status find_lagging(struct store *with_replica, uint64_t timeout_ms)
{
    struct creator creator;
    bool found;
    struct creator_key key = {.platform = 1, .provider_user_id = "nobody"};
    struct store_call call = {with_replica, &arena, clock_deadline_ms(timeout_ms), true};

    return creators_store_find(&creator, &found, &call, &key, &err);
}

static void test_store_may_lag_hung_replica_leaves_time_for_the_primary(void **state)
{
    (void)state;
    struct store *with_replica;
    struct store_options options = {.conninfo = pg_cluster_url(cluster, "runtime"),
                                    .replica_conninfo = pg_cluster_url(cluster, "reader"),
                                    .connections = 1};
    assert_status(ST_OK, store_open(&with_replica, &options, &err));
    assert_status(ST_OK, find_lagging(with_replica, CALL_MS)); /* the replica, connected */
    pid_t pid = (pid_t)ask("postgres", "SELECT pid FROM pg_stat_activity"
                                       " WHERE usename = 'metercache_reader'");
    assert_int_equal(kill(pid, SIGSTOP), 0);
    uint64_t start_us = clock_mono_us();
    enum status st = find_lagging(with_replica, 2000);
    uint64_t took_ms = (clock_mono_us() - start_us) / 1000;
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_status(ST_OK, st);
    assert_in_range(took_ms, 900, 1900);
    store_close(with_replica);
}

/* ---- what is not safe ---- */

static enum status check(const char *conninfo)
{
    struct store *other;
    struct store_options options = {.conninfo = conninfo};

    assert_status(ST_OK, store_open(&other, &options, &err));
    struct store_call call = {other, &arena, clock_deadline_ms(CALL_MS), false};
    enum status st = store_check(&call, &err);
    store_close(other);
    return st;
}

static void test_store_check_takes_the_runtime_role_only(void **state)
{
    (void)state;
    assert_status(ST_OK, check(pg_cluster_url(cluster, "runtime")));
    assert_status(ST_PRECONDITION, check(pg_cluster_url(cluster, "postgres")));
    assert_non_null(strstr(err.message, "superuser"));
    assert_status(ST_PRECONDITION, check(pg_cluster_url(cluster, "owner")));
    assert_non_null(strstr(err.message, "owns the schema"));
    assert_status(ST_OK, command("postgres", "ALTER ROLE metercache_reader BYPASSRLS"));
    assert_status(ST_PRECONDITION, check(pg_cluster_url(cluster, "reader")));
    assert_status(ST_OK, command("postgres", "ALTER ROLE metercache_reader NOBYPASSRLS"));
}

/* Change a server setting and wait until new connections see it. */
static void set_server(const char *name, const char *value)
{
    char sql[128];

    (void)snprintf(sql, sizeof(sql), "ALTER SYSTEM SET %s = %s", name, value);
    assert_status(ST_OK, command("postgres", sql));
    assert_status(ST_OK, run_sql(NULL, "postgres", "SELECT pg_reload_conf()", "b", DB_ONE));
    (void)snprintf(sql, sizeof(sql), "SELECT (current_setting('%s') = '%s')::integer", name,
                   value);
    uint64_t deadline_us = clock_deadline_ms(HEAL_MS);
    while (ask("runtime", sql) == 0)
        assert_true(clock_left_ms(deadline_us) > 0);
}

static void test_store_check_refuses_settings_that_lose_commits(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"fsync", "full_page_writes"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        set_server(NAMES[i], "off");
        assert_status(ST_PRECONDITION, check(pg_cluster_url(cluster, "runtime")));
        assert_non_null(strstr(err.message, NAMES[i]));
        set_server(NAMES[i], "on");
    }
    char *conninfo = arena_printf(&arena, "%s&options=-c%%20synchronous_commit%%3Doff",
                                  pg_cluster_url(cluster, "runtime"));
    assert_status(ST_PRECONDITION, check(conninfo));
    assert_non_null(strstr(err.message, "synchronous_commit"));
}

static void test_store_open_bad_conninfo_is_invalid_and_not_repeated(void **state)
{
    (void)state;
    struct store *other = NULL;
    struct store_options options = {.conninfo = "host=x password=geheim nonsense=1"};
    assert_status(ST_INVALID, store_open(&other, &options, &err));
    assert_null(strstr(err.message, "geheim"));
    assert_null(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_db_execute_past_its_deadline_returns_and_cancels),
        cmocka_unit_test(test_db_execute_server_limit_is_a_deadline),
        cmocka_unit_test(test_db_acquire_all_busy_is_unavailable_at_the_deadline),
        cmocka_unit_test(test_db_execute_other_shape_than_stated_is_internal),
        cmocka_unit_test(test_db_execute_every_kind_of_value_comes_back),
        cmocka_unit_test(test_db_release_inside_a_transaction_loses_it),
        cmocka_unit_test(test_db_execute_backend_killed_is_unavailable_then_heals),
        cmocka_unit_test(test_store_server_crashed_is_unavailable_fast_then_heals),
        cmocka_unit_test(test_store_may_lag_falls_back_to_the_primary),
        cmocka_unit_test(test_store_may_lag_hung_replica_leaves_time_for_the_primary),
        cmocka_unit_test(test_store_check_takes_the_runtime_role_only),
        cmocka_unit_test(test_store_check_refuses_settings_that_lose_commits),
        cmocka_unit_test(test_store_open_bad_conninfo_is_invalid_and_not_repeated),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
