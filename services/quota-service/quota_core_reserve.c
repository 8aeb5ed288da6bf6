/*
 * Reserve: all limits that apply, or none.
 */
#include <assert.h>
#include <string.h>

#include "quota_core_state.h"

/* All that one reservation is judged by. */
struct admission {
    struct counter_set now;   /* of the period that is charged */
    struct counter_set other; /* of the one across a boundary that is near; else empty */
    const struct limit_rule *cooldown[LIMIT_MODES];
    struct cooldown *cell; /* NULL: no cooldown applies */
};

/* ---- what applies ---------------------------------------------------------------------- */

static bool find_cooldown(struct quota_core *core, const struct quota_op *op,
                          struct admission *out)
{
    const char *key;
    size_t size;

    if (!quota_core_find_cooldown(core, op->meter, &op->purpose, &out->cell))
        return false;
    if (out->cell == NULL)
        return true;
    (void)quota_core_subject(&op->purpose, LIMIT_COOLDOWN, &key, &size);
    for (unsigned mode = LIMIT_HARD; mode < LIMIT_MODES; mode++)
        out->cooldown[mode] =
            limits_cooldown(&core->limits, op->meter, (enum limit_mode)mode, key, size);
    if (out->cooldown[LIMIT_HARD] == NULL && out->cooldown[LIMIT_SHADOW] == NULL)
        out->cell = NULL;
    return true;
}

/* False: something is not in memory. */
static bool find_all(struct quota_core *core, const struct quota_op *op,
                     struct admission *out)
{
    const struct counter *current =
        counters_at(&core->counters, op->meter, core->period_us);
    const struct counter *other = quota_core_other_period(core, current);

    memset(out, 0, sizeof(*out));
    return quota_core_gather(core, op->meter, current->period.start_us, &op->purpose,
                             &out->now) &&
           (other == NULL || quota_core_gather(core, op->meter, other->period.start_us,
                                               &op->purpose, &out->other)) &&
           find_cooldown(core, op, out);
}

static void need_cooldown(struct quota_core *core, uint32_t meter,
                          const struct purpose *purpose, struct quota_needs *out)
{
    struct cooldown *cell;
    const char *key;
    size_t size;

    if (quota_core_find_cooldown(core, meter, purpose, &cell))
        return;
    (void)quota_core_subject(purpose, LIMIT_COOLDOWN, &key, &size);
    out->has_cooldown = true;
    out->meter = meter;
    memcpy(out->cooldown_key, key, size);
    out->cooldown_key[size] = '\0';
}

static void need_for_reserve(struct quota_core *core, const struct quota_op *op,
                             struct quota_needs *out)
{
    const struct counter *current =
        counters_at(&core->counters, op->meter, core->period_us);
    const struct counter *other = quota_core_other_period(core, current);

    quota_core_missing(core, op->meter, current->period, &op->purpose, out);
    if (other != NULL)
        quota_core_missing(core, op->meter, other->period, &op->purpose, out);
    need_cooldown(core, op->meter, &op->purpose, out);
}

static void need_for_close(struct quota_core *core, const struct quota_op *op,
                           struct quota_needs *out)
{
    const struct reservation *it =
        reservations_find(&core->reservations, &op->reservation_id);
    struct purpose purpose;
    const struct counter *row;

    if (it == NULL) {
        out->ids[out->id_count++] = op->reservation_id;
        return;
    }
    row = counters_of_period(&core->counters, it->meter, it->period_start_us);
    reservations_purpose(&core->reservations, it, &purpose);
    if (row != NULL)
        quota_core_missing(core, it->meter, row->period, &purpose, out);
    if (op->kind == QUOTA_VOID)
        need_cooldown(core, it->meter, &purpose, out);
}

void quota_core_needs(struct quota_core *core, const struct quota_op *op,
                      struct quota_needs *out)
{
    out->id_count = 0;
    out->counter_count = 0;
    out->has_cooldown = false;
    if (op->lookups == 0)
        out->ids[out->id_count++] = op->op_id;
    if (op->kind == QUOTA_RESERVE)
        need_for_reserve(core, op, out);
    else if (op->kind != QUOTA_ADJUST)
        need_for_close(core, op, out);
}

