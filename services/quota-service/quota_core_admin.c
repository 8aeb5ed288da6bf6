/*
 * What admins do: rules, and adjustments of what a meter has posted.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "quota_core_state.h"

/* ---- limits ---------------------------------------------------------------------------- */

/* The rule as it will stand: of a meter's HARD rule, what is not given stays as it was, and
 * without a rule the settings hold. */
static struct limit_rule complete(const struct quota_core *core, const struct quota_op *op)
{
    const struct limit_rule *former;
    struct limit_rule rule = *op->rule;

    rule.version = core->limits.version + 1;
    rule.set_at_us = core->now_us;
    snprintf(rule.set_by, sizeof(rule.set_by), "%s", op->actor);
    snprintf(rule.reason, sizeof(rule.reason), "%s", op->note);
    if (rule.scope != LIMIT_METER || rule.mode != LIMIT_HARD)
        return rule;
    former = limits_of_meter(&core->limits, rule.meter);
    if (rule.is_removed) {
        rule.is_removed = false;
        rule.amount_milli = core->options.limits_milli[rule.meter];
        rule.anchor_day = (uint8_t)core->options.anchor_day;
    }
    if (rule.anchor_day == 0)
        rule.anchor_day = former->anchor_day;
    if (rule.threshold_count == 0) {
        rule.threshold_count = former->threshold_count;
        memcpy(rule.thresholds, former->thresholds, sizeof(rule.thresholds));
    }
    return rule;
}

/* Thresholds, and a soft limit, may have been passed by the change alone. */
static void check_meter(struct quota_core *core, uint32_t meter, struct quota_batch *batch)
{
    struct counter *row = counters_at(&core->counters, meter, core->period_us);

    if (row != NULL)
        quota_core_check_alerts(core, row, batch);
}

/* A meter's limit changes once a batch: the ledger sees the last one alone, and must not
 * find more used than that and the former one allow. */
static bool has_changed(const struct quota_batch *batch, const struct limit_rule *rule)
{
    for (size_t i = 0; i < batch->limit_count; i++) {
        const struct limit_rule *other = &batch->limits[i];

        if (rule->scope == LIMIT_METER && rule->mode == LIMIT_HARD &&
            other->scope == LIMIT_METER && other->mode == LIMIT_HARD &&
            other->meter == rule->meter)
            return true;
    }
    return false;
}

void quota_core_set_limit(struct quota_core *core, const struct quota_op *op,
                          struct quota_batch *batch, struct quota_answer *answer)
{
    struct limit_rule rule = complete(core, op);

    *answer = (struct quota_answer){.verdict = QUOTA_NEXT_BATCH};
    if (batch->limit_count == BATCH_LIMITS_MAX || has_changed(batch, &rule) ||
        !quota_core_has_room(core, batch, 0))
        return;
    if (!limits_put(&core->limits, &rule)) {
        answer->verdict = QUOTA_TOO_MANY_LIMITS;
        return;
    }
    batch->limits[batch->limit_count++] = rule;
    if (rule.scope == LIMIT_METER && rule.mode == LIMIT_HARD)
        quota_core_apply_limit(core, rule.meter);
    if (rule.scope == LIMIT_METER)
        check_meter(core, rule.meter, batch);
    answer->verdict = QUOTA_DONE;
    answer->batch = batch->number;
    answer->limit_version = rule.version;
    answer->limit_set_at_us = rule.set_at_us;
}

/* ---- adjustments ----------------------------------------------------------------------- */

static struct quota_row *adjust_row(struct quota_core *core, const struct quota_op *op,
                                    const struct counter *meter, struct quota_batch *batch)
{
    const struct reservation none = {.id = op->op_id,
                                     .period_start_us = meter->period.start_us,
                                     .meter = (uint8_t)op->meter};
    struct quota_row *row = quota_core_add_row(core, batch, QUOTA_ADJUST, &none);

    row->amount_milli = op->amount_milli;
    memcpy(row->body_hash, op->body_hash, sizeof(row->body_hash));
    snprintf(row->actor, sizeof(row->actor), "%s", op->actor);
    snprintf(row->note, sizeof(row->note), "%s", op->note);
    return row;
}

/* What the provider says was used is recorded whatever the limit: beyond it, as overage. */
static int64_t adjusted_overage(const struct counter *meter, int64_t amount_milli)
{
    int64_t left_milli = counters_left_milli(
        meter->limit_milli, meter->posted_milli - meter->overage_milli, meter->held_milli);

    return amount_milli > left_milli ? amount_milli - left_milli : 0;
}

void quota_core_adjust(struct quota_core *core, const struct quota_op *op,
                       struct quota_batch *batch, struct quota_answer *answer)
{
    struct counter *meter = counters_at(&core->counters, op->meter, core->period_us);
    struct counter_set set = {.rows = {meter}, .count = 1};
    struct quota_row *row;

    *answer = (struct quota_answer){.verdict = QUOTA_NEXT_BATCH};
    if (op->amount_milli < meter->overage_milli - meter->posted_milli) {
        answer->verdict = QUOTA_BELOW_ZERO;
        return;
    }
    if (!quota_core_has_room(core, batch, 0))
        return;
    row = adjust_row(core, op, meter, batch);
    row->overage_milli = adjusted_overage(meter, op->amount_milli);
    quota_core_apply(core, &set, row, batch);
    answer->verdict = QUOTA_DONE;
    answer->batch = batch->number;
    answer->posted_milli = op->amount_milli;
    answer->overage_milli = row->overage_milli;
    quota_core_view(core, op->meter, meter->period.start_us, &answer->meter);
    quota_core_remember(core, op, answer);
}
