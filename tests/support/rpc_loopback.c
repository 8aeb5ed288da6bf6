#include "support/rpc_loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/thread.h"
#include "rpc/health.h"

/* ---- the service ---- */

static void count_execution(struct loopback *loopback)
{
    mutex_lock(&loopback->mutex);
    loopback->executions++;
    condition_broadcast(&loopback->changed);
    mutex_unlock(&loopback->mutex);
}

static void wait_at_gate(struct loopback *loopback)
{
    mutex_lock(&loopback->mutex);
    loopback->at_gate++;
    condition_broadcast(&loopback->changed);
    while (!loopback->gate_is_open)
        condition_wait(&loopback->changed, &loopback->mutex);
    loopback->at_gate--;
    mutex_unlock(&loopback->mutex);
}

static enum status ping(struct rpc_call *call, const void *request, void *reply,
                        struct error *err)
{
    Metercache__V1__PingResponse *out = reply;

    (void)request;
    (void)err;
    count_execution(call->service);
    out->service = arena_printf(call->arena, "%s:%s:%s", rpc_role_name(call->caller.role),
                                call->caller.subject, rpc_call_user(call));
    out->protocol_version = call->attempt;
    return ST_OK;
}

static enum status set_log_level(struct rpc_call *call, const void *request, void *reply,
                                 struct error *err)
{
    const Metercache__V1__SetLogLevelRequest *in = request;
    Metercache__V1__SetLogLevelResponse *out = reply;

    (void)err;
    count_execution(call->service);
    out->former_level = in->level;
    return ST_OK;
}

static enum status get_stats(struct rpc_call *call, const void *request, void *reply,
                             struct error *err)
{
    const Metercache__V1__GetStatsRequest *in = request;
    Metercache__V1__GetStatsResponse *out = reply;
    int code;

    count_execution(call->service);
    wait_at_gate(call->service);
    if (sscanf(in->prefix, "fail:%d", &code) == 1)
        return error_set(err, (enum status)code, "secret of the handler");
    out->n_stats = 1;
    out->stats = arena_alloc(call->arena, sizeof(*out->stats));
    out->stats[0] = arena_alloc(call->arena, sizeof(**out->stats));
    metercache__v1__stat__init(out->stats[0]);
    out->stats[0]->name = in->prefix;
    return ST_OK;
}

static enum status list_connections(struct rpc_call *call, const void *request, void *reply,
                                    struct error *err)
{
    (void)request;
    (void)reply;
    (void)err;
    count_execution(call->service);
    wait_at_gate(call->service);
    return ST_OK;
}

static enum status list_methods(struct rpc_call *call, const void *request, void *reply,
                                struct error *err)
{
    struct loopback *loopback = call->service;
    Metercache__V1__ListMethodsResponse *out = reply;
    enum status deferred;

    (void)request;
    count_execution(loopback);
    if (call->is_resumed) {
        if (call->wake.status != ST_OK) {
            *err = call->wake;
            return err->status;
        }
        out->n_methods = 1;
        out->methods = arena_alloc(call->arena, sizeof(*out->methods));
        out->methods[0] = arena_alloc(call->arena, sizeof(**out->methods));
        metercache__v1__method_info__init(out->methods[0]);
        out->methods[0]->name = arena_strdup(call->arena, "resumed");
        return ST_OK;
    }
    deferred = rpc_call_defer(call);
    mutex_lock(&loopback->mutex);
    assert_true(loopback->held_count < LOOPBACK_HELD_MAX);
    loopback->held[loopback->held_count++] = call;
    condition_broadcast(&loopback->changed);
    mutex_unlock(&loopback->mutex);
    return deferred;
}

static enum status describe(struct rpc_call *call, const void *request, void *reply,
                            struct error *err)
{
    struct loopback *loopback = call->service;
    Metercache__V1__DescribeResponse *out = reply;

    (void)request;
    count_execution(loopback);
    out->file_descriptor_set.data = arena_alloc(call->arena, loopback->describe_bytes);
    if (out->file_descriptor_set.data == NULL)
        return error_set(err, ST_EXHAUSTED, "no room");
    out->file_descriptor_set.len = loopback->describe_bytes;
    return ST_OK;
}

#define ADMIN (&metercache__v1__admin_service__descriptor)

static const struct rpc_method METHODS[] = {
    {ADMIN, "Ping", RPC_ROLES_ANY, RPC_INLINE | RPC_IDEMPOTENT, ping},
    {ADMIN, "SetLogLevel", RPC_ROLE_ADMIN, RPC_INLINE, set_log_level},
    {ADMIN, "GetStats", RPC_ROLES_ANY, RPC_IDEMPOTENT, get_stats},
    {ADMIN, "ListConnections", RPC_ROLES_ANY, 0, list_connections},
    {ADMIN, "ListMethods", RPC_ROLES_ANY, RPC_INLINE, list_methods},
    {ADMIN, "Describe", RPC_ROLES_ANY, 0, describe},
    {.service = NULL},
};

