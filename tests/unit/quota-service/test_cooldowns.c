/* Keys that cool down: found, listed, dropped when they may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cooldowns.h"

#define CELLS (COOLDOWNS_TOUCHED_MAX + 1)

static struct cooldowns cooldowns;

static int set_up(void **state)
{
    (void)state;
    cooldowns_init(&cooldowns, CELLS);
    cooldowns_begin(&cooldowns, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cooldowns_done(&cooldowns);
    return 0;
}

static struct cooldown *find(const char *key)
{
    return cooldowns_find(&cooldowns, 1, key, strlen(key));
}

static struct cooldown *add(const char *key, int64_t now_us, uint64_t committed)
{
    return cooldowns_add(&cooldowns, 1, key, strlen(key), now_us, committed);
}

static void test_cooldowns_find_tells_keys_and_meters_apart(void **state)
{
    (void)state;
    add("k1", 0, 0)->until_us = 5;
    assert_int_equal(find("k1")->until_us, 5);
    assert_null(find("k"));
    assert_null(find("k11"));
    assert_null(cooldowns_find(&cooldowns, 2, "k1", 2));
}

static void test_cooldowns_touched_are_listed_once_for_each_batch(void **state)
{
    static struct cooldown changed[COOLDOWNS_TOUCHED_MAX];
    struct cooldown *cell = add("k1", 0, 0);

    (void)state;
    cooldowns_touch(&cooldowns, cell);
    cooldowns_touch(&cooldowns, cell);
    assert_int_equal(cell->batch, 1);
    assert_int_equal(cooldowns_copy_touched(&cooldowns, changed), 1);
    assert_memory_equal(changed[0].key, "k1", 2);
    cooldowns_begin(&cooldowns, 2);
    assert_int_equal(cooldowns_copy_touched(&cooldowns, changed), 0);
}

/* A cell that cools down, or that the ledger does not have yet, is not dropped. */
static void test_cooldowns_full_pool_drops_free_and_committed_cells_alone(void **state)
{
    char key[16];

    (void)state;
    for (unsigned i = 0; i < CELLS; i++) {
        struct cooldown *cell;

        (void)snprintf(key, sizeof(key), "k%u", i);
        cell = add(key, 0, 0);
        cell->until_us = i == 7 ? 50 : 100;
        cell->batch = i == 9 ? 4 : 3;
    }
    assert_null(add("more", 49, 3)); /* all cool down */
    assert_null(add("more", 50, 2)); /* k7 is free, and not committed */
    assert_non_null(add("more", 50, 3));
    assert_null(find("k7"));
    assert_non_null(find("k8"));
    for (unsigned i = 0; i < CELLS - 2; i++) { /* all but "more" and k9 */
        (void)snprintf(key, sizeof(key), "n%u", i);
        find("more")->until_us = 200;
        assert_non_null(find("k9"));
        add(key, 100, 3)->until_us = 200;
    }
    assert_null(add("last", 100, 3));
    assert_non_null(add("last", 100, 4)); /* k9's change is in the ledger now */
    assert_null(find("k9"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_cooldowns_find_tells_keys_and_meters_apart),
        TEST(test_cooldowns_touched_are_listed_once_for_each_batch),
        TEST(test_cooldowns_full_pool_drops_free_and_committed_cells_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
