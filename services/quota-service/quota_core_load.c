/*
 * How the ledger's rows come back into memory: all open ones at the start, single ones when
 * an operation names an id that memory has forgotten.
 */
#include <assert.h>
#include <string.h>

#include "quota_core_state.h"

bool quota_core_load_counter(struct quota_core *core, const struct quota_counter *row)
{
    struct quota_counter all[COUNTERS_MAX];
    size_t count = counters_copy_all(&core->counters, all);

    if (row->meter >= core->options.meter_count || row->held_milli < 0 ||
        row->posted_milli < 0 || row->overage_milli < 0 ||
        row->period.start_us >= row->period.end_us)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (all[i].meter == row->meter && all[i].period.start_us < row->period.end_us &&
            row->period.start_us < all[i].period.end_us)
            return false;
    }
    return counters_add(&core->counters, row);
}

static struct reservation *restore(struct quota_core *core, const struct quota_row *row)
{
    struct reservation from = {.id = row->reservation_id,
                               .amount_milli = row->amount_milli,
                               .expires_at_us = row->expires_at_us,
                               .period_start_us = row->period_start_us,
                               .meter = (uint8_t)row->meter};

    return reservations_add(&core->reservations, &from, &row->purpose);
}

static struct op_result result_of(const struct quota_row *row,
                                  const struct quota_answer *answer)
{
    struct op_result entry = {.id = row->op_id, .answer = *answer};

    memcpy(entry.body_hash, row->body_hash, sizeof(entry.body_hash));
    return entry;
}

/* The answer to the operation that made this row; `reserved` is its reservation's row. The
 * meter's state is told as it is now: the ledger does not keep what it was. */
static struct quota_answer answer_of(struct quota_core *core, const struct quota_row *row,
                                     const struct quota_row *reserved)
{
    const struct quota_counter *counter =
        counters_find(&core->counters, row->meter, row->period_start_us);
    struct quota_answer answer = {.verdict = QUOTA_DONE,
                                  .counter = {.meter = row->meter},
                                  .corrected = row->kind == QUOTA_CORRECT,
                                  .overage_milli = row->overage_milli};

    if (counter != NULL)
        answer.counter = *counter;
    if (row->kind == QUOTA_RESERVE)
        answer.expires_at_us = row->expires_at_us;
    else
        answer.posted_milli = row->amount_milli;
    if (row->kind == QUOTA_CORRECT && reserved != NULL)
        answer.posted_milli += reserved->amount_milli;
    return answer;
}

bool quota_core_load_reservation(struct quota_core *core, const struct quota_row *row)
{
    struct quota_answer answer;
    struct op_result entry;

    if (row->kind != QUOTA_RESERVE || row->meter >= core->options.meter_count ||
        row->amount_milli < 0 || row->amount_milli > QUOTA_CORE_AMOUNT_MAX ||
        counters_find(&core->counters, row->meter, row->period_start_us) == NULL ||
        reservations_find(&core->reservations, &row->reservation_id) != NULL)
        return false;
    if (restore(core, row) == NULL)
        return false;
    answer = answer_of(core, row, row);
    entry = result_of(row, &answer);
    op_results_add(&core->results, &entry);
    return true;
}

static const struct quota_row *reserve_row(const struct quota_row *rows, size_t count,
                                           const struct op_id *reservation_id)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == QUOTA_RESERVE &&
            op_id_equal(&rows[i].reservation_id, reservation_id))
            return &rows[i];
    }
    return NULL;
}

static enum reservation_state state_after(const struct quota_row *row)
{
    switch (row->kind) {
    case QUOTA_SETTLE:
        return RESERVATION_POSTED;
    case QUOTA_VOID:
        return RESERVATION_VOIDED;
    case QUOTA_LAPSE:
        return RESERVATION_LAPSED;
    case QUOTA_CORRECT:
        return RESERVATION_CORRECTED;
    default:
        return RESERVATION_HELD;
    }
}

/* Put a forgotten reservation back. It was closed: open ones are never forgotten. Without
 * room it stays unknown, and its operation is refused. */
static void recall_reservation(struct quota_core *core, const struct quota_row *reserved,
                               const struct quota_row *rows, size_t count)
{
    enum reservation_state state = RESERVATION_HELD;
    struct reservation *it;

    if (reservations_find(&core->reservations, &reserved->reservation_id) != NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        enum reservation_state after = state_after(&rows[i]);

        if (op_id_equal(&rows[i].reservation_id, &reserved->reservation_id) &&
            after > state)
            state = after; /* in whatever order they come, CORRECTED is the last state */
    }
    if (state == RESERVATION_HELD)
        return;
    it = restore(core, reserved);
    if (it == NULL)
        return;
    if (state == RESERVATION_CORRECTED)
        reservations_enter(&core->reservations, it, RESERVATION_LAPSED);
    reservations_enter(&core->reservations, it, state);
}

void quota_core_recall(struct quota_core *core, const struct quota_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct quota_row *reserved =
            reserve_row(rows, count, &rows[i].reservation_id);
        struct quota_answer answer = answer_of(core, &rows[i], reserved);
        struct op_result entry = result_of(&rows[i], &answer);

        if (op_id_is_v7(&rows[i].op_id) &&
            op_results_find(&core->results, &rows[i].op_id) == NULL)
            op_results_add(&core->results, &entry);
        if (rows[i].kind == QUOTA_RESERVE)
            recall_reservation(core, &rows[i], rows, count);
    }
}
