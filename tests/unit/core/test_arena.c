#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/arena.h"
#include "core/rng.h"

static void test_arena_alloc_is_aligned_and_zeroed_also_after_reset(void **state)
{
    (void)state;
    static const unsigned char zero[4096];
    static const size_t sizes[] = {1, 15, 16, 17, 4096, 0, 3};
    struct arena arena;

    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            unsigned char *memory = arena_alloc(&arena, sizes[i]);

            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % 16, 0);
            assert_memory_equal(memory, zero, sizes[i]);
            memset(memory, 0xa5, sizes[i]);
        }
        arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
    }
    arena_done(&arena);
}

static void test_arena_alloc_at_the_limit_returns_null(void **state)
{
    (void)state;
    struct arena arena;

    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 64));
    assert_non_null(arena_alloc(&arena, 32));
    assert_null(arena_alloc(&arena, 5)); /* 16 with padding, 4 left */
    assert_int_equal(arena.used_bytes, 96);
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 96));
    arena_done(&arena);
}

static void test_arena_alloc_size_overflow_returns_null(void **state)
{
    (void)state;
    struct arena arena;

    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 15));
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_strndup(&arena, "", SIZE_MAX));
    assert_int_equal(arena.used_bytes, 0);
    arena_done(&arena);
}

static void test_arena_alloc_of_zero_limit_returns_null(void **state)
{
    (void)state;
    struct arena arena;

    arena_init(&arena, 0);
    assert_null(arena_alloc(&arena, 0));
    assert_null(arena_strdup(&arena, "x"));
    assert_null(arena_printf(&arena, "x"));
    arena_reset(&arena);
    arena_done(&arena);
}

static void test_arena_copies_hold_what_was_given(void **state)
{
    (void)state;
    struct arena arena;

    arena_init(&arena, 1024);
    assert_string_equal(arena_strdup(&arena, "text"), "text");
    assert_memory_equal(arena_memdup(&arena, "a\0b", 3), "a\0b", 3);
    assert_string_equal(arena_strndup(&arena, "textual", 4), "text");
    assert_string_equal(arena_printf(&arena, "%d of %s", 3, "all"), "3 of all");
    assert_non_null(arena_memdup(&arena, NULL, 0));
    arena_done(&arena);
}

/* Many sizes, small and above a block: nothing overlaps, the limit is exact. */
static void test_arena_alloc_mixed_sizes_keep_apart(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    static unsigned char *memory[COUNT];
    static size_t sizes[COUNT];
    struct arena arena;
    struct rng rng;

    rng_seed(&rng, 1);
    arena_init(&arena, 64 << 20);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            sizes[i] = 1 + (size_t)rng_below(&rng, i % 10 == 0 ? 40000 : 500);
            memory[i] = arena_alloc(&arena, sizes[i]);
            assert_non_null(memory[i]);
            memset(memory[i], (int)(i % 251), sizes[i]);
        }
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t at = 0; at < sizes[i]; at++)
                assert_int_equal(memory[i][at], i % 251);
        }
        arena_reset(&arena);
    }
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_alloc_is_aligned_and_zeroed_also_after_reset),
        cmocka_unit_test(test_arena_alloc_at_the_limit_returns_null),
        cmocka_unit_test(test_arena_alloc_size_overflow_returns_null),
        cmocka_unit_test(test_arena_alloc_of_zero_limit_returns_null),
        cmocka_unit_test(test_arena_copies_hold_what_was_given),
        cmocka_unit_test(test_arena_alloc_mixed_sizes_keep_apart),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
