#include "rpc/details.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/frame.h"

/* Error -> Response -> bytes -> Response -> error. */
static struct error round_trip(const struct error *err)
{
    Metercache__V1__Response response = METERCACHE__V1__RESPONSE__INIT;
    const Metercache__V1__Response *read;
    struct rpc_frame frame = {.envelope = &response.base};
    struct error failure = ERROR_NONE;
    struct error out = ERROR_NONE;
    struct arena arena;
    uint8_t *bytes;
    size_t size;

    arena_init(&arena, 65536);
    rpc_details_write(&response, err, &arena);
    size = rpc_frame_measure(&frame);
    bytes = arena_alloc(&arena, size);
    rpc_frame_write(&frame, bytes);
    assert_int_equal(rpc_frame_read_response(&read, bytes, size, &arena, &failure), ST_OK);
    rpc_details_read(&out, read, &arena);
    arena_done(&arena);
    return out;
}

static void test_round_trip_plain_error(void **state)
{
    struct error err = ERROR_NONE;
    struct error out;

    (void)state;
    error_set(&err, ST_NOT_FOUND, "no creator 'x'");
    out = round_trip(&err);
    assert_int_equal(out.status, ST_NOT_FOUND);
    assert_string_equal(out.message, "no creator 'x'");
    assert_string_equal(out.reason, "");
    assert_string_equal(out.field, "");
}

/* C8 */
static void test_round_trip_keeps_every_detail(void **state)
{
    struct error err = ERROR_NONE;
    struct error out;

    (void)state;
    error_set(&err, ST_EXHAUSTED, "meter 'modash.reports' is spent");
    error_reason(&err, "METER_SPENT");
    err.retry_after_ms = 86400123;
    error_add_violation(&err, "modash.reports", -1500, 1796083200000000);
    error_add_violation(&err, "user:alice", 0, 0);
    out = round_trip(&err);
    assert_string_equal(out.reason, "METER_SPENT");
    assert_int_equal(out.retry_after_ms, 86400123);
    assert_int_equal(out.violation_count, 2);
    assert_string_equal(out.violations[0].subject, "modash.reports");
    assert_int_equal(out.violations[0].left_milli, -1500);
    assert_int_equal(out.violations[0].resets_at_us, 1796083200000000);
    assert_string_equal(out.violations[1].subject, "user:alice");
}

static void test_round_trip_field(void **state)
{
    struct error err = ERROR_NONE;
    struct error out;

    (void)state;
    error_field(&err, "filters.influencer.age", "age is a number");
    err.retry_after_ms = 5;
    out = round_trip(&err);
    assert_int_equal(out.status, ST_INVALID);
    assert_string_equal(out.field, "filters.influencer.age");
    assert_string_equal(out.message, "age is a number");
    assert_int_equal(out.retry_after_ms, 5);
}

static void test_read_unknown_code_is_unknown(void **state)
{
    Metercache__V1__Response response = METERCACHE__V1__RESPONSE__INIT;
    struct error out;
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    response.code = 4000000000u;
    rpc_details_read(&out, &response, &arena);
    assert_int_equal(out.status, ST_UNKNOWN);
    response.code = 0;
    rpc_details_read(&out, &response, &arena);
    assert_int_equal(out.status, ST_OK);
    arena_done(&arena);
}

static void test_read_strange_details_are_skipped(void **state)
{
    Metercache__V1__Response response = METERCACHE__V1__RESPONSE__INIT;
    Metercache__V1__Detail strange = METERCACHE__V1__DETAIL__INIT;
    Metercache__V1__Detail broken = METERCACHE__V1__DETAIL__INIT;
    Metercache__V1__Detail *details[] = {&strange, &broken};
    static char other[] = "type.googleapis.com/google.rpc.Help";
    static char info[] = "type.googleapis.com/google.rpc.ErrorInfo";
    static uint8_t bytes[] = {0x0a, 0x50, 0x00};
    struct error out;
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    strange.type_url = other;
    broken.type_url = info;
    broken.value = (ProtobufCBinaryData){sizeof(bytes), bytes};
    response.code = ST_ABORTED;
    response.n_details = 2;
    response.details = details;
    rpc_details_read(&out, &response, &arena);
    assert_int_equal(out.status, ST_ABORTED);
    assert_string_equal(out.reason, "");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_plain_error),
        cmocka_unit_test(test_round_trip_keeps_every_detail),
        cmocka_unit_test(test_round_trip_field),
        cmocka_unit_test(test_read_unknown_code_is_unknown),
        cmocka_unit_test(test_read_strange_details_are_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
