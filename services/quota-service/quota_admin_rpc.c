/*
 * Limits, corrections and adjustments. Like reservations they are decided by the writer, in
 * their turn, and are in the ledger before they are answered.
 */
#include "quota_admin_rpc.h"

#include <stdio.h>
#include <string.h>

#include "body_hash.h"
#include "core/clock.h"
#include "core/mem.h"
#include "ledger_rows_rpc.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_answer_rpc.h"
#include "quota_operation_rpc.h"
#include "quota_service.h"

/* An operation under way; lives in its call's arena. */
struct pending {
    struct writer_op op; /* first: the writer knows this part */
    struct rpc_call *call;
    void *reply;
    struct limit_rule rule; /* SetLimit */
};

static struct pending *new_pending(struct rpc_call *call, enum quota_kind kind,
                                   const char *reason, void *reply, struct error *err)
{
    struct pending *pending;

    if (call->is_dry_run) {
        error_set(err, ST_UNIMPLEMENTED, "quota operations have no dry run");
        return NULL;
    }
    if (quota_operation_check_text(reason, 1, LIMIT_REASON_MAX, "reason", err) != ST_OK)
        return NULL;
    pending = arena_alloc(call->arena, sizeof(*pending));
    if (pending == NULL) {
        error_out_of_arena(err);
        return NULL;
    }
    pending->call = call;
    pending->reply = reply;
    pending->op.op.kind = kind;
    pending->op.op.actor = call->caller.subject;
    pending->op.op.note = reason; /* of the request, which lives as long as the call */
    return pending;
}

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

/* ST_OK: the reply is to be filled. */
static enum status outcome(const struct pending *pending, const struct quota_answer *answer,
                           const struct error *why, struct error *err)
{
    if (answer == NULL) {
        *err = *why;
        return why->status;
    }
    return quota_answer_status(&pending->op.op, answer, clock_wall_us(), err);
}

/* ---- SetLimit -------------------------------------------------------------------------- */

static enum status check_scope(const struct limit_rule *rule, struct error *err)
{
    if (rule->scope < LIMIT_METER || rule->scope > LIMIT_COOLDOWN)
        return error_field(err, "limit.scope", "must be given");
    if (rule->mode < LIMIT_HARD || rule->mode > LIMIT_SHADOW)
        return error_field(err, "limit.mode", "must be HARD, SOFT or SHADOW");
    if (rule->mode == LIMIT_SOFT &&
        (rule->scope == LIMIT_SHARE || rule->scope == LIMIT_COOLDOWN))
        return error_field(err, "limit.mode", "must be HARD or SHADOW for this scope");
    if (rule->subject_size > 0 &&
        (rule->scope == LIMIT_METER || rule->scope == LIMIT_SHARE))
        return error_field(err, "limit.subject", "must be empty for this scope");
    return ST_OK;
}

static enum status check_amounts(const struct limit_rule *rule, struct error *err)
{
    bool is_meter = rule->scope == LIMIT_METER && rule->mode == LIMIT_HARD;

    if (rule->amount_milli < 0 || rule->amount_milli > LIMIT_AMOUNT_MAX)
        return error_field(err, "limit.limit_milli", "must be 0 to %lld", LIMIT_AMOUNT_MAX);
    if (rule->scope == LIMIT_COOLDOWN && (rule->cooldown_us < LIMIT_COOLDOWN_MIN_US ||
                                          rule->cooldown_us > LIMIT_COOLDOWN_MAX_US))
        return error_field(err, "limit.cooldown_ms", "must be a second to 31 days");
    if (rule->scope != LIMIT_COOLDOWN && rule->cooldown_us != 0)
        return error_field(err, "limit.cooldown_ms", "is for the scope COOLDOWN");
    if (!is_meter && rule->anchor_day != 0)
        return error_field(err, "limit.anchor_day", "is for a meter's HARD limit");
    if (!is_meter && rule->threshold_count != 0)
        return error_field(err, "limit.threshold_percent", "is for a meter's HARD limit");
    return ST_OK;
}

static enum status read_thresholds(struct limit_rule *out,
                                   const Metercache__V1__Limit *limit, struct error *err)
{
    if (limit->anchor_day > PERIODS_ANCHOR_MAX)
        return error_field(err, "limit.anchor_day", "must be 1 to %d", PERIODS_ANCHOR_MAX);
    out->anchor_day = (uint8_t)limit->anchor_day;
    if (limit->n_threshold_percent > LIMIT_THRESHOLDS_MAX)
        return error_field(err, "limit.threshold_percent", "must be at most %d",
                           LIMIT_THRESHOLDS_MAX);
    for (size_t i = 0; i < limit->n_threshold_percent; i++) {
        uint32_t percent = limit->threshold_percent[i];

        if (percent < 1 || percent > 100 ||
            (i > 0 && percent <= limit->threshold_percent[i - 1]))
            return error_field(err, "limit.threshold_percent",
                               "must be of 1 to 100, ascending");
        out->thresholds[out->threshold_count++] = (uint8_t)percent;
    }
    return ST_OK;
}

