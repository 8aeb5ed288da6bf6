#include "rpc/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "metercache/v1/rpc.pb-c.h"
#include "rpc/connections.h"

#define SHEDDABLE METERCACHE__V1__PRIORITY__PRIORITY_SHEDDABLE
#define DEFAULT   METERCACHE__V1__PRIORITY__PRIORITY_DEFAULT
#define HIGH      METERCACHE__V1__PRIORITY__PRIORITY_HIGH
#define CRITICAL  METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL

static void test_share_by_priority(void **state)
{
    (void)state;
    assert_int_equal(rpc_admission_share(100, SHEDDABLE), 70);
    assert_int_equal(rpc_admission_share(100, DEFAULT), 90);
    assert_int_equal(rpc_admission_share(100, HIGH), 97);
    assert_int_equal(rpc_admission_share(100, CRITICAL), 100);
    assert_int_equal(rpc_admission_share(1, SHEDDABLE), 1); /* never nobody at all */
}

static void test_enter_refuses_in_the_order_of_priority(void **state)
{
    static const struct {
        unsigned priority;
        unsigned until;
    } rows[] = {{SHEDDABLE, 70}, {DEFAULT, 90}, {HIGH, 97}, {CRITICAL, 100}};
    struct rpc_admission admission = {.limit = 100};
    struct error err = ERROR_NONE;
    unsigned inside = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        while (inside < rows[i].until) {
            assert_int_equal(rpc_admission_enter(&admission, rows[i].priority, &err),
                             ST_OK);
            inside++;
        }
        assert_int_equal(rpc_admission_enter(&admission, rows[i].priority, &err),
                         ST_EXHAUSTED);
        assert_string_equal(err.reason, "OVERLOADED");
        assert_int_equal(err.retry_after_ms, RPC_ADMISSION_RETRY_MS);
    }
    rpc_admission_leave(&admission);
    assert_int_equal(rpc_admission_enter(&admission, CRITICAL, &err), ST_OK);
}

static const struct rpc_connections_options FEW = {
    .max = 3, .max_per_address = 2, .max_inflight = 2};

static void test_connections_are_capped_in_all_and_per_address(void **state)
{
    struct rpc_connections *table = rpc_connections_new(FEW);

    (void)state;
    assert_true(rpc_connections_add(table, 1, "10.0.0.1", "10.0.0.1:1", 0));
    assert_true(rpc_connections_add(table, 2, "10.0.0.1", "10.0.0.1:2", 0));
    assert_false(rpc_connections_add(table, 3, "10.0.0.1", "10.0.0.1:3", 0));
    assert_true(rpc_connections_add(table, 4, "10.0.0.2", "10.0.0.2:1", 0));
    assert_false(rpc_connections_add(table, 5, "10.0.0.3", "10.0.0.3:1", 0));
    rpc_connections_remove(table, 3); /* was refused: nothing to remove */
    rpc_connections_remove(table, 1);
    assert_true(rpc_connections_add(table, 6, "10.0.0.1", "10.0.0.1:6", 0));
    assert_int_equal(rpc_connections_count(table), 3);
    rpc_connections_free(table);
}

static void test_connections_cap_requests_and_outlive_their_pipe(void **state)
{
    struct rpc_connections *table = rpc_connections_new(FEW);
    struct rpc_connection *a;
    bool has_room;

    (void)state;
    assert_true(rpc_connections_add(table, 1, "h", "h:1", 0));
    a = rpc_connections_enter(table, 1, 5, &has_room);
    assert_true(has_room);
    rpc_connections_enter(table, 1, 6, &has_room);
    assert_true(has_room);
    rpc_connections_enter(table, 1, 7, &has_room);
    assert_false(has_room);
    rpc_connections_remove(table, 1);
    assert_string_equal(rpc_connection_peer(a), "h:1");
    rpc_connections_leave(table, a);
    rpc_connections_leave(table, a);
    rpc_connections_leave(table, a); /* the last one: freed */
    assert_int_equal(rpc_connections_count(table), 0);
    rpc_connections_free(table);
}

static void test_connections_idle_are_those_without_requests(void **state)
{
    struct rpc_connections *table = rpc_connections_new(FEW);
    struct rpc_connection_info info[4];
    struct rpc_connection *busy;
    uint32_t ids[4];
    bool has_room;

    (void)state;
    assert_true(rpc_connections_add(table, 1, "h", "h:1", 10));
    assert_true(rpc_connections_add(table, 2, "i", "i:1", 10));
    busy = rpc_connections_enter(table, 1, 11, &has_room);
    assert_int_equal(rpc_connections_idle(table, 100, ids, 4), 1);
    assert_int_equal(ids[0], 2);
    rpc_connections_leave(table, busy);
    assert_int_equal(rpc_connections_idle(table, 100, ids, 4), 2);
    assert_int_equal(rpc_connections_idle(table, 10, ids, 4), 0);
    assert_int_equal(rpc_connections_list(table, info, 4), 2);
    rpc_connections_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_by_priority),
        cmocka_unit_test(test_enter_refuses_in_the_order_of_priority),
        cmocka_unit_test(test_connections_are_capped_in_all_and_per_address),
        cmocka_unit_test(test_connections_cap_requests_and_outlive_their_pipe),
        cmocka_unit_test(test_connections_idle_are_those_without_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
