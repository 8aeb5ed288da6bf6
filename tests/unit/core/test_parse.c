#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/parse.h"

#define UNTOUCHED 4711

static void test_parse_u64_takes_only_whole_numbers_in_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool accepted;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {NULL, false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1x", false, 0},
        {"0x10", false, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t value = UNTOUCHED;

        print_message("row %zu\n", i);
        assert_int_equal(parse_u64(&value, rows[i].text, 0, UINT64_MAX), rows[i].accepted);
        assert_true(value == (rows[i].accepted ? rows[i].value : UNTOUCHED));
    }
}

static void test_parse_u64_outside_bounds_is_refused(void **state)
{
    (void)state;
    uint64_t value = UNTOUCHED;

    assert_false(parse_u64(&value, "4", 5, 10));
    assert_false(parse_u64(&value, "11", 5, 10));
    assert_int_equal(value, UNTOUCHED);
    assert_true(parse_u64(&value, "10", 5, 10));
}

static void test_parse_i64_reaches_both_ends(void **state)
{
    (void)state;
    int64_t value = UNTOUCHED;

    assert_false(parse_i64(&value, "9223372036854775808", INT64_MIN, INT64_MAX));
    assert_false(parse_i64(&value, "-9223372036854775809", INT64_MIN, INT64_MAX));
    assert_false(parse_i64(&value, "--1", INT64_MIN, INT64_MAX));
    assert_false(parse_i64(&value, "-", INT64_MIN, INT64_MAX));
    assert_false(parse_i64(&value, NULL, INT64_MIN, INT64_MAX));
    assert_false(parse_i64(&value, "-3", -2, 2));
    assert_int_equal(value, UNTOUCHED);
    assert_true(parse_i64(&value, "9223372036854775807", INT64_MIN, INT64_MAX));
    assert_true(value == INT64_MAX);
    assert_true(parse_i64(&value, "-9223372036854775808", INT64_MIN, INT64_MAX));
    assert_true(value == INT64_MIN);
    assert_true(parse_i64(&value, "-0", INT64_MIN, INT64_MAX));
    assert_int_equal(value, 0);
}

static void test_parse_bool_knows_its_words(void **state)
{
    (void)state;
    bool value = false;

    assert_true(parse_bool(&value, "Yes"));
    assert_true(value);
    assert_true(parse_bool(&value, "off"));
    assert_false(value);
    assert_true(parse_bool(&value, "1"));
    assert_true(value);
    assert_false(parse_bool(&value, "y"));
    assert_false(parse_bool(&value, ""));
    assert_false(parse_bool(&value, NULL));
    assert_true(value);
}

static void test_parse_duration_ms_knows_its_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool accepted;
        uint64_t value;
    } rows[] = {
        {"1500", true, 1500}, {"250ms", true, 250},   {"30s", true, 30000},
        {"5m", true, 300000}, {"3h", true, 10800000}, {"28d", true, 2419200000},
        {"1w", false, 0},     {"s", false, 0},        {"1.5s", false, 0},
        {"5 m", false, 0},    {"5M", false, 0},       {"213503982335d", false, 0},
        {NULL, false, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t value = UNTOUCHED;

        print_message("row %zu\n", i);
        assert_int_equal(parse_duration_ms(&value, rows[i].text, 0, UINT64_MAX),
                         rows[i].accepted);
        assert_true(value == (rows[i].accepted ? rows[i].value : UNTOUCHED));
    }
}

static void test_parse_duration_ms_bounds_are_in_ms(void **state)
{
    (void)state;
    uint64_t value = UNTOUCHED;

    assert_false(parse_duration_ms(&value, "1s", 1001, 5000));
    assert_false(parse_duration_ms(&value, "6s", 1001, 5000));
    assert_int_equal(value, UNTOUCHED);
}

static void test_parse_size_bytes_knows_its_units(void **state)
{
    (void)state;
    uint64_t value = 0;

    assert_true(parse_size_bytes(&value, "4096", 0, UINT64_MAX));
    assert_int_equal(value, 4096);
    assert_true(parse_size_bytes(&value, "64KiB", 0, UINT64_MAX));
    assert_int_equal(value, 65536);
    assert_true(parse_size_bytes(&value, "1MiB", 0, UINT64_MAX));
    assert_int_equal(value, 1048576);
    assert_true(parse_size_bytes(&value, "2GiB", 0, UINT64_MAX));
    assert_true(value == 2147483648);
    assert_false(parse_size_bytes(&value, "2GB", 0, UINT64_MAX));
    assert_false(parse_size_bytes(&value, "17179869184GiB", 0, UINT64_MAX));
}

