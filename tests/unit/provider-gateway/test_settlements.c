/* The outbox: bounded, patient, and never in doubt about a definite answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "fake_budget.h"
#include "places.h"
#include "settlements.h"

static struct fake_budget fake;

static int set_up(void **state)
{
    (void)state;
    fake_budget_init(&fake);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_budget_done(&fake);
    return 0;
}

static struct budget_settlement settlement(int64_t actual_milli)
{
    return (struct budget_settlement){
        .id = op_id_new(), .reservation_id = op_id_new(), .actual_milli = actual_milli};
}

#define PLACES 4

static void wait_until_empty(struct settlements *settlements)
{
    uint64_t deadline_us = clock_deadline_ms(10000);

    while (places_taken(settlements, PLACES) > 0 && clock_left_ms(deadline_us) > 0)
        (void)sched_yield();
    assert_int_equal(places_taken(settlements, PLACES), 0);
}

static void test_put_is_delivered_and_frees_its_place(void **state)
{
    struct settlements *settlements = settlements_open(&fake.budget, PLACES);
    struct budget_settlement one = settlement(30);

    (void)state;
    assert_true(settlements_claim(settlements));
    settlements_put(settlements, &one);
    assert_true(fake_budget_wait_settled(&fake, 1));
    wait_until_empty(settlements);
    assert_int_equal(fake.settled[0].actual_milli, 30);
    assert_int_equal(settlements_close(settlements, clock_deadline_ms(1000)), 0);
}

static void test_put_is_retried_with_the_same_id_until_it_is_taken(void **state)
{
    struct settlements *settlements = settlements_open(&fake.budget, PLACES);
    struct budget_settlement one = settlement(30);

    (void)state;
    fake_budget_fail_settle(&fake, ST_UNAVAILABLE, 2);
    assert_true(settlements_claim(settlements));
    settlements_put(settlements, &one);
    assert_true(fake_budget_wait_settled(&fake, 3));
    wait_until_empty(settlements);
    assert_int_equal(fake.settle_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(op_id_equal(&fake.settled[i].id, &one.id));
    assert_int_equal(settlements_close(settlements, clock_deadline_ms(1000)), 0);
}

static void test_put_refused_for_good_is_not_retried(void **state)
{
    struct settlements *settlements = settlements_open(&fake.budget, PLACES);
    struct budget_settlement one = settlement(30);

    (void)state;
    fake_budget_fail_settle(&fake, ST_NOT_FOUND, 1);
    assert_true(settlements_claim(settlements));
    settlements_put(settlements, &one);
    assert_true(fake_budget_wait_settled(&fake, 1));
    wait_until_empty(settlements);
    assert_int_equal(settlements_close(settlements, clock_deadline_ms(1000)), 0);
    assert_int_equal(fake.settle_count, 1);
}

static void test_claim_is_refused_when_every_place_is_taken(void **state)
{
    struct settlements *settlements = settlements_open(&fake.budget, 2);

    (void)state;
    assert_true(settlements_claim(settlements));
    assert_true(settlements_claim(settlements));
    assert_false(settlements_claim(settlements));
    settlements_release(settlements);
    assert_true(settlements_claim(settlements));
    assert_int_equal(settlements_close(settlements, clock_deadline_ms(1000)), 0);
}

static void test_close_gives_up_at_the_deadline_and_counts_the_rest(void **state)
{
    struct settlements *settlements = settlements_open(&fake.budget, 8);

    (void)state;
    fake_budget_fail_settle(&fake, ST_UNAVAILABLE, 1000000);
    for (int i = 0; i < 3; i++) {
        struct budget_settlement one = settlement(i);

        assert_true(settlements_claim(settlements));
        settlements_put(settlements, &one);
    }
    assert_int_equal(settlements_close(settlements, clock_deadline_ms(100)), 3);
}

static void test_close_delivers_what_waits_when_it_can(void **state)
{
    struct settlements *settlements = settlements_open(&fake.budget, 64);

    (void)state;
    for (int i = 0; i < 64; i++) {
        struct budget_settlement one = settlement(i);

        assert_true(settlements_claim(settlements));
        settlements_put(settlements, &one);
    }
    assert_int_equal(settlements_close(settlements, clock_deadline_ms(5000)), 0);
    assert_int_equal(fake.settle_count, 64);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_put_is_delivered_and_frees_its_place),
        TEST(test_put_is_retried_with_the_same_id_until_it_is_taken),
        TEST(test_put_refused_for_good_is_not_retried),
        TEST(test_claim_is_refused_when_every_place_is_taken),
        TEST(test_close_gives_up_at_the_deadline_and_counts_the_rest),
        TEST(test_close_delivers_what_waits_when_it_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
