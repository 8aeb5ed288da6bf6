#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "metercache/v1/events.pb-c.h"
#include "rpc/connections.h"
#include "rpc/events.h"
#include "rpc/guard.h"
#include "rpc/listener.h"
#include "rpc/nng_error.h"
#include "rpc/socket_close.h"

#define HEARTBEAT_MS      500
#define PROBE_TIMEOUT_MS  1500 /* a heartbeat is due within 500 */
#define SEND_BUFFER       8192 /* events per subscriber; nng drops the oldest */
#define SUBSCRIBERS_MAX   256
#define TOPIC_MAX         128
#define PAYLOAD_BYTES_MAX ((size_t)64 * 1024)
#define RECEIVE_BYTES_MAX 1024 /* subscribers have nothing to say */

struct rpc_publisher {
    char *name;
    uint64_t epoch;
    nng_socket socket;
    bool has_socket;
    struct rpc_listener listener;
    struct rpc_connections *connections;
    struct rpc_guard *guard;
    pthread_t heart;
    bool has_heart;

    pthread_mutex_t mutex; /* keeps sending in the order of numbering */
    pthread_cond_t stopping;
    uint64_t sequence;
    bool is_stopping;
};

/* Topic, NUL, packed event: a subscriber of nng filters by the first bytes. */
static nng_msg *make_message(const char *topic, const Metercache__V1__Event *event)
{
    size_t topic_size = strlen(topic) + 1;
    nng_msg *message;
    uint8_t *body;

    if (nng_msg_alloc(&message,
                      topic_size + metercache__v1__event__get_packed_size(event)) != 0)
        return NULL;
    body = nng_msg_body(message);
    memcpy(body, topic, topic_size);
    metercache__v1__event__pack(event, body + topic_size);
    return message;
}

/* The mutex is held. */
static void send_event(struct rpc_publisher *publisher, const char *topic,
                       const void *payload, size_t size)
{
    Metercache__V1__Event event = METERCACHE__V1__EVENT__INIT;
    union {
        const void *in;
        uint8_t *bytes;
        char *text;
    } value = {.in = payload};
    union {
        const char *in;
        char *text;
    } name = {.in = topic};
    nng_msg *message;

    event.publisher = publisher->name;
    event.epoch = publisher->epoch;
    event.sequence = ++publisher->sequence;
    event.at_us = clock_wall_us();
    event.topic = name.text;
    event.payload = (ProtobufCBinaryData){size, value.bytes};
    message = make_message(topic, &event);
    /* A failure leaves a gap in the numbers, which subscribers see. */
    if (message != NULL && nng_sendmsg(publisher->socket, message, NNG_FLAG_NONBLOCK) != 0)
        nng_msg_free(message);
}

void rpc_publish(struct rpc_publisher *publisher, const char *topic, const void *payload,
                 size_t size)
{
    if (size > PAYLOAD_BYTES_MAX || topic[0] == '\0' || strlen(topic) > TOPIC_MAX) {
        log_event(LOG_ERROR, "event not published", LOG_STR("topic", topic),
                  LOG_U64("bytes", size));
        return;
    }
    mutex_lock(&publisher->mutex);
    send_event(publisher, topic, payload, size);
    mutex_unlock(&publisher->mutex);
}

/* The mutex is held. */
static void send_heartbeat(struct rpc_publisher *publisher)
{
    Metercache__V1__HeartbeatEvent beat = METERCACHE__V1__HEARTBEAT_EVENT__INIT;
    uint8_t bytes[32];
    size_t size;

    beat.published = publisher->sequence + 1;
    size = metercache__v1__heartbeat_event__get_packed_size(&beat);
    if (size > sizeof(bytes))
        return;
    metercache__v1__heartbeat_event__pack(&beat, bytes);
    send_event(publisher, "heartbeat", bytes, size);
}

static void *beat(void *argument)
{
    struct rpc_publisher *publisher = argument;

    mutex_lock(&publisher->mutex);
    while (!publisher->is_stopping) {
        uint64_t until_us = clock_deadline_ms(HEARTBEAT_MS);

        send_heartbeat(publisher);
        while (!publisher->is_stopping &&
               condition_wait_until(&publisher->stopping, &publisher->mutex, until_us)) {}
    }
    mutex_unlock(&publisher->mutex);
    return NULL;
}

