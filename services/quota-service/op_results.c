#include "op_results.h"

#include <string.h>

#include "core/mem.h"

struct done_entry {
    struct op_id id; /* first: the index reads it there */
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    uint64_t batch;
    int64_t period_start_us;
    int64_t expires_at_us;
    int64_t posted_milli;
    int64_t overage_milli;
    uint8_t meter;
    bool corrected;
};

struct refused_entry {
    struct op_id id; /* first */
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    int64_t period_start_us;
    uint8_t meter;
    uint8_t hit_count;
    struct quota_hit hits[QUOTA_HITS_MAX];
};

/* ---- rings ----------------------------------------------------------------------------- */

static void ring_init(struct op_results_ring *ring, uint32_t limit, size_t stride)
{
    *ring = (struct op_results_ring){.limit = limit, .stride = stride};
    ring->entries = mem_alloc_array(limit, stride);
    id_index_init(&ring->index, ring->entries, stride, limit);
}

static void ring_done(struct op_results_ring *ring)
{
    id_index_done(&ring->index);
    mem_free(ring->entries);
}

static void ring_clear(struct op_results_ring *ring)
{
    ring->count = 0;
    ring->next = 0;
    ring->forgotten_us = 0;
    id_index_clear(&ring->index);
}

static const void *ring_find(const struct op_results_ring *ring, const struct op_id *id)
{
    uint32_t at = id_index_find(&ring->index, id);

    return at != ID_INDEX_NONE ? ring->entries + at * ring->stride : NULL;
}

/* In the place of the oldest. */
static void ring_add(struct op_results_ring *ring, const void *entry)
{
    char *place = ring->entries + ring->next * ring->stride;

    if (ring->count == ring->limit) {
        int64_t made_us = op_id_time_us((const struct op_id *)(void *)place);

        if (made_us > ring->forgotten_us)
            ring->forgotten_us = made_us;
        id_index_remove(&ring->index, ring->next);
    } else {
        ring->count++;
    }
    memcpy(place, entry, ring->stride);
    id_index_add(&ring->index, ring->next);
    ring->next = (ring->next + 1) % ring->limit;
}

/* ---- both ------------------------------------------------------------------------------ */

void op_results_init(struct op_results *results, uint32_t done_limit,
                     uint32_t refused_limit)
{
    ring_init(&results->done, done_limit, sizeof(struct done_entry));
    ring_init(&results->refused, refused_limit, sizeof(struct refused_entry));
}

void op_results_done(struct op_results *results)
{
    ring_done(&results->done);
    ring_done(&results->refused);
}

void op_results_clear(struct op_results *results)
{
    ring_clear(&results->done);
    ring_clear(&results->refused);
}

static void tell_done(struct op_result *out, const struct done_entry *entry)
{
    *out = (struct op_result){
        .id = entry->id,
        .answer = {.verdict = QUOTA_DONE,
                   .corrected = entry->corrected,
                   .batch = entry->batch,
                   .meter = {.meter = entry->meter,
                             .period = {.start_us = entry->period_start_us}},
                   .expires_at_us = entry->expires_at_us,
                   .posted_milli = entry->posted_milli,
                   .overage_milli = entry->overage_milli}};
    memcpy(out->body_hash, entry->body_hash, sizeof(out->body_hash));
}

static void tell_refused(struct op_result *out, const struct refused_entry *entry)
{
    *out = (struct op_result){
        .id = entry->id,
        .answer = {.verdict = QUOTA_REFUSED,
                   .meter = {.meter = entry->meter,
                             .period = {.start_us = entry->period_start_us}},
                   .hit_count = entry->hit_count}};
    memcpy(out->body_hash, entry->body_hash, sizeof(out->body_hash));
    memcpy(out->answer.hits, entry->hits, sizeof(entry->hits));
}

bool op_results_find(const struct op_results *results, const struct op_id *id,
                     struct op_result *out)
{
    const void *found = ring_find(&results->done, id);

    if (found != NULL) {
        tell_done(out, found);
        return true;
    }
    found = ring_find(&results->refused, id);
    if (found == NULL)
        return false;
    tell_refused(out, found);
    return true;
}

static void add_done(struct op_results *results, const struct op_result *from)
{
    const struct quota_answer *answer = &from->answer;
    struct done_entry entry = {.id = from->id,
                               .batch = answer->batch,
                               .period_start_us = answer->meter.period.start_us,
                               .expires_at_us = answer->expires_at_us,
                               .posted_milli = answer->posted_milli,
                               .overage_milli = answer->overage_milli,
                               .meter = (uint8_t)answer->meter.meter,
                               .corrected = answer->corrected};

    memcpy(entry.body_hash, from->body_hash, sizeof(entry.body_hash));
    ring_add(&results->done, &entry);
}

static void add_refused(struct op_results *results, const struct op_result *from)
{
    const struct quota_answer *answer = &from->answer;
    struct refused_entry entry = {.id = from->id,
                                  .period_start_us = answer->meter.period.start_us,
                                  .meter = (uint8_t)answer->meter.meter,
                                  .hit_count = (uint8_t)answer->hit_count};

    memcpy(entry.body_hash, from->body_hash, sizeof(entry.body_hash));
    memcpy(entry.hits, answer->hits, sizeof(entry.hits));
    ring_add(&results->refused, &entry);
}

void op_results_add(struct op_results *results, const struct op_result *entry)
{
    if (entry->answer.verdict == QUOTA_DONE)
        add_done(results, entry);
    else
        add_refused(results, entry);
}

bool op_results_may_have_forgotten_done(const struct op_results *results,
                                        const struct op_id *id)
{
    return op_id_time_us(id) <= results->done.forgotten_us;
}

bool op_results_may_have_forgotten_refused(const struct op_results *results,
                                           const struct op_id *id)
{
    return op_id_time_us(id) <= results->refused.forgotten_us;
}
