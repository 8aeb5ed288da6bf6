#include "quota_core.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "quota_core_state.h"

struct quota_core *quota_core_new(const struct quota_core_options *options)
{
    struct quota_core *core = mem_alloc(sizeof(*core));

    assert(options->closed_limit > 2 * BATCH_ROWS_MAX);
    assert(options->done_limit > 2 * BATCH_ROWS_MAX);
    assert(options->meter_count > 0 && options->meter_count <= METERS_MAX);
    core->options = *options;
    reservations_init(&core->reservations, options->held_limit, options->closed_limit);
    op_results_init(&core->results, options->done_limit, options->refused_limit);
    quota_core_reset(core, 0, 0, 0);
    return core;
}

void quota_core_free(struct quota_core *core)
{
    if (core == NULL)
        return;
    op_results_done(&core->results);
    reservations_done(&core->reservations);
    mem_free(core);
}

void quota_core_reset(struct quota_core *core, uint64_t last_batch, int64_t last_at_us,
                      int64_t newest_op_us)
{
    counters_init(&core->counters);
    reservations_clear(&core->reservations);
    op_results_clear(&core->results);
    core->now_us = last_at_us;
    core->roll_at_us = INT64_MIN;
    core->newest_op_us = newest_op_us;
    core->last_number = last_batch;
    core->committed = last_batch;
}

/* ---- time and periods ------------------------------------------------------------------ */

static void advance(struct quota_core *core, int64_t now_us)
{
    if (now_us > core->now_us)
        core->now_us = now_us;
}

static void add_period(struct quota_core *core, uint32_t meter, struct period period)
{
    struct quota_counter row = {
        .meter = meter, .period = period, .limit_milli = core->options.limits_milli[meter]};
    bool added = counters_add(&core->counters, &row);

    assert(added); /* retired rows make room for the few a meter needs */
    (void)added;
    counters_touch(&core->counters, counters_newest(&core->counters, meter));
}

static uint32_t periods_ahead(struct quota_core *core, uint32_t meter)
{
    const struct quota_counter *row = counters_at(&core->counters, meter, core->now_us);
    uint32_t ahead = 0;

    while ((row = counters_find(&core->counters, meter, row->period.end_us)) != NULL)
        ahead++;
    return ahead;
}

/* The row of now, and those after it. After an outage of months, or a change of the anchor,
 * a row begins where the last one ended: no overlap, whatever happened. */
static void extend_meter(struct quota_core *core, uint32_t meter)
{
    unsigned anchor_day = core->options.anchor_day;
    const struct quota_counter *newest = counters_newest(&core->counters, meter);

    if (newest == NULL || newest->period.end_us <= core->now_us) {
        struct period period = periods_containing(anchor_day, core->now_us);

        if (newest != NULL && newest->period.end_us > period.start_us)
            period.start_us = newest->period.end_us;
        add_period(core, meter, period);
    }
    while (periods_ahead(core, meter) < QUOTA_CORE_PERIODS_AHEAD) {
        newest = counters_newest(&core->counters, meter);
        add_period(core, meter, periods_from(anchor_day, newest->period.end_us));
    }
}

static void roll_periods(struct quota_core *core)
{
    counters_retire(&core->counters, core->now_us - QUOTA_CORE_OP_ID_AGE_US);
    core->roll_at_us = INT64_MAX;
    for (uint32_t meter = 0; meter < core->options.meter_count; meter++) {
        const struct quota_counter *row;

        extend_meter(core, meter);
        row = counters_at(&core->counters, meter, core->now_us);
        if (row->period.end_us < core->roll_at_us)
            core->roll_at_us = row->period.end_us;
    }
}

/* ---- opening --------------------------------------------------------------------------- */

/* Periods that are not over get the limits of today. */
static void apply_limits(struct quota_core *core)
{
    struct quota_counter rows[COUNTERS_MAX];
    size_t count = counters_copy_all(&core->counters, rows);

    for (size_t i = 0; i < count; i++) {
        int64_t limit_milli = core->options.limits_milli[rows[i].meter];
        struct quota_counter *row =
            counters_find(&core->counters, rows[i].meter, rows[i].period.start_us);

        if (row->period.end_us <= core->now_us || row->limit_milli == limit_milli)
            continue;
        row->limit_milli = limit_milli;
        counters_touch(&core->counters, row);
    }
}

/* Does each counter hold what its open reservations hold? */
static bool holds_agree(struct quota_core *core)
{
    struct quota_counter rows[COUNTERS_MAX];
    size_t count = counters_copy_all(&core->counters, rows);

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
    return true;
}

