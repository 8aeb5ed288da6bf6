/* When a search is answered by what is held, and where the provider's pages end (C1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "resources/creators/search_fetch.h"
#include "store/searches_store.h"

#define T0 1800000000000000LL

static struct search held(int64_t count, bool exhausted)
{
    return (struct search){
        .held = count,
        .exhausted = exhausted,
        .fetched_at_us = T0 - 10,
        .fresh_until_us = T0 + 10,
    };
}

static void test_answers_when_enough_are_held_and_fresh(void **state)
{
    (void)state;
    struct search enough = held(40, false);
    struct search too_few = held(39, false);
    struct search all_there_are = held(3, true);

    assert_true(search_fetch_answers(&enough, 40, 0, T0));
    assert_false(search_fetch_answers(&too_few, 40, 0, T0));
    assert_true(search_fetch_answers(&all_there_are, 40, 0, T0));
    assert_false(search_fetch_answers(&enough, 40, 0, T0 + 10));
}

static void test_answers_when_stale_for_whoever_had_it_filled(void **state)
{
    (void)state;
    struct search enough = held(40, false);

    enough.generation = 3;
    enough.held_generation = 3;
    assert_true(search_fetch_answers(&enough, 40, 3, T0 + 10));
    assert_false(search_fetch_answers(&enough, 41, 3, T0 + 10));
    assert_false(search_fetch_answers(&enough, 40, 2, T0 + 10));
    enough.held_generation = 2; /* the one of before still answers */
    assert_false(search_fetch_answers(&enough, 40, 3, T0 + 10));
}

static void test_is_last_page_by_size_total_and_provider_limit(void **state)
{
    (void)state;
    static const struct {
        uint32_t page;
        uint32_t returned;
        int64_t total;
        bool is_last;
    } rows[] = {
        {0, 15, 100, false}, {0, 14, 100, true}, {0, 0, 0, true},     {1, 15, 30, true},
        {1, 15, 31, false},  {3, 15, -1, false}, {665, 15, -1, true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(
            search_fetch_is_last_page(rows[i].page, rows[i].returned, rows[i].total),
            rows[i].is_last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_when_enough_are_held_and_fresh),
        cmocka_unit_test(test_answers_when_stale_for_whoever_had_it_filled),
        cmocka_unit_test(test_is_last_page_by_size_total_and_provider_limit),
    };

    return cmocka_run_group_tests_name("search_fetch", tests, NULL, NULL);
}
