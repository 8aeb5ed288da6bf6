#include "usage.h"

#include "core/thread.h"

void usage_init(struct usage *usage)
{
    mutex_init(&usage->mutex);
    usage->count = 0;
}

void usage_done(struct usage *usage)
{
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
    if (usage->count < COUNTERS_MAX)
        usage->rows[usage->count++] = *row;
    else
        *oldest(usage) = *row;
}

void usage_set(struct usage *usage, const struct quota_counter *rows, size_t count)
{
    mutex_lock(&usage->mutex);
    usage->count = 0;
    for (size_t i = 0; i < count; i++)
        merge_row(usage, &rows[i]);
    mutex_unlock(&usage->mutex);
}

void usage_merge(struct usage *usage, const struct quota_counter *rows, size_t count)
{
    mutex_lock(&usage->mutex);
    for (size_t i = 0; i < count; i++)
        merge_row(usage, &rows[i]);
    mutex_unlock(&usage->mutex);
}

bool usage_at(struct usage *usage, uint32_t meter, int64_t at_us, struct quota_counter *out)
{
    bool found = false;

    mutex_lock(&usage->mutex);
    for (size_t i = 0; i < usage->count && !found; i++) {
        const struct quota_counter *row = &usage->rows[i];

        found = row->meter == meter && row->period.start_us <= at_us &&
                at_us < row->period.end_us;
        if (found)
            *out = *row;
    }
    mutex_unlock(&usage->mutex);
    return found;
}
