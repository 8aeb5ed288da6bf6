/*
 * The methods of QuotaService that reserve and settle, and the meters' state. They run on
 * nng's thread: they check the request, hand it to the writer and defer; the writer's thread
 * answers.
 */
#include "quota_rpc.h"

#include <stdatomic.h>
#include <string.h>

#include "core/clock.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_answer_rpc.h"
#include "quota_operation_rpc.h"
#include "quota_reads_rpc.h"
#include "quota_service.h"

#define SUBMIT_MAX 256

/* An operation under way; lives in its call's arena. */
struct pending {
    struct writer_op op; /* first: the writer knows this part */
    struct rpc_call *call;
    void *reply;
};

/* ---- one operation --------------------------------------------------------------------- */

static enum status refuse_dry_run(const struct rpc_call *call, struct error *err)
{
    if (!call->is_dry_run)
        return ST_OK;
    return error_set(err, ST_UNIMPLEMENTED, "quota operations have no dry run");
}

static struct pending *new_pending(struct rpc_call *call, void *reply, struct error *err)
{
    struct pending *pending = NULL;

    if (refuse_dry_run(call, err) != ST_OK)
        return NULL;
    pending = arena_alloc(call->arena, sizeof(*pending));
    if (pending == NULL) {
        error_out_of_arena(err);
        return NULL;
    }
    pending->call = call;
    pending->reply = reply;
    return pending;
}

/* What became of it, as an error or as its response. */
static enum status write_reply(const struct writer_op *op, void *reply,
                               const struct quota_answer *answer, const struct error *why,
                               struct arena *arena, struct error *err)
{
    enum status status;

    if (answer == NULL) {
        *err = *why;
        return why->status;
    }
    status = quota_answer_status(&op->op, answer, clock_wall_us(), err);
    if (status != ST_OK)
        return status;
    if (op->op.kind == QUOTA_RESERVE)
        return quota_operation_write_reserve(reply, &op->op, answer, arena, err);
    if (op->op.kind == QUOTA_SETTLE)
        quota_operation_write_settle(reply, answer);
    else
        quota_operation_write_void(reply, answer);
    return ST_OK;
}

static void answered(struct writer_op *op, const struct quota_answer *answer,
                     const struct error *why)
{
    struct pending *pending = (struct pending *)(void *)op; /* its first member */
    struct error err = ERROR_NONE;
    enum status status =
        write_reply(op, pending->reply, answer, why, pending->call->arena, &err);

    rpc_call_finish(pending->call, status, &err);
}

/* May answer before this returns: nothing of `pending` is touched after the hand-over. */
static enum status hand_over(struct pending *pending)
{
    const struct quota_service *quota = pending->call->service;
    enum status status = rpc_call_defer(pending->call);

    pending->op.answered = answered;
    writer_submit(quota->writer, &pending->op);
    return status;
}

static enum status reserve(struct rpc_call *call, const void *in, void *out,
                           struct error *err)
{
    const struct quota_service *quota = call->service;
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL ||
        quota_operation_read_reserve(&pending->op.op, in, quota->config, err) != ST_OK)
        return err->status;
    return hand_over(pending);
}

static enum status settle(struct rpc_call *call, const void *in, void *out,
                          struct error *err)
{
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL || quota_operation_read_settle(&pending->op.op, in, err) != ST_OK)
        return err->status;
    return hand_over(pending);
}

static enum status void_reservation(struct rpc_call *call, const void *in, void *out,
                                    struct error *err)
{
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL || quota_operation_read_void(&pending->op.op, in, err) != ST_OK)
        return err->status;
    return hand_over(pending);
}

/* ---- many in one message --------------------------------------------------------------- */

/* The operations of one Submit; lives in its call's arena. The writer's thread and the
 * handler's fill results; the last one finishes the call. */
struct submission {
    struct rpc_call *call;
    atomic_uint open; /* operations without a result, and one for the handler */
    struct submitted *operations;
};

struct submitted {
    struct writer_op op; /* first */
    struct submission *submission;
    Metercache__V1__OperationResult *result;
};

static void let_go(struct submission *submission)
{
    if (atomic_fetch_sub(&submission->open, 1) == 1)
        rpc_call_finish(submission->call, ST_OK, NULL);
}

/* A result that does not fit its message still has its code. */
static void write_error(Metercache__V1__OperationResult *out, const struct quota_op *op,
                        const struct quota_answer *answer, const struct error *err,
                        struct arena *arena)
{
    char *message = arena_strdup(arena, err->message);
    char *reason = arena_strdup(arena, err->reason);
    char *field = arena_strdup(arena, err->field);

