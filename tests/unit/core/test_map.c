#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/map.h"
#include "core/rng.h"

static void test_map_get_of_an_empty_map_is_null(void **state)
{
    (void)state;
    struct map map;

    map_init(&map);
    assert_null(map_get(&map, "a", 1));
    assert_null(map_remove(&map, "a", 1));
    map_done(&map);
}

static void test_map_put_returns_the_former_value(void **state)
{
    (void)state;
    int first = 1;
    int second = 2;
    struct map map;

    map_init(&map);
    assert_null(map_put(&map, "key", 3, &first));
    assert_ptr_equal(map_put(&map, "key", 3, &second), &first);
    assert_ptr_equal(map_get(&map, "key", 3), &second);
    assert_int_equal(map.count, 1);
    assert_ptr_equal(map_remove(&map, "key", 3), &second);
    assert_null(map_get(&map, "key", 3));
    assert_int_equal(map.count, 0);
    map_done(&map);
}

static void test_map_keys_are_bytes_and_copied(void **state)
{
    (void)state;
    char key[] = {'a', '\0', 'b'};
    int values[3];
    struct map map;

    map_init(&map);
    map_put(&map, key, 3, &values[0]);
    map_put(&map, key, 1, &values[1]);
    map_put(&map, NULL, 0, &values[2]);
    key[2] = 'c';
    assert_null(map_get(&map, key, 3));
    assert_ptr_equal(map_get(&map, "a\0b", 3), &values[0]);
    assert_ptr_equal(map_get(&map, "a", 1), &values[1]);
    assert_ptr_equal(map_get(&map, "", 0), &values[2]);
    map_done(&map);
}

/* Random puts and removals against an array that is plainly right. */
static void test_map_agrees_with_a_model_over_many_changes(void **state)
{
    (void)state;
    enum { KEYS = 500, STEPS = 40000 };
    static int values[KEYS];
    void *model[KEYS] = {NULL};
    size_t count = 0;
    struct rng rng;
    struct map map;

    rng_seed(&rng, 3);
    map_init(&map);
    for (int step = 0; step < STEPS; step++) {
        uint64_t key = rng_below(&rng, KEYS);
        /* Phases that grow and phases that shrink. */
        bool add = rng_below(&rng, 10) < (step / 5000 % 2 == 0 ? 7U : 2U);
        void *value = add ? &values[rng_below(&rng, KEYS)] : NULL;
        void *former = add ? map_put(&map, &key, sizeof(key), value)
                           : map_remove(&map, &key, sizeof(key));

        assert_ptr_equal(former, model[key]);
        count += (value != NULL) - (size_t)(model[key] != NULL);
        model[key] = value;
        assert_int_equal(map.count, count);
    }
    for (uint64_t key = 0; key < KEYS; key++)
        assert_ptr_equal(map_get(&map, &key, sizeof(key)), model[key]);
    assert_true(map.capacity <= 2048); /* graves do not make it grow */
    map_done(&map);
}

static void test_map_next_visits_each_once_and_allows_removal(void **state)
{
    (void)state;
    enum { KEYS = 100 };
    static int seen[KEYS];
    struct map map;
    const void *key;
    size_t key_size;
    void *value;
    size_t cursor = 0;

    map_init(&map);
    for (int i = 0; i < KEYS; i++)
        map_put(&map, &i, sizeof(i), &seen[i]);
    while (map_next(&map, &cursor, &key, &key_size, &value)) {
        int number;

        assert_int_equal(key_size, sizeof(number));
        memcpy(&number, key, sizeof(number));
        assert_ptr_equal(value, &seen[number]);
        seen[number]++;
        assert_ptr_equal(map_remove(&map, &number, sizeof(number)), value);
    }
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(map.count, 0);
    map_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_get_of_an_empty_map_is_null),
        cmocka_unit_test(test_map_put_returns_the_former_value),
        cmocka_unit_test(test_map_keys_are_bytes_and_copied),
        cmocka_unit_test(test_map_agrees_with_a_model_over_many_changes),
        cmocka_unit_test(test_map_next_visits_each_once_and_allows_removal),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