static void test_parse_milli_is_exact_to_three_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool accepted;
        int64_t value;
    } rows[] = {
        {"0.25", true, 250},
        {"0.01", true, 10},
        {"140000", true, 140000000},
        {"1.005", true, 1005},
        {"-0.5", true, -500},
        {"9223372036854775.807", true, INT64_MAX},
        {"-9223372036854775.808", true, INT64_MIN},
        {"9223372036854775.808", false, 0},
        {"18446744073709551.615", false, 0},
        {"18446744073709551615", false, 0},
        {"0.0001", false, 0},
        {"0.0000000000000000000000000001", false, 0},
        {"1.", false, 0},
        {".5", false, 0},
        {"1,5", false, 0},
        {"1e3", false, 0},
        {"1.-5", false, 0},
        {"", false, 0},
        {NULL, false, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = UNTOUCHED;

        print_message("row %zu\n", i);
        assert_int_equal(parse_milli(&value, rows[i].text), rows[i].accepted);
        assert_true(value == (rows[i].accepted ? rows[i].value : UNTOUCHED));
    }
}

static void test_parse_hex_round_trips_and_refuses_the_rest(void **state)
{
    (void)state;
    uint8_t data[3] = {1, 2, 3};
    char text[7];

    assert_false(parse_hex(data, 3, "00ff0"));
    assert_false(parse_hex(data, 3, "00ff0g"));
    assert_false(parse_hex(data, 3, "00ff0a0"));
    assert_false(parse_hex(data, 3, NULL));
    assert_int_equal(data[2], 3);
    assert_true(parse_hex(data, 3, "00fFA5"));
    parse_format_hex(text, data, 3);
    assert_string_equal(text, "00ffa5");
    assert_true(parse_hex(data, 0, ""));
}

static void test_parse_is_utf8_follows_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        bool accepted;
    } rows[] = {
        {"", 0, true},
        {"plain", 5, true},
        {"nul\0", 4, false},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, true},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"\xf4\x90\x80\x80", 4, false}, /* past U+10FFFF */
        {"\xed\x9f\xbf", 3, true},
        {"\xed\xa0\x80", 3, false}, /* surrogate */
        {"\xc0\xaf", 2, false},     /* overlong */
        {"\xe0\x9f\xbf", 3, false},
        {"\xf0\x8f\xbf\xbf", 4, false},
        {"\x80", 1, false},
        {"\xff", 1, false},
        {"\xe2\x82", 2, false}, /* cut */
        {"\xf0\x9f\x98", 3, false},
        {"\xe2\x28\xa1", 3, false},
        {"\xf0\x9f\x28\x80", 4, false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        print_message("row %zu\n", i);
        assert_int_equal(parse_is_utf8(rows[i].text, rows[i].size), rows[i].accepted);
    }
}

static void test_parse_utf8_next_gives_the_length(void **state)
{
    (void)state;
    assert_int_equal(parse_utf8_next("a", 1), 1);
    assert_int_equal(parse_utf8_next("\xc3\xa9z", 3), 2);
    assert_int_equal(parse_utf8_next("\xe2\x82\xac", 3), 3);
    assert_int_equal(parse_utf8_next("\xf0\x9f\x98\x80", 4), 4);
    assert_int_equal(parse_utf8_next("", 0), 0);
    assert_int_equal(parse_utf8_next("\xc3", 1), 0);
}

static void test_parse_json_is_shallow_counts_brackets_outside_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned depth_max;
        bool accepted;
    } rows[] = {
        {"", 0, true},
        {"1", 0, true},
        {"[]", 0, false},
        {"{\"a\":[1]}", 2, true},
        {"{\"a\":[[1]]}", 2, false},
        {"[[],[],{}]", 2, true},
        {"[\"[[[\"]", 1, true},
        {"[\"\\\"[[[\"]", 1, true},
        {"[\"\\\\\",[]]", 1, false},
        {"]]][[", 1, false},
        {"\"\\", 0, true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        print_message("row %zu\n", i);
        assert_int_equal(
            parse_json_is_shallow(rows[i].text, strlen(rows[i].text), rows[i].depth_max),
            rows[i].accepted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_u64_takes_only_whole_numbers_in_range),
        cmocka_unit_test(test_parse_u64_outside_bounds_is_refused),
        cmocka_unit_test(test_parse_i64_reaches_both_ends),
        cmocka_unit_test(test_parse_bool_knows_its_words),
        cmocka_unit_test(test_parse_duration_ms_knows_its_units),
        cmocka_unit_test(test_parse_duration_ms_bounds_are_in_ms),
        cmocka_unit_test(test_parse_size_bytes_knows_its_units),
        cmocka_unit_test(test_parse_milli_is_exact_to_three_decimals),
        cmocka_unit_test(test_parse_hex_round_trips_and_refuses_the_rest),
        cmocka_unit_test(test_parse_is_utf8_follows_the_rfc),
        cmocka_unit_test(test_parse_utf8_next_gives_the_length),
        cmocka_unit_test(test_parse_json_is_shallow_counts_brackets_outside_strings),
    };
    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
