/* The memory of answers: bounded, refusals apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "op_results.h"

#define DONE    8
#define REFUSED 4

static struct op_results results;

static int set_up(void **state)
{
    (void)state;
    op_results_init(&results, DONE, REFUSED);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    op_results_done(&results);
    return 0;
}

static struct op_id id_at(int64_t ms)
{
    return op_id_make(ms * 1000, 1, (uint64_t)ms);
}

static void add(int64_t ms, enum quota_verdict verdict)
{
    struct op_result entry = {.id = id_at(ms),
                              .answer = {.verdict = verdict, .posted_milli = ms}};

    op_results_add(&results, &entry);
}

static const struct op_result *find(int64_t ms)
{
    struct op_id id = id_at(ms);

    return op_results_find(&results, &id);
}

static bool may_have_forgotten(int64_t ms)
{
    struct op_id id = id_at(ms);

    return op_results_may_have_forgotten(&results, &id);
}

static void test_op_results_find_returns_the_stored_answer(void **state)
{
    (void)state;
    add(5, QUOTA_DONE);
    assert_int_equal(find(5)->answer.posted_milli, 5);
    assert_null(find(6));
    assert_false(may_have_forgotten(6));
}

static void test_op_results_add_overwrites_the_oldest_and_says_so(void **state)
{
    (void)state;
    for (int64_t ms = 1; ms <= DONE + 2; ms++)
        add(ms, QUOTA_DONE);
    assert_null(find(2));
    assert_non_null(find(3));
    assert_true(may_have_forgotten(2)); /* it has to be looked up */
    assert_true(may_have_forgotten(1));
    assert_false(may_have_forgotten(DONE + 3));
}

static void test_op_results_refusals_never_push_out_what_was_done(void **state)
{
    (void)state;
    add(1, QUOTA_DONE);
    for (int64_t ms = 10; ms < 10 + 100; ms++)
        add(ms, QUOTA_METER_SPENT);
    assert_non_null(find(1));
    assert_non_null(find(109));
    assert_null(find(10));
    assert_false(may_have_forgotten(10)); /* the ledger does not have refusals */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_op_results_find_returns_the_stored_answer),
        TEST(test_op_results_add_overwrites_the_oldest_and_says_so),
        TEST(test_op_results_refusals_never_push_out_what_was_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