/* ---- judging --------------------------------------------------------------------------- */

static void add_hit(struct quota_answer *answer, unsigned scope, unsigned mode,
                    int64_t limit_milli, int64_t left_milli, int64_t resets_at_us)
{
    for (unsigned i = 0; i < answer->hit_count; i++) {
        if (answer->hits[i].scope == scope && answer->hits[i].mode == mode)
            return; /* the other period's: one limit is named once */
    }
    if (answer->hit_count == QUOTA_HITS_MAX)
        return;
    answer->hits[answer->hit_count++] = (struct quota_hit){.scope = (uint8_t)scope,
                                                           .mode = (uint8_t)mode,
                                                           .limit_milli = limit_milli,
                                                           .left_milli = left_milli,
                                                           .resets_at_us = resets_at_us};
}

/* True: it refuses. */
static bool judge_counter(struct quota_core *core, const struct quota_op *op,
                          const struct counter *row, struct quota_answer *answer)
{
    bool refuses = false;
    struct limit_amounts allowed;
    const char *subject;
    size_t size;

    (void)quota_core_subject(&op->purpose, (enum limit_scope)row->scope, &subject, &size);
    limits_allowed(&core->limits, (enum limit_scope)row->scope, op->meter, subject, size,
                   &allowed);
    if (row->scope == LIMIT_METER)
        allowed.milli[LIMIT_HARD] = row->limit_milli; /* ended periods keep theirs */
    for (unsigned mode = LIMIT_HARD; mode < LIMIT_MODES; mode++) {
        int64_t left_milli =
            counters_left_milli(allowed.milli[mode], row->posted_milli, row->held_milli);

        if (allowed.milli[mode] == LIMIT_NONE || op->amount_milli <= left_milli)
            continue;
        add_hit(answer, row->scope, mode, allowed.milli[mode], left_milli,
                row->period.end_us);
        if (mode == LIMIT_HARD ||
            (mode == LIMIT_SOFT && purpose_has(&op->purpose, PURPOSE_SHEDDABLE)))
            refuses = true;
    }
    return refuses;
}

static bool judge_set(struct quota_core *core, const struct quota_op *op,
                      const struct counter_set *set, struct quota_answer *answer)
{
    bool refuses = false;

    for (unsigned i = 0; i < set->count; i++) {
        if (judge_counter(core, op, set->rows[i], answer))
            refuses = true;
    }
    return refuses;
}

static bool judge_cooldown(const struct quota_core *core, const struct admission *admission,
                           struct quota_answer *answer)
{
    const struct cooldown *cell = admission->cell;

    if (cell == NULL || cell->until_us <= core->now_us)
        return false;
    if (admission->cooldown[LIMIT_HARD] == NULL) {
        add_hit(answer, LIMIT_COOLDOWN, LIMIT_SHADOW, 0, 0, cell->until_us);
        return false;
    }
    add_hit(answer, LIMIT_COOLDOWN, LIMIT_HARD, 0, 0, cell->until_us);
    return true;
}

/* Only what refuses is named to one who is refused. */
static void keep_refusing_hits(const struct quota_op *op, struct quota_answer *answer)
{
    bool soft_refuses = purpose_has(&op->purpose, PURPOSE_SHEDDABLE);
    unsigned kept = 0;

    for (unsigned i = 0; i < answer->hit_count; i++) {
        if (answer->hits[i].mode == LIMIT_HARD ||
            (answer->hits[i].mode == LIMIT_SOFT && soft_refuses))
            answer->hits[kept++] = answer->hits[i];
    }
    answer->hit_count = kept;
}

/* ---- taking ---------------------------------------------------------------------------- */

static struct reservation *hold(struct quota_core *core, const struct quota_op *op,
                                const struct counter *meter,
                                const struct quota_batch *batch)
{
    struct reservation wanted = {.id = op->op_id,
                                 .amount_milli = op->amount_milli,
                                 .expires_at_us = core->now_us + op->hold_us,
                                 .period_start_us = meter->period.start_us,
                                 .batch = batch->number,
                                 .meter = (uint8_t)op->meter};

    return reservations_add(&core->reservations, &wanted, &op->purpose);
}

