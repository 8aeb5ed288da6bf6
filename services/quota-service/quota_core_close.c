/*
 * What ends a reservation: settle, void, lapse, and the correction of what was presumed.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "quota_core_state.h"

/* A reservation that was in memory when the ledger was asked for other things was not asked
 * for, and may be forgotten since: only one that is absent time and again is none. */
#define ABSENT_LOOKUPS 3

static int64_t beyond_milli(int64_t actual_milli, int64_t held_milli)
{
    return actual_milli > held_milli ? actual_milli - held_milli : 0;
}

static int64_t period_of(struct quota_core *core, const struct reservation *it)
{
#if QUOTA_PLANTED == QUOTA_PLANT_SETTLE_PERIOD
    return counters_at(&core->counters, it->meter, core->period_us)->period.start_us;
#else
    (void)core;
    return it->period_start_us;
#endif
}

static bool gather(struct quota_core *core, const struct reservation *it,
                   struct counter_set *out)
{
    struct purpose purpose;

    reservations_purpose(&core->reservations, it, &purpose);
    return quota_core_gather(core, it->meter, period_of(core, it), &purpose, out);
}

/* The cell of its key, for a void to give back: a call that was not made. False: it is not
 * in memory. */
static bool find_cooldown(struct quota_core *core, const struct quota_op *op,
                          const struct reservation *it, struct cooldown **out)
{
    struct purpose purpose;

    *out = NULL;
    if (op->kind != QUOTA_VOID)
        return true;
    reservations_purpose(&core->reservations, it, &purpose);
    return quota_core_find_cooldown(core, it->meter, &purpose, out);
}

/* If nothing took it since. */
static void give_back(struct quota_core *core, const struct reservation *it,
                      struct cooldown *cell)
{
    if (cell == NULL || !op_id_equal(&cell->reservation_id, &it->id))
        return;
    cell->until_us = 0;
    cooldowns_touch(&core->cooldowns, cell);
}

static enum reservation_state state_after(const struct quota_op *op,
                                          const struct reservation *it)
{
    if (it->state != RESERVATION_HELD)
        return RESERVATION_CORRECTED;
    if (op->kind == QUOTA_VOID)
        return RESERVATION_VOIDED;
    return op->call.outcome == QUOTA_OUTCOME_UNKNOWN ? RESERVATION_UNKNOWN
                                                     : RESERVATION_POSTED;
}

/* The row of this ending. What was presumed is posted already: a correction posts the
 * difference. */
static struct quota_row *end_row(struct quota_core *core, const struct quota_op *op,
                                 const struct reservation *it, struct quota_batch *batch)
{
    bool is_correction = it->state != RESERVATION_HELD;
    int64_t actual_milli = op->kind == QUOTA_VOID ? 0 : op->amount_milli;
    struct quota_row *row =
        quota_core_add_row(core, batch, is_correction ? QUOTA_CORRECT : op->kind, it);

    row->op_id = op->op_id;
    row->period_start_us = period_of(core, it);
    row->call = op->call;
    memcpy(row->body_hash, op->body_hash, sizeof(row->body_hash));
    row->amount_milli = actual_milli;
    row->overage_milli = beyond_milli(actual_milli, it->amount_milli);
    row->released_milli = it->amount_milli;
    if (is_correction) {
        row->amount_milli -= it->posted_milli;
        row->overage_milli -= beyond_milli(it->posted_milli, it->amount_milli);
        row->released_milli = 0;
    }
    if (op->actor != NULL)
        snprintf(row->actor, sizeof(row->actor), "%s", op->actor);
    if (op->note != NULL)
        snprintf(row->note, sizeof(row->note), "%s", op->note);
    return row;
}

/* What a correction posts beyond the limits of now, within the hold: others have taken since
 * what was given back. It is recorded all the same, as overage. */
static int64_t spilt_milli(const struct counter_set *set, const struct quota_row *row)
{
    int64_t within_milli = row->amount_milli - row->overage_milli;
    int64_t spilt_milli = 0;

    for (unsigned i = 0; i < set->count && row->kind == QUOTA_CORRECT; i++) {
        const struct counter *counter = set->rows[i];
        int64_t left_milli = counters_left_milli(
            counter->limit_milli, counter->posted_milli - counter->overage_milli,
            counter->held_milli);

        if (counter->limit_milli != LIMIT_NONE && within_milli > 0 &&
            within_milli - left_milli > spilt_milli)
            spilt_milli = within_milli - left_milli;
    }
    return spilt_milli;
}

static void end_it(struct quota_core *core, const struct quota_op *op,
                   struct reservation *it, struct counter_set *set,
                   struct quota_batch *batch, struct quota_answer *answer)
{
    struct quota_row *row = end_row(core, op, it, batch);
    int64_t actual_milli = op->kind == QUOTA_VOID ? 0 : op->amount_milli;
    int64_t spilt = spilt_milli(set, row);

