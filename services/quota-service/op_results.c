#include "op_results.h"

#include "core/mem.h"

static void ring_init(struct op_results_ring *ring, uint32_t limit)
{
    *ring = (struct op_results_ring){.limit = limit};
    ring->entries = mem_alloc_array(limit, sizeof(*ring->entries));
    id_index_init(&ring->index, ring->entries, sizeof(*ring->entries), limit);
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
    id_index_clear(&ring->index);
}

static const struct op_result *ring_find(const struct op_results_ring *ring,
                                         const struct op_id *id)
{
    uint32_t at = id_index_find(&ring->index, id);

    return at != ID_INDEX_NONE ? &ring->entries[at] : NULL;
}

/* The entry to be overwritten, or NULL while the ring is not full. */
static const struct op_result *ring_oldest(const struct op_results_ring *ring)
{
    return ring->count == ring->limit ? &ring->entries[ring->next] : NULL;
}

static void ring_add(struct op_results_ring *ring, const struct op_result *entry)
{
    if (ring->count == ring->limit)
        id_index_remove(&ring->index, ring->next);
    else
        ring->count++;
    ring->entries[ring->next] = *entry;
    id_index_add(&ring->index, ring->next);
    ring->next = (ring->next + 1) % ring->limit;
}

void op_results_init(struct op_results *results, uint32_t done_limit,
                     uint32_t refused_limit)
{
    ring_init(&results->done, done_limit);
    ring_init(&results->refused, refused_limit);
    results->forgotten_us = 0;
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
    results->forgotten_us = 0;
}

const struct op_result *op_results_find(const struct op_results *results,
                                        const struct op_id *id)
{
    const struct op_result *found = ring_find(&results->done, id);

    return found != NULL ? found : ring_find(&results->refused, id);
}

void op_results_add(struct op_results *results, const struct op_result *entry)
{
    const struct op_result *oldest;

    if (entry->answer.verdict != QUOTA_DONE) {
        ring_add(&results->refused, entry);
        return;
    }
    oldest = ring_oldest(&results->done);
    if (oldest != NULL && op_id_time_us(&oldest->id) > results->forgotten_us)
        results->forgotten_us = op_id_time_us(&oldest->id);
    ring_add(&results->done, entry);
}

bool op_results_may_have_forgotten(const struct op_results *results, const struct op_id *id)
{
    return op_id_time_us(id) <= results->forgotten_us;
}
