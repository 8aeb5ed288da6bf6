#include "sim_view.h"

#include <string.h>

#include "sim_world.h"

/* ---- all that was decided --------------------------------------------------------------- */

struct sim_view sim_view_of(const struct sim_writer *w)
{
    const struct sim_ledger *ledger = &w->world->ledger;
    struct sim_view view = {.ledger = ledger, .version = UINT64_MAX};

    if (w->flying != NULL && w->flying->batch.number > ledger->last_batch)
        view.after[0] = &w->flying->batch;
    view.after[1] = &w->open->batch;
    return view;
}

static const struct quota_row *sim_view_row(const struct sim_view *view, size_t at)
{
    if (at < view->ledger->event_count)
        return &view->ledger->events[at].row;
    at -= view->ledger->event_count;
    for (unsigned i = 0; i < 2; i++) {
        if (view->after[i] == NULL)
            continue;
        if (at < view->after[i]->row_count)
            return &view->after[i]->rows[at];
        at -= view->after[i]->row_count;
    }
    return NULL;
}

static const struct limit_rule *sim_view_change(const struct sim_view *view, size_t at)
{
    if (at < view->ledger->rule_count)
        return &view->ledger->rules[at];
    at -= view->ledger->rule_count;
    for (unsigned i = 0; i < 2; i++) {
        if (view->after[i] == NULL)
            continue;
        if (at < view->after[i]->limit_count)
            return &view->after[i]->limits[at];
        at -= view->after[i]->limit_count;
    }
    return NULL;
}

/* ---- rules ----------------------------------------------------------------------------- */

/* The last change of exactly this rule; NULL: none, or it was removed. */
const struct limit_rule *sim_view_rule(const struct sim_view *view, enum limit_scope scope,
                                       uint32_t meter, enum limit_mode mode,
                                       const char *subject, size_t size)
{
    const struct limit_rule *found = NULL;
    const struct limit_rule *rule;

    for (size_t i = 0; (rule = sim_view_change(view, i)) != NULL; i++) {
        if (rule->version <= view->version && rule->scope == scope &&
            rule->meter == meter && rule->mode == mode && rule->subject_size == size &&
            memcmp(rule->subject, subject, size) == 0)
            found = rule;
    }
    return found != NULL && !found->is_removed ? found : NULL;
}

static int64_t meter_limit_milli(const struct sim_view *view, uint32_t meter)
{
    static const int64_t settings[SIM_METERS] = {1000, 300};
    const struct limit_rule *rule =
        sim_view_rule(view, LIMIT_METER, meter, LIMIT_HARD, "", 0);

    return rule != NULL ? rule->amount_milli : settings[meter];
}

/* LIMIT_NONE: as much as one likes. */
static int64_t allowed_milli(const struct sim_view *view, enum limit_scope scope,
                             uint32_t meter, enum limit_mode mode, const char *subject,
                             size_t size)
{
    const struct limit_rule *rule = sim_view_rule(view, scope, meter, mode, subject, size);
    int64_t left_milli;

    if (rule == NULL && size > 0)
        rule = sim_view_rule(view, scope, meter, mode, "", 0);
    if (rule == NULL)
        return LIMIT_NONE;
    if (scope != LIMIT_SHARE)
        return rule->amount_milli;
    left_milli = meter_limit_milli(view, meter) - rule->amount_milli;
    return left_milli > 0 ? left_milli : 0;
}

/* ---- cooldowns ------------------------------------------------------------------------- */

static const struct limit_rule *cooldown_rule(const struct sim_view *view, uint32_t meter,
                                              enum limit_mode mode, const char *key,
                                              size_t size)
{
    for (;; size--) {
        const struct limit_rule *rule =
            sim_view_rule(view, LIMIT_COOLDOWN, meter, mode, key, size);

        if (rule != NULL || size == 0)
            return rule;
    }
}

/* How long the grant of this row keeps its key; 0: not at all. */
static int64_t cooldown_of(const struct sim_view *view, const struct quota_row *row,
                           const char *key, size_t size)
{
    struct sim_view then = *view;
    const struct limit_rule *rule;

    then.version = row->limit_version;
    rule = cooldown_rule(&then, row->meter, LIMIT_HARD, key, size);
    if (rule == NULL)
        rule = cooldown_rule(&then, row->meter, LIMIT_SHADOW, key, size);
    return rule != NULL ? rule->cooldown_us : 0;
}

