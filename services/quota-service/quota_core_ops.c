/*
 * What each operation does to counters, reservations and the batch. Amounts move here and
 * nowhere else.
 */
#include <assert.h>
#include <string.h>

#include "quota_core_state.h"

/* ---- rows and answers ------------------------------------------------------------------ */

/* What a row takes in its message at most: the purpose stands in it twice. */
static size_t row_bytes(size_t purpose_size)
{
    return 600 + 2 * purpose_size;
}

bool quota_core_has_room(const struct quota_batch *batch, size_t purpose_size)
{
    return batch->row_count < BATCH_ROWS_MAX &&
           batch->byte_count + row_bytes(purpose_size) <= BATCH_BYTES_MAX;
}

static struct quota_row *add_row(struct quota_core *core, struct quota_batch *batch,
                                 enum quota_kind kind, const struct reservation *it)
{
    struct quota_row *row = &batch->rows[batch->row_count++];

    assert(batch->row_count <= BATCH_ROWS_MAX);
    batch->byte_count += row_bytes(it->text_size);
    *row = (struct quota_row){.kind = kind,
                              .op_id = it->id,
                              .reservation_id = it->id,
                              .meter = it->meter,
                              .period_start_us = it->period_start_us,
                              .at_us = core->now_us,
                              .limit_version = core->options.limit_version};
    reservations_purpose(&core->reservations, it, &row->purpose);
    return row;
}

static void remember(struct quota_core *core, const struct quota_op *op,
                     const struct quota_answer *answer)
{
    struct op_result entry = {.id = op->op_id, .answer = *answer};

    memcpy(entry.body_hash, op->body_hash, sizeof(entry.body_hash));
    op_results_add(&core->results, &entry);
}

/* The counter changes exactly as the row says. */
static void apply_row(struct quota_core *core, struct quota_counter *counter,
                      const struct quota_row *row)
{
    if (row->kind == QUOTA_RESERVE) {
        counter->held_milli += row->amount_milli;
    } else {
        counter->posted_milli += row->amount_milli;
        counter->overage_milli += row->overage_milli;
        counter->held_milli -= row->released_milli;
    }
    counters_touch(&core->counters, counter);
}

/* ---- reserve --------------------------------------------------------------------------- */

static struct reservation *hold(struct quota_core *core, const struct quota_op *op,
                                const struct quota_counter *counter,
                                const struct quota_batch *batch)
{
    struct reservation wanted = {.id = op->op_id,
                                 .amount_milli = op->amount_milli,
                                 .expires_at_us = core->now_us + op->hold_us,
                                 .period_start_us = counter->period.start_us,
                                 .batch = batch->number,
                                 .meter = (uint8_t)op->meter};

    return reservations_add(&core->reservations, &wanted, &op->purpose);
}

void quota_core_reserve(struct quota_core *core, const struct quota_op *op,
                        struct quota_batch *batch, struct quota_answer *answer)
{
    struct quota_counter *counter = counters_at(&core->counters, op->meter, core->now_us);
    struct reservation *it;
    struct quota_row *row;

    if (op->amount_milli > counters_left_milli(counter)) {
        *answer = (struct quota_answer){.verdict = QUOTA_METER_SPENT, .counter = *counter};
        remember(core, op, answer);
        return;
    }
    if (!quota_core_has_room(batch, op->purpose.size)) {
        *answer = (struct quota_answer){.verdict = QUOTA_NEXT_BATCH};
        return;
    }
    it = hold(core, op, counter, batch);
    if (it == NULL) {
        *answer = (struct quota_answer){.verdict = QUOTA_TOO_MANY_OPEN};
        return;
    }
    row = add_row(core, batch, QUOTA_RESERVE, it);
    row->amount_milli = it->amount_milli;
    row->expires_at_us = it->expires_at_us;
    memcpy(row->body_hash, op->body_hash, sizeof(row->body_hash));
    apply_row(core, counter, row);
    *answer = (struct quota_answer){.verdict = QUOTA_DONE,
                                    .batch = batch->number,
                                    .counter = *counter,
                                    .expires_at_us = it->expires_at_us};
    remember(core, op, answer);
}

/* ---- settle and void ------------------------------------------------------------------- */

static void post(struct quota_core *core, const struct quota_op *op, struct reservation *it,
                 struct quota_counter *counter, struct quota_batch *batch,
                 struct quota_answer *answer)
{
    bool is_late = it->state == RESERVATION_LAPSED;
    int64_t actual_milli = op->kind == QUOTA_VOID ? 0 : op->amount_milli;
    struct quota_row *row = add_row(core, batch, is_late ? QUOTA_CORRECT : op->kind, it);

    row->op_id = op->op_id;
    row->call = op->call;
    memcpy(row->body_hash, op->body_hash, sizeof(row->body_hash));
    /* A lapse has posted the whole hold already: what is left is the difference. */
    row->amount_milli = is_late ? actual_milli - it->amount_milli : actual_milli;
    row->released_milli = is_late ? 0 : it->amount_milli;
    if (actual_milli > it->amount_milli)
        row->overage_milli = actual_milli - it->amount_milli;
    apply_row(core, counter, row);

    it->batch = batch->number;
    reservations_enter(&core->reservations, it,
                       is_late                  ? RESERVATION_CORRECTED
                       : op->kind == QUOTA_VOID ? RESERVATION_VOIDED
                                                : RESERVATION_POSTED);
    *answer = (struct quota_answer){.verdict = QUOTA_DONE,
                                    .batch = batch->number,
                                    .corrected = is_late,
                                    .counter = *counter,
                                    .posted_milli = actual_milli,
                                    .overage_milli = row->overage_milli};
    remember(core, op, answer);
}

void quota_core_close(struct quota_core *core, const struct quota_op *op,
                      struct quota_batch *batch, struct quota_answer *answer)
{
    struct reservation *it = reservations_find(&core->reservations, &op->reservation_id);
    struct quota_counter *counter =
        it != NULL ? counters_find(&core->counters, it->meter, it->period_start_us) : NULL;

    *answer = (struct quota_answer){.verdict = QUOTA_DONE};
    if (it == NULL && !op->looked_up) {
        answer->verdict = QUOTA_LOOK_UP;
    } else if (counter == NULL) { /* unknown, or of a period that was retired */
        answer->verdict = QUOTA_NO_RESERVATION;
    } else if (it->state != RESERVATION_HELD && it->state != RESERVATION_LAPSED) {
        answer->verdict = QUOTA_ALREADY_SETTLED;
        answer->batch = it->batch > core->committed ? it->batch : 0;
    } else if (!quota_core_has_room(batch, it->text_size) || it->batch == batch->number) {
        answer->verdict = QUOTA_NEXT_BATCH;
    } else {
        post(core, op, it, counter, batch, answer);
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

void quota_core_lapse(struct quota_core *core, struct reservation *it,
                      struct quota_batch *batch)
{
    struct quota_counter *counter =
        counters_find(&core->counters, it->meter, it->period_start_us);
    struct quota_row *row = add_row(core, batch, QUOTA_LAPSE, it);

    assert(counter != NULL); /* a row that holds something is never retired */
    row->op_id = lapse_id(&it->id);
    row->amount_milli = it->amount_milli;
    row->released_milli = it->amount_milli;
    row->call.outcome = QUOTA_OUTCOME_LAPSED;
    apply_row(core, counter, row);
    it->batch = batch->number;
    reservations_enter(&core->reservations, it, RESERVATION_LAPSED);
}
