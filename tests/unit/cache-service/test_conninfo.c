#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "store/conninfo.h"

static const struct conninfo_extras EXTRAS = {.application = "test",
                                              .statement_ms = 5000,
                                              .lock_ms = 2000,
                                              .idle_in_transaction_ms = 9000};

static struct conninfo parse(const char *text)
{
    struct error err;
    struct conninfo info;

    assert_int_equal(conninfo_parse(&info, text, &EXTRAS, &err), ST_OK);
    return info;
}

static void assert_value(const struct conninfo *info, const char *keyword,
                         const char *value)
{
    const char *found = conninfo_value(info, keyword);

    assert_non_null(found);
    assert_string_equal(found, value);
}

/* With only one of time-out and keepalives a cut link hangs. */
static void test_conninfo_parse_adds_what_ends_a_hang(void **state)
{
    (void)state;
    struct conninfo info = parse("postgresql://me:secret@db.example/metercache");
    assert_value(&info, "host", "db.example");
    assert_value(&info, "user", "me");
    assert_value(&info, "password", "secret");
    assert_value(&info, "connect_timeout", "3");
    assert_value(&info, "tcp_user_timeout", "3000");
    assert_value(&info, "keepalives", "1");
    assert_value(&info, "keepalives_idle", "2");
    assert_value(&info, "keepalives_interval", "1");
    assert_value(&info, "keepalives_count", "3");
    assert_value(&info, "application_name", "test");
    assert_value(&info, "options",
                 " -c statement_timeout=5000 -c lock_timeout=2000"
                 " -c idle_in_transaction_session_timeout=9000"
                 " -c client_connection_check_interval=500");
    assert_int_equal(info.hosts, 1);
    assert_null(info.keywords[info.count]);
    conninfo_done(&info);
}

static void test_conninfo_parse_keeps_what_is_given(void **state)
{
    (void)state;
    struct conninfo info =
        parse("host=a,b,c port=1,2,3 tcp_user_timeout=9 application_name=x"
              " options='-c statement_timeout=7'");
    assert_value(&info, "tcp_user_timeout", "9");
    assert_value(&info, "application_name", "x");
    assert_value(&info, "options",
                 "-c statement_timeout=7 -c lock_timeout=2000"
                 " -c idle_in_transaction_session_timeout=9000"
                 " -c client_connection_check_interval=500");
    assert_int_equal(info.hosts, 3);
    conninfo_done(&info);
}

static void test_conninfo_parse_bad_text_is_invalid_and_not_repeated(void **state)
{
    (void)state;
    static const char *const BAD[] = {"password=geheim nosuchkeyword=1", "geheim",
                                      "postgresql://me:geheim@[::1/x", "password='geheim"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct error err;
        struct conninfo info = {.hosts = 77};

        assert_int_equal(conninfo_parse(&info, BAD[i], &EXTRAS, &err), ST_INVALID);
        assert_null(strstr(err.message, "geheim"));
        assert_int_equal(info.hosts, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conninfo_parse_adds_what_ends_a_hang),
        cmocka_unit_test(test_conninfo_parse_keeps_what_is_given),
        cmocka_unit_test(test_conninfo_parse_bad_text_is_invalid_and_not_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
