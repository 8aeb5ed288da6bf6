#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "core/base.h"
#include "core/queue.h"
#include "core/thread.h"

static void test_queue_push_to_a_full_queue_is_refused(void **state)
{
    (void)state;
    int items[3];
    struct queue queue;

    queue_init(&queue, 2);
    assert_true(queue_push(&queue, &items[0]));
    assert_true(queue_push(&queue, &items[1]));
    assert_false(queue_push(&queue, &items[2]));
    assert_int_equal(queue_count(&queue), 2);
    assert_ptr_equal(queue_pop(&queue), &items[0]);
    assert_true(queue_push(&queue, &items[2]));
    assert_ptr_equal(queue_pop(&queue), &items[1]);
    assert_ptr_equal(queue_pop(&queue), &items[2]);
    queue_done(&queue);
}

static void test_queue_close_lets_the_rest_out_and_no_more_in(void **state)
{
    (void)state;
    int item;
    struct queue queue;

    queue_init(&queue, 2);
    assert_true(queue_push(&queue, &item));
    queue_close(&queue);
    queue_close(&queue);
    assert_false(queue_push(&queue, &item));
    assert_ptr_equal(queue_pop(&queue), &item);
    assert_null(queue_pop(&queue));
    assert_null(queue_pop(&queue));
    queue_done(&queue);
}

enum { WORKERS = 4, ITEMS = 5000 };

struct crowd {
    struct queue queue;
    atomic_uint taken[ITEMS];
    atomic_uint total;
};

static void *take_all(void *argument)
{
    struct crowd *crowd = argument;
    atomic_uint *item = queue_pop(&crowd->queue);

    while (item != NULL) {
        atomic_fetch_add(item, 1);
        atomic_fetch_add(&crowd->total, 1);
        item = queue_pop(&crowd->queue);
    }
    return NULL;
}

static void *push_share(void *argument)
{
    struct crowd *crowd = argument;
    static atomic_size_t next;

    for (size_t i = atomic_fetch_add(&next, 1); i < ITEMS; i = atomic_fetch_add(&next, 1)) {
        while (!queue_push(&crowd->queue, &crowd->taken[i])) {}
    }
    return NULL;
}

static void test_queue_pop_by_many_threads_takes_each_item_once(void **state)
{
    (void)state;
    static struct crowd crowd;
    pthread_t takers[WORKERS];
    pthread_t pushers[WORKERS];

    queue_init(&crowd.queue, 16);
    for (int i = 0; i < WORKERS; i++) {
        thread_start(&takers[i], "taker", 0, take_all, &crowd);
        thread_start(&pushers[i], "pusher", 0, push_share, &crowd);
    }
    for (int i = 0; i < WORKERS; i++)
        thread_join(pushers[i]);
    queue_close(&crowd.queue);
    for (int i = 0; i < WORKERS; i++)
        thread_join(takers[i]);

    assert_int_equal(atomic_load(&crowd.total), ITEMS);
    for (size_t i = 0; i < ITEMS; i++)
        assert_int_equal(atomic_load(&crowd.taken[i]), 1);
    queue_done(&crowd.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_push_to_a_full_queue_is_refused),
        cmocka_unit_test(test_queue_close_lets_the_rest_out_and_no_more_in),
        cmocka_unit_test(test_queue_pop_by_many_threads_takes_each_item_once),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
