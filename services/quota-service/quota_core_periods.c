/*
 * The meters' periods: rows made ahead, from the anchor of the meter's rule, and the limits
 * of those that are not over.
 */
#include <assert.h>

#include "quota_core_state.h"

static void add_period(struct quota_core *core, uint32_t meter, struct period period)
{
    struct quota_counter row = {.scope = LIMIT_METER,
                                .meter = meter,
                                .period = period,
                                .limit_milli =
                                    limits_of_meter(&core->limits, meter)->amount_milli};
    struct counter *added = counters_add(&core->counters, &row, core->committed);

    assert(added != NULL); /* retired rows make room for the few a meter needs */
    counters_touch(&core->counters, added);
}

static uint32_t periods_ahead(struct quota_core *core, uint32_t meter)
{
    const struct counter *row = counters_at(&core->counters, meter, core->period_us);
    uint32_t ahead = 0;

    while ((row = counters_of_period(&core->counters, meter, row->period.end_us)) != NULL)
        ahead++;
    return ahead;
}

/* The row of now, and those after it. After an outage of months, or a change of the anchor,
 * a row begins where the last one ended: no overlap, whatever happened. */
static void extend_meter(struct quota_core *core, uint32_t meter)
{
    unsigned anchor_day = limits_of_meter(&core->limits, meter)->anchor_day;
    const struct counter *newest = counters_newest(&core->counters, meter);

    if (newest == NULL || newest->period.end_us <= core->period_us) {
        struct period period = periods_containing(anchor_day, core->period_us);

        if (newest != NULL && newest->period.end_us > period.start_us)
            period.start_us = newest->period.end_us;
        add_period(core, meter, period);
    }
    while (periods_ahead(core, meter) < QUOTA_CORE_PERIODS_AHEAD) {
        newest = counters_newest(&core->counters, meter);
        add_period(core, meter, periods_from(anchor_day, newest->period.end_us));
    }
}

/* Rows that ended before this are done with. An open reservation's is not, and one of a free
 * call does not show in what its row holds. */
static int64_t retired_before_us(const struct quota_core *core)
{
    const struct reservations *pool = &core->reservations;
    int64_t before_us = core->period_us - QUOTA_CORE_OP_ID_AGE_US;

    for (uint32_t i = 0; i < pool->held_count; i++) {
        int64_t start_us = pool->slots[pool->heap[i]].period_start_us;

        if (start_us < before_us)
            before_us = start_us;
    }
    return before_us;
}

void quota_core_roll(struct quota_core *core)
{
    counters_retire(&core->counters, retired_before_us(core));
    core->roll_at_us = INT64_MAX;
    for (uint32_t meter = 0; meter < core->options.meter_count; meter++) {
        const struct counter *row;

        extend_meter(core, meter);
        row = counters_at(&core->counters, meter, core->period_us);
        if (row->period.end_us < core->roll_at_us)
            core->roll_at_us = row->period.end_us;
    }
}

void quota_core_apply_limit(struct quota_core *core, uint32_t meter)
{
    int64_t limit_milli = limits_of_meter(&core->limits, meter)->amount_milli;
    struct counter *row = counters_newest(&core->counters, meter);

    while (row != NULL && row->period.end_us > core->period_us) {
        if (row->limit_milli != limit_milli) {
            row->limit_milli = limit_milli;
            counters_touch(&core->counters, row);
        }
        row = counters_ended_at(&core->counters, meter, row->period.start_us);
    }
}
