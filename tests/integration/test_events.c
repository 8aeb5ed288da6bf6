/* What the cache fills is told on pub/sub, once, in order, without any secret. S1. */
#include <string.h>

#include "core/thread.h"
#include "metercache/v1/events.pb-c.h"
#include "rpc/events.h"
#include "support/fixture.h"

#define WAIT_MS    10000
#define EVENTS_MAX 64
#define TEXT_SIZE  64

/* Events as they came. */
struct heard {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t count;
    char topics[EVENTS_MAX][TEXT_SIZE];
    char keys[EVENTS_MAX][TEXT_SIZE];
    uint64_t last_sequence;
    bool missed;
};

static void keep_filled(struct heard *heard, const struct rpc_event *event)
{
    Metercache__V1__FilledEvent *filled =
        metercache__v1__filled_event__unpack(NULL, event->payload_size, event->payload);

    if (filled == NULL || filled->entry == NULL || heard->count == EVENTS_MAX) {
        heard->missed = true;
    } else {
        (void)snprintf(heard->topics[heard->count], TEXT_SIZE, "%s", event->topic);
        (void)snprintf(heard->keys[heard->count], TEXT_SIZE, "%s", filled->entry->key);
        heard->count++;
    }
    if (filled != NULL)
        metercache__v1__filled_event__free_unpacked(filled, NULL);
}

static void on_event(void *context, const struct rpc_event *event)
{
    struct heard *heard = context;

    mutex_lock(&heard->mutex);
    heard->missed = heard->missed || (event->missed && heard->last_sequence != 0) ||
                    event->sequence <= heard->last_sequence;
    heard->last_sequence = event->sequence;
    if (event->topic[0] != '\0')
        keep_filled(heard, event);
    condition_broadcast(&heard->changed);
    mutex_unlock(&heard->mutex);
}

/* False when that many have not come within the time. */
static bool wait_for(struct heard *heard, size_t events, uint64_t timeout_ms)
{
    uint64_t until_us = clock_deadline_ms(timeout_ms);
    bool in_time = true;

    mutex_lock(&heard->mutex);
    while (heard->count < events && in_time)
        in_time = condition_wait_until(&heard->changed, &heard->mutex, until_us);
    bool have_come = heard->count >= events;
    mutex_unlock(&heard->mutex);
    return have_come;
}

static struct simulator_creator select_new(struct fixture *fixture)
{
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
              &fixture->alice.err);
    return creator;
}

static void test_select_is_told_to_subscribers(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_subscriber *subscriber = NULL;
    struct heard heard = {.count = 0};
    struct error err = ERROR_NONE;
    select_reply *reply = NULL;

    mutex_init(&heard.mutex);
    condition_init(&heard.changed);
    assert_ok(rpc_subscriber_open(&subscriber,
                                  stack_value(fixture->stack, "STACK_EVENTS_URL"), "",
                                  on_event, &heard, &err),
              &err);
    uint64_t until_us = clock_deadline_ms(WAIT_MS);
    do { /* until the subscription stands, events pass it by */
        assert_true(clock_left_ms(until_us) > 0);
        (void)select_new(fixture);
    } while (!wait_for(&heard, 1, 200));
    mutex_lock(&heard.mutex);
    size_t before = heard.count;
    mutex_unlock(&heard.mutex);

    const struct simulator_creator first = select_new(fixture);
    assert_true(wait_for(&heard, before + 1, WAIT_MS));
    /* From the cache: nothing is filled, so nothing is told. */
    assert_ok(call_select(&fixture->alice, INSTAGRAM, first.user_id, true, &reply),
              &fixture->alice.err);
    const struct simulator_creator second = select_new(fixture);
    assert_true(wait_for(&heard, before + 2, WAIT_MS));
    rpc_subscriber_close(subscriber);

    assert_int_equal(heard.count, before + 2);
    assert_string_equal(heard.topics[before], "filled.creator_report");
    assert_string_equal(heard.keys[before], first.user_id);
    assert_string_equal(heard.keys[before + 1], second.user_id);
    assert_false(heard.missed);
    condition_done(&heard.changed);
    mutex_done(&heard.mutex);
}

static int set_up(void **state)
{
    return fixture_up(state, "events", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_select_is_told_to_subscribers),
    };

    return cmocka_run_group_tests_name("events", tests, set_up, fixture_down);
}
