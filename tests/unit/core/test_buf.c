#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/buf.h"

static void test_buf_text_of_an_empty_buffer_is_empty(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 10);
    assert_string_equal(buf_text(&buf), "");
    buf_append(&buf, NULL, 0);
    assert_string_equal(buf_text(&buf), "");
    buf_done(&buf);
}

static void test_buf_append_up_to_the_limit_fits(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 8);
    buf_append_text(&buf, "1234");
    buf_printf(&buf, "%d", 5678);
    assert_false(buf.overflowed);
    assert_string_equal(buf_text(&buf), "12345678");
    assert_int_equal(buf.size, 8);
    buf_done(&buf);
}

static void test_buf_append_past_the_limit_drops_it_and_all_later(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 8);
    buf_append_text(&buf, "12345");
    buf_printf(&buf, "%s", "6789");
    assert_true(buf.overflowed);
    buf_append_text(&buf, "6");
    assert_string_equal(buf_text(&buf), "12345");
    buf_clear(&buf);
    assert_false(buf.overflowed);
    buf_append_text(&buf, "again");
    assert_string_equal(buf_text(&buf), "again");
    buf_done(&buf);
}

static void test_buf_append_grows_over_many_appends(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    for (int i = 0; i < 10000; i++)
        buf_printf(&buf, "%04d", i);
    assert_int_equal(buf.size, 40000);
    assert_memory_equal(buf.data + 4936, "1234", 4);
    assert_int_equal(strlen(buf_text(&buf)), 40000);
    buf_done(&buf);
}

static void test_buf_append_json_escaped_mixes_runs_and_escapes(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 1000);
    buf_append_json_escaped(&buf, "say \"hi\"\n\\ \xc3\xa9 \xff\0.", 16);
    assert_string_equal(buf_text(&buf), "say \\\"hi\\\"\\n\\\\ \xc3\xa9 \\ufffd\\u0000");
    buf_done(&buf);
}

static void test_buf_done_allows_use_again(void **state)
{
    (void)state;
    struct buf buf;

    buf_init(&buf, 100);
    buf_append_text(&buf, "a");
    buf_done(&buf);
    buf_append_text(&buf, "b");
    assert_string_equal(buf_text(&buf), "b");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_text_of_an_empty_buffer_is_empty),
        cmocka_unit_test(test_buf_append_up_to_the_limit_fits),
        cmocka_unit_test(test_buf_append_past_the_limit_drops_it_and_all_later),
        cmocka_unit_test(test_buf_append_grows_over_many_appends),
        cmocka_unit_test(test_buf_append_json_escaped_mixes_runs_and_escapes),
        cmocka_unit_test(test_buf_done_allows_use_again),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