static enum status read_rule(struct limit_rule *out,
                             const Metercache__V1__SetLimitRequest *request,
                             struct error *err)
{
    const Metercache__V1__Limit *limit = request->limit;

    if (limit == NULL)
        return error_field(err, "limit", "must be given");
    if (limit->cooldown_ms > (uint64_t)LIMIT_COOLDOWN_MAX_US / 1000)
        return error_field(err, "limit.cooldown_ms", "must be a second to 31 days");
    *out = (struct limit_rule){.scope = (enum limit_scope)limit->scope,
                               .mode = (enum limit_mode)limit->mode,
                               .amount_milli = limit->limit_milli,
                               .cooldown_us = (int64_t)limit->cooldown_ms * CLOCK_US_PER_MS,
                               .is_removed = request->remove,
                               .subject_size = (uint16_t)strlen(limit->subject)};
    if (quota_operation_read_meter(&out->meter, limit->meter, err) != ST_OK ||
        quota_operation_check_text(limit->subject, 0, LIMIT_SUBJECT_MAX, "limit.subject",
                                   err) != ST_OK ||
        check_scope(out, err) != ST_OK)
        return err->status;
    memcpy(out->subject, limit->subject, out->subject_size);
    if (out->is_removed)
        return ST_OK;
    if (read_thresholds(out, limit, err) != ST_OK)
        return err->status;
    return check_amounts(out, err);
}

static void limit_answered(struct writer_op *op, const struct quota_answer *answer,
                           const struct error *why)
{
    struct pending *pending = (struct pending *)(void *)op; /* its first member */
    Metercache__V1__SetLimitResponse *reply = pending->reply;
    struct error err = ERROR_NONE;
    enum status status = outcome(pending, answer, why, &err);

    if (status == ST_OK) {
        pending->rule.version = answer->limit_version;
        pending->rule.set_at_us = answer->limit_set_at_us;
        (void)snprintf(pending->rule.set_by, sizeof(pending->rule.set_by), "%s",
                       op->op.actor);
        (void)snprintf(pending->rule.reason, sizeof(pending->rule.reason), "%s",
                       op->op.note);
        ledger_rows_write_limit(reply->limit, &pending->rule, pending->call->arena);
    }
    rpc_call_finish(pending->call, status, &err);
}

static enum status set_limit(struct rpc_call *call, const void *in, void *out,
                             struct error *err)
{
    const Metercache__V1__SetLimitRequest *request = in;
    Metercache__V1__SetLimitResponse *reply = out;
    struct pending *pending = new_pending(call, QUOTA_SET_LIMIT, request->reason, out, err);

    if (pending == NULL || read_rule(&pending->rule, request, err) != ST_OK)
        return err->status;
    reply->limit = arena_alloc(call->arena, sizeof(*reply->limit));
    if (reply->limit == NULL)
        return error_out_of_arena(err);
    pending->op.op.rule = &pending->rule;
    return hand_over(pending, limit_answered);
}

/* ---- ListLimits ------------------------------------------------------------------------ */

static enum status write_limits(Metercache__V1__ListLimitsResponse *reply,
                                const struct limit_rule *rules, size_t count,
                                struct arena *arena, struct error *err)
{
    Metercache__V1__Limit *limits = arena_alloc_array(arena, count + 1, sizeof(*limits));
    struct limit_rule *copy = arena_alloc_array(arena, count + 1, sizeof(*copy));

    reply->limits = arena_alloc_array(arena, count + 1, sizeof(*reply->limits));
    if (limits == NULL || copy == NULL || reply->limits == NULL)
        return error_out_of_arena(err);
    memcpy(copy, rules, count * sizeof(*rules));
    for (size_t i = 0; i < count; i++) {
        ledger_rows_write_limit(&limits[i], &copy[i], arena);
        reply->limits[i] = &limits[i];
    }
    reply->n_limits = count;
    return ST_OK;
}

static enum status list_limits(struct rpc_call *call, const void *in, void *out,
                               struct error *err)
{
    const struct quota_service *quota = call->service;
    const Metercache__V1__ListLimitsRequest *request = in;
    Metercache__V1__ListLimitsResponse *reply = out;
    uint32_t meter = METERS_NONE;
    struct limit_rule *rules;
    enum status status;
    size_t count;

    if (request->meter[0] != '\0' &&
        quota_operation_read_meter(&meter, request->meter, err) != ST_OK)
        return err->status;
    rules = mem_alloc_array(LIMITS_MAX, sizeof(*rules));
    count = usage_limits(writer_usage(quota->writer), meter, rules, &reply->version);
    status = write_limits(reply, rules, count, call->arena, err);
    mem_free(rules);
    return status;
}

/* ---- CorrectUnknown and AdjustMeter ---------------------------------------------------- */

