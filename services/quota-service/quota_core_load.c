/*
 * How the ledger's rows come back into memory: limits, meters and open reservations when it
 * is opened, the rest when an operation needs it.
 */
#include <assert.h>
#include <string.h>

#include "quota_core_state.h"

/* ---- opening --------------------------------------------------------------------------- */

bool quota_core_load_limit(struct quota_core *core, const struct limit_rule *rule)
{
    return rule->meter < core->options.meter_count && limits_put(&core->limits, rule);
}

bool quota_core_load_counter(struct quota_core *core, const struct quota_counter *row)
{
    if (row->meter >= core->options.meter_count || row->scope != LIMIT_METER ||
        row->held_milli < 0 || row->posted_milli < 0 || row->overage_milli < 0 ||
        row->period.start_us >= row->period.end_us)
        return false;
    for (struct counter *it = counters_newest(&core->counters, row->meter); it != NULL;
         it = it->next != COUNTERS_NONE ? &core->counters.slots[it->next] : NULL) {
        if (it->period.start_us < row->period.end_us &&
            row->period.start_us < it->period.end_us)
            return false;
    }
    return counters_add(&core->counters, row, core->committed) != NULL;
}

/* ---- reservations ---------------------------------------------------------------------- */

static struct reservation *restore(struct quota_core *core, const struct quota_row *row)
{
    struct reservation from = {.id = row->reservation_id,
                               .amount_milli = row->amount_milli,
                               .expires_at_us = row->expires_at_us,
                               .period_start_us = row->period_start_us,
                               .meter = (uint8_t)row->meter};

    return reservations_add(&core->reservations, &from, &row->purpose);
}

/* All that became of one reservation. */
struct history {
    const struct quota_row *reserved;
    enum reservation_state state;
    int64_t posted_milli;
    int64_t overage_milli;
};

/* The answer to the operation that made this row; `history` ends with the correction. */
static struct quota_answer answer_of(const struct quota_row *row,
                                     const struct history *history)
{
    struct quota_answer answer = {
        .verdict = QUOTA_DONE,
        .meter = {.meter = row->meter, .period = {.start_us = row->period_start_us}},
        .corrected = row->kind == QUOTA_CORRECT};

    if (row->kind == QUOTA_RESERVE) {
        answer.expires_at_us = row->expires_at_us;
        return answer;
    }
    answer.posted_milli = row->amount_milli; /* whatever corrected it since */
    answer.overage_milli = row->overage_milli;
    if (row->kind == QUOTA_CORRECT) {
        answer.posted_milli = history->posted_milli;
        answer.overage_milli = history->overage_milli;
    }
    return answer;
}

static void remember_row(struct quota_core *core, const struct quota_row *row,
                         const struct history *history)
{
    struct op_result entry = {.id = row->op_id, .answer = answer_of(row, history)};
    struct op_result known;

    if (!op_id_is_v7(&row->op_id) || op_results_find(&core->results, &row->op_id, &known))
        return;
    memcpy(entry.body_hash, row->body_hash, sizeof(entry.body_hash));
    op_results_add(&core->results, &entry);
}

static bool is_sound(const struct quota_core *core, const struct quota_row *row)
{
    return row->kind == QUOTA_RESERVE && row->meter < core->options.meter_count &&
           row->amount_milli >= 0 && row->amount_milli <= QUOTA_CORE_AMOUNT_MAX;
}

bool quota_core_load_reservation(struct quota_core *core, const struct quota_row *row)
{
    if (!is_sound(core, row) ||
        counters_of_period(&core->counters, row->meter, row->period_start_us) == NULL)
        return false;
    if (reservations_find(&core->reservations, &row->reservation_id) != NULL)
        return true; /* an operation recalled it, and may have closed it meanwhile */
    if (restore(core, row) == NULL)
        return false;
    remember_row(core, row, &(struct history){.reserved = row});
    return true;
}

/* Does each meter's counter hold what its open reservations hold? */
bool quota_core_loaded(struct quota_core *core)
{
    struct quota_counter rows[COUNTERS_METER_ROWS];
    size_t count = counters_copy_meters(&core->counters, rows);

    for (uint32_t i = 0; i < core->reservations.held_count; i++) {
        const struct reservation *it =
            &core->reservations.slots[core->reservations.heap[i]];

        for (size_t at = 0; at < count; at++) {
            if (rows[at].meter == it->meter &&
                rows[at].period.start_us == it->period_start_us)
                rows[at].held_milli -= it->amount_milli;
        }
    }
    for (size_t at = 0; at < count; at++) {
        if (rows[at].held_milli != 0)
            return false;
    }
    core->is_loaded = true;
    return true;
}

uint64_t quota_core_closed_total(const struct quota_core *core)
{
    return core->reservations.closed_total;
}

uint64_t quota_core_closed_safe(const struct quota_core *core)
{
    return core->reservations.closed_limit / 2;
}

/* ---- recall of events ------------------------------------------------------------------ */