/* Subscribe through the own address, and hear a heartbeat. Not with nng: a subscriber that
 * closes while events come is what socket_close.h speaks of. */
static bool probe(void *context)
{
    const struct rpc_publisher *publisher = context;

    return rpc_listener_hears(&publisher->listener, PROBE_TIMEOUT_MS);
}

static bool restart(void *context)
{
    struct rpc_publisher *publisher = context;
    struct error ignored = ERROR_NONE;

    return rpc_listener_restart(&publisher->listener, &ignored) == ST_OK;
}

/* Runs under nng's socket lock: nothing but nng_pipe_ functions may be called. */
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
    struct rpc_publisher *publisher = argument;
    uint32_t id = (uint32_t)nng_pipe_id(pipe);

    if (event == NNG_PIPE_EV_REM_POST)
        rpc_connections_remove(publisher->connections, id);
    else if (!rpc_connections_add(publisher->connections, id, "", "", clock_mono_us()))
        (void)nng_pipe_close(pipe);
}

static enum status open_socket(struct rpc_publisher *publisher, const char *url,
                               struct error *err)
{
    struct rpc_tls_files no_tls = {.ca_file = NULL};
    int number = nng_pub0_open(&publisher->socket);

    if (number != 0)
        return rpc_nng_error(err, number, "publisher socket");
    publisher->has_socket = true;
    number = nng_socket_set_int(publisher->socket, NNG_OPT_SENDBUF, SEND_BUFFER);
    if (number == 0)
        number =
            nng_socket_set_size(publisher->socket, NNG_OPT_RECVMAXSZ, RECEIVE_BYTES_MAX);
    if (number == 0)
        number =
            nng_pipe_notify(publisher->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, publisher);
    if (number == 0)
        number =
            nng_pipe_notify(publisher->socket, NNG_PIPE_EV_REM_POST, on_pipe, publisher);
    if (number != 0)
        return rpc_nng_error(err, number, "publisher socket");
    return rpc_listener_open(&publisher->listener, publisher->socket, url, &no_tls, err);
}

enum status rpc_publisher_open(struct rpc_publisher **out, const char *name,
                               const char *listen_url, struct error *err)
{
    struct rpc_publisher *publisher = mem_alloc(sizeof(*publisher));
    enum status st;

    publisher->name = mem_strdup(name);
    publisher->epoch = rng_system_u64() | 1; /* never 0 */
    publisher->listener.lock_fd = -1;
    publisher->connections = rpc_connections_new((struct rpc_connections_options){
        .max = SUBSCRIBERS_MAX, .max_per_address = SUBSCRIBERS_MAX});
    mutex_init(&publisher->mutex);
    condition_init(&publisher->stopping);
    st = open_socket(publisher, listen_url, err);
    if (st != ST_OK) {
        rpc_publisher_close(publisher);
        return st;
    }
    thread_start(&publisher->heart, "rpc-heartbeat", 0, beat, publisher);
    publisher->has_heart = true;
    publisher->guard = rpc_guard_start(&(struct rpc_guard_options){
        .name = "events", .probe = probe, .restart = restart, .context = publisher});
    *out = publisher;
    return ST_OK;
}

const char *rpc_publisher_url(const struct rpc_publisher *publisher)
{
    return publisher->listener.url;
}

void rpc_publisher_close(struct rpc_publisher *publisher)
{
    if (publisher == NULL)
        return;
    rpc_guard_stop(publisher->guard);
    mutex_lock(&publisher->mutex);
    publisher->is_stopping = true;
    condition_signal(&publisher->stopping);
    mutex_unlock(&publisher->mutex);
    if (publisher->has_heart)
        thread_join(publisher->heart);
    rpc_listener_done(&publisher->listener);
    if (publisher->has_socket && !rpc_socket_close(publisher->socket))
        return; /* its callbacks may still come */
    rpc_connections_free(publisher->connections);
    condition_done(&publisher->stopping);
    mutex_done(&publisher->mutex);
    mem_free(publisher->name);
    mem_free(publisher);
}
