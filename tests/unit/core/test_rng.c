#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "core/rng.h"

static void test_rng_next_follows_the_published_sequence(void **state)
{
    (void)state;
    /* xoroshiro128++ from the state {1, 2}. */
    static const uint64_t expected[] = {
        393217U,
        669327710093319U,
        1732421326133921491U,
        11394790081659126983U,
        9555452776773192676U,
    };
    struct rng rng = {{1, 2}};

    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(rng_next(&rng) == expected[i]);
}

static void test_rng_seed_same_seed_same_sequence(void **state)
{
    (void)state;
    struct rng first;
    struct rng second;
    struct rng other;

    rng_seed(&first, 0);
    rng_seed(&second, 0);
    rng_seed(&other, 1);
    assert_true(rng_next(&first) == rng_next(&second));
    assert_true(rng_next(&first) != rng_next(&other));
}

static void test_rng_below_is_even_over_the_range(void **state)
{
    (void)state;
    unsigned counts[7] = {0};
    struct rng rng;

    rng_seed(&rng, 42);
    for (int i = 0; i < 70000; i++)
        counts[rng_below(&rng, 7)]++;
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        assert_in_range(counts[i], 9500, 10500);
}

static void test_rng_below_extremes_stay_in_range(void **state)
{
    (void)state;
    const uint64_t large = (UINT64_C(1) << 63) + 1;
    struct rng rng;

    rng_seed(&rng, 7);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(rng_below(&rng, 1), 0);
        assert_true(rng_below(&rng, large) < large);
        assert_true(rng_below(&rng, UINT64_MAX) < UINT64_MAX);
    }
}

static void test_rng_system_bytes_fills_all_of_a_large_block(void **state)
{
    (void)state;
    static unsigned char block[100000];
    unsigned zeros = 0;

    rng_system_bytes(block, sizeof(block));
    for (size_t i = 0; i < sizeof(block); i++)
        zeros += block[i] == 0;
    assert_in_range(zeros, 200, 600); /* 391 expected */
    assert_true(rng_system_u64() != rng_system_u64());
    rng_system_bytes(block, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rng_next_follows_the_published_sequence),
        cmocka_unit_test(test_rng_seed_same_seed_same_sequence),
        cmocka_unit_test(test_rng_below_is_even_over_the_range),
        cmocka_unit_test(test_rng_below_extremes_stay_in_range),
        cmocka_unit_test(test_rng_system_bytes_fills_all_of_a_large_block),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