    out->code = (uint32_t)err->status;
    out->retry_after_ms = err->retry_after_ms;
    if (message == NULL || reason == NULL || field == NULL)
        return;
    out->message = message;
    out->reason = reason;
    out->field = field;
    if (answer == NULL || answer->hit_count == 0)
        return;
    out->violations = quota_answer_hits(op, answer, arena);
    out->n_violations = out->violations != NULL ? answer->hit_count : 0;
}

/* The response that the result will have, made before it is needed. */
static void *prepare_response(Metercache__V1__OperationResult *result, enum quota_kind kind,
                              struct arena *arena)
{
    switch (kind) {
    case QUOTA_RESERVE:
        result->reserve = arena_alloc(arena, sizeof(*result->reserve));
        if (result->reserve != NULL)
            metercache__v1__reserve_response__init(result->reserve);
        return result->reserve;
    case QUOTA_SETTLE:
        result->settle = arena_alloc(arena, sizeof(*result->settle));
        if (result->settle != NULL)
            metercache__v1__settle_response__init(result->settle);
        return result->settle;
    default:
        result->void_reservation = arena_alloc(arena, sizeof(*result->void_reservation));
        if (result->void_reservation != NULL)
            metercache__v1__void_response__init(result->void_reservation);
        return result->void_reservation;
    }
}

static Metercache__V1__OperationResult__ResponseCase response_case(enum quota_kind kind)
{
    switch (kind) {
    case QUOTA_RESERVE:
        return METERCACHE__V1__OPERATION_RESULT__RESPONSE_RESERVE;
    case QUOTA_SETTLE:
        return METERCACHE__V1__OPERATION_RESULT__RESPONSE_SETTLE;
    default:
        return METERCACHE__V1__OPERATION_RESULT__RESPONSE_VOID_RESERVATION;
    }
}

/* On the writer's thread alone once the operation is handed over, so that the arena has one
 * user at a time. */
static void write_result(struct submitted *it, const struct quota_answer *answer,
                         const struct error *why)
{
    struct arena *arena = it->submission->call->arena;
    struct error err = ERROR_NONE;
    enum quota_kind kind = it->op.op.kind;
    void *response = prepare_response(it->result, kind, arena);
    enum status status = response != NULL
                             ? write_reply(&it->op, response, answer, why, arena, &err)
                             : error_out_of_arena(&err);

    if (status != ST_OK) {
        it->result->reserve = NULL;
        write_error(it->result, &it->op.op, answer, &err, arena);
        return;
    }
    it->result->response_case = response_case(kind);
}

static void submitted_answered(struct writer_op *op, const struct quota_answer *answer,
                               const struct error *why)
{
    struct submitted *it = (struct submitted *)(void *)op; /* its first member */
    struct submission *submission = it->submission;

    write_result(it, answer, why);
    let_go(submission);
}

static enum status read_operation(struct quota_op *op,
                                  const Metercache__V1__OperationRequest *request,
                                  const struct quota_config *config, struct error *err)
{
    switch (request->operation_case) {
    case METERCACHE__V1__OPERATION_REQUEST__OPERATION_RESERVE:
        return quota_operation_read_reserve(op, request->reserve, config, err);
    case METERCACHE__V1__OPERATION_REQUEST__OPERATION_SETTLE:
        return quota_operation_read_settle(op, request->settle, err);
    case METERCACHE__V1__OPERATION_REQUEST__OPERATION_VOID_RESERVATION:
        return quota_operation_read_void(op, request->void_reservation, err);
    default:
        return error_field(err, "operation", "must be one of reserve, settle and void");
    }
}

static enum status prepare(struct submission **out, struct rpc_call *call,
                           Metercache__V1__SubmitResponse *reply, size_t count,
                           struct error *err)
{
    struct submission *submission = arena_alloc(call->arena, sizeof(*submission));
    Metercache__V1__OperationResult *results =
        arena_alloc_array(call->arena, count, sizeof(*results));

    reply->results = arena_alloc_array(call->arena, count, sizeof(*reply->results));
    if (submission == NULL || results == NULL || reply->results == NULL)
        return error_out_of_arena(err);
    submission->call = call;
    submission->operations =
        arena_alloc_array(call->arena, count, sizeof(*submission->operations));
    if (submission->operations == NULL)
        return error_out_of_arena(err);
    atomic_init(&submission->open, (unsigned)count + 1);
    for (size_t i = 0; i < count; i++) {
        metercache__v1__operation_result__init(&results[i]);
        reply->results[i] = &results[i];
        submission->operations[i].submission = submission;
        submission->operations[i].result = &results[i];
        submission->operations[i].op.answered = submitted_answered;
    }
    reply->n_results = count;
    *out = submission;
    return ST_OK;
}

