/* The pool of reservations: index, deadlines, what is forgotten when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/rng.h"
#include "reservations.h"

#define HELD   64
#define CLOSED 8

static struct reservations pool;

static int set_up(void **state)
{
    (void)state;
    reservations_init(&pool, HELD, CLOSED);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reservations_done(&pool);
    return 0;
}

static struct op_id id_of(uint64_t number)
{
    return op_id_make(1000000, 0, number);
}

static struct reservation *add(uint64_t number, int64_t expires_at_us, const char *text)
{
    struct reservation from = {
        .id = id_of(number), .amount_milli = 10, .expires_at_us = expires_at_us};
    struct purpose purpose = {.size = (uint16_t)strlen(text)};

    memcpy(purpose.bytes, text, purpose.size);
    return reservations_add(&pool, &from, &purpose);
}

static struct reservation *find(uint64_t number)
{
    struct op_id id = id_of(number);

    return reservations_find(&pool, &id);
}

static void test_reservations_find_returns_what_was_added(void **state)
{
    struct purpose purpose;
    char text[101];

    (void)state;
    memset(text, 'a', 100); /* more than three blocks */
    text[100] = '\0';
    assert_non_null(add(1, 50, text));
    assert_non_null(add(2, 40, ""));
    assert_int_equal(find(1)->expires_at_us, 50);
    reservations_purpose(&pool, find(1), &purpose);
    assert_int_equal(purpose.size, 100);
    assert_memory_equal(purpose.bytes, text, 100);
    assert_null(find(3));
}

static void test_reservations_add_past_the_limit_is_refused(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < HELD; i++)
        assert_non_null(add(i, 1, "x"));
    assert_null(add(HELD, 1, "x"));
    reservations_enter(&pool, find(7), RESERVATION_POSTED);
    assert_non_null(add(HELD, 1, "x")); /* a closed one makes room */
}

static void test_reservations_add_without_text_room_is_refused(void **state)
{
    char longest[PURPOSE_SIZE_MAX + 1];
    uint64_t added = 0;

    (void)state;
    memset(longest, 'x', PURPOSE_SIZE_MAX);
    longest[PURPOSE_SIZE_MAX] = '\0';
    while (added < HELD && add(added, 1, longest) != NULL)
        added++;
    assert_in_range(added, 8, HELD - 1);
    for (uint64_t i = 0; i < added; i++)
        reservations_enter(&pool, find(i), RESERVATION_VOIDED);
    assert_non_null(add(1000, 1, longest)); /* forgotten ones gave their text back */
}

static void test_reservations_first_due_follows_deadlines_then_ids(void **state)
{
    int64_t last_us = -1;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 7);
    for (int round = 0; round < 50; round++) {
        for (uint64_t i = 0; i < HELD; i++)
            assert_non_null(
                add((uint64_t)round * HELD + i, (int64_t)rng_below(&rng, 20), "p"));
        for (int i = 0; i < 10; i++) { /* remove some from the middle */
            struct reservation *it = find((uint64_t)round * HELD + rng_below(&rng, HELD));

            if (it != NULL && it->state == RESERVATION_HELD)
                reservations_enter(&pool, it, RESERVATION_POSTED);
        }
        last_us = -1;
        while (reservations_first_due(&pool) != NULL) {
            struct reservation *due = reservations_first_due(&pool);
            struct op_id id = due->id;

            assert_true(due->expires_at_us >= last_us);
            last_us = due->expires_at_us;
            reservations_enter(&pool, due, RESERVATION_LAPSED);
            if (reservations_first_due(&pool) != NULL &&
                reservations_first_due(&pool)->expires_at_us == last_us)
                assert_true(op_id_compare(&id, &reservations_first_due(&pool)->id) < 0);
        }
    }
}

static void test_reservations_enter_forgets_the_oldest_closed_first(void **state)
{
    (void)state;
    for (uint64_t i = 0; i <= CLOSED; i++) {
        assert_non_null(add(i, 1, "x"));
        reservations_enter(&pool, find(i), RESERVATION_LAPSED);
    }
    assert_null(find(0));
    for (uint64_t i = 1; i <= CLOSED; i++)
        assert_int_equal(find(i)->state, RESERVATION_LAPSED);
    reservations_enter(&pool, find(1), RESERVATION_CORRECTED);
    assert_int_equal(find(1)->state, RESERVATION_CORRECTED);
    assert_int_equal(pool.closed_total, CLOSED + 1); /* a correction closes nothing */
}

static void test_reservations_unknown_one_is_corrected_like_a_lapsed_one(void **state)
{
    (void)state;
    assert_non_null(add(1, 1, "x"));
    reservations_enter(&pool, find(1), RESERVATION_UNKNOWN);
    assert_int_equal(pool.held_count, 0);
    reservations_enter(&pool, find(1), RESERVATION_CORRECTED);
    assert_int_equal(find(1)->state, RESERVATION_CORRECTED);
}

/* Against a plain array, long enough for probe chains and free lists to be used over. */
static void test_reservations_random_use_agrees_with_an_array(void **state)
{
    bool held[512] = {false};
    uint32_t held_count = 0;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 11);
    for (int i = 0; i < 20000; i++) {
        uint64_t number = rng_below(&rng, 512);
        struct reservation *it = find(number);

        assert_int_equal(it != NULL && it->state == RESERVATION_HELD, held[number]);
        if (held[number]) {
            reservations_enter(&pool, it, RESERVATION_POSTED);
            held[number] = false;
            held_count--;
        } else if (it == NULL && held_count < HELD) {
            assert_non_null(
                add(number, (int64_t)rng_below(&rng, 100), "text of some size"));
            held[number] = true;
            held_count++;
        }
        assert_int_equal(pool.held_count, held_count);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_reservations_find_returns_what_was_added),
        TEST(test_reservations_add_past_the_limit_is_refused),
        TEST(test_reservations_add_without_text_room_is_refused),
        TEST(test_reservations_first_due_follows_deadlines_then_ids),
        TEST(test_reservations_enter_forgets_the_oldest_closed_first),
        TEST(test_reservations_unknown_one_is_corrected_like_a_lapsed_one),
        TEST(test_reservations_random_use_agrees_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