static const struct rpc_method *const TABLES[] = {METHODS, rpc_health_methods};

static enum status authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err)
{
    char text[RPC_SUBJECT_SIZE];
    char *subject;

    (void)context;
    if (size >= sizeof(text))
        return error_set(err, ST_UNAUTHENTICATED, "the token is not known");
    memcpy(text, bearer, size);
    text[size] = '\0';
    subject = strchr(text, ':');
    if (subject == NULL)
        return error_set(err, ST_UNAUTHENTICATED, "the token is not known");
    snprintf(out->token_id, sizeof(out->token_id), "%s", text);
    *subject++ = '\0';
    if (!rpc_role_parse(&out->role, text))
        return error_set(err, ST_UNAUTHENTICATED, "the token is not known");
    snprintf(out->subject, sizeof(out->subject), "%s", subject);
    return ST_OK;
}

static bool is_ready(void *context, struct error *why_not)
{
    struct loopback *loopback = context;
    bool ready;

    mutex_lock(&loopback->mutex);
    ready = loopback->is_ready;
    mutex_unlock(&loopback->mutex);
    if (!ready)
        error_set(why_not, ST_UNAVAILABLE, "warming up");
    return ready;
}

/* ---- opening and closing ---- */

struct rpc_server_options loopback_options(struct loopback *loopback)
{
    return (struct rpc_server_options){
        .name = "loopback",
        .listen_url = "tcp://127.0.0.1:0",
        .tables = TABLES,
        .table_count = COUNT_OF(TABLES),
        .service = loopback,
        .authenticate = authenticate,
        .is_ready = is_ready,
        .ready_context = loopback,
        .contexts = 64,
        .workers = 4,
    };
}

void loopback_init(struct loopback *loopback)
{
    *loopback = (struct loopback){.is_ready = true, .describe_bytes = 16};
    mutex_init(&loopback->mutex);
    condition_init(&loopback->changed);
    arena_init(&loopback->arena, (size_t)64 * 1024 * 1024);
}

void loopback_open_client(struct loopback *loopback, const char *endpoints,
                          const char *token)
{
    struct rpc_client_options options = {.endpoints = endpoints, .bearer = token};

    assert_int_equal(rpc_client_open(&loopback->client, &options, &loopback->err), ST_OK);
}

void loopback_open(struct loopback *loopback, const struct rpc_server_options *options,
                   const char *token)
{
    struct rpc_server_options defaults;

    if (options == NULL) {
        loopback_init(loopback);
        defaults = loopback_options(loopback);
        options = &defaults;
    }
    if (rpc_server_open(&loopback->server, options, &loopback->err) != ST_OK)
        fail_msg("%s", loopback->err.message);
    loopback_open_client(loopback, rpc_server_url(loopback->server), token);
}

void loopback_close(struct loopback *loopback)
{
    loopback_open_gate(loopback);
    rpc_client_close(loopback->client);
    rpc_server_close(loopback->server);
    while (loopback->held_count > 0)
        rpc_call_resume(loopback->held[--loopback->held_count], &ERROR_NONE);
    arena_done(&loopback->arena);
    condition_done(&loopback->changed);
    mutex_done(&loopback->mutex);
}

/* ---- waiting ---- */

void loopback_open_gate(struct loopback *loopback)
{
    mutex_lock(&loopback->mutex);
    loopback->gate_is_open = true;
    condition_broadcast(&loopback->changed);
    mutex_unlock(&loopback->mutex);
}

static void await_count(struct loopback *loopback, const unsigned *value, unsigned count)
{
    uint64_t deadline_us = clock_deadline_ms(LOOPBACK_WAIT_MS);
    bool in_time = true;

    mutex_lock(&loopback->mutex);
    while (*value < count && in_time)
        in_time = condition_wait_until(&loopback->changed, &loopback->mutex, deadline_us);
    in_time = *value >= count;
    mutex_unlock(&loopback->mutex);
    assert_true(in_time);
}

void loopback_await_gate(struct loopback *loopback, unsigned count)
{
    await_count(loopback, &loopback->at_gate, count);
}

void loopback_await_held(struct loopback *loopback, unsigned count)
{
    await_count(loopback, &loopback->held_count, count);
}

unsigned loopback_executions(struct loopback *loopback)
{
    unsigned count;

    mutex_lock(&loopback->mutex);
    count = loopback->executions;
    mutex_unlock(&loopback->mutex);
    return count;
}

struct rpc_call *loopback_take_held(struct loopback *loopback)
{
    struct rpc_call *call;

