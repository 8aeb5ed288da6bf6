#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/error.h"
#include "core/parse.h"

static void test_error_set_clears_what_was_there(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    error_field(&err, "count", "too large");
    error_reason(&err, "OLD");
    error_add_violation(&err, "modash.reports", 1, 2);
    err.retry_after_ms = 5;

    assert_int_equal(error_set(&err, ST_NOT_FOUND, "no meter '%s'", "x"), ST_NOT_FOUND);
    assert_int_equal(err.status, ST_NOT_FOUND);
    assert_string_equal(err.message, "no meter 'x'");
    assert_string_equal(err.field, "");
    assert_string_equal(err.reason, "");
    assert_int_equal(err.retry_after_ms, 0);
    assert_int_equal(err.violation_count, 0);
}

/* C8: bad input names the field. */
static void test_error_field_names_the_field(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    assert_int_equal(error_field(&err, "filters.age", "'%d' is below 13", 7), ST_INVALID);
    assert_string_equal(err.field, "filters.age");
    assert_string_equal(err.message, "'7' is below 13");
}

static void test_error_set_status_ok_becomes_internal(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    assert_int_equal(error_set(&err, ST_OK, "no"), ST_INTERNAL);
}

static void test_error_set_with_own_message_as_argument_keeps_it(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    error_field(&err, "limit", "first");
    error_set(&err, ST_ABORTED, "%s of %s", err.message, err.field);
    assert_string_equal(err.message, "first of limit");
    error_field(&err, err.message, "again");
    assert_string_equal(err.field, "first of limit");
}

static void test_error_wrap_prefixes_and_keeps_the_rest(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    error_set(&err, ST_EXHAUSTED, "spent");
    error_reason(&err, "METER_SPENT");
    err.retry_after_ms = 30;

    assert_int_equal(error_wrap(&err, "load quota '%s'", "k"), ST_EXHAUSTED);
    assert_string_equal(err.message, "load quota 'k': spent");
    assert_string_equal(err.reason, "METER_SPENT");
    assert_int_equal(err.retry_after_ms, 30);
}

static void test_error_set_unprintable_text_is_replaced(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    error_set(&err, ST_INVALID, "%s", "a\nb\x1b[0m\xff\xc3\xa9\xc2\x85 \"q\\\"");
    assert_string_equal(err.message, "a?b?[0m?\xc3\xa9? \"q\\\"");
}

static void test_error_set_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;
    char text[1200];

    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof(text) - 2] = '\0';
    error_set(&err, ST_INVALID, "x%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_true(parse_is_utf8(err.message, strlen(err.message)));

    error_set(&err, ST_INVALID, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 2);
    assert_true(parse_is_utf8(err.message, strlen(err.message)));
    error_wrap(&err, "%s", text);
    assert_true(parse_is_utf8(err.message, strlen(err.message)));
    error_reason(&err, text);
    assert_true(strlen(err.reason) < sizeof(err.reason));
}

/* C8: a refusal names each limit, what is left and when it resets. */
static void test_error_add_violation_past_the_limit_is_dropped(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    error_set(&err, ST_EXHAUSTED, "spent");
    for (int i = 0; i < ERROR_VIOLATIONS_MAX + 3; i++)
        error_add_violation(&err, "modash.discovery", i, 1000 + i);

    assert_int_equal(err.violation_count, ERROR_VIOLATIONS_MAX);
    assert_string_equal(err.violations[7].subject, "modash.discovery");
    assert_int_equal(err.violations[7].left_milli, 7);
    assert_int_equal(err.violations[7].resets_at_us, 1007);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_set_clears_what_was_there),
        cmocka_unit_test(test_error_field_names_the_field),
        cmocka_unit_test(test_error_set_status_ok_becomes_internal),
        cmocka_unit_test(test_error_set_with_own_message_as_argument_keeps_it),
        cmocka_unit_test(test_error_wrap_prefixes_and_keeps_the_rest),
        cmocka_unit_test(test_error_set_unprintable_text_is_replaced),
        cmocka_unit_test(test_error_set_long_text_is_cut_between_characters),
        cmocka_unit_test(test_error_add_violation_past_the_limit_is_dropped),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
