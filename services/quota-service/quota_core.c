#include "quota_core.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "quota_core_state.h"

/* Each is asked for once; an absent one is made of what the ledger says, so a second time
 * means that memory has no room for it. Several rounds: a reservation first, then its
 * counters; and others may push them out between. */
#define LOOKUPS_MAX 6

/* ---- life ------------------------------------------------------------------------------ */

struct quota_core *quota_core_new(const struct quota_core_options *options)
{
    struct quota_core *core = mem_alloc(sizeof(*core));

    assert(options->closed_limit > 2 * BATCH_ROWS_MAX);
    assert(options->done_limit > 2 * BATCH_ROWS_MAX);
    assert(options->meter_count > 0 && options->meter_count <= METERS_MAX);
    core->options = *options;
    limits_init(&core->limits);
    counters_init(&core->counters, options->counter_limit);
    cooldowns_init(&core->cooldowns, options->cooldown_limit);
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
    cooldowns_done(&core->cooldowns);
    counters_done(&core->counters);
    limits_done(&core->limits);
    mem_free(core);
}

/* ---- time ------------------------------------------------------------------------------ */

static void advance(struct quota_core *core, struct quota_time time)
{
    core->now_us = ledger_clock_read(&core->clock, time.wall_us, time.mono_us);
    core->period_us = ledger_clock_due_us(&core->clock);
    if (core->period_us >= core->roll_at_us)
        quota_core_roll(core);
}

/* ---- opening --------------------------------------------------------------------------- */

static void put_default_limits(struct quota_core *core)
{
    for (uint32_t meter = 0; meter < core->options.meter_count; meter++) {
        struct limit_rule rule = {.scope = LIMIT_METER,
                                  .mode = LIMIT_HARD,
                                  .meter = meter,
                                  .amount_milli = core->options.limits_milli[meter],
                                  .anchor_day = (uint8_t)core->options.anchor_day,
                                  .threshold_count = 4,
                                  .thresholds = {50, 80, 95, 100}};
        bool has_room = limits_put(&core->limits, &rule);

        assert(has_room);
        (void)has_room;
    }
}

void quota_core_reset(struct quota_core *core, uint64_t last_batch, int64_t last_at_us,
                      int64_t newest_op_us)
{
    limits_clear(&core->limits);
    put_default_limits(core);
    counters_clear(&core->counters);
    cooldowns_clear(&core->cooldowns);
    reservations_clear(&core->reservations);
    op_results_clear(&core->results);
    ledger_clock_init(&core->clock, last_at_us);
    core->now_us = last_at_us;
    core->period_us = last_at_us;
    core->roll_at_us = INT64_MAX;
    core->opened_us = 0;
    core->newest_op_us = newest_op_us;
    core->last_number = last_batch;
    core->committed = last_batch;
    core->is_loaded = false;
}

/* Rows of the future without one at present: time never was there. */
static bool periods_agree(struct quota_core *core)
{
    for (uint32_t meter = 0; meter < core->options.meter_count; meter++) {
        const struct counter *newest = counters_newest(&core->counters, meter);

        if (newest != NULL && newest->period.end_us > core->period_us &&
            counters_at(&core->counters, meter, core->period_us) == NULL)
            return false;
    }
    return true;
}

bool quota_core_start(struct quota_core *core, struct quota_time time,
                      struct quota_batch *batch)
{
    advance(core, time);
    if (!periods_agree(core))
        return false;
    core->opened_us = core->now_us - core->now_us % 1000; /* op ids count milliseconds */
    quota_core_begin(core, batch);
    for (uint32_t meter = 0; meter < core->options.meter_count; meter++)
        quota_core_apply_limit(core, meter);
    quota_core_roll(core);
    return true;
}

/* ---- batches --------------------------------------------------------------------------- */

