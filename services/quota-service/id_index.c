#include "id_index.h"

#include <assert.h>

#include "core/mem.h"

static const struct op_id *id_of(const struct id_index *index, uint32_t record)
{
    return (const struct op_id *)(const void *)(index->records + record * index->stride);
}

void id_index_init(struct id_index *index, const void *records, size_t stride,
                   uint32_t record_limit)
{
    uint32_t cells = 16;

    assert(record_limit < (1u << 30));
    while (cells < 2 * record_limit) /* at most half full: probes stay short */
        cells *= 2;
    index->cells = mem_alloc_array(cells, sizeof(*index->cells));
    index->mask = cells - 1;
    index->records = records;
    index->stride = stride;
    id_index_clear(index);
}

void id_index_done(struct id_index *index)
{
    mem_free(index->cells);
}

void id_index_clear(struct id_index *index)
{
    for (uint32_t i = 0; i <= index->mask; i++)
        index->cells[i].record = ID_INDEX_NONE;
}

uint32_t id_index_find(const struct id_index *index, const struct op_id *id)
{
    uint32_t hash = (uint32_t)op_id_hash(id);

    for (uint32_t at = hash & index->mask;; at = (at + 1) & index->mask) {
        const struct id_index_cell *cell = &index->cells[at];

        if (cell->record == ID_INDEX_NONE)
            return ID_INDEX_NONE;
        if (cell->hash == hash && op_id_equal(id_of(index, cell->record), id))
            return cell->record;
    }
}

void id_index_add(struct id_index *index, uint32_t record)
{
    uint32_t hash = (uint32_t)op_id_hash(id_of(index, record));
    uint32_t at = hash & index->mask;

    while (index->cells[at].record != ID_INDEX_NONE)
        at = (at + 1) & index->mask;
    index->cells[at] = (struct id_index_cell){record, hash};
}

void id_index_remove(struct id_index *index, uint32_t record)
{
    uint32_t hole = (uint32_t)op_id_hash(id_of(index, record)) & index->mask;

    while (index->cells[hole].record != record) {
        assert(index->cells[hole].record != ID_INDEX_NONE);
        hole = (hole + 1) & index->mask;
    }
    /* Move back what probed past the hole, so that no graves are needed. */
    for (uint32_t at = (hole + 1) & index->mask; index->cells[at].record != ID_INDEX_NONE;
         at = (at + 1) & index->mask) {
        uint32_t home = index->cells[at].hash & index->mask;

        if (((at - home) & index->mask) >= ((at - hole) & index->mask)) {
            index->cells[hole] = index->cells[at];
            hole = at;
        }
    }
    index->cells[hole].record = ID_INDEX_NONE;
}
