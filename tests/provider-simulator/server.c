#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "parking.h"

enum {
    BODY_MAX = 1024 * 1024,
    CONNECTIONS_MAX = 2000,
    IDLE_TIMEOUT_S = 120,
};

struct server {
    struct simulator *simulator;
    struct MHD_Daemon *daemon;
};

/* One request between its first header and its last byte. */
struct exchange {
    struct request request;
    struct reply reply;
    struct text body;
    struct behaviour behaviour;
    struct parked parked;
    struct MHD_Connection *connection;
    uint64_t epoch;
    bool too_large;
    bool was_parked;
    bool worked; /* the route's answer is in `reply`, and charged */
};

static const char *lookup_header(const struct request *request, const char *name)
{
    const struct exchange *exchange = request->user;

    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static const char *lookup_query(const struct request *request, const char *name)
{
    const struct exchange *exchange = request->user;

    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

static struct exchange *exchange_new(struct simulator *simulator,
                                     struct MHD_Connection *connection)
{
    struct exchange *exchange = must_alloc(sizeof *exchange);
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);

    exchange->connection = connection;
    exchange->request.simulator = simulator;
    exchange->request.header = lookup_header;
    exchange->request.query = lookup_query;
    exchange->request.user = exchange;
    exchange->reply = (struct reply){.status = MHD_HTTP_OK, .retry_after_s = -1};
    exchange->too_large = length != NULL && strtoull(length, NULL, 10) > BODY_MAX;
    return exchange;
}

static void exchange_free(struct exchange *exchange)
{
    json_decref(exchange->request.json);
    free(exchange->request.checked);
    text_done(&exchange->reply.body);
    text_done(&exchange->body);
    free(exchange);
}

static enum MHD_Result send_response(struct exchange *exchange,
                                     struct MHD_Response *response)
{
    enum MHD_Result result;

    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (exchange->reply.retry_after_s >= 0) {
        char seconds[16];

        snprintf(seconds, sizeof seconds, "%d", exchange->reply.retry_after_s);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    result = MHD_queue_response(exchange->connection, exchange->reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_reply(struct exchange *exchange)
{
    size_t length = exchange->reply.body.length;
    char *bytes = text_take(&exchange->reply.body);

    return send_response(
        exchange, MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE));
}

/* Half of a body that promised to be whole: the second call breaks the connection. */
static ssize_t read_half(void *cls, uint64_t at, char *out, size_t size)
{
    const struct text *body = cls;
    size_t half = body->length / 2;

    if (at >= half) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (size > half - at) {
        size = (size_t)(half - at);
    }
    memcpy(out, body->bytes + at, size);
    return (ssize_t)size;
}

/* The exchange outlives the response: it is freed when the request is completed. */
static enum MHD_Result send_half(struct exchange *exchange)
{
    return send_response(exchange, MHD_create_response_from_callback(
                                       exchange->reply.body.length, 16384, read_half,
                                       &exchange->reply.body, NULL));
}

static struct endpoint_counts *counts_for(const struct exchange *exchange)
{
    return counts_of(exchange->request.simulator->counts,
                     exchange->request.route->endpoint);
}

static enum MHD_Result finish(struct exchange *exchange)
{
    counts_for(exchange)->answered++;
    return send_reply(exchange);
}

static enum MHD_Result drop(struct exchange *exchange)
{
    counts_for(exchange)->dropped++;
    return MHD_NO;
}

/* Do what the provider does for this request; once. */
static void work(struct exchange *exchange)
{
    if (!exchange->worked) {
        exchange->worked = true;
        exchange->request.route->answer(&exchange->request, &exchange->reply);
    }
}

static enum MHD_Result answer_error(struct exchange *exchange)
{
    const struct behaviour *behaviour = &exchange->behaviour;

    if (exchange->request.route->auth == AUTH_CLAY) {
        reply_clay_error(&exchange->reply, behaviour->status, behaviour->code);
    } else {
        reply_modash_status(&exchange->reply, behaviour->status, behaviour->code,
                            "simulated");
    }
    exchange->reply.retry_after_s = behaviour->retry_after_s;
    return finish(exchange);
}

static enum MHD_Result hold(struct exchange *exchange)
{
    int delay_ms =
        exchange->behaviour.mode == BEHAVIOUR_HANG ? -1 : (int)exchange->behaviour.delay_ms;

    exchange->was_parked = true;
    if (!parking_hold(exchange->request.simulator->parking, &exchange->parked,
                      exchange->connection, exchange->request.route->endpoint, delay_ms)) {
        return drop(exchange);
    }
    return MHD_YES;
}

static enum MHD_Result behave(struct exchange *exchange)
{
    const struct behaviour *behaviour = &exchange->behaviour;

    if (behaviour->effect && behaviour->mode != BEHAVIOUR_STATUS) {
        work(exchange);
    }
    switch (behaviour->mode) {
    case BEHAVIOUR_OK:
        break;
    case BEHAVIOUR_STATUS:
        return answer_error(exchange);
    case BEHAVIOUR_HANG:
    case BEHAVIOUR_SLOW:
        return hold(exchange);
    case BEHAVIOUR_CLOSE:
        return drop(exchange);
    case BEHAVIOUR_TRUNCATE:
        work(exchange);
        counts_for(exchange)->dropped++;
        return send_half(exchange);
    case BEHAVIOUR_GARBAGE:
        work(exchange);
        text_done(&exchange->reply.body);
        text_append(&exchange->reply.body, "<html>{]\x01 not what you asked for");
        exchange->reply.status = MHD_HTTP_OK;
        return finish(exchange);
    }
    work(exchange);
    return finish(exchange);
}

/* A request that was held goes on: answered as usual, unless nobody waits for it. */
static enum MHD_Result go_on(struct exchange *exchange)
{
    struct simulator *simulator = exchange->request.simulator;
    enum parking_outcome outcome = parking_outcome(simulator->parking, &exchange->parked);

    if (outcome == PARKING_WAITING) {
        return MHD_YES;
    }
    if (exchange->epoch != simulator->epoch) {
        return MHD_NO;
    }
    if (outcome == PARKING_CLIENT_LEFT || outcome == PARKING_CLOSED) {
        return drop(exchange);
    }
    work(exchange);
    return finish(exchange);
}

static enum MHD_Result refuse(struct exchange *exchange)
{
    const struct route *route = exchange->request.route;

    if (route != NULL && route->endpoint != ENDPOINT_NONE) {
        counts_for(exchange)->refused++;
    }
    return send_reply(exchange);
}

static enum MHD_Result refuse_large(struct exchange *exchange, const char *path)
{
    static const char message[] = "the body is larger than 1 MiB";

    if (strncmp(path, "/public/", 8) == 0) {
        reply_clay_error(&exchange->reply, 413, message);
    } else {
        reply_modash_status(&exchange->reply, 413, "bad_request", message);
    }
    return send_reply(exchange);
}

static enum MHD_Result serve(struct exchange *exchange, const char *method,
                             const char *path)
{
    struct request *request = &exchange->request;
    struct simulator *simulator = request->simulator;

    if (exchange->too_large) {
        return refuse_large(exchange, path);
    }
    if (!routes_find(request, method, path, &exchange->reply) ||
        !routes_authorise(request, &exchange->reply)) {
        return refuse(exchange);
    }
    if (exchange->body.length > 0) {
        request->json = json_loadb(exchange->body.bytes, exchange->body.length,
                                   JSON_REJECT_DUPLICATES, NULL);
    }
    if (request->route->check != NULL &&
        !request->route->check(request, &exchange->reply)) {
        return refuse(exchange);
    }
    if (request->route->endpoint == ENDPOINT_NONE) {
        request->route->answer(request, &exchange->reply);
        return send_reply(exchange);
    }
    exchange->epoch = simulator->epoch;
    counts_for(exchange)->received++;
    counts_note_op(simulator->counts, lookup_header(request, "X-Metercache-Op"));
    exchange->behaviour = behaviours_take(&simulator->behaviours, request->route->endpoint);
    return behave(exchange);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    struct exchange *exchange = *state;

    (void)version;
    if (exchange == NULL) {
        exchange = *state = exchange_new(cls, connection);
        return exchange->too_large ? serve(exchange, method, path) : MHD_YES;
    }
    if (*upload_size > 0) {
        if (exchange->body.length + *upload_size > BODY_MAX) {
            exchange->too_large = true; /* a chunked body: read on, keep nothing */
        } else {
            text_append_n(&exchange->body, upload, *upload_size);
        }
        *upload_size = 0;
        return MHD_YES;
    }
    return exchange->was_parked ? go_on(exchange) : serve(exchange, method, path);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    if (*state != NULL) {
        exchange_free(*state);
        *state = NULL;
    }
}

struct server *server_start(struct simulator *simulator, const char *address, uint16_t port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct server *server;
    struct MHD_Daemon *daemon;

    if (inet_pton(AF_INET, address, &where.sin_addr) != 1) {
        errno = EINVAL;
        return NULL;
    }
    daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL,
        on_request, simulator, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 511U, MHD_OPTION_END);
    if (daemon == NULL) {
        return NULL;
    }
    server = must_alloc(sizeof *server);
    server->simulator = simulator;
    server->daemon = daemon;
    return server;
}

uint16_t server_port(const struct server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info == NULL ? 0 : info->port;
}

void server_stop(struct server *server)
{
    if (server != NULL) {
        parking_close(server->simulator->parking);
        MHD_stop_daemon(server->daemon);
        free(server);
    }
}