    loopback_await_held(loopback, 1);
    mutex_lock(&loopback->mutex);
    call = loopback->held[0];
    loopback->held[0] = loopback->held[--loopback->held_count];
    mutex_unlock(&loopback->mutex);
    return call;
}

void loopback_await(bool (*is_true)(void *context), void *context)
{
    uint64_t deadline_us = clock_deadline_ms(LOOPBACK_WAIT_MS);
    struct timespec step = {.tv_nsec = 1000000};

    while (!is_true(context)) {
        assert_true(clock_mono_us() < deadline_us);
        nanosleep(&step, NULL);
    }
}

/* ---- calling ---- */

enum status loopback_call(struct loopback *loopback, const struct rpc_call_options *options,
                          const ProtobufCMessage *request, ProtobufCMessage **reply)
{
    loopback->err = ERROR_NONE;
    return rpc_client_call(loopback->client, options, request, &loopback->arena, reply,
                           &loopback->outcome, &loopback->err);
}

enum status loopback_ping(struct loopback *loopback, Metercache__V1__PingResponse **reply)
{
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = ADMIN_METHOD("Ping"),
        .reply_type = &metercache__v1__ping_response__descriptor,
        .is_idempotent = true,
        .timeout_ms = LOOPBACK_WAIT_MS,
    };
    ProtobufCMessage *message = NULL;
    enum status st = loopback_call(loopback, &options, &request.base, &message);

    if (st == ST_OK && reply != NULL)
        *reply = (Metercache__V1__PingResponse *)message;
    return st;
}

enum status loopback_stats(struct loopback *loopback, const char *prefix,
                           struct rpc_call_options options,
                           Metercache__V1__GetStatsResponse **reply)
{
    Metercache__V1__GetStatsRequest request = METERCACHE__V1__GET_STATS_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    char text[256];
    enum status st;

    snprintf(text, sizeof(text), "%s", prefix);
    request.prefix = text;
    options.method = ADMIN_METHOD("GetStats");
    options.reply_type = &metercache__v1__get_stats_response__descriptor;
    if (options.timeout_ms == 0)
        options.timeout_ms = LOOPBACK_WAIT_MS;
    st = loopback_call(loopback, &options, &request.base, &message);
    if (st == ST_OK && reply != NULL)
        *reply = (Metercache__V1__GetStatsResponse *)message;
    return st;
}

/* ---- calls beside the test ---- */

void pending_init(struct pending *pending)
{
    *pending = (struct pending){.done = 0};
    mutex_init(&pending->mutex);
    condition_init(&pending->changed);
}

static void note_done(void *context, enum status status, const ProtobufCMessage *reply,
                      const struct rpc_outcome *outcome, const struct error *err)
{
    struct pending *pending = context;

    assert_true((reply != NULL) == (status == ST_OK));
    mutex_lock(&pending->mutex);
    pending->done++;
    pending->by_status[status]++;
    pending->outcome = *outcome;
    pending->err = *err;
    condition_broadcast(&pending->changed);
    mutex_unlock(&pending->mutex);
}

void pending_await(struct pending *pending, unsigned count)
{
    uint64_t deadline_us = clock_deadline_ms(LOOPBACK_WAIT_MS);

    mutex_lock(&pending->mutex);
    while (pending->done < count)
        assert_true(condition_wait_until(&pending->changed, &pending->mutex, deadline_us));
    mutex_unlock(&pending->mutex);
}

void pending_free(struct pending *pending)
{
    condition_done(&pending->changed);
    mutex_done(&pending->mutex);
}

void loopback_start(struct loopback *loopback, const struct rpc_call_options *options,
                    const ProtobufCMessage *request, struct pending *pending)
{
    rpc_client_start(loopback->client, options, request, note_done, pending);
}

void loopback_start_stats(struct loopback *loopback, struct rpc_call_options options,
                          struct pending *pending)
{
    Metercache__V1__GetStatsRequest request = METERCACHE__V1__GET_STATS_REQUEST__INIT;

    options.method = ADMIN_METHOD("GetStats");
    options.reply_type = &metercache__v1__get_stats_response__descriptor;
    if (options.timeout_ms == 0)
        options.timeout_ms = LOOPBACK_WAIT_MS;
    loopback_start(loopback, &options, &request.base, pending);
}

void loopback_start_methods(struct loopback *loopback, uint64_t timeout_ms,
                            struct pending *pending)
{
    Metercache__V1__ListMethodsRequest request = METERCACHE__V1__LIST_METHODS_REQUEST__INIT;
    struct rpc_call_options options = {
        .method = ADMIN_METHOD("ListMethods"),
        .reply_type = &metercache__v1__list_methods_response__descriptor,
        .timeout_ms = timeout_ms,
    };

    loopback_start(loopback, &options, &request.base, pending);
}
