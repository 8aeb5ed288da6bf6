/* What the ledger holds, as QuotaService tells it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base.h"
#include "quota_views_rpc.h"

#define ARENA_BYTES (1u << 20)
#define DAY_US      QUOTA_VIEWS_DAY_US
#define DEC_US      1796083200000000LL

static struct arena arena;
static struct op_id reserve_id, settle_id, adjust_id;
static Metercache__V1__LedgerEvent reserve, settle;
static Metercache__V1__CallPurpose purpose;
static Metercache__V1__CallRecord call;

static ProtobufCBinaryData bytes_of(struct op_id *id)
{
    return (ProtobufCBinaryData){OP_ID_SIZE, id->bytes};
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_BYTES);
    reserve_id = op_id_make(4000000, 1, 2);
    settle_id = op_id_make(5000000, 3, 4);
    adjust_id = op_id_make(6000000, 5, 6);
    metercache__v1__call_purpose__init(&purpose);
    metercache__v1__call_record__init(&call);
    metercache__v1__ledger_event__init(&reserve);
    reserve.op_id = reserve.reservation_id = bytes_of(&reserve_id);
    reserve.kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_RESERVE;
    reserve.meter = (char *)"modash.reports";
    reserve.amount_milli = 1000;
    reserve.expires_at_us = 9000000;
    reserve.purpose = &purpose;
    reserve.endpoint = (char *)"/Select";
    reserve.cooldown_key = (char *)"report:42";
    metercache__v1__ledger_event__init(&settle);
    settle.op_id = bytes_of(&settle_id);
    settle.reservation_id = bytes_of(&reserve_id);
    settle.kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_SETTLE;
    settle.meter = (char *)"modash.reports";
    settle.period_start_us = 100;
    settle.amount_milli = 1500;
    settle.released_milli = 1000;
    settle.overage_milli = 500;
    settle.at_us = 6000000;
    settle.limit_version = 7;
    settle.batch = 11;
    settle.epoch = 3;
    settle.purpose = &purpose;
    settle.call = &call;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void test_quota_views_operation_has_all_of_its_event(void **state)
{
    Metercache__V1__Operation out;

    (void)state;
    quota_views_operation(&out, &settle);
    assert_memory_equal(out.op_id.data, settle_id.bytes, OP_ID_SIZE);
    assert_memory_equal(out.reservation_id.data, reserve_id.bytes, OP_ID_SIZE);
    assert_int_equal(out.kind, METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_SETTLE);
    assert_string_equal(out.meter, "modash.reports");
    assert_int_equal(out.period_start_us, 100);
    assert_int_equal(out.amount_milli, 1500);
    assert_int_equal(out.released_milli, 1000);
    assert_int_equal(out.overage_milli, 500);
    assert_int_equal(out.at_us, 6000000);
    assert_int_equal(out.limit_version, 7);
    assert_int_equal(out.batch, 11);
    assert_int_equal(out.epoch, 3);
    assert_ptr_equal(out.purpose, &purpose);
    assert_ptr_equal(out.call, &call);
    quota_views_operation(&out, &reserve);
    assert_int_equal(out.expires_at_us, 9000000);
    assert_string_equal(out.endpoint, "/Select");
    assert_string_equal(out.cooldown_key, "report:42");
    assert_null(out.call);
}

static void test_quota_views_adjustment_has_actor_reason_and_no_reservation(void **state)
{
    struct op_id zero = {{0}};
    Metercache__V1__LedgerEvent adjust = METERCACHE__V1__LEDGER_EVENT__INIT;
    Metercache__V1__Operation out;

    (void)state;
    adjust.op_id = bytes_of(&adjust_id);
    adjust.reservation_id = bytes_of(&zero); /* as a database may have it */
    adjust.kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_ADJUST;
    adjust.amount_milli = -250;
    adjust.actor = (char *)"admin";
    adjust.note = (char *)"the invoice says less";
    quota_views_operation(&out, &adjust);
    assert_int_equal(out.reservation_id.len, 0);
    assert_int_equal(out.amount_milli, -250);
    assert_string_equal(out.actor, "admin");
    assert_string_equal(out.reason, "the invoice says less");
    assert_null(out.purpose);
}

static void test_quota_views_pick_parts_the_operation_from_the_related(void **state)
{
    Metercache__V1__LedgerEvent *events[] = {&reserve, &settle};
    Metercache__V1__GetOperationResponse out = METERCACHE__V1__GET_OPERATION_RESPONSE__INIT;
    struct error err;

    (void)state;
    assert_int_equal(quota_views_pick(&out, &settle_id, events, 2, &arena, &err), ST_OK);
    assert_memory_equal(out.operation->op_id.data, settle_id.bytes, OP_ID_SIZE);
    assert_int_equal(out.n_related, 1);
    assert_memory_equal(out.related[0]->op_id.data, reserve_id.bytes, OP_ID_SIZE);
    assert_int_equal(quota_views_pick(&out, &reserve_id, events, 2, &arena, &err), ST_OK);
    assert_int_equal(out.operation->kind,
                     METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_RESERVE);
    assert_memory_equal(out.related[0]->op_id.data, settle_id.bytes, OP_ID_SIZE);
}

