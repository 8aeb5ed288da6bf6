#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/list.h"

struct item {
    int number;
    struct list_link link;
};

static int number_of(const struct list_link *link)
{
    return list_item(link, struct item, link)->number;
}

static void test_list_append_and_prepend_keep_order(void **state)
{
    (void)state;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 0}};
    struct list list;
    int expected = 0;

    list_init(&list);
    assert_true(list_is_empty(&list));
    list_append(&list, &items[0].link);
    list_append(&list, &items[1].link);
    list_prepend(&list, &items[2].link);

    assert_int_equal(list.count, 3);
    for (struct list_link *at = list_first(&list); at != NULL; at = list_next(&list, at))
        assert_int_equal(number_of(at), expected++);
    assert_int_equal(expected, 3);
}

static void test_list_remove_of_the_middle_joins_its_neighbours(void **state)
{
    (void)state;
    struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct list list;

    list_init(&list);
    for (int i = 0; i < 3; i++)
        list_append(&list, &items[i].link);
    list_remove(&list, &items[1].link);

    assert_null(items[1].link.next);
    assert_int_equal(list.count, 2);
    assert_int_equal(number_of(list_next(&list, list_first(&list))), 2);
    assert_null(list_next(&list, &items[2].link));
}

static void test_list_take_first_empties_in_order(void **state)
{
    (void)state;
    struct item items[2] = {{.number = 5}, {.number = 6}};
    struct list list;

    list_init(&list);
    assert_null(list_first(&list));
    assert_null(list_take_first(&list));
    list_append(&list, &items[0].link);
    list_append(&list, &items[1].link);
    assert_int_equal(number_of(list_take_first(&list)), 5);
    assert_int_equal(number_of(list_take_first(&list)), 6);
    assert_true(list_is_empty(&list));
    list_append(&list, &items[0].link);
    assert_int_equal(list.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_append_and_prepend_keep_order),
        cmocka_unit_test(test_list_remove_of_the_middle_joins_its_neighbours),
        cmocka_unit_test(test_list_take_first_empties_in_order),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
