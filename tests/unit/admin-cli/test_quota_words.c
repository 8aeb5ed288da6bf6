/* What people write for budgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli.h"
#include "quota_words.h"

static struct error err;

static void assert_usage(enum status st)
{
    assert_int_equal(st, ST_INVALID);
    assert_int_equal(cli_exit_status(&err), CLI_EXIT_USAGE);
}

static void test_quota_words_scopes_read_as_they_are_printed(void **state)
{
    Metercache__V1__LimitScope scope;

    (void)state;
    for (int i = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER;
         i <= METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN; i++) {
        const char *name = quota_words_scope_name((Metercache__V1__LimitScope)i);

        assert_int_equal(quota_words_scope(&scope, "--scope", name, &err), ST_OK);
        assert_int_equal(scope, i);
    }
    assert_int_equal(quota_words_scope(&scope, "--scope", "share", &err), ST_OK);
    assert_int_equal(scope, METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_INTERACTIVE_SHARE);
    assert_usage(quota_words_scope(&scope, "--scope", "-", &err));
    assert_usage(quota_words_scope(&scope, "--scope", "", &err));
    assert_string_equal(quota_words_scope_name((Metercache__V1__LimitScope)99), "-");
    assert_string_equal(quota_words_scope_name((Metercache__V1__LimitScope)-1), "-");
}

static void test_quota_words_mode(void **state)
{
    Metercache__V1__LimitMode mode;

    (void)state;
    assert_int_equal(quota_words_mode(&mode, "--mode", "shadow", &err), ST_OK);
    assert_int_equal(mode, METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SHADOW);
    assert_usage(quota_words_mode(&mode, "--mode", "-", &err));
}

static void test_quota_words_credits_are_thousandths(void **state)
{
    int64_t milli = 0;

    (void)state;
    assert_int_equal(quota_words_credits(&milli, "CREDITS", "12", &err), ST_OK);
    assert_int_equal(milli, 12000);
    assert_int_equal(quota_words_credits(&milli, "CREDITS", "0.15", &err), ST_OK);
    assert_int_equal(milli, 150);
    assert_int_equal(quota_words_credits(&milli, "CREDITS", "-3.005", &err), ST_OK);
    assert_int_equal(milli, -3005);
    assert_usage(quota_words_credits(&milli, "CREDITS", "0.0005", &err));
    assert_usage(quota_words_credits(&milli, "CREDITS", "1e3", &err));
    assert_usage(quota_words_credits(&milli, "CREDITS", "", &err));
}

static void test_quota_words_op_id(void **state)
{
    struct op_id id;

    (void)state;
    assert_int_equal(
        quota_words_op_id(&id, "OP_ID", "01A211b3-f279-764d-9bae-116b27236e5a", &err),
        ST_OK);
    assert_int_equal(id.bytes[0], 0x01);
    assert_int_equal(id.bytes[15], 0x5a);
    assert_usage(quota_words_op_id(&id, "OP_ID", "01a211b3", &err));
}

static void test_quota_words_percents(void **state)
{
    uint32_t percents[QUOTA_WORDS_PERCENTS_MAX];
    size_t count;

    (void)state;
    assert_int_equal(quota_words_percents(percents, &count, "-", "50,80,100", &err), ST_OK);
    assert_int_equal(count, 3);
    assert_int_equal(percents[0], 50);
    assert_int_equal(percents[2], 100);
    assert_int_equal(quota_words_percents(percents, &count, "-", "1,2,3,4,5,6,7,8", &err),
                     ST_OK);
    assert_int_equal(count, 8);
    assert_usage(quota_words_percents(percents, &count, "-", "1,2,3,4,5,6,7,8,9", &err));
    assert_usage(quota_words_percents(percents, &count, "-", "50,,80", &err));
    assert_usage(quota_words_percents(percents, &count, "-", "50,", &err));
    assert_usage(quota_words_percents(percents, &count, "-", "101", &err));
    assert_usage(quota_words_percents(percents, &count, "-", "0", &err));
    assert_usage(quota_words_percents(percents, &count, "-", "", &err));
    assert_usage(quota_words_percents(percents, &count, "-", "500000000000", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota_words_scopes_read_as_they_are_printed),
        cmocka_unit_test(test_quota_words_mode),
        cmocka_unit_test(test_quota_words_credits_are_thousandths),
        cmocka_unit_test(test_quota_words_op_id),
        cmocka_unit_test(test_quota_words_percents),
    };

    return cmocka_run_group_tests_name("quota_words", tests, NULL, NULL);
}