static void test_quota_views_pick_without_the_operation_is_not_found(void **state)
{
    Metercache__V1__LedgerEvent *events[] = {&reserve, &settle};
    Metercache__V1__GetOperationResponse out = METERCACHE__V1__GET_OPERATION_RESPONSE__INIT;
    struct error err;

    (void)state;
    assert_int_equal(quota_views_pick(&out, &adjust_id, events, 2, &arena, &err),
                     ST_NOT_FOUND);
    assert_int_equal(quota_views_pick(&out, &adjust_id, events, 0, &arena, &err),
                     ST_NOT_FOUND);
    assert_null(out.operation);
}

static void test_quota_views_counter_names_subject_and_unit(void **state)
{
    Metercache__V1__Counter counter = METERCACHE__V1__COUNTER__INIT;
    Metercache__V1__MeterState out;

    (void)state;
    counter.meter = (char *)"modash.reports";
    counter.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER;
    counter.subject = (char *)"alice";
    counter.limit_milli = 5000;
    counter.posted_milli = 2000;
    counter.held_milli = 1000;
    counter.period_start_us = DEC_US - 30 * DAY_US;
    counter.period_end_us = DEC_US;
    quota_views_counter(&out, &counter);
    assert_string_equal(out.subject, "alice");
    assert_int_equal(out.scope, METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER);
    assert_int_equal(out.left_milli, 2000);
    assert_int_equal(out.period_end_us, DEC_US);
    assert_int_equal(out.soft_limit_milli, -1);
    assert_string_equal(out.unit, "report");
    assert_int_equal(out.unit_price_milli, 1000);
    counter.limit_milli = 1000; /* cut below what is used */
    quota_views_counter(&out, &counter);
    assert_int_equal(out.left_milli, 0);
    counter.meter = (char *)"of.old"; /* no meter any more */
    quota_views_counter(&out, &counter);
    assert_string_equal(out.unit, "");
    assert_int_equal(out.unit_price_milli, 0);
}

static void test_quota_views_days_add_meters_up_and_leave_empty_days_out(void **state)
{
    static const struct {
        const char *meter;
        int64_t start_us;
        int64_t posted_milli;
        uint64_t calls;
    } rows[] = {
        {"clay.enrichment", DEC_US + 2 * DAY_US, 1000, 1},
        {"modash.reports", DEC_US, 3000, 3},
        {"modash.reports", DEC_US + 2 * DAY_US, -500, 0},
        {"modash.reports", DEC_US - DAY_US, 7, 1},     /* before */
        {"modash.reports", DEC_US + 3 * DAY_US, 7, 1}, /* and after those asked for */
    };
    Metercache__V1__UsageBucket buckets[COUNT_OF(rows)], *list[COUNT_OF(rows)];
    Metercache__V1__ListUsageResponse usage = METERCACHE__V1__LIST_USAGE_RESPONSE__INIT;
    Metercache__V1__GetUsageHistoryResponse out =
        METERCACHE__V1__GET_USAGE_HISTORY_RESPONSE__INIT;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        metercache__v1__usage_bucket__init(&buckets[i]);
        buckets[i].meter = (char *)rows[i].meter;
        buckets[i].start_us = rows[i].start_us;
        buckets[i].posted_milli = rows[i].posted_milli;
        buckets[i].calls = rows[i].calls;
        list[i] = &buckets[i];
    }
    usage.buckets = list;
    usage.n_buckets = COUNT_OF(rows);
    assert_int_equal(quota_views_days(&out, DEC_US, 3, &usage, &arena, &err), ST_OK);
    assert_int_equal(out.n_days, 2);
    assert_int_equal(out.days[0]->day_at_us, DEC_US);
    assert_int_equal(out.days[0]->posted_milli, 3000);
    assert_int_equal(out.days[0]->calls, 3);
    assert_int_equal(out.days[1]->day_at_us, DEC_US + 2 * DAY_US);
    assert_int_equal(out.days[1]->posted_milli, 500);
    assert_int_equal(out.days[1]->calls, 1);
}

static void test_quota_views_beyond_the_arena_is_exhausted(void **state)
{
    Metercache__V1__LedgerEvent *events[] = {&reserve, &settle};
    Metercache__V1__GetOperationResponse out = METERCACHE__V1__GET_OPERATION_RESPONSE__INIT;
    Metercache__V1__ListUsageResponse usage = METERCACHE__V1__LIST_USAGE_RESPONSE__INIT;
    Metercache__V1__GetUsageHistoryResponse history =
        METERCACHE__V1__GET_USAGE_HISTORY_RESPONSE__INIT;
    struct error err;

    (void)state;
    arena_done(&arena);
    arena_init(&arena, 16);
    assert_int_equal(quota_views_pick(&out, &settle_id, events, 2, &arena, &err),
                     ST_EXHAUSTED);
    assert_int_equal(quota_views_days(&history, DEC_US, 400, &usage, &arena, &err),
                     ST_EXHAUSTED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_quota_views_operation_has_all_of_its_event),
        TEST(test_quota_views_adjustment_has_actor_reason_and_no_reservation),
        TEST(test_quota_views_pick_parts_the_operation_from_the_related),
        TEST(test_quota_views_pick_without_the_operation_is_not_found),
        TEST(test_quota_views_counter_names_subject_and_unit),
        TEST(test_quota_views_days_add_meters_up_and_leave_empty_days_out),
        TEST(test_quota_views_beyond_the_arena_is_exhausted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
