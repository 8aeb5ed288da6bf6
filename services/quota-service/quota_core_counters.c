/*
 * Which counters a reservation moves, and how. Amounts move here and nowhere else.
 */
#include <assert.h>
#include <string.h>

#include "quota_core_state.h"

static const enum limit_scope SUBJECT_SCOPES[] = {LIMIT_SHARE, LIMIT_USER, LIMIT_ENDPOINT,
                                                  LIMIT_TENANT};
_Static_assert(COUNT_OF(SUBJECT_SCOPES) + 1 == COUNTER_SET_MAX, "and the meter");

/* ---- which ----------------------------------------------------------------------------- */

bool quota_core_subject(const struct purpose *purpose, enum limit_scope scope,
                        const char **subject, size_t *size)
{
    *subject = "";
    *size = 0;
    switch (scope) {
    case LIMIT_METER:
        return true;
    case LIMIT_SHARE:
        return purpose_has(purpose, PURPOSE_SCHEDULED);
    case LIMIT_USER:
        *size = purpose_text(purpose, PURPOSE_user, subject);
        break;
    case LIMIT_ENDPOINT:
        *size = purpose_text(purpose, PURPOSE_endpoint, subject);
        break;
    case LIMIT_TENANT:
        *size = purpose_text(purpose, PURPOSE_tenant, subject);
        break;
    case LIMIT_COOLDOWN:
        *size = purpose_text(purpose, PURPOSE_cooldown_key, subject);
        break;
    }
    return *size > 0;
}

/* Does this scope count the purpose on this meter? */
static bool key_of(const struct quota_core *core, uint32_t meter, int64_t period_start_us,
                   const struct purpose *purpose, enum limit_scope scope,
                   struct counter_key *out)
{
    *out = (struct counter_key){
        .scope = scope, .meter = meter, .period_start_us = period_start_us};
    return core->limits.is_counted[meter][scope] &&
           quota_core_subject(purpose, scope, &out->subject, &out->subject_size);
}

bool quota_core_gather(struct quota_core *core, uint32_t meter, int64_t period_start_us,
                       const struct purpose *purpose, struct counter_set *out)
{
    struct counter *row = counters_of_period(&core->counters, meter, period_start_us);

    out->count = 0;
    if (row == NULL)
        return false;
    out->rows[out->count++] = row;
    for (unsigned i = 0; i < COUNT_OF(SUBJECT_SCOPES); i++) {
        struct counter_key key;

        if (!key_of(core, meter, period_start_us, purpose, SUBJECT_SCOPES[i], &key))
            continue;
        row = counters_find(&core->counters, &key);
        if (row == NULL)
            return false;
        out->rows[out->count++] = row;
    }
    return true;
}

static void need(struct quota_needs *out, const struct counter_key *key,
                 struct period period)
{
    struct quota_needed_counter *needed = &out->counters[out->counter_count++];

    assert(out->counter_count <= QUOTA_NEEDS_COUNTERS);
    *needed = (struct quota_needed_counter){.scope = key->scope,
                                            .meter = key->meter,
                                            .period = period,
                                            .subject_size = (uint8_t)key->subject_size};
    memcpy(needed->subject, key->subject, key->subject_size);
}

void quota_core_missing(struct quota_core *core, uint32_t meter, struct period period,
                        const struct purpose *purpose, struct quota_needs *out)
{
    for (unsigned i = 0; i < COUNT_OF(SUBJECT_SCOPES); i++) {
        struct counter_key key;

        if (key_of(core, meter, period.start_us, purpose, SUBJECT_SCOPES[i], &key) &&
            counters_find(&core->counters, &key) == NULL)
            need(out, &key, period);
    }
}

bool quota_core_find_cooldown(struct quota_core *core, uint32_t meter,
                              const struct purpose *purpose, struct cooldown **out)
{
    const char *key;
    size_t size;

    *out = NULL;
    if (!core->limits.is_counted[meter][LIMIT_COOLDOWN] ||
        !quota_core_subject(purpose, LIMIT_COOLDOWN, &key, &size))
        return true;
    *out = cooldowns_find(&core->cooldowns, meter, key, size);
    return *out != NULL;
}

struct counter *quota_core_other_period(struct quota_core *core,
                                        const struct counter *current)
{
#if QUOTA_PLANTED == QUOTA_PLANT_BOUNDARY
    return NULL;
#endif
    if (core->now_us >= current->period.end_us - QUOTA_CORE_BOUNDARY_US)
        return counters_of_period(&core->counters, current->meter, current->period.end_us);
    if (core->now_us < current->period.start_us + QUOTA_CORE_BOUNDARY_US)
        return counters_ended_at(&core->counters, current->meter, current->period.start_us);
    return NULL;
}

