/*
 * quota_batch_fixture.h - a batch of operations and a server that the test plays: it sees
 * each message and answers when and how the test says. One file of a program includes this.
 */
#ifndef QUOTA_BATCH_FIXTURE_H
#define QUOTA_BATCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "client/quota_batch.h"
#include "client/quota_result.h"
#include "core/base.h"
#include "core/clock.h"
#include "core/thread.h"
#include "rpc/server.h"
#include "support/expect.h"

#define PATIENCE_MS  10000
#define MESSAGES_MAX 64
#define OPS_MAX      600

/* ---- the server ------------------------------------------------------------------------ */

/* A message that waits for the test's word. */
struct held {
    struct rpc_call *call;
    const Metercache__V1__SubmitRequest *request;
    Metercache__V1__SubmitResponse *reply;
};

static pthread_mutex_t mutex;
static pthread_cond_t changed;
static struct held held[MESSAGES_MAX]; /* in order of arrival */
static size_t arrived;

static struct rpc_server *server;
static struct rpc_client *client;
static struct client_quota_batch *batch;

static inline enum status submit(struct rpc_call *call, const void *request, void *reply,
                                 struct error *err)
{
    enum status deferred = rpc_call_defer(call);

    (void)err;
    mutex_lock(&mutex);
    assert_true(arrived < MESSAGES_MAX);
    held[arrived++] = (struct held){call, request, reply};
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
    return deferred;
}

static const struct rpc_method METHODS[] = {
    {&metercache__v1__quota_service__descriptor, "Submit", RPC_ROLES_ANY,
     RPC_INLINE | RPC_IDEMPOTENT, submit},
    {.service = NULL},
};

static inline enum status authenticate(void *context, const uint8_t *bearer, size_t size,
                                       struct rpc_identity *out, struct error *err)
{
    (void)context;
    (void)bearer;
    (void)size;
    (void)err;
    *out = (struct rpc_identity){.role = RPC_ROLE_SERVICE, .subject = "test"};
    return ST_OK;
}

static inline struct held *await_message(size_t number)
{
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);

    mutex_lock(&mutex);
    while (arrived <= number)
        assert_true(condition_wait_until(&changed, &mutex, deadline_us));
    mutex_unlock(&mutex);
    return &held[number];
}

/* What the operation was given comes back: its amount as expires_at_us; a negative one is
 * refused as a spent meter, -14 as UNAVAILABLE. */
static inline void answer_one(Metercache__V1__OperationResult *result,
                              const Metercache__V1__ReserveRequest *request,
                              struct arena *arena)
{
    metercache__v1__operation_result__init(result);
    if (request->amount_milli >= 0) {
        result->reserve = arena_alloc(arena, sizeof(*result->reserve));
        metercache__v1__reserve_response__init(result->reserve);
        result->reserve->expires_at_us = request->amount_milli;
        result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_RESERVE;
    } else {
        Metercache__V1__LimitHit *hit = arena_alloc(arena, sizeof(*hit));

        metercache__v1__limit_hit__init(hit);
        hit->name = arena_strdup(arena, "modash.reports");
        hit->left_milli = 7;
        result->code = request->amount_milli == -14 ? ST_UNAVAILABLE : ST_EXHAUSTED;
        result->message = arena_strdup(arena, "spent");
        result->reason = arena_strdup(arena, "METER_SPENT");
        result->retry_after_ms = 9;
        result->violations = arena_alloc(arena, sizeof(hit));
        result->violations[0] = hit;
        result->n_violations = 1;
    }
}

static inline void answer(struct held *message)
{
    size_t count = message->request->n_operations;
    struct arena *arena = message->call->arena;

    message->reply->results = arena_alloc_array(arena, count, sizeof(void *));
    message->reply->n_results = count;
    for (size_t i = 0; i < count; i++) {
        message->reply->results[i] =
            arena_alloc(arena, sizeof(*message->reply->results[i]));
        answer_one(message->reply->results[i], message->request->operations[i]->reserve,
                   arena);
    }
    rpc_call_finish(message->call, ST_OK, NULL);
}

