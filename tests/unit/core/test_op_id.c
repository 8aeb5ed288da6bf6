#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base.h"
#include "core/clock.h"
#include "core/op_id.h"

/* The example of RFC 9562, appendix A.6. */
#define RFC_TEXT    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
#define RFC_TIME_US (1645557742000 * CLOCK_US_PER_MS)

static void test_op_id_make_gives_the_rfc_example(void **state)
{
    (void)state;
    struct op_id id = op_id_make(RFC_TIME_US, 0xcc3, 0x18c4dc0c0c07398f);
    char text[OP_ID_TEXT_SIZE];

    op_id_format(text, &id);
    assert_string_equal(text, RFC_TEXT);
    assert_true(op_id_is_v7(&id));
    assert_int_equal(op_id_time_us(&id), RFC_TIME_US);
}

static void test_op_id_make_all_ones_keeps_version_and_variant(void **state)
{
    (void)state;
    struct op_id id = op_id_make(-5, UINT64_MAX, UINT64_MAX);

    assert_true(op_id_is_v7(&id));
    assert_int_equal(op_id_time_us(&id), 0);
    assert_false(op_id_is_zero(&id));
}

static void test_op_id_parse_both_cases_round_trip(void **state)
{
    (void)state;
    struct op_id lower;
    struct op_id upper;
    char text[OP_ID_TEXT_SIZE];

    assert_true(op_id_parse(&lower, RFC_TEXT));
    assert_true(op_id_parse(&upper, "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"));
    assert_true(op_id_equal(&lower, &upper));
    op_id_format(text, &upper);
    assert_string_equal(text, RFC_TEXT);
}

static void test_op_id_parse_malformed_is_refused_and_leaves_out_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        NULL,
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e279b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
        "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    };
    struct op_id id = op_id_make(1000, 1, 2);
    const struct op_id before = id;

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_false(op_id_parse(&id, texts[i]));
    assert_false(op_id_from_bytes(&id, "123456789012345", 15));
    assert_true(op_id_equal(&id, &before));
}

static void test_op_id_from_bytes_of_16_is_taken(void **state)
{
    (void)state;
    struct op_id id;

    assert_true(op_id_from_bytes(&id, "0123456789abcdef", 16));
    assert_memory_equal(id.bytes, "0123456789abcdef", 16);
    assert_false(op_id_is_v7(&id));
}

static void test_op_id_compare_orders_by_time(void **state)
{
    (void)state;
    struct op_id early = op_id_make(1000000, UINT64_MAX, UINT64_MAX);
    struct op_id late = op_id_make(1001000, 0, 0);

    assert_true(op_id_compare(&early, &late) < 0);
    assert_true(op_id_compare(&late, &early) > 0);
    assert_int_equal(op_id_compare(&late, &late), 0);
}

static void test_op_id_new_is_fresh_and_of_now(void **state)
{
    (void)state;
    int64_t before_us = clock_wall_us() - CLOCK_US_PER_MS;
    struct op_id first = op_id_new();
    struct op_id second = op_id_new();

    assert_true(op_id_is_v7(&first));
    assert_false(op_id_equal(&first, &second));
    assert_true(op_id_time_us(&first) >= before_us);
    assert_true(op_id_time_us(&second) <= clock_wall_us());
    assert_true(op_id_hash(&first) != op_id_hash(&second));
}

static void test_op_id_is_zero_only_when_all_are(void **state)
{
    (void)state;
    struct op_id id = {{0}};

    assert_true(op_id_is_zero(&id));
    id.bytes[15] = 1;
    assert_false(op_id_is_zero(&id));
}

static void test_op_id_new_a_microsecond_later_sorts_behind(void **state)
{
    (void)state;
    struct op_id former = op_id_new();

    for (int i = 0; i < 1000; i++) {
        int64_t made_us = clock_wall_us();

        while (clock_wall_us() == made_us) {}
        struct op_id later = op_id_new();
        assert_true(op_id_compare(&former, &later) < 0);
        former = later;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_op_id_new_a_microsecond_later_sorts_behind),
        cmocka_unit_test(test_op_id_make_gives_the_rfc_example),
        cmocka_unit_test(test_op_id_make_all_ones_keeps_version_and_variant),
        cmocka_unit_test(test_op_id_parse_both_cases_round_trip),
        cmocka_unit_test(test_op_id_parse_malformed_is_refused_and_leaves_out_alone),
        cmocka_unit_test(test_op_id_from_bytes_of_16_is_taken),
        cmocka_unit_test(test_op_id_compare_orders_by_time),
        cmocka_unit_test(test_op_id_new_is_fresh_and_of_now),
        cmocka_unit_test(test_op_id_is_zero_only_when_all_are),
    };
    return cmocka_run_group_tests_name("op_id", tests, NULL, NULL);
}
