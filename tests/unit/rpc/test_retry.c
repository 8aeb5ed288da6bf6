#include "rpc/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "rpc/budget.h"

static void test_decide_follows_the_table(void **state)
{
    static const struct {
        enum status status;
        bool executed;
        bool is_repeatable;
        bool is_allowed;
    } rows[] = {
        {ST_UNAVAILABLE, false, false, true},     {ST_UNAVAILABLE, false, true, true},
        {ST_UNAVAILABLE, true, false, false},     {ST_UNAVAILABLE, true, true, true},
        {ST_EXHAUSTED, false, false, true},       {ST_EXHAUSTED, true, true, false},
        {ST_ABORTED, false, false, true},         {ST_ABORTED, true, true, false},
        {ST_DEADLINE, false, true, false},        {ST_DEADLINE, true, true, false},
        {ST_INTERNAL, true, true, false},         {ST_INVALID, false, true, false},
        {ST_DENIED, false, true, false},          {ST_NOT_FOUND, true, true, false},
        {ST_UNKNOWN, true, true, false},          {ST_EXISTS, false, true, false},
        {ST_UNAUTHENTICATED, false, true, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rpc_retry_question question = {
            .status = rows[i].status,
            .executed = rows[i].executed,
            .is_repeatable = rows[i].is_repeatable,
            .attempts = 1,
            .left_us = 30000000,
        };

        assert_int_equal(rpc_retry_decide(&question).is_allowed, rows[i].is_allowed);
        question.is_forbidden = true;
        assert_false(rpc_retry_decide(&question).is_allowed);
    }
}

static const struct rpc_retry_question SAFE = {
    .status = ST_UNAVAILABLE, .attempts = 1, .left_us = 10000000};

static void test_decide_ends_after_five_attempts(void **state)
{
    struct rpc_retry_question question = SAFE;

    (void)state;
    question.attempts = 4;
    assert_true(rpc_retry_decide(&question).is_allowed);
    question.attempts = 5;
    assert_false(rpc_retry_decide(&question).is_allowed);
}

static void test_decide_obeys_the_servers_hint(void **state)
{
    struct rpc_retry_question question = SAFE;

    (void)state;
    question.retry_after_ms = 3000;
    assert_int_equal(rpc_retry_decide(&question).delay_ms, 3000);
    question.retry_after_ms = 10000; /* not within the deadline */
    assert_false(rpc_retry_decide(&question).is_allowed);
    question.retry_after_ms = 0;
    assert_in_range(rpc_retry_decide(&question).delay_ms, 10, 20);
}

static void test_budget_is_ten_and_a_tenth_a_success(void **state)
{
    struct rpc_budget budget;

    (void)state;
    rpc_budget_init(&budget);
    rpc_budget_give(&budget); /* full already */
    for (int i = 0; i < 10; i++)
        assert_true(rpc_budget_take(&budget));
    assert_false(rpc_budget_take(&budget));
    for (int i = 0; i < 9; i++)
        rpc_budget_give(&budget);
    assert_false(rpc_budget_take(&budget));
    rpc_budget_give(&budget);
    assert_true(rpc_budget_take(&budget));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_follows_the_table),
        cmocka_unit_test(test_decide_ends_after_five_attempts),
        cmocka_unit_test(test_decide_obeys_the_servers_hint),
        cmocka_unit_test(test_budget_is_ten_and_a_tenth_a_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
