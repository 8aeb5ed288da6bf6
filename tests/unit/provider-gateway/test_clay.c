/* Clay's routine runs: what is sent, and what is read (C4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "clay_parse.h"
#include "clay_request.h"
#include "core/base.h"
#include "data_file.h"
#include "url.h"

#define BASE "https://api.clay.com"

static struct arena arena;
static struct buf url, body;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    buf_init(&url, URL_SIZE_MAX);
    buf_init(&body, CLAY_BODY_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&body);
    buf_done(&url);
    arena_done(&arena);
    return 0;
}

static enum status start(const char *item_id, const struct clay_person *person,
                         struct error *err)
{
    buf_clear(&url);
    buf_clear(&body);
    return clay_request_run(&url, &body, BASE, "function:t_abc", item_id, person, err);
}

static struct clay_result results(const char *item_id, const char *key)
{
    struct clay_result out = {.email = NULL};
    json_t *root = data_file_read("clay/results.json");

    assert_true(clay_parse_results(&out, root, item_id, key, &arena));
    json_decref(root);
    return out;
}

static bool read_run(struct clay_result *out, const char *json)
{
    json_t *root = data_text_read(json);
    bool parsed = clay_parse_run(out, root, &arena);

    json_decref(root);
    return parsed;
}

static void test_run_sends_what_is_known(void **state)
{
    struct clay_person person = {"Jane \"J\" Doe", "", "", "", "example.com"};
    struct error err;

    (void)state;
    assert_int_equal(start("k7-5f2c", &person, &err), ST_OK);
    assert_string_equal(buf_text(&url), BASE "/public/v0/routines/function%3At_abc/run");
    assert_string_equal(buf_text(&body),
                        "{\"items\":[{\"id\":\"k7-5f2c\",\"inputs\":{\"Full Name\":"
                        "\"Jane \\\"J\\\" Doe\",\"Company Domain\":\"example.com\"}}]}");
}

static void test_run_bad_input_names_its_field(void **state)
{
    struct clay_person person = {"Jane", "", "", "", ""};
    struct clay_person nobody = {"", "", "", "", ""};
    struct clay_person garbled = {"Jane", "\xff", "", "", ""};
    struct error err;

    (void)state;
    assert_int_equal(start("", &person, &err), ST_INVALID);
    assert_string_equal(err.field, "item_id");
    assert_int_equal(start("a b", &person, &err), ST_INVALID);
    assert_int_equal(
        start("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &person,
              &err),
        ST_INVALID);
    assert_int_equal(start("a", &nobody, &err), ST_INVALID);
    assert_string_equal(err.field, "full_name");
    assert_int_equal(start("a", &garbled, &err), ST_INVALID);
    assert_string_equal(err.field, "handle");
}

static void test_results_path_holds_the_run_id_encoded(void **state)
{
    struct error err;

    (void)state;
    buf_clear(&url);
    assert_int_equal(clay_request_results(&url, BASE, "run_1?x", &err), ST_OK);
    assert_string_equal(buf_text(&url),
                        BASE "/public/v0/routines/run/run_1%3Fx/results?limit=100");
    assert_int_equal(clay_request_results(&url, BASE, "../x", &err), ST_INVALID);
    assert_string_equal(err.field, "run_id");
    assert_int_equal(clay_request_results(&url, BASE, "..", &err), ST_INVALID);
}

static void test_parse_run_needs_an_id(void **state)
{
    struct clay_result out;

    (void)state;
    assert_true(
        read_run(&out, "{\"routine_run_id\":\"run_1\",\"status\":\"in_progress\"}"));
    assert_int_equal(out.state, CLAY_PENDING);
    assert_string_equal(out.run_id, "run_1");
    assert_false(read_run(&out, "{\"status\":\"in_progress\"}"));
    assert_false(read_run(&out, "{\"routine_run_id\":\"\"}"));
    assert_false(read_run(&out, "nonsense"));
}

static void test_parse_results_finds_our_item(void **state)
{
    struct clay_result out = results("k7-5f2c", "email");

    (void)state;
    assert_int_equal(out.state, CLAY_FOUND);
    assert_string_equal(out.email, "jane.doe@example.com");
    assert_string_equal(out.run_id, "run_abc123");
    assert_non_null(strstr(out.result_json, "\"Work Email\""));
    assert_string_equal(results("k7-5f2c", "Work Email").email, "jane@work.example");
    assert_string_equal(results("", "email").email, "jane.doe@example.com");
}

static void test_parse_results_without_an_address_are_not_found(void **state)
{
    (void)state;
    assert_int_equal(results("k7-5f2d", "email").state, CLAY_NOT_FOUND);
    assert_int_equal(results("k7-5f2f", "email").state, CLAY_NOT_FOUND);
    assert_int_equal(results("k7-5f2c", "missing").state, CLAY_NOT_FOUND);
    assert_int_equal(results("k7-5f2e", "email").state, CLAY_PENDING);
}

static void test_parse_results_failed_item_is_not_found_only_when_it_says_so(void **state)
{
    static const struct {
        const char *item;
        enum clay_state state;
    } CASES[] = {
        {"\"status\":\"failed\",\"error\":{\"message\":\"NO work email Found.\"}",
         CLAY_NOT_FOUND},
        {"\"status\":\"error\",\"error\":{\"message\":\"Sorry, no results were found\"}",
         CLAY_NOT_FOUND},
        {"\"status\":\"failed\",\"error\":{\"message\":\"casino found\"}", CLAY_FAILED},
        {"\"status\":\"failed\",\"error\":{\"message\":\"column not found\"}", CLAY_FAILED},
        {"\"status\":\"failed\",\"error\":{\"message\":\"no \"}", CLAY_FAILED},
        {"\"status\":\"failed\",\"error\":{\"message\":7}", CLAY_FAILED},
        {"\"status\":\"failed\",\"error\":\"No email found\"", CLAY_FAILED},
        {"\"status\":\"failed\"", CLAY_FAILED},
        {"\"status\":\"halted\",\"result\":{\"email\":\"late@example.com\"}", CLAY_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct clay_result out;
        char text[256];
        json_t *root;

        (void)snprintf(text, sizeof(text), "{\"data\":[{\"id\":\"k\",%s}]}", CASES[i].item);
        root = data_text_read(text);
        assert_true(clay_parse_results(&out, root, "k", "email", &arena));
        json_decref(root);
        if (out.state != CASES[i].state)
            fail_msg("%s: %d", CASES[i].item, (int)out.state);
        assert_string_equal(out.email, "");
    }
}

static void test_parse_results_running_is_pending_and_a_lost_item_an_error(void **state)
{
    struct clay_result out;
    json_t *root = data_text_read("{\"routine_run_id\":\"r\",\"total\":1,\"finished\":0,"
                                  "\"status\":\"in_progress\"}");

    (void)state;
    assert_true(clay_parse_results(&out, root, "k", "email", &arena));
    assert_int_equal(out.state, CLAY_PENDING);
    json_decref(root);
    root = data_text_read("{\"routine_run_id\":\"r\",\"status\":\"complete\",\"data\":[]}");
    assert_false(clay_parse_results(&out, root, "k", "email", &arena));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_sends_what_is_known),
        cmocka_unit_test(test_run_bad_input_names_its_field),
        cmocka_unit_test(test_results_path_holds_the_run_id_encoded),
        cmocka_unit_test(test_parse_run_needs_an_id),
        cmocka_unit_test(test_parse_results_finds_our_item),
        cmocka_unit_test(test_parse_results_without_an_address_are_not_found),
        cmocka_unit_test(test_parse_results_failed_item_is_not_found_only_when_it_says_so),
        cmocka_unit_test(test_parse_results_running_is_pending_and_a_lost_item_an_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