static enum reservation_state state_after(const struct quota_row *row)
{
    switch (row->kind) {
    case QUOTA_SETTLE:
        return row->call.outcome == QUOTA_OUTCOME_UNKNOWN ? RESERVATION_UNKNOWN
                                                          : RESERVATION_POSTED;
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

/* In whatever order they come, CORRECTED is the last state, and amounts add up. */
static struct history history_of(const struct quota_recall *recall,
                                 const struct op_id *reservation_id)
{
    struct history history = {.state = RESERVATION_HELD};

    for (size_t i = 0; i < recall->row_count; i++) {
        const struct quota_row *row = &recall->rows[i];

        if (!op_id_equal(&row->reservation_id, reservation_id))
            continue;
        if (row->kind == QUOTA_RESERVE) {
            history.reserved = row;
        } else {
            history.posted_milli += row->amount_milli;
            history.overage_milli += row->overage_milli;
        }
        if (state_after(row) > history.state)
            history.state = state_after(row);
    }
    return history;
}

/* Put a forgotten reservation back. Open ones are forgotten only by a restart; an open one
 * that memory has closed is still known here as closed. Without room it stays unknown, and
 * its operation is refused. */
static void recall_reservation(struct quota_core *core, const struct history *history)
{
    struct reservation *it;

    if (!is_sound(core, history->reserved) ||
        reservations_find(&core->reservations, &history->reserved->reservation_id) != NULL)
        return;
    it = restore(core, history->reserved);
    if (it == NULL || history->state == RESERVATION_HELD)
        return;
    it->posted_milli = history->posted_milli;
    if (history->state == RESERVATION_CORRECTED)
        reservations_enter(&core->reservations, it, RESERVATION_LAPSED);
    reservations_enter(&core->reservations, it, history->state);
}

static void recall_rows(struct quota_core *core, const struct quota_recall *recall)
{
    for (size_t i = 0; i < recall->row_count; i++) {
        const struct quota_row *row = &recall->rows[i];
        struct history history;

        if (row->meter >= core->options.meter_count)
            continue;
        history = history_of(recall, &row->reservation_id);
        remember_row(core, row, &history);
        if (row->kind == QUOTA_RESERVE &&
            (history.state != RESERVATION_HELD || !core->is_loaded))
            recall_reservation(core, &history);
    }
}

/* ---- recall of counters ---------------------------------------------------------------- */

static bool is_of(const struct quota_row *row, const struct quota_counter *counter)
{
    const char *subject;
    size_t size;

    return row->kind != QUOTA_ADJUST && row->meter == counter->meter &&
           row->period_start_us == counter->period.start_us &&
           quota_core_subject(&row->purpose, counter->scope, &subject, &size) &&
           size == counter->subject_size && memcmp(subject, counter->subject, size) == 0;
}

/* What this batch adds to a counter that was read before it was committed. */
static void add_batch(struct quota_counter *counter, const struct quota_batch *batch,
                      uint64_t last_batch)
{
    if (batch == NULL || batch->number <= last_batch)
        return;
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct quota_row *row = &batch->rows[i];

        if (!is_of(row, counter))
            continue;
        if (row->kind == QUOTA_RESERVE) {
            counter->held_milli += row->amount_milli;
        } else {
            counter->posted_milli += row->amount_milli;
            counter->overage_milli += row->overage_milli;
            counter->held_milli -= row->released_milli;
        }
    }
}

static void recall_counter(struct quota_core *core, const struct quota_recall *recall,
                           const struct quota_counter *from)
{
    struct quota_counter counter = *from;
    struct counter_key key = {counter.scope, counter.meter, counter.period.start_us,
                              counter.subject, counter.subject_size};
    struct counter *row;

    if (counter.meter >= core->options.meter_count || counter.scope == LIMIT_METER ||
        counters_find(&core->counters, &key) != NULL)
        return;
    add_batch(&counter, recall->flying, recall->last_batch);
    add_batch(&counter, recall->open, recall->last_batch);
    row = counters_add(&core->counters, &counter, core->committed);
    if (row != NULL && recall->open != NULL)
        row->batch =
            recall->open->number; /* not dropped before its operations had a turn */
}

static void recall_cooldown(struct quota_core *core, const struct quota_recall *recall,
                            const struct cooldown *from)
{
    struct cooldown *cell;

    if (from->meter >= core->options.meter_count || from->key_size == 0 ||
        cooldowns_find(&core->cooldowns, from->meter, from->key, from->key_size) != NULL)
        return;
    cell = cooldowns_add(&core->cooldowns, from->meter, from->key, from->key_size,
                         core->now_us, core->committed);
    if (cell == NULL)
        return;
    cell->until_us = from->until_us;
    cell->reservation_id = from->reservation_id;
    cell->batch = recall->open != NULL ? recall->open->number : 0;
}

void quota_core_recall(struct quota_core *core, const struct quota_recall *recall)
{
    recall_rows(core, recall);
    /* Read before the batch that was committed last: what that one changed is neither in it
     * nor at hand any more. Who needs it asks again. */
    if (recall->last_batch < core->committed)
        return;
    for (size_t i = 0; i < recall->counter_count; i++)
        recall_counter(core, recall, &recall->counters[i]);
    for (size_t i = 0; i < recall->cooldown_count; i++)
        recall_cooldown(core, recall, &recall->cooldowns[i]);
}
