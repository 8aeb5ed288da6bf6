#include "counters.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "core/siphash.h"

/* Subjects come from services we trust: the key only spreads. */
static const uint64_t HASH_KEY[2] = {0x636f756e746572, 0x6d657465726361};

/* ---- keys ------------------------------------------------------------------------------ */

static uint32_t hash_key(const struct counter_key *key)
{
    uint64_t hash = siphash_bytes(HASH_KEY, key->subject, key->subject_size);

    hash ^= (uint64_t)key->period_start_us * 0x9e3779b97f4a7c15u;
    hash += (uint64_t)key->meter * 31 + (uint64_t)key->scope;
    return (uint32_t)((hash * 0xff51afd7ed558ccdu) >> 32);
}

static struct counter_key key_of(const struct quota_counter *row)
{
    return (struct counter_key){row->scope, row->meter, row->period.start_us, row->subject,
                                row->subject_size};
}

static bool has_key(const struct counters *counters, const struct counter *row,
                    const struct counter_key *key)
{
    char subject[LIMIT_SUBJECT_MAX];

    if (row->scope != (uint8_t)key->scope || row->meter != key->meter ||
        row->period.start_us != key->period_start_us ||
        row->subject_size != key->subject_size)
        return false;
    texts_read(&counters->texts, row->text, subject, row->subject_size);
    return memcmp(subject, key->subject, key->subject_size) == 0;
}

/* ---- life ------------------------------------------------------------------------------ */

void counters_init(struct counters *counters, uint32_t limit)
{
    assert(limit >= COUNTERS_METER_ROWS && limit < (1u << 28));
    counters->limit = limit;
    counters->slots = mem_alloc_array(limit, sizeof(*counters->slots));
    slot_index_init(&counters->index, limit);
    texts_init(&counters->texts, 2 * limit); /* 56 bytes a subject, shared */
    counters_clear(counters);
}

void counters_done(struct counters *counters)
{
    texts_done(&counters->texts);
    slot_index_done(&counters->index);
    mem_free(counters->slots);
}

void counters_clear(struct counters *counters)
{
    counters->untouched = 0;
    counters->first_free = COUNTERS_NONE;
    counters->used = 0;
    counters->hand = 0;
    counters->touched_count = 0;
    counters->batch = 0;
    slot_index_clear(&counters->index);
    texts_clear(&counters->texts);
    for (uint32_t i = 0; i < METERS_MAX; i++)
        counters->newest[i] = COUNTERS_NONE;
}

int64_t counters_left_milli(int64_t limit_milli, int64_t posted_milli, int64_t held_milli)
{
    int64_t left = limit_milli - posted_milli - held_milli;

    return left > 0 ? left : 0;
}

/* ---- finding --------------------------------------------------------------------------- */

static struct counter *at_slot(struct counters *counters, uint32_t slot)
{
    return slot != COUNTERS_NONE ? &counters->slots[slot] : NULL;
}

static uint32_t slot_of(const struct counters *counters, const struct counter *row)
{
    return (uint32_t)(row - counters->slots);
}

struct counter *counters_find(struct counters *counters, const struct counter_key *key)
{
    uint32_t hash;
    uint32_t at;

    if (key->scope == LIMIT_METER) /* a handful, newest first: no hashing */
        return counters_of_period(counters, key->meter, key->period_start_us);
    hash = hash_key(key);
    for (uint32_t slot = slot_index_first(&counters->index, hash, &at);
         slot != SLOT_INDEX_NONE; slot = slot_index_next(&counters->index, hash, &at)) {
        struct counter *row = &counters->slots[slot];

        if (has_key(counters, row, key)) {
            row->was_used = true;
            return row;
        }
    }
    return NULL;
}

struct counter *counters_newest(struct counters *counters, uint32_t meter)
{
    return at_slot(counters, counters->newest[meter]);
}

struct counter *counters_of_period(struct counters *counters, uint32_t meter,
                                   int64_t start_us)
{
    struct counter *row = counters_newest(counters, meter);

    while (row != NULL && row->period.start_us != start_us)
        row = at_slot(counters, row->next);
    return row;
}

struct counter *counters_at(struct counters *counters, uint32_t meter, int64_t at_us)
{
    struct counter *row = counters_newest(counters, meter);

    while (row != NULL && !(row->period.start_us <= at_us && at_us < row->period.end_us))
        row = at_slot(counters, row->next);
    return row;
}

struct counter *counters_ended_at(struct counters *counters, uint32_t meter, int64_t end_us)
{
    struct counter *row = counters_newest(counters, meter);

    while (row != NULL && row->period.end_us != end_us)
        row = at_slot(counters, row->next);
    return row;
}

/* ---- adding and dropping --------------------------------------------------------------- */

static void drop(struct counters *counters, uint32_t slot)
{
    struct counter *row = &counters->slots[slot];

    if (row->scope != LIMIT_METER)
        slot_index_remove(&counters->index, slot, row->hash);
    texts_remove(&counters->texts, row->text);
    row->scope = 0;
    row->next = counters->first_free;
    counters->first_free = slot;
    counters->used--;
}

/* Drops one row that the ledger has as it is here, and that was not used lately. False:
 * there is none. Two turns of the hand find one if there is. */