/* Wrong ones get their results here, before the writer has any: one user of the arena. */
static struct writer_list read_operations(struct submission *submission,
                                          const Metercache__V1__SubmitRequest *request,
                                          const struct quota_config *config)
{
    struct writer_list list = {.first = NULL};

    for (size_t i = 0; i < request->n_operations; i++) {
        struct submitted *it = &submission->operations[i];
        struct error err = ERROR_NONE;

        if (read_operation(&it->op.op, request->operations[i], config, &err) == ST_OK) {
            writer_list_add(&list, &it->op);
        } else {
            write_error(it->result, &it->op.op, NULL, &err, submission->call->arena);
            atomic_fetch_sub(&submission->open, 1); /* the handler's own share is left */
        }
    }
    return list;
}

static enum status submit(struct rpc_call *call, const void *in, void *out,
                          struct error *err)
{
    const struct quota_service *quota = call->service;
    const Metercache__V1__SubmitRequest *request = in;
    struct submission *submission = NULL;
    struct writer_list list;
    enum status status;

    if (refuse_dry_run(call, err) != ST_OK)
        return err->status;
    if (request->n_operations == 0 || request->n_operations > SUBMIT_MAX)
        return error_field(err, "operations", "must be 1 to %d", SUBMIT_MAX);
    if (prepare(&submission, call, out, request->n_operations, err) != ST_OK)
        return err->status;
    list = read_operations(submission, request, quota->config);
    status = rpc_call_defer(call);
    writer_submit_list(quota->writer, &list);
    let_go(submission);
    return status;
}

/* ---- GetUsage -------------------------------------------------------------------------- */

static enum status add_meter(Metercache__V1__GetUsageResponse *reply, uint32_t meter,
                             struct rpc_call *call, struct error *err)
{
    const struct quota_service *quota = call->service;
    Metercache__V1__MeterState *out = arena_alloc(call->arena, sizeof(*out));
    struct quota_meter_view view;
    struct forecast forecast;

    if (out == NULL)
        return error_out_of_arena(err);
    if (!usage_at(writer_usage(quota->writer), meter, reply->as_of_us, &view))
        return error_set(err, ST_UNAVAILABLE, "the ledger is not open yet");
    metercache__v1__meter_state__init(out);
    quota_answer_meter_state(out, &view);
    if (usage_forecast(writer_usage(quota->writer), &view, reply->as_of_us, &forecast)) {
        out->forecast = arena_alloc(call->arena, sizeof(*out->forecast));
        if (out->forecast == NULL)
            return error_out_of_arena(err);
        quota_answer_forecast(out->forecast, &forecast);
    }
    reply->meters[reply->n_meters++] = out;
    return ST_OK;
}

/* What is committed; answered also while the ledger is away, but for counters of subjects. */
static enum status get_usage(struct rpc_call *call, const void *in, void *out,
                             struct error *err)
{
    const Metercache__V1__GetUsageRequest *request = in;
    Metercache__V1__GetUsageResponse *reply = out;
    uint32_t first = 0;
    uint32_t last = METER_COUNT - 1;

    if (request->scope != METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_UNSPECIFIED ||
        request->subject[0] != '\0')
        return quota_reads_usage(call, request, reply, err);
    if (request->meter[0] != '\0') {
        if (quota_operation_read_meter(&first, request->meter, err) != ST_OK)
            return err->status;
        last = first;
    }
    reply->as_of_us = clock_wall_us();
    reply->meters = arena_alloc_array(call->arena, METERS_MAX, sizeof(*reply->meters));
    if (reply->meters == NULL)
        return error_out_of_arena(err);
    for (uint32_t meter = first; meter <= last; meter++) {
        if (add_meter(reply, meter, call, err) != ST_OK)
            return err->status;
    }
    return ST_OK;
}

// clang-format off
#define SERVICE   &metercache__v1__quota_service__descriptor
#define OPERATION (RPC_INLINE | RPC_IDEMPOTENT) /* repeatable: by op id */

const struct rpc_method QUOTA_METHODS[] = {
    {SERVICE, "Reserve",         RPC_ROLE_SERVICE, OPERATION, reserve},
    {SERVICE, "Settle",          RPC_ROLE_SERVICE, OPERATION, settle},
    {SERVICE, "VoidReservation", RPC_ROLE_SERVICE, OPERATION, void_reservation},
    {SERVICE, "Submit",          RPC_ROLE_SERVICE, OPERATION, submit},
    {SERVICE, "GetUsage",        RPC_ROLES_ANY,    RPC_IDEMPOTENT, get_usage}, /* may ask the ledger */
    {.service = NULL},
};
// clang-format on