static void correct_answered(struct writer_op *op, const struct quota_answer *answer,
                             const struct error *why)
{
    struct pending *pending = (struct pending *)(void *)op;
    Metercache__V1__CorrectUnknownResponse *reply = pending->reply;
    struct error err = ERROR_NONE;
    enum status status = outcome(pending, answer, why, &err);

    if (status == ST_OK) {
        Metercache__V1__Operation *operation = reply->operation;

        operation->kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_CORRECT;
        operation->op_id = (ProtobufCBinaryData){OP_ID_SIZE, op->op.op_id.bytes};
        operation->reservation_id =
            (ProtobufCBinaryData){OP_ID_SIZE, op->op.reservation_id.bytes};
        operation->meter = (char *)(uintptr_t)METERS[answer->meter.meter].name;
        operation->period_start_us = answer->meter.period.start_us;
        operation->amount_milli = answer->posted_milli;
        operation->overage_milli = answer->overage_milli;
        operation->reason = (char *)(uintptr_t)op->op.note;
        operation->actor = (char *)(uintptr_t)op->op.actor;
    }
    rpc_call_finish(pending->call, status, &err);
}

static enum status correct_unknown(struct rpc_call *call, const void *in, void *out,
                                   struct error *err)
{
    const Metercache__V1__CorrectUnknownRequest *request = in;
    Metercache__V1__CorrectUnknownResponse *reply = out;
    struct pending *pending = new_pending(call, QUOTA_CORRECT, request->reason, out, err);
    struct quota_op *op;

    if (pending == NULL)
        return err->status;
    op = &pending->op.op;
    op->amount_milli = request->actual_milli;
    if (quota_operation_read_id(&op->op_id, &request->op_id, "op_id", err) != ST_OK ||
        quota_operation_read_id(&op->reservation_id, &request->reservation_id,
                                "reservation_id", err) != ST_OK)
        return err->status;
    if (op->amount_milli < 0 || op->amount_milli > QUOTA_CORE_AMOUNT_MAX)
        return error_field(err, "actual_milli", "must be 0 to %lld", QUOTA_CORE_AMOUNT_MAX);
    op->call.outcome = op->amount_milli > 0
                           ? METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK
                           : METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_NOT_SENT;
    body_hash_set(op, 0);
    reply->operation = arena_alloc(call->arena, sizeof(*reply->operation));
    if (reply->operation == NULL)
        return error_out_of_arena(err);
    metercache__v1__operation__init(reply->operation);
    return hand_over(pending, correct_answered);
}

static void adjust_answered(struct writer_op *op, const struct quota_answer *answer,
                            const struct error *why)
{
    struct pending *pending = (struct pending *)(void *)op;
    Metercache__V1__AdjustMeterResponse *reply = pending->reply;
    struct error err = ERROR_NONE;
    enum status status = outcome(pending, answer, why, &err);

    if (status == ST_OK)
        quota_answer_meter_state(reply->meter, &answer->meter);
    rpc_call_finish(pending->call, status, &err);
}

static enum status adjust_meter(struct rpc_call *call, const void *in, void *out,
                                struct error *err)
{
    const Metercache__V1__AdjustMeterRequest *request = in;
    Metercache__V1__AdjustMeterResponse *reply = out;
    struct pending *pending = new_pending(call, QUOTA_ADJUST, request->reason, out, err);
    struct quota_op *op;

    if (pending == NULL)
        return err->status;
    op = &pending->op.op;
    op->amount_milli = request->amount_milli;
    if (quota_operation_read_id(&op->op_id, &request->op_id, "op_id", err) != ST_OK ||
        quota_operation_read_meter(&op->meter, request->meter, err) != ST_OK)
        return err->status;
    if (op->amount_milli == 0 || op->amount_milli < -QUOTA_CORE_AMOUNT_MAX ||
        op->amount_milli > QUOTA_CORE_AMOUNT_MAX)
        return error_field(err, "amount_milli", "must be -%lld to %lld and not 0",
                           QUOTA_CORE_AMOUNT_MAX, QUOTA_CORE_AMOUNT_MAX);
    body_hash_set(op, 0);
    reply->meter = arena_alloc(call->arena, sizeof(*reply->meter));
    if (reply->meter == NULL)
        return error_out_of_arena(err);
    metercache__v1__meter_state__init(reply->meter);
    return hand_over(pending, adjust_answered);
}

// clang-format off
#define SERVICE &metercache__v1__quota_service__descriptor
#define BY_ID   (RPC_INLINE | RPC_IDEMPOTENT) /* repeatable: by op id */

const struct rpc_method QUOTA_ADMIN_METHODS[] = {
    {SERVICE, "SetLimit",       RPC_ROLE_ADMIN, RPC_INLINE, set_limit},
    {SERVICE, "ListLimits",     RPC_ROLES_ANY,  BY_ID,      list_limits},
    {SERVICE, "CorrectUnknown", RPC_ROLE_ADMIN, BY_ID,      correct_unknown},
    {SERVICE, "AdjustMeter",    RPC_ROLE_ADMIN | RPC_ROLE_SERVICE, BY_ID, adjust_meter},
    {.service = NULL},
};
// clang-format on
