#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include "metercache/v1/events.pb-c.h"
#include "rpc/events.h"
#include "rpc/frame.h"
#include "rpc/nng_error.h"
#include "rpc/socket_close.h"

#define RECEIVE_BUFFER    8192 /* events; nng drops the oldest */
#define MESSAGE_BYTES_MAX ((size_t)128 * 1024)
#define RECONNECT_MIN_MS  100
#define RECONNECT_MAX_MS  5000
#define HEARTBEAT         "heartbeat"

struct rpc_subscriber {
    nng_socket socket;
    char *prefix;
    void (*deliver)(void *context, const struct rpc_event *event);
    void *context;
    pthread_t thread;
    struct arena arena;
    uint64_t epoch; /* 0: none seen yet */
    uint64_t sequence;
    atomic_uint_least64_t heard_us;
};

/* True when events were lost since the last one. Takes note of this one. */
static bool is_gap(struct rpc_subscriber *subscriber, const Metercache__V1__Event *event)
{
    bool is_first = subscriber->epoch == 0;
    bool follows =
        event->epoch == subscriber->epoch && event->sequence == subscriber->sequence + 1;

    subscriber->epoch = event->epoch;
    subscriber->sequence = event->sequence;
    return !is_first && !follows;
}

/* Everything arrives here, whatever the prefix: a gap in the numbers can only be seen by
 * one who sees them all. */
static void take_event(struct rpc_subscriber *subscriber,
                       const Metercache__V1__Event *message)
{
    struct rpc_event event = {
        .publisher = message->publisher,
        .topic = "",
        .epoch = message->epoch,
        .sequence = message->sequence,
        .at_us = message->at_us,
        .missed = is_gap(subscriber, message),
    };
    size_t length = strlen(subscriber->prefix);
    bool is_wanted = strncmp(message->topic, subscriber->prefix, length) == 0 &&
                     (length > 0 || strcmp(message->topic, HEARTBEAT) != 0);

    if (is_wanted) {
        event.topic = message->topic;
        event.payload = message->payload.data;
        event.payload_size = message->payload.len;
    }
    if (is_wanted || event.missed)
        subscriber->deliver(subscriber->context, &event);
}

static void take_message(struct rpc_subscriber *subscriber, const uint8_t *bytes,
                         size_t size)
{
    const uint8_t *end_of_topic = memchr(bytes, '\0', size);
    ProtobufCMessage *message;
    struct error err = ERROR_NONE;
    enum status st = ST_INVALID;

    arena_reset(&subscriber->arena);
    if (end_of_topic != NULL)
        st = rpc_frame_decode(&message, &metercache__v1__event__descriptor,
                              end_of_topic + 1, size - (size_t)(end_of_topic + 1 - bytes),
                              &subscriber->arena, &err);
    if (st == ST_OK)
        take_event(subscriber, (const Metercache__V1__Event *)message);
    else
        log_event(LOG_WARN, "malformed event", LOG_STR("why", err.message));
}

static void *listen_to(void *argument)
{
    struct rpc_subscriber *subscriber = argument;
    nng_msg *message;

    /* Without a time-out, which crashes nng 1.5's subscribers; closing ends it. */
    while (nng_recvmsg(subscriber->socket, &message, 0) == 0) {
        atomic_store_explicit(&subscriber->heard_us, clock_mono_us(), memory_order_relaxed);
        take_message(subscriber, nng_msg_body(message), nng_msg_len(message));
        nng_msg_free(message);
    }
    return NULL;
}

static int set_options(nng_socket socket)
{
    int number = nng_socket_set_int(socket, NNG_OPT_RECVBUF, RECEIVE_BUFFER);

    if (number == 0)
        number = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, MESSAGE_BYTES_MAX);
    if (number == 0)
        number = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (number == 0)
        number = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    if (number == 0)
        number = nng_socket_set(socket, NNG_OPT_SUB_SUBSCRIBE, "", 0);
    return number;
}

enum status rpc_subscriber_open(struct rpc_subscriber **out, const char *url,
                                const char *prefix,
                                void (*deliver)(void *context,
                                                const struct rpc_event *event),
                                void *context, struct error *err)
{
    struct rpc_subscriber *subscriber;
    nng_socket socket;
    int number = nng_sub0_open(&socket);

    if (number != 0)
        return rpc_nng_error(err, number, "subscriber socket");
    number = set_options(socket);
    if (number == 0)
        number = nng_dial(socket, url, NULL, NNG_FLAG_NONBLOCK);
    if (number != 0) {
        (void)nng_close(socket);
        return rpc_nng_error(err, number, url);
    }
    subscriber = mem_alloc(sizeof(*subscriber));
    subscriber->socket = socket;
    subscriber->prefix = mem_strdup(prefix);
    subscriber->deliver = deliver;
    subscriber->context = context;
    arena_init(&subscriber->arena, 16 * MESSAGE_BYTES_MAX);
    atomic_init(&subscriber->heard_us, clock_mono_us());
    thread_start(&subscriber->thread, "rpc-events", 0, listen_to, subscriber);
    *out = subscriber;
    return ST_OK;
}

uint64_t rpc_subscriber_silence_us(const struct rpc_subscriber *subscriber)
{
    uint64_t heard_us = atomic_load_explicit(&subscriber->heard_us, memory_order_relaxed);
    uint64_t now_us = clock_mono_us();

    return now_us > heard_us ? now_us - heard_us : 0;
}

void rpc_subscriber_close(struct rpc_subscriber *subscriber)
{
    if (subscriber == NULL)
        return;
    if (!rpc_socket_close(subscriber->socket))
        return; /* the thread may still be in there */
    thread_join(subscriber->thread);
    arena_done(&subscriber->arena);
    mem_free(subscriber->prefix);
    mem_free(subscriber);
}
