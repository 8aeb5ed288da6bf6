/*
 * The methods of QuotaService. Reserve, Settle and Void run on nng's thread: they check the
 * request, hand it to the writer and defer; the writer's thread answers.
 */
#include "quota_rpc.h"

#include <stdio.h>
#include <string.h>

#include "body_hash.h"
#include "core/clock.h"
#include "core/parse.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_answer_rpc.h"
#include "quota_reads_rpc.h"
#include "quota_service.h"

#define HOLD_MIN_MS      1000
#define HOLD_MAX_MS      86400000
#define COOLDOWN_KEY_MAX 128
#define LATENCY_MAX_US   86400000000ULL
#define TIME_MAX_US      253402300799999999LL /* the end of the year 9999 */
#define HTTP_STATUS_MAX  999

/* An operation under way; lives in its call's arena. */
struct pending {
    struct writer_op op; /* first: the writer knows this part */
    struct rpc_call *call;
    void *reply;
};

/* ---- checks ---------------------------------------------------------------------------- */

static enum status check_op_id(struct op_id *out, const ProtobufCBinaryData *bytes,
                               const char *field, struct error *err)
{
    if (!op_id_from_bytes(out, bytes->data, bytes->len) || !op_id_is_v7(out))
        return error_field(err, field, "must be 16 bytes, a UUID of version 7");
    return ST_OK;
}

static enum status check_amount(int64_t amount_milli, const char *field, struct error *err)
{
    if (amount_milli < 0 || amount_milli > QUOTA_CORE_AMOUNT_MAX)
        return error_field(err, field, "must be 0 to %lld", QUOTA_CORE_AMOUNT_MAX);
    return ST_OK;
}

static enum status check_text(const char *text, size_t max, const char *field,
                              struct error *err)
{
    size_t size = strlen(text);

    if (size > max)
        return error_field(err, field, "must be at most %zu bytes", max);
    if (!parse_is_utf8(text, size))
        return error_field(err, field, "must be UTF-8 text");
    return ST_OK;
}

static enum status find_meter(uint32_t *out, const char *name, struct error *err)
{
    unsigned meter = meters_find(name);

    if (meter == METERS_NONE) {
        error_set(err, ST_NOT_FOUND, "no meter '%s'", name);
        return error_reason(err, "UNKNOWN_METER");
    }
    *out = meter;
    return ST_OK;
}

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

static enum status read_purpose(struct purpose *out,
                                const Metercache__V1__ReserveRequest *request,
                                struct error *err)
{
    static const Metercache__V1__CallPurpose none = METERCACHE__V1__CALL_PURPOSE__INIT;
    const Metercache__V1__CallPurpose *from =
        request->purpose != NULL ? request->purpose : &none;
    const char *const texts[PURPOSE_TEXT_COUNT] = {
        [PURPOSE_provider] = from->provider,
        [PURPOSE_action] = from->action,
        [PURPOSE_reason] = from->reason,
        [PURPOSE_creator] = from->creator,
        [PURPOSE_user] = from->user,
        [PURPOSE_tenant] = from->tenant,
        [PURPOSE_endpoint] = request->endpoint,
    };

    return purpose_pack(out, (uint32_t)from->platform, texts, err);
}

static enum status read_reserve(struct quota_op *op,
                                const Metercache__V1__ReserveRequest *request,
                                const struct quota_config *config, struct error *err)
{
    uint64_t hold_ms = request->hold_ms;
    struct body_hash_extra extra = {.hold_ms = hold_ms,
                                    .cooldown_key = request->cooldown_key,
                                    .is_interactive = request->is_interactive};

    op->kind = QUOTA_RESERVE;
    op->amount_milli = request->amount_milli;
    if (check_op_id(&op->op_id, &request->op_id, "op_id", err) != ST_OK ||
        find_meter(&op->meter, request->meter, err) != ST_OK ||
        check_amount(op->amount_milli, "amount_milli", err) != ST_OK ||
        check_text(request->cooldown_key, COOLDOWN_KEY_MAX, "cooldown_key", err) != ST_OK ||
        read_purpose(&op->purpose, request, err) != ST_OK)
        return err->status;
    if (hold_ms < HOLD_MIN_MS || hold_ms > HOLD_MAX_MS)
        return error_field(err, "hold_ms", "must be %d to %d", HOLD_MIN_MS, HOLD_MAX_MS);
    if (hold_ms > config->hold_max_ms)
        hold_ms = config->hold_max_ms; /* the reply says when it lapses */
    op->hold_us = (int64_t)hold_ms * CLOCK_US_PER_MS;
    body_hash_set(op, &extra);
    return ST_OK;
}

static void reserve_answered(struct writer_op *op, const struct quota_answer *answer,
                             const struct error *err)
{
    struct pending *pending = (struct pending *)(void *)op; /* its first member */
    Metercache__V1__ReserveResponse *reply = pending->reply;

    if (!has_reply(pending, answer, err))
        return;
    reply->expires_at_us = answer->expires_at_us;
    quota_answer_meter_state(reply->meter, &answer->counter);
    rpc_call_finish(pending->call, ST_OK, NULL);
}

