/* Keys that failed are left alone for a growing while (C8: no storm on a failing provider). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "engine/failures.h"

#define T0 1000000ULL
#define MS 1000ULL

static const struct error outage = {.status = ST_UNAVAILABLE, .message = "away"};

static void test_find_unknown_key_may_be_fetched(void **state)
{
    (void)state;
    struct failures *failures = failures_new(100, 1000, 4);
    struct error err = ERROR_NONE;

    assert_false(failures_find(&err, failures, "a", T0));
    failures_free(failures);
}

static void test_find_during_the_pause_gives_the_error_and_the_time_left(void **state)
{
    (void)state;
    struct failures *failures = failures_new(100, 1000, 4);
    struct error err = ERROR_NONE;

    failures_note(failures, "a", &outage, T0);
    assert_true(failures_find(&err, failures, "a", T0 + 40 * MS));
    assert_string_equal(err.message, "away");
    assert_int_equal(err.retry_after_ms, 60);
    assert_false(failures_find(&err, failures, "a", T0 + 100 * MS));
    assert_false(failures_find(&err, failures, "b", T0));
    failures_free(failures);
}

static void test_note_again_doubles_the_pause_up_to_the_most(void **state)
{
    (void)state;
    static const uint64_t pauses_ms[] = {100, 200, 400, 800, 1000, 1000};
    struct failures *failures = failures_new(100, 1000, 4);
    struct error err = ERROR_NONE;

    for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
        failures_note(failures, "a", &outage, T0);
        assert_true(failures_find(&err, failures, "a", T0));
        assert_int_equal(err.retry_after_ms, pauses_ms[i]);
    }
    failures_free(failures);
}

static void test_forget_after_success_starts_over(void **state)
{
    (void)state;
    struct failures *failures = failures_new(100, 1000, 4);
    struct error err = ERROR_NONE;

    failures_note(failures, "a", &outage, T0);
    failures_note(failures, "a", &outage, T0);
    failures_forget(failures, "a");
    assert_false(failures_find(&err, failures, "a", T0));
    failures_note(failures, "a", &outage, T0);
    assert_true(failures_find(&err, failures, "a", T0));
    assert_int_equal(err.retry_after_ms, 100);
    failures_free(failures);
}

static void test_note_past_the_limit_drops_the_oldest(void **state)
{
    (void)state;
    struct failures *failures = failures_new(100, 1000, 3);
    struct error err = ERROR_NONE;
    char key[8];

    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(key, sizeof(key), "key%u", i);
        failures_note(failures, key, &outage, T0);
    }
    assert_false(failures_find(&err, failures, "key0", T0));
    assert_true(failures_find(&err, failures, "key1", T0));
    assert_true(failures_find(&err, failures, "key3", T0));
    failures_free(failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_unknown_key_may_be_fetched),
        cmocka_unit_test(test_find_during_the_pause_gives_the_error_and_the_time_left),
        cmocka_unit_test(test_note_again_doubles_the_pause_up_to_the_most),
        cmocka_unit_test(test_forget_after_success_starts_over),
        cmocka_unit_test(test_note_past_the_limit_drops_the_oldest),
    };

    return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
