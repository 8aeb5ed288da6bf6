#include "rpc/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/log.h"
#include "core/thread.h"
#include "support/rpc_loopback.h"

#if defined(__SANITIZE_THREAD__)
/* nng counts references of messages with atomics that ThreadSanitizer does not see. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libnng.so";
}
#endif

#if defined(__SANITIZE_ADDRESS__)
/* nng 1.5 leaks a message whose connection goes while it is being sent. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}
#endif

struct heard {
    pthread_mutex_t mutex;
    unsigned count;
    unsigned missed;
    unsigned notices;
    uint64_t last_sequence;
    uint64_t epoch;
    char topic[64];
    char payload[64];
};

static void hear(void *context, const struct rpc_event *event)
{
    struct heard *heard = context;

    mutex_lock(&heard->mutex);
    heard->missed += event->missed;
    if (event->topic[0] == '\0') {
        heard->notices++;
    } else {
        heard->count++;
        heard->last_sequence = event->sequence;
        heard->epoch = event->epoch;
        snprintf(heard->topic, sizeof(heard->topic), "%s", event->topic);
        snprintf(heard->payload, sizeof(heard->payload), "%.*s", (int)event->payload_size,
                 (const char *)event->payload);
    }
    mutex_unlock(&heard->mutex);
}

struct expectation {
    struct heard *heard;
    unsigned count;
};

static bool has_heard(void *context)
{
    struct expectation *expectation = context;
    bool enough;

    mutex_lock(&expectation->heard->mutex);
    enough = expectation->heard->count >= expectation->count;
    mutex_unlock(&expectation->heard->mutex);
    return enough;
}

static void await_count(struct heard *heard, unsigned count)
{
    struct expectation expectation = {heard, count};

    loopback_await(has_heard, &expectation);
}

static void heard_init(struct heard *heard)
{
    *heard = (struct heard){.count = 0};
    mutex_init(&heard->mutex);
}

/* A subscriber with prefix "heartbeat" hears one: then all are connected. */
static struct rpc_subscriber *subscribe(const struct rpc_publisher *publisher,
                                        const char *prefix, struct heard *heard)
{
    struct rpc_subscriber *subscriber = NULL;
    struct error err = ERROR_NONE;

    heard_init(heard);
    assert_int_equal(rpc_subscriber_open(&subscriber, rpc_publisher_url(publisher), prefix,
                                         hear, heard, &err),
                     ST_OK);
    return subscriber;
}

static struct rpc_publisher *publish_at(const char *url)
{
    struct rpc_publisher *publisher = NULL;
    struct error err = ERROR_NONE;

    if (rpc_publisher_open(&publisher, "test/1", url, &err) != ST_OK)
        fail_msg("%s", err.message);
    return publisher;
}

static void publish_text(struct rpc_publisher *publisher, const char *topic,
                         const char *text)
{
    rpc_publish(publisher, topic, text, strlen(text));
}

static void test_events_reach_those_whose_prefix_fits(void **state)
{
    struct rpc_publisher *publisher = publish_at("tcp://127.0.0.1:0");
    struct heard all;
    struct heard some;
    struct rpc_subscriber *a = subscribe(publisher, "heartbeat", &all);
    struct rpc_subscriber *b = subscribe(publisher, "invalidated.", &some);

    (void)state;
    await_count(&all, 2); /* b dialled a full heartbeat ago, too */
    publish_text(publisher, "filled.creator", "no");
    publish_text(publisher, "invalidated.creator", "yes");
    await_count(&some, 1);
    assert_string_equal(some.topic, "invalidated.creator");
    assert_string_equal(some.payload, "yes");
    assert_int_equal(some.missed, 0); /* what was filtered is not lost */
    assert_true(rpc_subscriber_silence_us(b) < 5000000);
    rpc_subscriber_close(a);
    rpc_subscriber_close(b);
    rpc_publisher_close(publisher);
}

static void test_publisher_restart_is_seen_as_loss(void **state)
{
    struct rpc_publisher *publisher = publish_at("tcp://127.0.0.1:0");
    struct heard heard;
    struct rpc_subscriber *subscriber = subscribe(publisher, "heartbeat", &heard);
    char url[64];

    (void)state;
    await_count(&heard, 1);
    snprintf(url, sizeof(url), "%s", rpc_publisher_url(publisher));
    rpc_publisher_close(publisher);
    publisher = publish_at(url);
    await_count(&heard, heard.count + 1);
    assert_int_equal(heard.missed, 1);
    rpc_subscriber_close(subscriber);
    rpc_publisher_close(publisher);
}

static void test_burst_is_delivered_in_order(void **state)
{
    struct rpc_publisher *publisher = publish_at("tcp://127.0.0.1:0");
    struct heard heartbeat;
    struct heard heard;
    struct rpc_subscriber *a = subscribe(publisher, "heartbeat", &heartbeat);
    struct rpc_subscriber *b = subscribe(publisher, "burst", &heard);
    char text[32] = "";

    (void)state;
    await_count(&heartbeat, 2);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        publish_text(publisher, "burst", text);
    }
    await_count(&heard, 5000);
    assert_string_equal(heard.payload, "4999");
    assert_int_equal(heard.missed, 0);
    await_count(&heartbeat, heartbeat.count + 1); /* the other one is through it, too */
    rpc_subscriber_close(a);
    rpc_subscriber_close(b);
    rpc_publisher_close(publisher);
}

static void test_publish_too_large_is_dropped(void **state)
{
    static char big[65537];
    struct rpc_publisher *publisher = publish_at("tcp://127.0.0.1:0");

    (void)state;
    rpc_publish(publisher, "big", big, sizeof(big));
    rpc_publisher_close(publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_reach_those_whose_prefix_fits),
        cmocka_unit_test(test_publisher_restart_is_seen_as_loss),
        cmocka_unit_test(test_burst_is_delivered_in_order),
        cmocka_unit_test(test_publish_too_large_is_dropped),
    };

    log_setup("test", LOG_TEXT, LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
