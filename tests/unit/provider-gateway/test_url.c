/* Request URLs: checked bases, encoded values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base.h"
#include "url.h"

static void test_check_base_takes_https_and_refuses_the_rest(void **state)
{
    static const char *const GOOD[] = {"https://api.modash.io", "https://api.clay.com/",
                                       "https://api.example.org:8443/path/v2",
                                       "https://[2001:db8::1]:443"};
    static const char *const BAD[] = {
        "",
        "api.modash.io",
        "http://api.modash.io",
        "ftp://api.modash.io",
        "https://",
        "https:///path",
        "https://user:pass@host",
        "https://host?x=1",
        "https://host/#f",
        "https://host/a b",
        "https://host\r\nX: y",
        "https://host:0",
        "https://host:65536",
        "https://host:",
        "https://host/../x",
        "https://[::1",
        "https://127.0.0.1",
        "http://localhost:80",
    };
    struct error err;
    bool is_loopback;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        if (url_check_base(&is_loopback, GOOD[i], false, &err) != ST_OK || is_loopback)
            fail_msg("%s: %s", GOOD[i], err.message);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        if (url_check_base(&is_loopback, BAD[i], false, &err) != ST_INVALID)
            fail_msg("'%s' was taken", BAD[i]);
    }
}

static void test_check_base_with_loopback_allowed_opens_only_loopback(void **state)
{
    static const char *const LOCAL[] = {"http://127.0.0.1:8080", "http://LOCALHOST:1",
                                        "http://[::1]:9", "https://127.0.0.1:8443"};
    static const char *const OTHER[] = {"http://127.0.0.1.example.org", "http://127.0.0.2",
                                        "http://2130706433", "http://10.0.0.1:80",
                                        "http://simulator:80"};
    struct error err;
    bool is_loopback;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(LOCAL); i++) {
        assert_int_equal(url_check_base(&is_loopback, LOCAL[i], true, &err), ST_OK);
        assert_true(is_loopback);
    }
    for (size_t i = 0; i < COUNT_OF(OTHER); i++)
        assert_int_equal(url_check_base(&is_loopback, OTHER[i], true, &err), ST_INVALID);
    assert_int_equal(url_check_base(&is_loopback, "https://api.modash.io", true, &err),
                     ST_OK);
    assert_false(is_loopback);
}

static void test_url_encodes_every_value(void **state)
{
    struct buf url;

    (void)state;
    buf_init(&url, URL_SIZE_MAX);
    url_begin(&url, "https://host/base//", "/v1");
    url_segment(&url, "a/../b?c#d%2e&e=\"\r\n");
    url_path(&url, "/report");
    url_query(&url, "query", "h\xc3\xa9llo w&rld=+");
    url_query(&url, "limit", "10");
    assert_string_equal(
        buf_text(&url),
        "https://host/base/v1/a%2F..%2Fb%3Fc%23d%252e%26e%3D%22%0D%0A/report"
        "?query=h%C3%A9llo%20w%26rld%3D%2B&limit=10");
    buf_done(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_base_takes_https_and_refuses_the_rest),
        cmocka_unit_test(test_check_base_with_loopback_allowed_opens_only_loopback),
        cmocka_unit_test(test_url_encodes_every_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
