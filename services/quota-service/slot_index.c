#include "slot_index.h"

#include <assert.h>

#include "core/mem.h"

void slot_index_init(struct slot_index *index, uint32_t slot_limit)
{
    uint32_t cells = 16;

    assert(slot_limit < (1u << 30));
    while (cells < slot_limit + slot_limit / 2) /* at most two thirds full: short probes */
        cells *= 2;
    index->cells = mem_alloc_array(cells, sizeof(*index->cells));
    index->mask = cells - 1;
    slot_index_clear(index);
}

void slot_index_done(struct slot_index *index)
{
    mem_free(index->cells);
}

void slot_index_clear(struct slot_index *index)
{
    for (uint32_t i = 0; i <= index->mask; i++)
        index->cells[i].slot = SLOT_INDEX_NONE;
}

/* From *at on. */
static uint32_t probe(const struct slot_index *index, uint32_t hash, uint32_t *at)
{
    for (;; *at = (*at + 1) & index->mask) {
        const struct slot_index_cell *cell = &index->cells[*at];

        if (cell->slot == SLOT_INDEX_NONE || cell->hash == hash)
            return cell->slot;
    }
}

uint32_t slot_index_first(const struct slot_index *index, uint32_t hash, uint32_t *at)
{
    *at = hash & index->mask;
    return probe(index, hash, at);
}

uint32_t slot_index_next(const struct slot_index *index, uint32_t hash, uint32_t *at)
{
    *at = (*at + 1) & index->mask;
    return probe(index, hash, at);
}

void slot_index_add(struct slot_index *index, uint32_t slot, uint32_t hash)
{
    uint32_t at = hash & index->mask;

    while (index->cells[at].slot != SLOT_INDEX_NONE)
        at = (at + 1) & index->mask;
    index->cells[at] = (struct slot_index_cell){slot, hash};
}

void slot_index_remove(struct slot_index *index, uint32_t slot, uint32_t hash)
{
    uint32_t hole = hash & index->mask;

    while (index->cells[hole].slot != slot) {
        assert(index->cells[hole].slot != SLOT_INDEX_NONE);
        hole = (hole + 1) & index->mask;
    }
    /* Move back what probed past the hole, so that no graves are needed. */
    for (uint32_t at = (hole + 1) & index->mask; index->cells[at].slot != SLOT_INDEX_NONE;
         at = (at + 1) & index->mask) {
        uint32_t from = index->cells[at].hash & index->mask;

        if (((at - from) & index->mask) >= ((at - hole) & index->mask)) {
            index->cells[hole] = index->cells[at];
            hole = at;
        }
    }
    index->cells[hole].slot = SLOT_INDEX_NONE;
}
