/*
 * The methods of QuotaService. Reserve, Settle, Void and Submit run on nng's thread: they check the
 * request, hand it to the writer and defer; the writer's thread answers.
 */
#include "quota_rpc.h"

#include "core/clock.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_answer_rpc.h"
#include "quota_operation_rpc.h"
#include "quota_service.h"
#include "quota_submit_rpc.h"

/* An operation under way; lives in its call's arena. */
struct pending {
    struct writer_op op; /* first: the writer knows this part */
    struct rpc_call *call;
    void *reply;
};

/* ---- handing over ---------------------------------------------------------------------- */

static struct pending *new_pending(struct rpc_call *call, void *reply, struct error *err)
{
    struct pending *pending = NULL;

    if (call->is_dry_run) {
        error_set(err, ST_UNIMPLEMENTED, "quota operations have no dry run");
        return NULL;
    }
    pending = arena_alloc(call->arena, sizeof(*pending));
    if (pending == NULL) {
        error_out_of_arena(err);
        return NULL;
    }
    pending->call = call;
    pending->reply = reply;
    return pending;
}

/* May answer before this returns: nothing of `pending` is touched after the hand-over. */
static enum status hand_over(struct pending *pending,
                             void (*answered)(struct writer_op *,
                                              const struct quota_answer *,
                                              const struct error *))
{
    const struct quota_service *quota = pending->call->service;
    enum status status = rpc_call_defer(pending->call);

    pending->op.answered = answered;
    writer_submit(quota->writer, &pending->op);
    return status;
}

/* ST_OK: the reply is to be filled and finished. Else the call is finished already. */
static bool has_reply(struct pending *pending, const struct quota_answer *answer,
                      const struct error *err)
{
    struct error refused;
    enum status status;

    if (answer == NULL) {
        rpc_call_finish(pending->call, err->status, err);
        return false;
    }
    status = quota_answer_status(answer, clock_wall_us(), &refused);
    if (status == ST_OK)
        return true;
    rpc_call_finish(pending->call, status, &refused);
    return false;
}

/* ---- Reserve --------------------------------------------------------------------------- */

static void reserve_answered(struct writer_op *op, const struct quota_answer *answer,
                             const struct error *err)
{
    struct pending *pending = (struct pending *)(void *)op; /* its first member */
    Metercache__V1__ReserveResponse *reply = pending->reply;

    if (!has_reply(pending, answer, err))
        return;
    quota_operation_reserved(reply, answer);
    rpc_call_finish(pending->call, ST_OK, NULL);
}

static enum status reserve(struct rpc_call *call, const void *in, void *out,
                           struct error *err)
{
    const struct quota_service *quota = call->service;
    Metercache__V1__ReserveResponse *reply = out;
    struct pending *pending = new_pending(call, reply, err);

    if (pending == NULL ||
        quota_operation_read_reserve(&pending->op.op, in, quota->config, err) != ST_OK)
        return err->status;
    reply->meter = arena_alloc(call->arena, sizeof(*reply->meter));
    if (reply->meter == NULL)
        return error_out_of_arena(err);
    metercache__v1__meter_state__init(reply->meter);
    return hand_over(pending, reserve_answered);
}

/* ---- Settle and Void ------------------------------------------------------------------- */

static void settle_answered(struct writer_op *op, const struct quota_answer *answer,
                            const struct error *err)
{
    struct pending *pending = (struct pending *)(void *)op;
    Metercache__V1__SettleResponse *reply = pending->reply;

    if (!has_reply(pending, answer, err))
        return;
    quota_operation_settled(reply, answer);
    rpc_call_finish(pending->call, ST_OK, NULL);
}

static enum status settle(struct rpc_call *call, const void *in, void *out,
                          struct error *err)
{
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL || quota_operation_read_settle(&pending->op.op, in, err) != ST_OK)
        return err->status;
    return hand_over(pending, settle_answered);
}

static void void_answered(struct writer_op *op, const struct quota_answer *answer,
                          const struct error *err)
{
    struct pending *pending = (struct pending *)(void *)op;
    Metercache__V1__VoidResponse *reply = pending->reply;

    if (!has_reply(pending, answer, err))
        return;
    quota_operation_voided(reply, answer);
    rpc_call_finish(pending->call, ST_OK, NULL);
}

static enum status void_reservation(struct rpc_call *call, const void *in, void *out,
                                    struct error *err)
{
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL || quota_operation_read_void(&pending->op.op, in, err) != ST_OK)
        return err->status;
    return hand_over(pending, void_answered);
}

/* ---- GetUsage -------------------------------------------------------------------------- */

static enum status add_meter(Metercache__V1__GetUsageResponse *reply, uint32_t meter,
                             struct rpc_call *call, struct error *err)
{
    const struct quota_service *quota = call->service;
    Metercache__V1__MeterState *out = arena_alloc(call->arena, sizeof(*out));
    struct quota_counter counter;

    if (out == NULL)
        return error_out_of_arena(err);
    if (!usage_at(writer_usage(quota->writer), meter, reply->as_of_us, &counter))
        return error_set(err, ST_UNAVAILABLE, "the ledger is not open yet");
    metercache__v1__meter_state__init(out);
    quota_answer_meter_state(out, &counter);
    reply->meters[reply->n_meters++] = out;
    return ST_OK;
}

/* What is committed; answered also while the ledger is away. */
static enum status get_usage(struct rpc_call *call, const void *in, void *out,
                             struct error *err)
{
    const Metercache__V1__GetUsageRequest *request = in;
    Metercache__V1__GetUsageResponse *reply = out;
    uint32_t first = 0;
    uint32_t last = METER_COUNT - 1;

    if (request->meter[0] != '\0') {
        if (quota_operation_meter(&first, request->meter, err) != ST_OK)
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
    {SERVICE, "Submit",          RPC_ROLE_SERVICE, OPERATION, quota_submit},
    {SERVICE, "GetUsage",        RPC_ROLES_ANY,    OPERATION, get_usage},
    {.service = NULL},
};
// clang-format on
