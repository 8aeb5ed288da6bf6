#include "counters.h"

#include <assert.h>

int64_t counters_left_milli(const struct quota_counter *counter)
{
    int64_t left = counter->limit_milli - counter->posted_milli - counter->held_milli;

    return left > 0 ? left : 0;
}

void counters_init(struct counters *counters)
{
    for (uint32_t i = 0; i < METERS_MAX; i++)
        counters->newest[i] = COUNTERS_NONE;
    for (uint32_t i = 0; i < COUNTERS_MAX; i++)
        counters->slots[i] =
            (struct counters_slot){.older = i + 1 < COUNTERS_MAX ? i + 1 : COUNTERS_NONE};
    counters->first_free = 0;
    counters->touched_count = 0;
}

/* A meter has a handful of rows: newest first, a walk finds the current one at once. */
struct quota_counter *counters_find(struct counters *counters, uint32_t meter,
                                    int64_t start_us)
{
    for (uint32_t i = counters->newest[meter]; i != COUNTERS_NONE;
         i = counters->slots[i].older) {
        if (counters->slots[i].counter.period.start_us == start_us)
            return &counters->slots[i].counter;
    }
    return NULL;
}

struct quota_counter *counters_at(struct counters *counters, uint32_t meter, int64_t at_us)
{
    for (uint32_t i = counters->newest[meter]; i != COUNTERS_NONE;
         i = counters->slots[i].older) {
        const struct period *period = &counters->slots[i].counter.period;

        if (period->start_us <= at_us && at_us < period->end_us)
            return &counters->slots[i].counter;
    }
    return NULL;
}

struct quota_counter *counters_newest(struct counters *counters, uint32_t meter)
{
    uint32_t newest = counters->newest[meter];

    return newest != COUNTERS_NONE ? &counters->slots[newest].counter : NULL;
}

bool counters_add(struct counters *counters, const struct quota_counter *row)
{
    uint32_t slot = counters->first_free;
    uint32_t *link = &counters->newest[row->meter];

    if (slot == COUNTERS_NONE)
        return false;
    counters->first_free = counters->slots[slot].older;
    while (*link != COUNTERS_NONE &&
           counters->slots[*link].counter.period.start_us > row->period.start_us)
        link = &counters->slots[*link].older;
    counters->slots[slot] = (struct counters_slot){.counter = *row, .older = *link};
    *link = slot;
    return true;
}

static void retire_of_meter(struct counters *counters, uint32_t meter, int64_t before_us)
{
    uint32_t *link = &counters->newest[meter];

    while (*link != COUNTERS_NONE) {
        uint32_t at = *link;
        struct counters_slot *slot = &counters->slots[at];

        if (slot->counter.period.end_us >= before_us || slot->counter.held_milli != 0 ||
            slot->is_touched) {
            link = &slot->older;
            continue;
        }
        *link = slot->older;
        slot->older = counters->first_free;
        counters->first_free = at;
    }
}

void counters_retire(struct counters *counters, int64_t before_us)
{
    for (uint32_t meter = 0; meter < METERS_MAX; meter++)
        retire_of_meter(counters, meter, before_us);
}

void counters_begin(struct counters *counters)
{
    for (uint32_t i = 0; i < counters->touched_count; i++)
        counters->slots[counters->touched[i]].is_touched = false;
    counters->touched_count = 0;
}

void counters_touch(struct counters *counters, struct quota_counter *row)
{
    struct counters_slot *slot = (struct counters_slot *)(void *)row; /* its first member */

    assert(row->held_milli >= 0 && row->posted_milli >= 0 && row->overage_milli >= 0);
    if (slot->is_touched)
        return;
    slot->is_touched = true;
    counters->touched[counters->touched_count++] = (uint32_t)(slot - counters->slots);
}

size_t counters_copy_touched(const struct counters *counters,
                             struct quota_counter out[COUNTERS_MAX])
{
    for (uint32_t i = 0; i < counters->touched_count; i++)
        out[i] = counters->slots[counters->touched[i]].counter;
    return counters->touched_count;
}

size_t counters_copy_all(const struct counters *counters,
                         struct quota_counter out[COUNTERS_MAX])
{
    size_t count = 0;

    for (uint32_t meter = 0; meter < METERS_MAX; meter++) {
        for (uint32_t i = counters->newest[meter]; i != COUNTERS_NONE;
             i = counters->slots[i].older)
            out[count++] = counters->slots[i].counter;
    }
    return count;
}