/* Voids say so in their outcome, corrections by void as well. */
static bool is_void(const struct quota_row *row)
{
    return row->kind == QUOTA_VOID ||
           (row->kind == QUOTA_CORRECT && row->call.outcome == SIM_OUTCOME_NOT_SENT);
}

/* From when the key is free, by all rows before `end`. */
static int64_t cooldown_until_us(const struct sim_view *view, uint32_t meter,
                                 const char *key, size_t size, size_t end)
{
    const struct quota_row *row;
    struct op_id holder = {{0}};
    int64_t until_us = 0;

    for (size_t i = 0; i < end && (row = sim_view_row(view, i)) != NULL; i++) {
        if (row->meter != meter || !sim_row_is_of(row, LIMIT_COOLDOWN, key, size))
            continue;
        if (row->kind == QUOTA_RESERVE) {
            int64_t cooldown_us = cooldown_of(view, row, key, size);

            if (cooldown_us == 0)
                continue;
            until_us = row->at_us + cooldown_us;
            holder = row->op_id;
        } else if (is_void(row) && op_id_equal(&holder, &row->reservation_id)) {
            until_us = 0;
        }
    }
    return until_us;
}

bool sim_view_cools_down(const struct sim_view *view, const struct quota_row *asked,
                         int64_t now_us, size_t end)
{
    const char *key;
    size_t size = purpose_text(&asked->purpose, PURPOSE_cooldown_key, &key);

    return size > 0 && cooldown_rule(view, asked->meter, LIMIT_HARD, key, size) != NULL &&
           cooldown_until_us(view, asked->meter, key, size, end) > now_us;
}

/* ---- what fits ------------------------------------------------------------------------- */

/* Of the asked row's meter, in this period, of all rows before `end`. */
static int64_t used_milli(const struct sim_view *view, const struct quota_row *asked,
                          int64_t period_start_us, enum limit_scope scope,
                          const char *subject, size_t size, size_t end)
{
    struct quota_counter sum = {.meter = asked->meter};
    const struct quota_row *row;

    for (size_t i = 0; i < end && (row = sim_view_row(view, i)) != NULL; i++) {
        if (row->meter == asked->meter && row->period_start_us == period_start_us &&
            sim_row_is_of(row, scope, subject, size))
            sim_row_add(&sum, row);
    }
    return sum.posted_milli + sum.held_milli;
}

static bool is_beyond(int64_t amount_milli, int64_t limit_milli, int64_t used)
{
    int64_t left_milli = limit_milli > used ? limit_milli - used : 0;

    return limit_milli != LIMIT_NONE && amount_milli > left_milli;
}

/* Is the asked amount too much for a scope of this period? */
static bool is_too_much(const struct sim_view *view, const struct quota_row *asked,
                        const struct quota_counter *period, enum limit_scope scope,
                        int64_t now_us, size_t end)
{
    static const enum purpose_text texts[LIMIT_SCOPES] = {[LIMIT_USER] = PURPOSE_user,
                                                          [LIMIT_ENDPOINT] =
                                                              PURPOSE_endpoint,
                                                          [LIMIT_TENANT] = PURPOSE_tenant};
    const char *subject = "";
    size_t size = 0;
    int64_t hard_milli;
    int64_t soft_milli;
    int64_t used;

    if (scope == LIMIT_SHARE && !purpose_has(&asked->purpose, PURPOSE_SCHEDULED))
        return false;
    if (scope != LIMIT_METER && scope != LIMIT_SHARE) {
        size = purpose_text(&asked->purpose, texts[scope], &subject);
        if (size == 0)
            return false;
    }
    hard_milli = allowed_milli(view, scope, asked->meter, LIMIT_HARD, subject, size);
    soft_milli = allowed_milli(view, scope, asked->meter, LIMIT_SOFT, subject, size);
    if (scope == LIMIT_METER)
        hard_milli = period->period.end_us <= now_us
                         ? period->limit_milli
                         : meter_limit_milli(view, asked->meter);
    used = used_milli(view, asked, period->period.start_us, scope, subject, size, end);
    return is_beyond(asked->amount_milli, hard_milli, used) ||
           (purpose_has(&asked->purpose, PURPOSE_SHEDDABLE) &&
            is_beyond(asked->amount_milli, soft_milli, used));
}

bool sim_view_fits(const struct sim_view *view, const struct quota_row *asked,
                   const struct quota_counter *period, int64_t now_us, size_t end)
{
    for (enum limit_scope scope = LIMIT_METER; scope <= LIMIT_SHARE; scope++) {
        if (is_too_much(view, asked, period, scope, now_us, end))
            return false;
    }
    return true;
}
