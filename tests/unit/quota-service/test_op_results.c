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

static struct op_result found;

static bool find(int64_t ms)
{
    struct op_id id = id_at(ms);

    return op_results_find(&results, &id, &found);
}

static bool may_have_forgotten(int64_t ms)
{
    struct op_id id = id_at(ms);

    return op_results_may_have_forgotten_done(&results, &id);
}

static bool may_have_forgotten_refused(int64_t ms)
{
    struct op_id id = id_at(ms);

    return op_results_may_have_forgotten_refused(&results, &id);
}

static void test_op_results_find_returns_the_stored_answer(void **state)
{
    (void)state;
    add(5, QUOTA_DONE);
    assert_true(find(5));
    assert_int_equal(found.answer.posted_milli, 5);
    assert_false(find(6));
    assert_false(may_have_forgotten(6));
}

static void test_op_results_add_overwrites_the_oldest_and_says_so(void **state)
{
    (void)state;
    for (int64_t ms = 1; ms <= DONE + 2; ms++)
        add(ms, QUOTA_DONE);
    assert_false(find(2));
    assert_true(find(3));
    assert_true(may_have_forgotten(2)); /* it has to be looked up */
    assert_true(may_have_forgotten(1));
    assert_false(may_have_forgotten(DONE + 3));
}

static void test_op_results_refusals_never_push_out_what_was_done(void **state)
{
    (void)state;
    add(1, QUOTA_DONE);
    for (int64_t ms = 10; ms < 10 + 100; ms++)
        add(ms, QUOTA_REFUSED);
    assert_true(find(1));
    assert_true(find(109));
    assert_false(find(10));
    assert_false(may_have_forgotten(10)); /* the ledger does not have refusals */
    assert_true(may_have_forgotten_refused(10));
    assert_true(may_have_forgotten_refused(109 - REFUSED));
    assert_false(may_have_forgotten_refused(109 - REFUSED + 1));
    assert_false(may_have_forgotten_refused(200));
}

static void test_op_results_find_returns_what_refused(void **state)
{
    struct op_result entry = {
        .id = id_at(3),
        .body_hash = {7},
        .answer = {.verdict = QUOTA_REFUSED,
                   .meter = {.meter = 2, .period = {.start_us = 1000}},
                   .hit_count = 2,
                   .hits = {{.scope = LIMIT_METER, .left_milli = 5, .resets_at_us = 9},
                            {.scope = LIMIT_USER, .mode = LIMIT_SOFT, .limit_milli = 8}}}};

    (void)state;
    op_results_add(&results, &entry);
    assert_true(find(3));
    assert_int_equal(found.answer.verdict, QUOTA_REFUSED);
    assert_int_equal(found.body_hash[0], 7);
    assert_int_equal(found.answer.meter.meter, 2);
    assert_int_equal(found.answer.meter.period.start_us, 1000);
    assert_int_equal(found.answer.hit_count, 2);
    assert_int_equal(found.answer.hits[0].left_milli, 5);
    assert_int_equal(found.answer.hits[1].limit_milli, 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_op_results_find_returns_the_stored_answer),
        TEST(test_op_results_add_overwrites_the_oldest_and_says_so),
        TEST(test_op_results_refusals_never_push_out_what_was_done),
        TEST(test_op_results_find_returns_what_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
