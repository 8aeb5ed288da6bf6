/* Retry-After: seconds and three date forms, clamped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "retry_after.h"
#include <cmocka.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static void test_parse_every_form(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } CASES[] = {
        {"0", 0},
        {"5", 5000},
        {"3600", 3600000},
        {"3601", RETRY_AFTER_MAX_MS},
        {"1000000000000000000000000000000", RETRY_AFTER_MAX_MS},
        {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
        {"Sunday, 06-Nov-94 08:49:47 GMT", 10000},
        {"Sun Nov  6 08:49:47 1994", 10000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sat, 05 Nov 1994 08:49:37 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX_MS},
        {"Mon, 06 Nov 2034 08:49:37 GMT", RETRY_AFTER_MAX_MS},
    };
    uint64_t ms;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        ms = 1;
        if (!retry_after_parse(&ms, CASES[i].text, NOW) || ms != CASES[i].ms)
            fail_msg("'%s' gave %llu", CASES[i].text, (unsigned long long)ms);
    }
}

static void test_parse_leap_day(void **state)
{
    uint64_t ms = 0;

    (void)state;
    assert_true(retry_after_parse(&ms, "Thu, 29 Feb 2024 00:00:30 GMT", 1709164800));
    assert_int_equal(ms, 30000);
}

static void test_parse_garbage_leaves_the_value(void **state)
{
    static const char *const BAD[] = {"",
                                      " ",
                                      "abc",
                                      "-5",
                                      "1.5",
                                      "5 ",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov",
                                      "Sun, 99 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Foo 1994 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37",
                                      "Sun Nov  6 25:49:37 1994",
                                      "Sunday, 06-Nov-94 08:49:37 CET",
                                      "Sun, 06 Nov 0000 08:49:37 GMT"};
    uint64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        if (retry_after_parse(&ms, BAD[i], NOW) || ms != 7)
            fail_msg("'%s' was taken", BAD[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_every_form),
        cmocka_unit_test(test_parse_leap_day),
        cmocka_unit_test(test_parse_garbage_leaves_the_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
