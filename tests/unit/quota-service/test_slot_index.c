/* Finding slots by hash, with collisions and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "core/rng.h"
#include "slot_index.h"

#define SLOTS 64

static struct slot_index index;

static int set_up(void **state)
{
    (void)state;
    slot_index_init(&index, SLOTS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    slot_index_done(&index);
    return 0;
}

static unsigned count_of(uint32_t hash, uint32_t slot)
{
    unsigned found = 0;
    uint32_t at;

    for (uint32_t it = slot_index_first(&index, hash, &at); it != SLOT_INDEX_NONE;
         it = slot_index_next(&index, hash, &at))
        found += it == slot;
    return found;
}

static void test_slot_index_finds_all_of_a_hash(void **state)
{
    (void)state;
    slot_index_add(&index, 1, 7);
    slot_index_add(&index, 2, 7);
    slot_index_add(&index, 3, 8);
    assert_int_equal(count_of(7, 1), 1);
    assert_int_equal(count_of(7, 2), 1);
    assert_int_equal(count_of(7, 3), 0);
    assert_int_equal(count_of(9, 1), 0);
    slot_index_remove(&index, 1, 7);
    assert_int_equal(count_of(7, 1), 0);
    assert_int_equal(count_of(7, 2), 1);
    assert_int_equal(count_of(8, 3), 1);
    slot_index_clear(&index);
    assert_int_equal(count_of(8, 3), 0);
}

/* Few hashes, so that probes run over each other and over the end of the table. */
static void test_slot_index_random_use_agrees_with_an_array(void **state)
{
    uint32_t hashes[SLOTS];
    bool is_in[SLOTS] = {false};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 5);
    for (int i = 0; i < 20000; i++) {
        uint32_t slot = (uint32_t)rng_below(&rng, SLOTS);

        if (is_in[slot]) {
            slot_index_remove(&index, slot, hashes[slot]);
        } else {
            hashes[slot] = UINT32_MAX - (uint32_t)rng_below(&rng, 12);
            slot_index_add(&index, slot, hashes[slot]);
        }
        is_in[slot] = !is_in[slot];
        for (uint32_t it = 0; it < SLOTS; it++)
            if (is_in[it])
                assert_int_equal(count_of(hashes[it], it), 1);
        assert_int_equal(count_of(hashes[slot], slot), is_in[slot]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_slot_index_finds_all_of_a_hash),
        TEST(test_slot_index_random_use_agrees_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
