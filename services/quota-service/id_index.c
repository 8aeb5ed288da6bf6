#include "id_index.h"

static const struct op_id *id_of(const struct id_index *index, uint32_t record)
{
    return (const struct op_id *)(const void *)(index->records + record * index->stride);
}

static uint32_t hash_of(const struct op_id *id)
{
    return (uint32_t)op_id_hash(id);
}

void id_index_init(struct id_index *index, const void *records, size_t stride,
                   uint32_t record_limit)
{
    slot_index_init(&index->slots, record_limit);
    index->records = records;
    index->stride = stride;
}

void id_index_done(struct id_index *index)
{
    slot_index_done(&index->slots);
}

void id_index_clear(struct id_index *index)
{
    slot_index_clear(&index->slots);
}

uint32_t id_index_find(const struct id_index *index, const struct op_id *id)
{
    uint32_t hash = hash_of(id);
    uint32_t at;
    uint32_t record = slot_index_first(&index->slots, hash, &at);

    while (record != ID_INDEX_NONE && !op_id_equal(id_of(index, record), id))
        record = slot_index_next(&index->slots, hash, &at);
    return record;
}

void id_index_add(struct id_index *index, uint32_t record)
{
    slot_index_add(&index->slots, record, hash_of(id_of(index, record)));
}

void id_index_remove(struct id_index *index, uint32_t record)
{
    slot_index_remove(&index->slots, record, hash_of(id_of(index, record)));
}