    row->overage_milli += spilt;
    quota_core_apply(core, set, row, batch);
    *answer = (struct quota_answer){
        .verdict = QUOTA_DONE,
        .batch = batch->number,
        .corrected = row->kind == QUOTA_CORRECT,
        .posted_milli = actual_milli,
        .overage_milli = beyond_milli(actual_milli, it->amount_milli) + spilt};
    quota_core_view(core, it->meter, it->period_start_us, &answer->meter);
    it->batch = batch->number;
    it->posted_milli = actual_milli;
    reservations_enter(&core->reservations, it, state_after(op, it));
    quota_core_remember(core, op, answer);
}

/* May this operation end a reservation in this state? */
static bool may_end(const struct quota_op *op, const struct reservation *it)
{
    if (op->kind == QUOTA_CORRECT)
        return it->state == RESERVATION_LAPSED || it->state == RESERVATION_UNKNOWN;
    return it->state == RESERVATION_HELD || it->state == RESERVATION_LAPSED;
}

/* Would a correction take off what an adjustment took off already? Overage stays overage. */
static bool is_below_zero(const struct quota_op *op, const struct reservation *it,
                          const struct counter *meter)
{
    int64_t actual_milli = op->kind == QUOTA_VOID ? 0 : op->amount_milli;
    int64_t within_milli = actual_milli - beyond_milli(actual_milli, it->amount_milli);
    int64_t presumed_milli =
        it->posted_milli - beyond_milli(it->posted_milli, it->amount_milli);

    return it->state != RESERVATION_HELD &&
           meter->posted_milli - meter->overage_milli + within_milli < presumed_milli;
}

void quota_core_close(struct quota_core *core, const struct quota_op *op,
                      struct quota_batch *batch, struct quota_answer *answer)
{
    struct reservation *it = reservations_find(&core->reservations, &op->reservation_id);
    struct counter_set set;
    struct cooldown *cell;

    *answer = (struct quota_answer){.verdict = QUOTA_DONE};
    if (it == NULL && op->lookups < ABSENT_LOOKUPS) {
        answer->verdict = QUOTA_LOOK_UP;
    } else if (it == NULL &&
               core->reservations.held_count == core->reservations.held_limit) {
        answer->verdict = QUOTA_TOO_MANY_OPEN; /* what was found had no place */
    } else if (it == NULL || counters_of_period(&core->counters, it->meter,
                                                it->period_start_us) == NULL) {
        answer->verdict = QUOTA_NO_RESERVATION; /* or of a period that was retired */
    } else if (!may_end(op, it)) {
        answer->verdict = op->kind == QUOTA_CORRECT && it->state != RESERVATION_CORRECTED
                              ? QUOTA_OUTCOME_KNOWN
                              : QUOTA_ALREADY_SETTLED;
        answer->batch = it->batch > core->committed ? it->batch : 0;
    } else if (!gather(core, it, &set) || !find_cooldown(core, op, it, &cell)) {
        answer->verdict = QUOTA_LOOK_UP;
    } else if (is_below_zero(op, it, set.rows[0])) {
        answer->verdict = QUOTA_BELOW_ZERO;
    } else if (!quota_core_has_room(core, batch, it->text_size) ||
               it->batch == batch->number) {
        answer->verdict = QUOTA_NEXT_BATCH;
    } else {
        end_it(core, op, it, &set, batch, answer);
        give_back(core, it, cell);
    }
}

/* ---- lapse ----------------------------------------------------------------------------- */

/* Version 8 keeps these ids apart from any caller's, which are of version 7. */
static struct op_id lapse_id(const struct op_id *reservation_id)
{
    struct op_id id = *reservation_id;

    id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f));
    return id;
}

bool quota_core_lapse(struct quota_core *core, struct reservation *it,
                      struct quota_batch *batch)
{
    struct counter_set set;
    struct quota_row *row;

    if (!gather(core, it, &set))
        return false;
    row = quota_core_add_row(core, batch, QUOTA_LAPSE, it);
    row->op_id = lapse_id(&it->id);
    row->period_start_us = period_of(core, it);
    row->amount_milli = it->amount_milli;
    row->released_milli = it->amount_milli;
    row->call.outcome = QUOTA_OUTCOME_LAPSED;
    quota_core_apply(core, &set, row, batch);
    it->batch = batch->number;
    it->posted_milli = it->amount_milli;
    reservations_enter(&core->reservations, it, RESERVATION_LAPSED);
    return true;
}

size_t quota_core_due_needs(struct quota_core *core, struct quota_needs *out, size_t max)
{
    const struct reservations *pool = &core->reservations;
    const struct reservation *due = reservations_first_due(pool);
    size_t count = 0;

    if (due == NULL || due->expires_at_us > core->now_us)
        return 0;
    /* The top of the heap has the earliest ones, in no strict order: enough to go on. */
    for (uint32_t i = 0; i < pool->held_count && i < 4 * max && count < max; i++) {
        const struct reservation *it = &pool->slots[pool->heap[i]];
        struct counter_set set;

        if (it->expires_at_us > core->now_us || gather(core, it, &set))
            continue;
        quota_core_needs(
            core,
            &(struct quota_op){.kind = QUOTA_LAPSE, .lookups = 1, .reservation_id = it->id},
            &out[count]);
        if (out[count].counter_count > 0)
            count++;
    }
    return count;
}