static enum status reserve(struct rpc_call *call, const void *in, void *out,
                           struct error *err)
{
    const struct quota_service *quota = call->service;
    Metercache__V1__ReserveResponse *reply = out;
    struct pending *pending = new_pending(call, reply, err);

    if (pending == NULL || read_reserve(&pending->op.op, in, quota->config, err) != ST_OK)
        return err->status;
    reply->meter = arena_alloc(call->arena, sizeof(*reply->meter));
    if (reply->meter == NULL)
        return error_out_of_arena(err);
    metercache__v1__meter_state__init(reply->meter);
    return hand_over(pending, reserve_answered);
}

/* ---- Settle and Void ------------------------------------------------------------------- */

static enum status check_call(const struct quota_call *call, struct error *err)
{
    if (call->outcome == METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_UNSPECIFIED ||
        call->outcome >= QUOTA_OUTCOME_LAPSED)
        return error_field(err, "outcome", "must say how the call ended");
    if (call->started_at_us < 0 || call->started_at_us > TIME_MAX_US)
        return error_field(err, "started_at_us", "must be a time up to the year 9999");
    if (call->latency_us > LATENCY_MAX_US)
        return error_field(err, "latency_us", "must be at most a day");
    if (call->http_status > HTTP_STATUS_MAX)
        return error_field(err, "http_status", "must be 0 to %d", HTTP_STATUS_MAX);
    return ST_OK;
}

/* What Settle and Void have in common; all else of *op is set and checked. */
static enum status read_ending(struct quota_op *op, const ProtobufCBinaryData *op_id,
                               const ProtobufCBinaryData *reservation_id,
                               const char *detail, struct error *err)
{
    if (check_op_id(&op->op_id, op_id, "op_id", err) != ST_OK ||
        check_op_id(&op->reservation_id, reservation_id, "reservation_id", err) != ST_OK ||
        check_text(detail, CALL_DETAIL_MAX, "detail", err) != ST_OK ||
        check_call(&op->call, err) != ST_OK)
        return err->status;
    snprintf(op->call.detail, sizeof(op->call.detail), "%s", detail);
    body_hash_set(op, NULL);
    return ST_OK;
}

static enum status read_settle(struct quota_op *op,
                               const Metercache__V1__SettleRequest *request,
                               struct error *err)
{
    op->kind = QUOTA_SETTLE;
    op->amount_milli = request->actual_milli;
    op->call = (struct quota_call){.outcome = (uint32_t)request->outcome,
                                   .http_status = request->http_status,
                                   .started_at_us = request->started_at_us,
                                   .latency_us = request->latency_us};
    if (check_amount(op->amount_milli, "actual_milli", err) != ST_OK)
        return err->status;
    return read_ending(op, &request->op_id, &request->reservation_id, request->detail, err);
}

static void settle_answered(struct writer_op *op, const struct quota_answer *answer,
                            const struct error *err)
{
    struct pending *pending = (struct pending *)(void *)op;
    Metercache__V1__SettleResponse *reply = pending->reply;

    if (!has_reply(pending, answer, err))
        return;
    reply->posted_milli = answer->posted_milli;
    reply->overage_milli = answer->overage_milli;
    reply->corrected = answer->corrected;
    rpc_call_finish(pending->call, ST_OK, NULL);
}

static enum status settle(struct rpc_call *call, const void *in, void *out,
                          struct error *err)
{
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL || read_settle(&pending->op.op, in, err) != ST_OK)
        return err->status;
    return hand_over(pending, settle_answered);
}

static enum status read_void(struct quota_op *op,
                             const Metercache__V1__VoidRequest *request, struct error *err)
{
    op->kind = QUOTA_VOID;
    op->call = (struct quota_call){.outcome = (uint32_t)request->outcome,
                                   .http_status = request->http_status,
                                   .started_at_us = request->started_at_us,
                                   .latency_us = request->latency_us};
    return read_ending(op, &request->op_id, &request->reservation_id, request->detail, err);
}

static void void_answered(struct writer_op *op, const struct quota_answer *answer,
                          const struct error *err)
{
    struct pending *pending = (struct pending *)(void *)op;
    Metercache__V1__VoidResponse *reply = pending->reply;

    if (!has_reply(pending, answer, err))
        return;
    reply->corrected = answer->corrected;
    rpc_call_finish(pending->call, ST_OK, NULL);
}

static enum status void_reservation(struct rpc_call *call, const void *in, void *out,
                                    struct error *err)
{
    struct pending *pending = new_pending(call, out, err);

    if (pending == NULL || read_void(&pending->op.op, in, err) != ST_OK)
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
        if (find_meter(&first, request->meter, err) != ST_OK)
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
    {SERVICE, "GetUsage",        RPC_ROLES_ANY,    OPERATION, get_usage},
    {.service = NULL},
};
// clang-format on
