#include "usage.h"

#include <string.h>

#include "burn_rate.h"
#include "core/mem.h"
#include "core/thread.h"

void usage_init(struct usage *usage)
{
    mutex_init(&usage->mutex);
    usage->rules = mem_alloc_array(LIMITS_MAX, sizeof(*usage->rules));
    usage->count = 0;
    usage->rule_count = 0;
}

void usage_done(struct usage *usage)
{
    mem_free(usage->rules);
    mutex_done(&usage->mutex);
}

static struct quota_counter *oldest(struct usage *usage)
{
    struct quota_counter *found = &usage->rows[0];

    for (size_t i = 1; i < usage->count; i++) {
        if (usage->rows[i].period.end_us < found->period.end_us)
            found = &usage->rows[i];
    }
    return found;
}

static void merge_row(struct usage *usage, const struct quota_counter *row)
{
    for (size_t i = 0; i < usage->count; i++) {
        struct quota_counter *known = &usage->rows[i];

        if (known->meter == row->meter && known->period.start_us == row->period.start_us) {
            *known = *row;
            return;
        }
    }
    if (usage->count < COUNTERS_METER_ROWS)
        usage->rows[usage->count++] = *row;
    else
        *oldest(usage) = *row;
}

static void take_limits(struct usage *usage, const struct quota_core *core)
{
    const struct limits *limits = quota_core_limits(core);

    memcpy(usage->rules, limits->rules, limits->count * sizeof(*usage->rules));
    usage->rule_count = limits->count;
    usage->limit_version = limits->version;
}

/* ---- what was posted by time ------------------------------------------------------------ */

/* Complete from the ledger's first row on, whatever meter it is of: a meter without use has
 * a history too. */
static int64_t known_since(const struct ledger_usage *rows, size_t count, int64_t now_us)
{
    int64_t since_us = now_us;

    for (size_t i = 0; i < count; i++) {
        if (rows[i].start_us < since_us)
            since_us = rows[i].start_us;
    }
    return since_us;
}

void usage_load_hours(struct usage *usage, const struct ledger_usage *rows, size_t count,
                      int64_t now_us)
{
    int64_t since_us = known_since(rows, count, now_us);

    mutex_lock(&usage->mutex);
    for (uint32_t meter = 0; meter < METERS_MAX; meter++) {
        usage_series_init(&usage->series[meter], since_us);
        usage->is_burning[meter] = false;
    }
    for (size_t i = 0; i < count; i++)
        usage_series_load_hour(&usage->series[rows[i].meter], rows[i].start_us,
                               rows[i].posted_milli);
    mutex_unlock(&usage->mutex);
}

void usage_load_buckets(struct usage *usage, const struct ledger_usage *rows, size_t count)
{
    mutex_lock(&usage->mutex);
    for (size_t i = 0; i < count; i++)
        usage_series_load_bucket(&usage->series[rows[i].meter], rows[i].start_us,
                                 rows[i].posted_milli);
    mutex_unlock(&usage->mutex);
}

static void add_posted(struct usage *usage, const struct quota_batch *batch)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct quota_row *row = &batch->rows[i];

        if (row->kind != QUOTA_RESERVE && row->amount_milli != 0)
            usage_series_add(&usage->series[row->meter], row->at_us, row->amount_milli);
    }
}

bool usage_forecast(struct usage *usage, const struct quota_meter_view *view, int64_t at_us,
                    struct forecast *out)
{
    const struct forecast_budget budget = {view->period, view->limit_milli,
                                           view->posted_milli, view->held_milli};
    bool is_known;

    mutex_lock(&usage->mutex);
    is_known = forecast_make(&usage->series[view->meter], &budget, at_us, out);
    mutex_unlock(&usage->mutex);
    return is_known;
}

bool usage_began_to_burn(struct usage *usage, uint32_t meter, int64_t now_us,
                         int64_t *hour_milli)
{
    struct quota_meter_view view;
    struct burn_rate_posted posted;
    struct burn_rate_budget budget;

    if (!usage_at(usage, meter, now_us, &view))
        return false;
    mutex_lock(&usage->mutex);
    posted.hour_milli = usage_series_last_milli(&usage->series[meter], now_us, 12);
    posted.five_minutes_milli = usage_series_last_milli(&usage->series[meter], now_us, 1);
    mutex_unlock(&usage->mutex);
    budget = (struct burn_rate_budget){view.period, view.limit_milli,
                                       METERS[meter].unit_price_milli};
    *hour_milli = posted.hour_milli;
    return burn_rate_judge(&usage->is_burning[meter], &budget, posted) == BURN_RATE_BEGAN;
}

/* ---- state of the meters ---------------------------------------------------------------- */

void usage_open(struct usage *usage, const struct quota_core *core)
{
    mutex_lock(&usage->mutex);
    usage->count = quota_core_counters(core, usage->rows);
    take_limits(usage, core);
    mutex_unlock(&usage->mutex);
}

/* The core may be a batch ahead with its limits: the next commit makes that true. */
void usage_commit(struct usage *usage, const struct quota_core *core,
                  const struct quota_batch *batch)
{
    mutex_lock(&usage->mutex);
    for (size_t i = 0; i < batch->counter_count; i++) {
        if (batch->counters[i].scope == LIMIT_METER)
            merge_row(usage, &batch->counters[i]);
    }
    add_posted(usage, batch);
    if (batch->limit_count > 0)
        take_limits(usage, core);
    mutex_unlock(&usage->mutex);
}

static int64_t soft_limit(const struct usage *usage, uint32_t meter)
{
    for (size_t i = 0; i < usage->rule_count; i++) {
        const struct limit_rule *rule = &usage->rules[i];

        if (rule->meter == meter && rule->scope == LIMIT_METER &&
            rule->mode == LIMIT_SOFT && !rule->is_removed)
            return rule->amount_milli;
    }
    return LIMIT_NONE;
}

bool usage_at(struct usage *usage, uint32_t meter, int64_t at_us,
              struct quota_meter_view *out)
{
    bool found = false;

    mutex_lock(&usage->mutex);
    for (size_t i = 0; i < usage->count && !found; i++) {
        const struct quota_counter *row = &usage->rows[i];

        found = row->meter == meter && row->period.start_us <= at_us &&
                at_us < row->period.end_us;
        if (found)
            *out = (struct quota_meter_view){.meter = meter,
                                             .period = row->period,
                                             .limit_milli = row->limit_milli,
                                             .soft_limit_milli = soft_limit(usage, meter),
                                             .posted_milli = row->posted_milli,
                                             .held_milli = row->held_milli,
                                             .overage_milli = row->overage_milli,
                                             .limit_version = usage->limit_version};
    }
    mutex_unlock(&usage->mutex);
    return found;
}

size_t usage_limits(struct usage *usage, unsigned meter, struct limit_rule *out,
                    uint64_t *version)
{
    size_t count = 0;

    mutex_lock(&usage->mutex);
    for (size_t i = 0; i < usage->rule_count; i++) {
        const struct limit_rule *rule = &usage->rules[i];

        if (!rule->is_removed && (meter == METERS_NONE || rule->meter == meter))
            out[count++] = *rule;
    }
    *version = usage->limit_version;
    mutex_unlock(&usage->mutex);
    return count;
}
