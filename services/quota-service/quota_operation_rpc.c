#include "quota_operation_rpc.h"

#include <stdio.h>
#include <string.h>

#include "body_hash.h"
#include "core/clock.h"
#include "core/parse.h"
#include "quota_answer_rpc.h"

#define HOLD_MIN_MS      1000
#define HOLD_MAX_MS      86400000
#define COOLDOWN_KEY_MAX 128
#define LATENCY_MAX_US   86400000000ULL
#define TIME_MAX_US      253402300799999999LL /* the end of the year 9999 */
#define HTTP_STATUS_MAX  999

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

enum status quota_operation_meter(uint32_t *out, const char *name, struct error *err)
{
    unsigned meter = meters_find(name);

    if (meter == METERS_NONE) {
        error_set(err, ST_NOT_FOUND, "no meter '%s'", name);
        return error_reason(err, "UNKNOWN_METER");
    }
    *out = meter;
    return ST_OK;
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

enum status quota_operation_read_reserve(struct quota_op *op,
                                         const Metercache__V1__ReserveRequest *request,
                                         const struct quota_config *config,
                                         struct error *err)
{
    uint64_t hold_ms = request->hold_ms;
    struct body_hash_extra extra = {.hold_ms = hold_ms,
                                    .cooldown_key = request->cooldown_key,
                                    .is_interactive = request->is_interactive};

    op->kind = QUOTA_RESERVE;
    op->amount_milli = request->amount_milli;
    if (check_op_id(&op->op_id, &request->op_id, "op_id", err) != ST_OK ||
        quota_operation_meter(&op->meter, request->meter, err) != ST_OK ||
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

void quota_operation_reserved(Metercache__V1__ReserveResponse *reply,
                              const struct quota_answer *answer)
{
    reply->expires_at_us = answer->expires_at_us;
    quota_answer_meter_state(reply->meter, &answer->counter);
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

enum status quota_operation_read_settle(struct quota_op *op,
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

void quota_operation_settled(Metercache__V1__SettleResponse *reply,
                             const struct quota_answer *answer)
{
    reply->posted_milli = answer->posted_milli;
    reply->overage_milli = answer->overage_milli;
    reply->corrected = answer->corrected;
}

enum status quota_operation_read_void(struct quota_op *op,
                                      const Metercache__V1__VoidRequest *request,
                                      struct error *err)
{
    op->kind = QUOTA_VOID;
    op->call = (struct quota_call){.outcome = (uint32_t)request->outcome,
                                   .http_status = request->http_status,
                                   .started_at_us = request->started_at_us,
                                   .latency_us = request->latency_us};
    return read_ending(op, &request->op_id, &request->reservation_id, request->detail, err);
}

void quota_operation_voided(Metercache__V1__VoidResponse *reply,
                            const struct quota_answer *answer)
{
    reply->corrected = answer->corrected;
}

/* ---- any of them ----------------------------------------------------------------------- */

enum status quota_operation_read(struct quota_op *op,
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
        return error_field(err, "operation", "must be one that is known here");
    }
}

static void add_violations(Metercache__V1__OperationResult *result, const struct error *err,
                           struct arena *arena)
{
    size_t count = err->violation_count;
    Metercache__V1__LimitHit *hits = arena_alloc_array(arena, count, sizeof(*hits));
    Metercache__V1__LimitHit **pointers =
        arena_alloc_array(arena, count, sizeof(*pointers));

    if (hits == NULL || pointers == NULL)
        return;
    result->violations = pointers;
    for (size_t i = 0; i < count; i++) {
        metercache__v1__limit_hit__init(&hits[i]);
        hits[i].subject = arena_strdup(arena, err->violations[i].subject);
        if (hits[i].subject == NULL)
            return;
        hits[i].left_milli = err->violations[i].left_milli;
        hits[i].resets_at_us = err->violations[i].resets_at_us;
        pointers[i] = &hits[i];
        result->n_violations = i + 1;
    }
}

static void set_text(char **field, const char *text, struct arena *arena)
{
    char *copy = text[0] == '\0' ? NULL : arena_strdup(arena, text);

    if (copy != NULL)
        *field = copy;
}

void quota_operation_refused(Metercache__V1__OperationResult *result,
                             const struct error *err, struct arena *arena)
{
    result->code = (uint32_t)err->status;
    result->retry_after_ms = err->retry_after_ms;
    set_text(&result->message, err->message, arena);
    set_text(&result->reason, err->reason, arena);
    set_text(&result->field, err->field, arena);
    if (err->violation_count > 0)
        add_violations(result, err, arena);
}