/* ---- moving ---------------------------------------------------------------------------- */

static void move(struct quota_core *core, struct counter *row, const struct quota_row *by)
{
    if (by->kind == QUOTA_RESERVE) {
        row->held_milli += by->amount_milli;
    } else {
        row->posted_milli += by->amount_milli;
        row->overage_milli += by->overage_milli;
        row->held_milli -= by->released_milli;
    }
    counters_touch(&core->counters, row);
}

static bool alert_of(struct quota_core *core, struct quota_batch *batch,
                     const struct counter *meter, enum quota_alert_kind kind,
                     int64_t amount_milli);

void quota_core_apply(struct quota_core *core, struct counter_set *set,
                      const struct quota_row *row, struct quota_batch *batch)
{
    for (unsigned i = 0; i < set->count; i++)
        move(core, set->rows[i], row);
    quota_core_check_alerts(core, set->rows[0], batch);
    if (row->overage_milli > 0)
        (void)!alert_of(core, batch, set->rows[0], QUOTA_ALERT_OVERAGE,
                        row->overage_milli); /* the row itself says it as well */
}

/* ---- alerts ---------------------------------------------------------------------------- */

static struct quota_alert *add_alert(struct quota_core *core, struct quota_batch *batch,
                                     const struct counter *meter,
                                     enum quota_alert_kind kind)
{
    struct quota_alert *alert;

    if (batch->alert_count == BATCH_ALERTS_MAX)
        return NULL;
    alert = &batch->alerts[batch->alert_count++];
    *alert = (struct quota_alert){.kind = kind,
                                  .meter = meter->meter,
                                  .period = meter->period,
                                  .at_us = core->now_us,
                                  .limit_milli = meter->limit_milli,
                                  .posted_milli = meter->posted_milli,
                                  .held_milli = meter->held_milli};
    return alert;
}

/* used / limit >= percent / 100, by parts: a limit may be near the end of 64 bits. */
static bool has_reached(int64_t used_milli, int64_t limit_milli, unsigned percent)
{
    int64_t at_milli = limit_milli / 100 * percent + limit_milli % 100 * percent / 100;

    return limit_milli > 0 && used_milli >= at_milli;
}

/* Each threshold once a period, in the batch that crosses it. Without room in it the next
 * change of the counter finds the same. */
void quota_core_check_alerts(struct quota_core *core, struct counter *meter,
                             struct quota_batch *batch)
{
    const struct limit_rule *rule = limits_of_meter(&core->limits, meter->meter);
    int64_t used_milli = meter->posted_milli + meter->held_milli;
    struct limit_amounts allowed;

    for (unsigned i = 0; i < rule->threshold_count; i++) {
        struct quota_alert *alert;

        if (rule->thresholds[i] <= meter->crossed_percent ||
            !has_reached(used_milli, meter->limit_milli, rule->thresholds[i]))
            continue;
        alert = add_alert(core, batch, meter, QUOTA_ALERT_THRESHOLD);
        if (alert == NULL)
            return;
        alert->percent = rule->thresholds[i];
        meter->crossed_percent = rule->thresholds[i];
        counters_touch(&core->counters, meter);
    }
    if (meter->soft_passed ||
        (core->limits.modes[meter->meter][LIMIT_METER] & (1u << LIMIT_SOFT)) == 0)
        return;
    limits_allowed(&core->limits, LIMIT_METER, meter->meter, "", 0, &allowed);
    if (allowed.milli[LIMIT_SOFT] == LIMIT_NONE ||
        used_milli <= allowed.milli[LIMIT_SOFT] ||
        add_alert(core, batch, meter, QUOTA_ALERT_SOFT_LIMIT) == NULL)
        return;
    meter->soft_passed = true;
    counters_touch(&core->counters, meter);
}

/* One of a kind and period a batch tells enough. */
static bool alert_of(struct quota_core *core, struct quota_batch *batch,
                     const struct counter *meter, enum quota_alert_kind kind,
                     int64_t amount_milli)
{
    struct quota_alert *alert;

    for (size_t i = 0; i < batch->alert_count; i++) {
        alert = &batch->alerts[i];
        if (alert->meter == meter->meter && alert->kind == kind &&
            alert->period.start_us == meter->period.start_us)
            return true;
    }
    alert = add_alert(core, batch, meter, kind);
    if (alert == NULL)
        return false;
    alert->amount_milli = amount_milli;
    return true;
}

bool quota_core_alert(struct quota_core *core, struct quota_batch *batch, uint32_t meter,
                      enum quota_alert_kind kind, int64_t amount_milli)
{
    const struct counter *row = counters_at(&core->counters, meter, core->period_us);

    return row != NULL && alert_of(core, batch, row, kind, amount_milli);
}