void quota_core_begin(struct quota_core *core, struct quota_batch *batch)
{
    batch->number = ++core->last_number;
    batch->at_us = 0;
    batch->row_count = 0;
    batch->byte_count = 0;
    batch->limit_count = 0;
    batch->alert_count = 0;
    batch->published_count = 0;
    batch->counter_count = 0;
    batch->cooldown_count = 0;
    counters_begin(&core->counters, batch->number);
    cooldowns_begin(&core->cooldowns, batch->number);
}

bool quota_core_is_empty(const struct quota_core *core, const struct quota_batch *batch)
{
    return batch->row_count == 0 && batch->limit_count == 0 && batch->alert_count == 0 &&
           batch->published_count == 0 && core->counters.touched_count == 0 &&
           core->cooldowns.touched_count == 0;
}

void quota_core_seal(struct quota_core *core, struct quota_batch *batch)
{
    batch->at_us = core->now_us;
    batch->counter_count = counters_copy_touched(&core->counters, batch->counters);
    batch->cooldown_count = cooldowns_copy_touched(&core->cooldowns, batch->cooldowns);
}

void quota_core_committed(struct quota_core *core, uint64_t number)
{
    assert(number <= core->last_number);
    core->committed = number;
}

/* What a row takes in its message at most: the purpose stands in it twice, and its counters
 * repeat its subjects. */
static size_t row_bytes(size_t purpose_size)
{
    return 600 + 3 * purpose_size;
}

bool quota_core_has_room(const struct quota_core *core, const struct quota_batch *batch,
                         size_t purpose_size)
{
    return batch->row_count < BATCH_ROWS_MAX &&
           batch->byte_count + row_bytes(purpose_size) <= BATCH_BYTES_MAX &&
           core->counters.touched_count + COUNTER_SET_MAX + METERS_MAX <=
               COUNTERS_TOUCHED_MAX &&
           core->cooldowns.touched_count < COOLDOWNS_TOUCHED_MAX;
}

struct quota_row *quota_core_add_row(struct quota_core *core, struct quota_batch *batch,
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
                              .limit_version = core->limits.version};
    if (it->text_size > 0)
        reservations_purpose(&core->reservations, it, &row->purpose);
    return row;
}

/* ---- the events ------------------------------------------------------------------------ */

void quota_core_view(struct quota_core *core, uint32_t meter, int64_t period_start_us,
                     struct quota_meter_view *out)
{
    const struct counter *row = counters_of_period(&core->counters, meter, period_start_us);
    struct limit_amounts allowed;

    limits_allowed(&core->limits, LIMIT_METER, meter, "", 0, &allowed);
    *out = (struct quota_meter_view){.meter = meter,
                                     .period = {.start_us = period_start_us},
                                     .soft_limit_milli = allowed.milli[LIMIT_SOFT],
                                     .limit_version = core->limits.version};
    if (row == NULL)
        return;
    out->period = row->period;
    out->limit_milli = row->limit_milli;
    out->posted_milli = row->posted_milli;
    out->held_milli = row->held_milli;
    out->overage_milli = row->overage_milli;
}

void quota_core_remember(struct quota_core *core, const struct quota_op *op,
                         const struct quota_answer *answer)
{
    struct op_result entry = {.id = op->op_id, .answer = *answer};

    memcpy(entry.body_hash, op->body_hash, sizeof(entry.body_hash));
    op_results_add(&core->results, &entry);
}

static bool is_op_id_in_time(const struct quota_core *core, const struct op_id *id)
{
    int64_t made_us = op_id_time_us(id);

    return op_id_is_v7(id) && made_us >= core->now_us - QUOTA_CORE_OP_ID_AGE_US &&
           made_us <= core->now_us + QUOTA_CORE_OP_ID_AHEAD_US;
}

static void repeat_answer(struct quota_core *core, const struct quota_op *op,
                          const struct op_result *stored, struct quota_answer *answer)
{
    if (memcmp(stored->body_hash, op->body_hash, sizeof(stored->body_hash)) != 0) {
        *answer = (struct quota_answer){.verdict = QUOTA_OP_ID_REUSED};
        return;
    }
    *answer = stored->answer;
    answer->replayed = true;
    quota_core_view(core, stored->answer.meter.meter, stored->answer.meter.period.start_us,
                    &answer->meter);
    if (answer->batch <= core->committed)
        answer->batch = 0;
}