/* ---- callers --------------------------------------------------------------------------- */

struct caller {
    int64_t amount;
    bool is_over;
    enum status status;
    bool executed;
    bool has_result;
    int64_t expires_at_us;
    struct error err;
    size_t order; /* in which they ended */
};

static struct caller callers[OPS_MAX];
static size_t caller_count;
static size_t ended;

static inline void on_done(void *context, const struct client_quota_outcome *outcome)
{
    struct caller *caller = context;

    mutex_lock(&mutex);
    assert_false(caller->is_over); /* exactly once */
    caller->is_over = true;
    caller->order = ended++;
    caller->status = outcome->status;
    caller->executed = outcome->executed;
    caller->has_result = outcome->result != NULL;
    if (outcome->status == ST_OK)
        caller->expires_at_us = outcome->result->reserve->expires_at_us;
    else if (outcome->result != NULL)
        assert_int_equal(client_quota_result_error(&caller->err, outcome->result),
                         outcome->status);
    else
        caller->err = *outcome->err;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

static inline void fill(Metercache__V1__OperationRequest *operation,
                        Metercache__V1__ReserveRequest *request, int64_t amount_milli)
{
    metercache__v1__operation_request__init(operation);
    metercache__v1__reserve_request__init(request);
    request->amount_milli = amount_milli;
    operation->operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_RESERVE;
    operation->reserve = request;
}

static inline struct caller *start_with(int64_t amount_milli, struct client_quota_call call)
{
    struct caller *caller = &callers[caller_count++];
    Metercache__V1__OperationRequest operation;
    Metercache__V1__ReserveRequest request;

    *caller = (struct caller){.amount = amount_milli};
    fill(&operation, &request, amount_milli);
    client_quota_batch_start(batch, &operation, &call, on_done, caller);
    return caller;
}

static inline struct caller *start(int64_t amount_milli)
{
    return start_with(amount_milli, (struct client_quota_call){.timeout_ms = PATIENCE_MS});
}

static inline void await_over(const struct caller *caller)
{
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);

    mutex_lock(&mutex);
    while (!caller->is_over)
        assert_true(condition_wait_until(&changed, &mutex, deadline_us));
    mutex_unlock(&mutex);
}

static inline void assert_ended(struct caller *caller, enum status status, bool executed)
{
    await_over(caller);
    assert_int_equal(caller->status, status);
    assert_int_equal(caller->executed, executed);
    if (status == ST_OK)
        assert_int_equal(caller->expires_at_us, caller->amount);
}

static inline void open_batch(struct client_quota_batch_options options)
{
    options.client = client;
    client_quota_batch_close(batch);
    batch = client_quota_batch_open(&options);
}

static inline int set_up(void **state)
{
    static const struct rpc_method *const TABLES[] = {METHODS};
    const struct rpc_server_options options = {
        .name = "quota-service",
        .listen_url = "tcp://127.0.0.1:0",
        .tables = TABLES,
        .table_count = COUNT_OF(TABLES),
        .authenticate = authenticate,
        .workers = 2,
    };
    struct rpc_client_options link = {.bearer = "token"};
    struct error err;

    (void)state;
    mutex_init(&mutex);
    condition_init(&changed);
    arrived = 0;
    caller_count = 0;
    ended = 0;
    batch = NULL;
    assert_int_equal(rpc_server_open(&server, &options, &err), ST_OK);
    link.endpoints = rpc_server_url(server);
    assert_int_equal(rpc_client_open(&client, &link, &err), ST_OK);
    open_batch((struct client_quota_batch_options){.messages = 2});
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    rpc_client_close(client);
    client_quota_batch_close(batch);
    rpc_server_close(server);
    condition_done(&changed);
    mutex_done(&mutex);
    return 0;
}

#endif /* QUOTA_BATCH_FIXTURE_H */
