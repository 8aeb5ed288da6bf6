/* Reading the ledger and the call log, and who may not change them (C7, C11). */
#include "ledger_fixture.h"

#include "store/calls_store.h"

/* ---- reading back ---- */

static void test_ledger_store_list_reservations_pages_over_all_open_ones(void **state)
{
    (void)state;
    static const size_t LEFT[] = {0, 2, 3, 4};
    struct op_id opened[5], after = {{0}};
    use_meter("m.list");
    assert_status(ST_OK, command("owner", "DELETE FROM metercache.quota_reservation"));
    for (size_t i = 0; i < COUNT_OF(opened); i++) {
        opened[i] = next_id();
        struct ledger_event event = an_event(RESERVE, opened[i], 100);
        commit(&event, 1);
    }
    struct ledger_event settle = a_settle(opened[1], 100, 100);
    commit(&settle, 1);
    for (size_t i = 0; i < COUNT_OF(LEFT); i += 2) {
        struct store_call call = a_call();
        const struct ledger_event *events;
        size_t found;

        assert_status(
            ST_OK, ledger_store_list_reservations(&events, &found, &call, &after, 2, &err));
        assert_int_equal(found, 2);
        assert_true(op_id_equal(&events[0].op_id, &opened[LEFT[i]]));
        assert_true(op_id_equal(&events[1].reservation_id, &opened[LEFT[i + 1]]));
        assert_int_equal(events[0].kind, RESERVE);
        assert_int_equal(events[0].amount_milli, 100);
        assert_int_equal(events[0].expires_at_us, NOW + 60000000);
        assert_string_equal(events[0].purpose.user, "alice");
        assert_memory_equal(events[0].body_hash, settle.body_hash, 16);
        after = events[1].op_id;
    }
}

static size_t list_calls(const struct call_record **out, const struct calls_filter *filter,
                         const struct calls_cursor *behind, size_t limit)
{
    struct store_call call = a_call();
    size_t found = 0;

    assert_status(ST_OK, calls_store_list(out, &found, &call, filter, behind, limit, &err));
    return found;
}

static void log_a_call(int i)
{
    struct op_id id = next_id();
    struct ledger_event reserve = an_event(RESERVE, id, 100);
    struct ledger_event settle = a_settle(id, 100, 100);

    settle.purpose.user = i % 2 == 0 ? "list.even" : "list.odd";
    settle.purpose.provider = "clay";
    settle.at_us = NOW + 1000000 + i / 2; /* two of them at one instant */
    settle.call.outcome = 1 + i % 3;
    commit(&reserve, 1);
    commit(&settle, 1);
}

/* C7 */
static void test_calls_store_list_filters_and_pages_newest_first(void **state)
{
    (void)state;
    const struct call_record *calls;
    struct calls_cursor newest = {0};
    use_meter("m.calls");
    for (int i = 0; i < 6; i++)
        log_a_call(i);
    struct calls_filter clay = {.provider = "clay"};
    assert_int_equal(list_calls(&calls, &clay, &newest, 4), 4);
    assert_int_equal(calls[0].at_us, NOW + 1000002);
    assert_int_equal(calls[3].at_us, NOW + 1000001);
    assert_int_equal(calls[0].credits_milli, 100);
    assert_int_equal(calls[0].http_status, 200);
    assert_string_equal(calls[0].meter, "m.calls");
    assert_string_equal(calls[0].detail, "fine");
    struct calls_cursor behind = {calls[2].event_id};
    struct op_id fourth = calls[3].event_id;
    assert_int_equal(list_calls(&calls, &clay, &behind, 10), 3);
    assert_true(op_id_equal(&calls[0].event_id, &fourth));

    struct calls_filter even = {.user = "list.even"};
    assert_int_equal(list_calls(&calls, &even, &newest, 10), 3);
    struct calls_filter odd_empty = {.user = "list.odd", .outcome = 2};
    assert_int_equal(list_calls(&calls, &odd_empty, &newest, 10), 1);
    struct calls_filter window = {
        .provider = "clay", .from_us = NOW + 1000001, .until_us = NOW + 1000002};
    assert_int_equal(list_calls(&calls, &window, &newest, 10), 2);
    struct calls_filter none = {.action = "search"};
    assert_int_equal(list_calls(&calls, &none, &newest, 10), 0);
    assert_null(calls);
}

/* ---- rights ---- */

/* C7, S2: whoever holds the runtime role's password cannot rewrite what happened */
static void test_runtime_role_cannot_change_ledger_log_or_schema(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "UPDATE metercache.ledger_event SET amount_milli = 0",
        "DELETE FROM metercache.ledger_event",
        "TRUNCATE metercache.ledger_event",
        "INSERT INTO metercache.ledger_event DEFAULT VALUES",
        "UPDATE metercache.call_log SET credits_milli = 0",
        "DELETE FROM metercache.call_log",
        "UPDATE metercache.quota_batch SET events = 0",
        "DELETE FROM metercache.quota_batch",
        "UPDATE metercache.quota_counter SET limit_milli = 999999999",
        "UPDATE metercache.quota_writer SET epoch = 0",
        "DELETE FROM metercache.quota_reservation",
        "DELETE FROM metercache.creator",
        "DELETE FROM metercache.search_request",
        "UPDATE metercache.schema_migration SET name = 'x'",
        "CREATE TABLE metercache.mine (i integer)",
        "CREATE TABLE public.mine (i integer)",
        "DROP TABLE metercache.creator",
        "ALTER TABLE metercache.search_request DISABLE ROW LEVEL SECURITY",
    };
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        enum status st = command("runtime", REFUSED[i]);
        if (st != ST_DENIED)
            fail_msg("%s: %s %s", REFUSED[i], status_name(st), err.message);
    }
    assert_status(ST_DENIED,
                  run_sql(NULL, "runtime",
                          "SELECT metercache.make_partitions(now(), now())", "v", DB_ONE));
    assert_status(ST_DENIED, run_sql(NULL, "reader", "SELECT metercache.ledger_open('x')",
                                     "t", DB_MANY));
    assert_int_not_equal(ST_OK, command("reader", "INSERT INTO metercache.search_result"
                                                  " VALUES ('', 0, 1, 'x')"));
}

static int64_t partitions(const char *parent)
{
    char sql[128];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM pg_inherits WHERE inhparent = '%s'::regclass",
                   parent);
    return ask("reader", sql);
}

/* C11 */
static void test_store_ensure_partitions_makes_months_ahead_once(void **state)
{
    (void)state;
    struct store_call call = a_call();
    /* Three before, this, three ahead, and what is older. */
    assert_int_equal(partitions("metercache.ledger_event"), 8);
    int64_t in_six_months = clock_wall_us() + 183LL * 24 * 3600 * SECOND_US;
    assert_status(ST_OK, store_ensure_partitions(&call, in_six_months, &err));
    int64_t made = partitions("metercache.ledger_event");
    assert_in_range(made, 10, 12);
    assert_status(ST_OK, store_ensure_partitions(&call, in_six_months, &err));
    assert_int_equal(partitions("metercache.ledger_event"), made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_ensure_partitions_makes_months_ahead_once),
        cmocka_unit_test(test_ledger_store_list_reservations_pages_over_all_open_ones),
        cmocka_unit_test(test_calls_store_list_filters_and_pages_newest_first),
        cmocka_unit_test(test_runtime_role_cannot_change_ledger_log_or_schema),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
