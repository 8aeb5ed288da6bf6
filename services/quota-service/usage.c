#include "usage.h"

#include <string.h>

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