static void take_cooldown(struct quota_core *core, const struct quota_op *op,
                          const struct admission *admission)
{
    const struct limit_rule *rule = admission->cooldown[LIMIT_HARD] != NULL
                                        ? admission->cooldown[LIMIT_HARD]
                                        : admission->cooldown[LIMIT_SHADOW];

    if (admission->cell == NULL)
        return;
    admission->cell->until_us = core->now_us + rule->cooldown_us;
    admission->cell->reservation_id = op->op_id;
    cooldowns_touch(&core->cooldowns, admission->cell);
}

/* A limit may be cut between two grants of one batch: the row has the higher one. */
static int64_t higher_milli(int64_t a_milli, int64_t b_milli)
{
    if (a_milli == LIMIT_NONE || b_milli == LIMIT_NONE)
        return LIMIT_NONE;
    return a_milli > b_milli ? a_milli : b_milli;
}

/* What the counter's row must not pass in the ledger: limits of the moment. */
static void note_limits(struct quota_core *core, const struct quota_op *op,
                        struct counter_set *set)
{
    for (unsigned i = 1; i < set->count; i++) {
        struct counter *row = set->rows[i];
        struct limit_amounts allowed;
        const char *subject;
        size_t size;

        (void)quota_core_subject(&op->purpose, (enum limit_scope)row->scope, &subject,
                                 &size);
        limits_allowed(&core->limits, (enum limit_scope)row->scope, op->meter, subject,
                       size, &allowed);
        row->limit_milli = row->is_touched
                               ? higher_milli(row->limit_milli, allowed.milli[LIMIT_HARD])
                               : allowed.milli[LIMIT_HARD];
    }
}

static void take(struct quota_core *core, const struct quota_op *op,
                 struct admission *admission, struct quota_batch *batch,
                 struct quota_answer *answer)
{
    struct counter *meter = admission->now.rows[0];
    struct reservation *it = hold(core, op, meter, batch);
    struct quota_row *row;

    if (it == NULL) {
        *answer = (struct quota_answer){.verdict = QUOTA_TOO_MANY_OPEN};
        return;
    }
    row = quota_core_add_row(core, batch, QUOTA_RESERVE, it);
    row->amount_milli = it->amount_milli;
    row->expires_at_us = it->expires_at_us;
    memcpy(row->body_hash, op->body_hash, sizeof(row->body_hash));
    note_limits(core, op, &admission->now);
    quota_core_apply(core, &admission->now, row, batch);
    take_cooldown(core, op, admission);
    answer->verdict = QUOTA_DONE;
    answer->batch = batch->number;
    answer->expires_at_us = it->expires_at_us;
    quota_core_view(core, op->meter, meter->period.start_us, &answer->meter);
    quota_core_remember(core, op, answer);
}

void quota_core_reserve(struct quota_core *core, const struct quota_op *op,
                        struct quota_batch *batch, struct quota_answer *answer)
{
    struct admission admission;
    bool refuses;

    *answer = (struct quota_answer){.verdict = QUOTA_LOOK_UP};
    if (!find_all(core, op, &admission))
        return;
    refuses = judge_set(core, op, &admission.now, answer);
    if (judge_set(core, op, &admission.other, answer))
        refuses = true;
    if (judge_cooldown(core, &admission, answer))
        refuses = true;
    if (refuses) {
        answer->verdict = QUOTA_REFUSED;
        keep_refusing_hits(op, answer);
        quota_core_view(core, op->meter, admission.now.rows[0]->period.start_us,
                        &answer->meter);
        quota_core_remember(core, op, answer);
    } else if (!quota_core_has_room(core, batch, op->purpose.size)) {
        *answer = (struct quota_answer){.verdict = QUOTA_NEXT_BATCH};
    } else {
        take(core, op, &admission, batch, answer);
    }
}