/* Rows of the future without one at present: time never was there. */
static bool periods_agree(struct quota_core *core)
{
    for (uint32_t meter = 0; meter < core->options.meter_count; meter++) {
        const struct quota_counter *newest = counters_newest(&core->counters, meter);

        if (newest != NULL && newest->period.end_us > core->now_us &&
            counters_at(&core->counters, meter, core->now_us) == NULL)
            return false;
    }
    return true;
}

bool quota_core_start(struct quota_core *core, int64_t now_us, struct quota_batch *batch)
{
    advance(core, now_us);
    if (!holds_agree(core) || !periods_agree(core))
        return false;
    quota_core_begin(core, batch);
    apply_limits(core);
    roll_periods(core);
    return true;
}

/* ---- batches --------------------------------------------------------------------------- */

void quota_core_begin(struct quota_core *core, struct quota_batch *batch)
{
    batch->number = ++core->last_number;
    batch->at_us = 0;
    batch->row_count = 0;
    batch->byte_count = 0;
    batch->counter_count = 0;
    counters_begin(&core->counters);
}

bool quota_core_is_empty(const struct quota_core *core, const struct quota_batch *batch)
{
    return batch->row_count == 0 && core->counters.touched_count == 0;
}

void quota_core_seal(struct quota_core *core, struct quota_batch *batch)
{
    batch->at_us = core->now_us;
    batch->counter_count = counters_copy_touched(&core->counters, batch->counters);
}

void quota_core_committed(struct quota_core *core, uint64_t number)
{
    assert(number <= core->last_number);
    core->committed = number;
}

/* ---- the events ------------------------------------------------------------------------ */

static bool is_op_id_in_time(const struct quota_core *core, const struct op_id *id)
{
    int64_t made_us = op_id_time_us(id);

    return op_id_is_v7(id) && made_us >= core->now_us - QUOTA_CORE_OP_ID_AGE_US &&
           made_us <= core->now_us + QUOTA_CORE_OP_ID_AHEAD_US;
}

static void repeat_answer(const struct quota_core *core, const struct quota_op *op,
                          const struct op_result *stored, struct quota_answer *answer)
{
    if (memcmp(stored->body_hash, op->body_hash, sizeof(stored->body_hash)) != 0) {
        *answer = (struct quota_answer){.verdict = QUOTA_OP_ID_REUSED};
        return;
    }
    *answer = stored->answer;
    answer->replayed = true;
    if (answer->batch <= core->committed)
        answer->batch = 0;
}

static bool may_stand_in_ledger(const struct quota_core *core, const struct op_id *id)
{
    return op_id_time_us(id) <= core->newest_op_us ||
           op_results_may_have_forgotten(&core->results, id);
}

void quota_core_step(struct quota_core *core, const struct quota_op *op, int64_t now_us,
                     struct quota_batch *batch, struct quota_answer *answer)
{
    const struct op_result *stored;

    advance(core, now_us);
    assert(batch->number == core->last_number);
    if (core->now_us >= core->roll_at_us)
        roll_periods(core);

    stored = op_results_find(&core->results, &op->op_id);
    if (!is_op_id_in_time(core, &op->op_id))
        *answer = (struct quota_answer){.verdict = QUOTA_OP_ID_TIME};
    else if (stored != NULL)
        repeat_answer(core, op, stored, answer);
    else if (!op->looked_up && may_stand_in_ledger(core, &op->op_id))
        *answer = (struct quota_answer){.verdict = QUOTA_LOOK_UP};
    else if (op->kind == QUOTA_RESERVE)
        quota_core_reserve(core, op, batch, answer);
    else
        quota_core_close(core, op, batch, answer);
}

size_t quota_core_tick(struct quota_core *core, int64_t now_us, size_t limit,
                       struct quota_batch *batch)
{
    size_t lapsed = 0;

    advance(core, now_us);
    if (core->now_us >= core->roll_at_us)
        roll_periods(core);
    while (lapsed < limit) {
        struct reservation *due = reservations_first_due(&core->reservations);

        if (due == NULL || due->expires_at_us > core->now_us ||
            due->batch == batch->number || !quota_core_has_room(batch, due->text_size))
            break;
        quota_core_lapse(core, due, batch);
        lapsed++;
    }
    return lapsed;
}

/* ---- reading --------------------------------------------------------------------------- */

int64_t quota_core_next_due_us(const struct quota_core *core)
{
    const struct reservation *due = reservations_first_due(&core->reservations);

    if (due != NULL && due->expires_at_us < core->roll_at_us)
        return due->expires_at_us;
    return core->roll_at_us;
}

uint32_t quota_core_held_count(const struct quota_core *core)
{
    return core->reservations.held_count;
}

size_t quota_core_counters(const struct quota_core *core,
                           struct quota_counter out[COUNTERS_MAX])
{
    return counters_copy_all(&core->counters, out);
}