static bool evict(struct counters *counters, uint64_t committed)
{
    for (uint32_t steps = 0; steps < 2 * counters->limit; steps++) {
        uint32_t slot = counters->hand;
        struct counter *row = &counters->slots[slot];

        counters->hand = (counters->hand + 1) % counters->limit;
        if (row->scope == 0 || row->scope == LIMIT_METER || row->is_touched ||
            row->batch > committed)
            continue;
        if (!row->was_used) {
            drop(counters, slot);
            return true;
        }
        row->was_used = false;
    }
    return false;
}

static uint32_t take_slot(struct counters *counters)
{
    uint32_t slot = counters->first_free;

    if (slot == COUNTERS_NONE)
        return counters->untouched++;
    counters->first_free = counters->slots[slot].next;
    return slot;
}

/* By time, the newest first. */
static void link_meter_row(struct counters *counters, uint32_t slot)
{
    struct counter *row = &counters->slots[slot];
    uint32_t *link = &counters->newest[row->meter];

    while (*link != COUNTERS_NONE &&
           counters->slots[*link].period.start_us > row->period.start_us)
        link = &counters->slots[*link].next;
    row->next = *link;
    *link = slot;
}

struct counter *counters_add(struct counters *counters, const struct quota_counter *row,
                             uint64_t committed)
{
    struct counter_key key = key_of(row);
    uint32_t text;
    uint32_t slot;

    if (counters->used == counters->limit && !evict(counters, committed))
        return NULL;
    while (!texts_add(&counters->texts, row->subject, row->subject_size, &text)) {
        if (!evict(counters, committed))
            return NULL;
    }
    slot = take_slot(counters);
    counters->slots[slot] = (struct counter){.period = row->period,
                                             .limit_milli = row->limit_milli,
                                             .posted_milli = row->posted_milli,
                                             .held_milli = row->held_milli,
                                             .overage_milli = row->overage_milli,
                                             .text = text,
                                             .hash = hash_key(&key),
                                             .meter = (uint8_t)row->meter,
                                             .scope = (uint8_t)row->scope,
                                             .subject_size = row->subject_size,
                                             .crossed_percent = row->crossed_percent,
                                             .soft_passed = row->soft_passed,
                                             .was_used = true};
    counters->used++;
    if (row->scope == LIMIT_METER)
        link_meter_row(counters, slot);
    else
        slot_index_add(&counters->index, slot, counters->slots[slot].hash);
    return &counters->slots[slot];
}

static void retire_of_meter(struct counters *counters, uint32_t meter, int64_t before_us)
{
    uint32_t *link = &counters->newest[meter];

    while (*link != COUNTERS_NONE) {
        uint32_t slot = *link;
        struct counter *row = &counters->slots[slot];

        if (row->period.end_us >= before_us || row->held_milli != 0 || row->is_touched) {
            link = &row->next;
            continue;
        }
        *link = row->next;
        drop(counters, slot);
    }
}

void counters_retire(struct counters *counters, int64_t before_us)
{
    for (uint32_t meter = 0; meter < METERS_MAX; meter++)
        retire_of_meter(counters, meter, before_us);
}

/* ---- changes --------------------------------------------------------------------------- */

void counters_begin(struct counters *counters, uint64_t batch)
{
    for (uint32_t i = 0; i < counters->touched_count; i++)
        counters->slots[counters->touched[i]].is_touched = false;
    counters->touched_count = 0;
    counters->batch = batch;
}

void counters_touch(struct counters *counters, struct counter *row)
{
    assert(row->held_milli >= 0 && row->posted_milli >= 0 && row->overage_milli >= 0);
    row->batch = counters->batch;
    if (row->is_touched)
        return;
    assert(counters->touched_count < COUNTERS_TOUCHED_MAX);
    row->is_touched = true;
    counters->touched[counters->touched_count++] = slot_of(counters, row);
}

void counters_copy(const struct counters *counters, const struct counter *row,
                   struct quota_counter *out)
{
    *out = (struct quota_counter){.meter = row->meter,
                                  .scope = (enum limit_scope)row->scope,
                                  .period = row->period,
                                  .limit_milli = row->limit_milli,
                                  .posted_milli = row->posted_milli,
                                  .held_milli = row->held_milli,
                                  .overage_milli = row->overage_milli,
                                  .crossed_percent = row->crossed_percent,
                                  .soft_passed = row->soft_passed,
                                  .subject_size = row->subject_size};
    texts_read(&counters->texts, row->text, out->subject, row->subject_size);
}

size_t counters_copy_touched(const struct counters *counters,
                             struct quota_counter out[COUNTERS_TOUCHED_MAX])
{
    for (uint32_t i = 0; i < counters->touched_count; i++)
        counters_copy(counters, &counters->slots[counters->touched[i]], &out[i]);
    return counters->touched_count;
}

size_t counters_copy_meters(const struct counters *counters,
                            struct quota_counter out[COUNTERS_METER_ROWS])
{
    size_t count = 0;

    for (uint32_t meter = 0; meter < METERS_MAX; meter++) {
        for (uint32_t i = counters->newest[meter];
             i != COUNTERS_NONE && count < COUNTERS_METER_ROWS; i = counters->slots[i].next)
            counters_copy(counters, &counters->slots[i], &out[count++]);
    }
    return count;
}
