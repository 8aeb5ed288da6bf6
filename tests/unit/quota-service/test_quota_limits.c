/* Which rule holds for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "quota_limits.h"

#define METER 1

static struct limits limits;

static void put(enum limit_scope scope, enum limit_mode mode, const char *subject,
                int64_t amount_milli, bool is_removed)
{
    struct limit_rule rule = {.scope = scope,
                              .mode = mode,
                              .meter = METER,
                              .amount_milli = amount_milli,
                              .cooldown_us = amount_milli,
                              .is_removed = is_removed,
                              .version = limits.version + 1,
                              .subject_size = (uint16_t)strlen(subject)};

    memcpy(rule.subject, subject, rule.subject_size);
    assert_true(limits_put(&limits, &rule));
    assert_int_equal(limits.version, rule.version);
}

static int set_up(void **state)
{
    (void)state;
    limits_init(&limits);
    put(LIMIT_METER, LIMIT_HARD, "", 10000, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    limits_done(&limits);
    return 0;
}

static int64_t allowed(enum limit_scope scope, enum limit_mode mode, const char *subject)
{
    struct limit_amounts amounts;

    limits_allowed(&limits, scope, METER, subject, strlen(subject), &amounts);
    return amounts.milli[mode];
}

static void test_limits_without_a_rule_allow_everything(void **state)
{
    (void)state;
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "ada"), LIMIT_NONE);
    assert_false(limits.is_counted[METER][LIMIT_USER]);
}

static void test_limits_rule_of_a_subject_goes_before_the_one_for_each(void **state)
{
    (void)state;
    put(LIMIT_USER, LIMIT_HARD, "", 100, false);
    put(LIMIT_USER, LIMIT_HARD, "ada", 900, false);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "ada"), 900);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "bob"), 100);
    put(LIMIT_USER, LIMIT_HARD, "ada", 0, false); /* nothing at all */
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "ada"), 0);
}

static void test_limits_modes_are_apart(void **state)
{
    (void)state;
    put(LIMIT_USER, LIMIT_HARD, "", 100, false);
    put(LIMIT_USER, LIMIT_SOFT, "ada", 50, false);
    put(LIMIT_USER, LIMIT_SHADOW, "", 10, false);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "ada"), 100);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_SOFT, "ada"), 50);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_SOFT, "bob"), LIMIT_NONE);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_SHADOW, "bob"), 10);
}

static void test_limits_removed_rule_falls_back_and_is_counted_on(void **state)
{
    uint32_t count;

    (void)state;
    put(LIMIT_USER, LIMIT_HARD, "", 100, false);
    put(LIMIT_USER, LIMIT_HARD, "ada", 900, false);
    count = limits.count;
    put(LIMIT_USER, LIMIT_HARD, "ada", 0, true);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "ada"), 100);
    put(LIMIT_USER, LIMIT_HARD, "", 0, true);
    assert_int_equal(allowed(LIMIT_USER, LIMIT_HARD, "ada"), LIMIT_NONE);
    assert_true(limits.is_counted[METER][LIMIT_USER]);
    assert_int_equal(limits.count, count); /* in the place of what they remove */
    assert_true(limits_find(&limits, LIMIT_USER, METER, LIMIT_HARD, "ada", 3)->is_removed);
}

static void test_limits_share_is_what_the_meter_has_beyond_it(void **state)
{
    (void)state;
    put(LIMIT_SHARE, LIMIT_HARD, "", 3000, false);
    assert_int_equal(allowed(LIMIT_SHARE, LIMIT_HARD, ""), 7000);
    put(LIMIT_METER, LIMIT_HARD, "", 2000, false);
    assert_int_equal(allowed(LIMIT_SHARE, LIMIT_HARD, ""), 0);
}

static void test_limits_longest_cooldown_rule_of_a_key_holds(void **state)
{
    (void)state;
    assert_null(limits_cooldown(&limits, METER, LIMIT_HARD, "report:42", 9));
    put(LIMIT_COOLDOWN, LIMIT_HARD, "", 1, false);
    put(LIMIT_COOLDOWN, LIMIT_HARD, "report:", 2, false);
    put(LIMIT_COOLDOWN, LIMIT_HARD, "report:42", 3, false);
    assert_int_equal(
        limits_cooldown(&limits, METER, LIMIT_HARD, "search:1", 8)->cooldown_us, 1);
    assert_int_equal(
        limits_cooldown(&limits, METER, LIMIT_HARD, "report:7", 8)->cooldown_us, 2);
    assert_int_equal(
        limits_cooldown(&limits, METER, LIMIT_HARD, "report:42", 9)->cooldown_us, 3);
    put(LIMIT_COOLDOWN, LIMIT_HARD, "report:42", 0, true);
    assert_int_equal(
        limits_cooldown(&limits, METER, LIMIT_HARD, "report:42", 9)->cooldown_us, 2);
    assert_null(limits_cooldown(&limits, METER, LIMIT_SHADOW, "report:42", 9));
}

static void test_limits_put_into_a_full_set_is_refused(void **state)
{
    struct limit_rule rule = {.scope = LIMIT_USER, .mode = LIMIT_HARD, .meter = METER};

    (void)state;
    while (limits.count < LIMITS_MAX) {
        rule.subject_size =
            (uint16_t)snprintf(rule.subject, sizeof(rule.subject), "u%u", limits.count);
        assert_true(limits_put(&limits, &rule));
    }
    rule.amount_milli = 5;
    assert_true(limits_put(&limits, &rule)); /* one that is there may change */
    rule.subject[0] = 'x';
    assert_false(limits_put(&limits, &rule));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_limits_without_a_rule_allow_everything),
        TEST(test_limits_rule_of_a_subject_goes_before_the_one_for_each),
        TEST(test_limits_modes_are_apart),
        TEST(test_limits_removed_rule_falls_back_and_is_counted_on),
        TEST(test_limits_share_is_what_the_meter_has_beyond_it),
        TEST(test_limits_longest_cooldown_rule_of_a_key_holds),
        TEST(test_limits_put_into_a_full_set_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
