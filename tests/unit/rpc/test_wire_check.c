#include "rpc/wire_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/rng.h"
#include "metercache/v1/quota.pb-c.h"
#include "metercache/v1/rpc.pb-c.h"
#include "rpc/frame.h"

#define RESERVE (&metercache__v1__reserve_request__descriptor)

static enum status check_bytes(const ProtobufCMessageDescriptor *type, const char *bytes,
                               size_t size, struct error *err)
{
    *err = ERROR_NONE;
    return rpc_wire_check(type, (const uint8_t *)bytes, size, err);
}

static void test_check_empty_message_is_fine(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(check_bytes(RESERVE, "", 0, &err), ST_OK);
}

/* meter = 2 is a string. */
static void test_check_nul_in_string_names_the_field(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(check_bytes(RESERVE,
                                 "\x12\x03"
                                 "a\0b",
                                 5, &err),
                     ST_INVALID);
    assert_string_equal(err.field, "meter");
}

static void test_check_bad_utf8_in_nested_string_names_the_path(void **state)
{
    struct error err;

    (void)state;
    /* purpose = 5 { provider = 1: "\xff" } */
    assert_int_equal(check_bytes(RESERVE, "\x2a\x03\x0a\x01\xff", 5, &err), ST_INVALID);
    assert_string_equal(err.field, "purpose.provider");
}

static void test_check_wrong_wire_type_is_invalid(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(check_bytes(RESERVE, "\x10\x01", 2, &err), ST_INVALID); /* meter: 1 */
    assert_string_equal(err.field, "meter");
}

static void test_check_truncated_is_invalid_everywhere(void **state)
{
    Metercache__V1__ReserveRequest request = METERCACHE__V1__RESERVE_REQUEST__INIT;
    Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    static char text[] = "modash.reports";
    uint8_t bytes[256];
    struct error err;
    size_t size;

    (void)state;
    request.meter = text;
    purpose.provider = text;
    request.purpose = &purpose;
    request.amount_milli = -1;
    size = metercache__v1__reserve_request__pack(&request, bytes);
    assert_int_equal(rpc_wire_check(RESERVE, bytes, size, &err), ST_OK);
    for (size_t cut = 1; cut < size; cut++) {
        struct arena arena;
        ProtobufCMessage *message;

        /* Cut between two fields it is another message; elsewhere it is refused. Never
         * does protobuf-c refuse what the check let through. */
        arena_init(&arena, 65536);
        if (rpc_wire_check(RESERVE, bytes, cut, &err) == ST_OK)
            assert_int_equal(rpc_frame_decode(&message, RESERVE, bytes, cut, &arena, &err),
                             ST_OK);
        arena_done(&arena);
    }
    assert_int_equal(rpc_wire_check(RESERVE, bytes, size - 1, &err), ST_INVALID);
}

static void test_check_groups_and_field_zero_are_invalid(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(check_bytes(RESERVE, "\x13\x14", 2, &err), ST_INVALID);
    assert_int_equal(check_bytes(RESERVE, "\x02\x00", 2, &err), ST_INVALID);
    assert_int_equal(
        check_bytes(RESERVE, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, &err),
        ST_INVALID);
}

static void test_check_unknown_fields_pass(void **state)
{
    struct error err;

    (void)state;
    /* field 1000 as bytes, varint, fixed32 and fixed64 */
    assert_int_equal(check_bytes(RESERVE, "\xc2\x3e\x01\x00\xc0\x3e\x05", 7, &err), ST_OK);
    assert_int_equal(check_bytes(RESERVE, "\xc5\x3e\x01\x00\x00\x00", 6, &err), ST_OK);
    assert_int_equal(check_bytes(RESERVE, "\xc1\x3e\x01\x00\x00\x00", 6, &err), ST_INVALID);
}

static void test_check_too_many_elements_is_invalid(void **state)
{
    static uint8_t bytes[2 * (RPC_WIRE_ELEMENTS_MAX + 1)];
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i += 2)
        bytes[i] = 0x12; /* meter = "" over and over */
    assert_int_equal(
        rpc_wire_check(RESERVE, bytes, (size_t)2 * RPC_WIRE_ELEMENTS_MAX, &err), ST_OK);
    assert_int_equal(rpc_wire_check(RESERVE, bytes, sizeof(bytes), &err), ST_INVALID);
}

static void test_check_packed_numbers_must_be_whole(void **state)
{
    const ProtobufCMessageDescriptor *limit = &metercache__v1__limit__descriptor;
    struct error err;

    (void)state;
    /* threshold_percent = 8, packed */
    assert_int_equal(check_bytes(limit, "\x42\x02\x50\x5a", 4, &err), ST_OK);
    assert_int_equal(check_bytes(limit, "\x42\x02\x50\x80", 4, &err), ST_INVALID);
}

/* What passes can be decoded within a bounded arena; nothing crashes. */
static void test_check_random_bytes_never_reach_protobuf_malformed(void **state)
{
    const ProtobufCMessageDescriptor *types[] = {
        RESERVE, &metercache__v1__frame__descriptor, &metercache__v1__limit__descriptor};
    struct arena arena;
    struct rng rng;
    unsigned passed = 0;

    (void)state;
    rng_seed(&rng, 20261121);
    arena_init(&arena, 262144);
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t bytes[24];
        size_t size = rng_below(&rng, sizeof(bytes) + 1);
        struct error err = ERROR_NONE;
        ProtobufCMessage *message;
        enum status st;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(rng_next(&rng) & (round % 2 ? 0x3f : 0xff));
        arena_reset(&arena);
        st = rpc_frame_decode(&message, types[round % 3], bytes, size, &arena, &err);
        assert_true(st == ST_OK || st == ST_INVALID); /* never "out of memory" */
        passed += st == ST_OK;
    }
    assert_true(passed > 1000);
    arena_done(&arena);
}

static void test_decode_at_arena_limit_is_exhausted(void **state)
{
    static uint8_t bytes[65536];
    struct arena arena;
    struct error err = ERROR_NONE;
    ProtobufCMessage *message;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i += 2)
        bytes[i] = 0x4a; /* Frame.. unknown field 9 as empty bytes, over and over */
    arena_init(&arena, 65536);
    assert_int_equal(rpc_frame_decode(&message, &metercache__v1__frame__descriptor, bytes,
                                      sizeof(bytes), &arena, &err),
                     ST_EXHAUSTED);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_empty_message_is_fine),
        cmocka_unit_test(test_check_nul_in_string_names_the_field),
        cmocka_unit_test(test_check_bad_utf8_in_nested_string_names_the_path),
        cmocka_unit_test(test_check_wrong_wire_type_is_invalid),
        cmocka_unit_test(test_check_truncated_is_invalid_everywhere),
        cmocka_unit_test(test_check_groups_and_field_zero_are_invalid),
        cmocka_unit_test(test_check_unknown_fields_pass),
        cmocka_unit_test(test_check_too_many_elements_is_invalid),
        cmocka_unit_test(test_check_packed_numbers_must_be_whole),
        cmocka_unit_test(test_check_random_bytes_never_reach_protobuf_malformed),
        cmocka_unit_test(test_decode_at_arena_limit_is_exhausted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
