/*
 * id_index.h - finds records of a fixed pool by op id; no allocation.
 *
 * The records stay where their owner keeps them, and each begins with its struct op_id.
 * Ids come from trusted services and are random in 74 bits, so the hash needs no key. Not
 * locked.
 */
#ifndef ID_INDEX_H
#define ID_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "core/op_id.h"
#include "slot_index.h"

#define ID_INDEX_NONE SLOT_INDEX_NONE

struct id_index {
    struct slot_index slots;
    const char *records;
    size_t stride;
};

/* For at most `record_limit` records of `stride` bytes at `records`. */
void id_index_init(struct id_index *index, const void *records, size_t stride,
                   uint32_t record_limit);
void id_index_done(struct id_index *index);
void id_index_clear(struct id_index *index);

/* The record with this id, or ID_INDEX_NONE. */
uint32_t id_index_find(const struct id_index *index, const struct op_id *id);
/* The record's id is set and not in the index yet. */
void id_index_add(struct id_index *index, uint32_t record);
/* The record is in the index, its id unchanged. */
void id_index_remove(struct id_index *index, uint32_t record);

#endif /* ID_INDEX_H */
