#include "quota_operation_rpc.h"

#include <stdio.h>
#include <string.h>

#include "body_hash.h"
#include "core/clock.h"
#include "core/parse.h"
#include "quota_answer_rpc.h"

#define HOLD_MIN_MS     1000
#define HOLD_MAX_MS     86400000
#define LATENCY_MAX_US  86400000000ULL
#define TIME_MAX_US     253402300799999999LL /* the end of the year 9999 */
#define HTTP_STATUS_MAX 999

/* ---- checks ---------------------------------------------------------------------------- */

enum status quota_operation_read_id(struct op_id *out, const ProtobufCBinaryData *bytes,
                                    const char *field, struct error *err)
{
    if (!op_id_from_bytes(out, bytes->data, bytes->len) || !op_id_is_v7(out))
        return error_field(err, field, "must be 16 bytes, a UUID of version 7");
    return ST_OK;
}

enum status quota_operation_read_meter(uint32_t *out, const char *name, struct error *err)
{
    unsigned meter = meters_find(name);

    if (meter == METERS_NONE) {
        error_set(err, ST_NOT_FOUND, "no meter '%s'", name);
        return error_reason(err, "UNKNOWN_METER");
    }
    *out = meter;
    return ST_OK;
}

enum status quota_operation_check_text(const char *text, size_t min, size_t max,
                                       const char *field, struct error *err)
{
    size_t size = strlen(text);

    if (size < min || size > max)
        return error_field(err, field, "must be %zu to %zu bytes", min, max);
    if (!parse_is_utf8(text, size))
        return error_field(err, field, "must be UTF-8 text");
    return ST_OK;
}

static enum status check_amount(int64_t amount_milli, const char *field, struct error *err)
{
    if (amount_milli < 0 || amount_milli > QUOTA_CORE_AMOUNT_MAX)
        return error_field(err, field, "must be 0 to %lld", QUOTA_CORE_AMOUNT_MAX);
    return ST_OK;
}

/* ---- reserve --------------------------------------------------------------------------- */

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
        [PURPOSE_cooldown_key] = request->cooldown_key,
    };
    unsigned flags = (request->is_interactive ? 0u : PURPOSE_SCHEDULED) |
                     (request->is_sheddable ? PURPOSE_SHEDDABLE : 0u);

    return purpose_pack(out, (uint32_t)from->platform, flags, texts, err);
}

enum status quota_operation_read_reserve(struct quota_op *op,
                                         const Metercache__V1__ReserveRequest *request,
                                         const struct quota_config *config,
                                         struct error *err)
{
    uint64_t hold_ms = request->hold_ms;

    op->kind = QUOTA_RESERVE;
    op->amount_milli = request->amount_milli;
    if (quota_operation_read_id(&op->op_id, &request->op_id, "op_id", err) != ST_OK ||
        quota_operation_read_meter(&op->meter, request->meter, err) != ST_OK ||
        check_amount(op->amount_milli, "amount_milli", err) != ST_OK ||
        read_purpose(&op->purpose, request, err) != ST_OK)
        return err->status;
    if (hold_ms < HOLD_MIN_MS || hold_ms > HOLD_MAX_MS)
        return error_field(err, "hold_ms", "must be %d to %d", HOLD_MIN_MS, HOLD_MAX_MS);
    if (hold_ms > config->hold_max_ms)
        hold_ms = config->hold_max_ms; /* the reply says when it lapses */
    op->hold_us = (int64_t)hold_ms * CLOCK_US_PER_MS;
    body_hash_set(op, request->hold_ms);
    return ST_OK;
}

enum status quota_operation_write_reserve(Metercache__V1__ReserveResponse *out,
                                          const struct quota_op *op,
                                          const struct quota_answer *answer,
                                          struct arena *arena, struct error *err)
{
    out->expires_at_us = answer->expires_at_us;
    out->meter = arena_alloc(arena, sizeof(*out->meter));
    if (out->meter == NULL)
        return error_out_of_arena(err);
    metercache__v1__meter_state__init(out->meter);
    quota_answer_meter_state(out->meter, &answer->meter);
    if (answer->hit_count == 0)
        return ST_OK;
    out->passed = quota_answer_hits(op, answer, arena);
    if (out->passed == NULL)
        return error_out_of_arena(err);
    out->n_passed = answer->hit_count;
    return ST_OK;
}

/* ---- settle and void ------------------------------------------------------------------- */

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
    if (quota_operation_read_id(&op->op_id, op_id, "op_id", err) != ST_OK ||
        quota_operation_read_id(&op->reservation_id, reservation_id, "reservation_id",
                                err) != ST_OK ||
        quota_operation_check_text(detail, 0, CALL_DETAIL_MAX, "detail", err) != ST_OK ||
        check_call(&op->call, err) != ST_OK)
        return err->status;
    snprintf(op->call.detail, sizeof(op->call.detail), "%s", detail);
    body_hash_set(op, 0);
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

void quota_operation_write_settle(Metercache__V1__SettleResponse *out,
                                  const struct quota_answer *answer)
{
    out->posted_milli = answer->posted_milli;
    out->overage_milli = answer->overage_milli;
    out->corrected = answer->corrected;
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

void quota_operation_write_void(Metercache__V1__VoidResponse *out,
                                const struct quota_answer *answer)
{
    out->corrected = answer->corrected;
}
