#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/escape.h"

static void test_escape_next_of_each_class_gives_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        size_t taken;
        const char *output;
    } rows[] = {
        {"ab", 1, "a"},
        {"\"", 1, "\\\""},
        {"\\", 1, "\\\\"},
        {"\b", 1, "\\b"},
        {"\t", 1, "\\t"},
        {"\n", 1, "\\n"},
        {"\f", 1, "\\f"},
        {"\r", 1, "\\r"},
        {"\x1b", 1, "\\u001b"},
        {"\x7f", 1, "\\u007f"},
        {"\xc2\x85", 2, "\\u0085"},
        {"\xc2\xa0", 2, "\xc2\xa0"},
        {"\xe2\x82\xac!", 3, "\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
        {"\xc0\x80", 1, "\\ufffd"},
        {"\xe2\x82", 1, "\\ufffd"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct escape_step step = escape_next(rows[i].input, strlen(rows[i].input));

        print_message("row %zu\n", i);
        assert_int_equal(step.taken, rows[i].taken);
        assert_int_equal(step.size, strlen(rows[i].output));
        assert_memory_equal(step.text, rows[i].output, step.size);
        assert_int_equal(step.escaped, rows[i].output[0] == '\\');
    }
}

static void test_escape_plain_run_stops_before_what_needs_care(void **state)
{
    (void)state;
    assert_int_equal(escape_plain_run("plain \"x", 8), 6);
    assert_int_equal(escape_plain_run("\xc3\xa9", 2), 0);
    assert_int_equal(escape_plain_run("all", 3), 3);
    assert_int_equal(escape_plain_run("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape_next_of_each_class_gives_its_form),
        cmocka_unit_test(test_escape_plain_run_stops_before_what_needs_care),
    };
    return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