static bool may_stand_in_ledger(const struct quota_core *core, const struct op_id *id)
{
    return op_id_time_us(id) <= core->newest_op_us ||
           op_results_may_have_forgotten_done(&core->results, id);
}

/* Refusals are in memory alone. One that may have been forgotten must not be granted now:
 * its caller may have acted on it. A settle's refusal says what will not change. */
static bool may_have_been_refused(const struct quota_core *core, const struct quota_op *op)
{
    return op->kind == QUOTA_RESERVE &&
           (op_id_time_us(&op->op_id) < core->opened_us ||
            op_results_may_have_forgotten_refused(&core->results, &op->op_id));
}

static void judge(struct quota_core *core, const struct quota_op *op,
                  struct quota_batch *batch, struct quota_answer *answer)
{
    if (may_have_been_refused(core, op))
        *answer = (struct quota_answer){.verdict = QUOTA_OP_ID_STALE};
    else if (op->kind == QUOTA_RESERVE)
        quota_core_reserve(core, op, batch, answer);
    else if (op->kind == QUOTA_ADJUST)
        quota_core_adjust(core, op, batch, answer);
    else
        quota_core_close(core, op, batch, answer);
    if (answer->verdict == QUOTA_LOOK_UP && op->lookups >= LOOKUPS_MAX)
        *answer = (struct quota_answer){.verdict = QUOTA_TOO_MANY_COUNTERS};
}

static bool find_result(const struct quota_core *core, const struct op_id *id,
                        struct op_result *out)
{
#if QUOTA_PLANTED == QUOTA_PLANT_OP_ID
    (void)core, (void)id, (void)out;
    return false;
#else
    return op_results_find(&core->results, id, out);
#endif
}

void quota_core_step(struct quota_core *core, const struct quota_op *op,
                     struct quota_time time, struct quota_batch *batch,
                     struct quota_answer *answer)
{
    struct op_result stored;

    advance(core, time);
    assert(batch->number == core->last_number);
    if (op->kind == QUOTA_SET_LIMIT)
        quota_core_set_limit(core, op, batch, answer);
    else if (!is_op_id_in_time(core, &op->op_id))
        *answer = (struct quota_answer){.verdict = QUOTA_OP_ID_TIME};
    else if (find_result(core, &op->op_id, &stored))
        repeat_answer(core, op, &stored, answer);
    else if (op->lookups == 0 && may_stand_in_ledger(core, &op->op_id))
        *answer = (struct quota_answer){.verdict = QUOTA_LOOK_UP};
    else
        judge(core, op, batch, answer);
}

size_t quota_core_tick(struct quota_core *core, struct quota_time time, size_t limit,
                       struct quota_batch *batch)
{
    size_t lapsed = 0;

    advance(core, time);
    if (ledger_clock_is_frozen(&core->clock))
        return 0;
    while (lapsed < limit) {
        struct reservation *due = reservations_first_due(&core->reservations);

        if (due == NULL || due->expires_at_us > core->now_us ||
            due->batch == batch->number ||
            !quota_core_has_room(core, batch, due->text_size) ||
            !quota_core_lapse(core, due, batch))
            break;
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

int64_t quota_core_now_us(const struct quota_core *core)
{
    return core->now_us;
}

bool quota_core_is_frozen(const struct quota_core *core)
{
    return ledger_clock_is_frozen(&core->clock);
}

uint32_t quota_core_held_count(const struct quota_core *core)
{
    return core->reservations.held_count;
}

uint32_t quota_core_counter_count(const struct quota_core *core)
{
    return core->counters.used;
}

const struct limits *quota_core_limits(const struct quota_core *core)
{
    return &core->limits;
}

size_t quota_core_counters(const struct quota_core *core,
                           struct quota_counter out[COUNTERS_METER_ROWS])
{
    return counters_copy_meters(&core->counters, out);
}
