/* Modash's requests: bodies, paths, and what is refused before anything is reserved (C9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "modash_request.h"
#include "url.h"

#define BASE "https://api.modash.io"

static struct buf url, body;

static int set_up(void **state)
{
    (void)state;
    buf_init(&url, URL_SIZE_MAX);
    buf_init(&body, MODASH_BODY_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&body);
    buf_done(&url);
    return 0;
}

static enum status search(enum platform platform, const char *filters, const char *sort,
                          uint32_t page, struct error *err)
{
    struct modash_search request = {platform, filters, sort, page};

    buf_clear(&url);
    buf_clear(&body);
    return modash_request_search(&url, &body, BASE, &request, err);
}

static enum status report(const char *who, struct error *err)
{
    buf_clear(&url);
    return modash_request_report(&url, BASE, PLATFORM_INSTAGRAM, who, err);
}

static void test_search_builds_url_and_body(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(search(PLATFORM_TIKTOK, "{\"influencer\":{\"followers\":{\"min\":5}}}",
                            "{\"field\":\"followers\"}", 3, &err),
                     ST_OK);
    assert_string_equal(buf_text(&url), BASE "/v1/tiktok/search");
    assert_string_equal(buf_text(&body),
                        "{\"page\":3,\"sort\":{\"field\":\"followers\"},"
                        "\"filter\":{\"influencer\":{\"followers\":{\"min\":5}}}}");
    assert_int_equal(search(PLATFORM_YOUTUBE, "", "", 0, &err), ST_OK);
    assert_string_equal(buf_text(&body), "{\"page\":0}");
}

static void test_search_bad_input_names_its_field(void **state)
{
    char *long_filter = mem_alloc(MODASH_FILTERS_BYTES + 16);
    struct error err;

    (void)state;
    assert_int_equal(search(PLATFORM_NONE, "{}", "", 0, &err), ST_INVALID);
    assert_string_equal(err.field, "platform");
    assert_int_equal(search((enum platform)77, "{}", "", 0, &err), ST_INVALID);
    assert_int_equal(search(PLATFORM_INSTAGRAM, "{}", "", 666, &err), ST_INVALID);
    assert_string_equal(err.field, "page");
    assert_int_equal(search(PLATFORM_INSTAGRAM, "{}", "", 665, &err), ST_OK);
    assert_int_equal(search(PLATFORM_INSTAGRAM, "[]", "", 0, &err), ST_INVALID);
    assert_string_equal(err.field, "filters_json");
    assert_int_equal(search(PLATFORM_INSTAGRAM, "{},\"x\":{}", "", 0, &err), ST_INVALID);
    assert_int_equal(search(PLATFORM_INSTAGRAM, "{", "", 0, &err), ST_INVALID);
    assert_int_equal(search(PLATFORM_INSTAGRAM, "{}", "5", 0, &err), ST_INVALID);
    assert_string_equal(err.field, "sort_json");
    memset(long_filter, ' ', MODASH_FILTERS_BYTES);
    memcpy(long_filter, "{}", 2);
    assert_int_equal(search(PLATFORM_INSTAGRAM, long_filter, "", 0, &err), ST_OK);
    memset(long_filter, ' ', MODASH_FILTERS_BYTES + 1);
    memcpy(long_filter, "{}", 2);
    assert_int_equal(search(PLATFORM_INSTAGRAM, long_filter, "", 0, &err), ST_INVALID);
    memset(long_filter, '[', MODASH_FILTERS_BYTES);
    long_filter[MODASH_FILTERS_BYTES] = '\0';
    assert_int_equal(search(PLATFORM_INSTAGRAM, long_filter, "", 0, &err), ST_INVALID);
    mem_free(long_filter);
}

static void test_users_encodes_the_query(void **state)
{
    struct error err;

    (void)state;
    buf_clear(&url);
    assert_int_equal(modash_request_users(&url, BASE, PLATFORM_INSTAGRAM,
                                          "ada trails&limit=99", 0, &err),
                     ST_OK);
    assert_string_equal(buf_text(&url), BASE
                        "/v1/instagram/users?query=ada%20trails%26limit%3D99&limit=10");
    assert_int_equal(modash_request_users(&url, BASE, PLATFORM_INSTAGRAM, "", 0, &err),
                     ST_INVALID);
    assert_string_equal(err.field, "query");
    assert_int_equal(modash_request_users(&url, BASE, PLATFORM_INSTAGRAM, "a", 101, &err),
                     ST_INVALID);
    assert_string_equal(err.field, "limit");
}

static void test_report_path_holds_the_handle_encoded(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(report("@ada.trails", &err), ST_OK);
    assert_string_equal(buf_text(&url), BASE "/v1/instagram/profile/ada.trails/report");
    assert_int_equal(report("z\xc3\xbc&x", &err), ST_OK);
    assert_string_equal(buf_text(&url), BASE "/v1/instagram/profile/z%C3%BC%26x/report");
}

static void test_report_handles_that_could_change_the_path_are_refused(void **state)
{
    static const char *const BAD[] = {"",     "@",   ".",        "..",   "a/b",  "a\\b",
                                      "a?b",  "a#b", "a%2fb",    "a\nb", "\x7f", "\xff\xfe",
                                      "../x", "@..", "\xc0\xae", "a\x01"};
    char long_name[MODASH_NAME_BYTES + 2];
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        if (report(BAD[i], &err) != ST_INVALID || strcmp(err.field, "creator") != 0)
            fail_msg("'%s' was taken", BAD[i]);
    }
    memset(long_name, 'a', sizeof(long_name));
    long_name[MODASH_NAME_BYTES] = '\0';
    assert_int_equal(report(long_name, &err), ST_OK);
    long_name[MODASH_NAME_BYTES] = 'a';
    long_name[MODASH_NAME_BYTES + 1] = '\0';
    assert_int_equal(report(long_name, &err), ST_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_builds_url_and_body),
        cmocka_unit_test(test_search_bad_input_names_its_field),
        cmocka_unit_test(test_users_encodes_the_query),
        cmocka_unit_test(test_report_path_holds_the_handle_encoded),
        cmocka_unit_test(test_report_handles_that_could_change_the_path_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
