/*
 * slot_index.h - finds the slots of a fixed pool by a hash; open addressing, no allocation.
 *
 * The records stay where their owner keeps them; the index holds their numbers and hashes,
 * and the owner compares keys:
 *
 *     for (slot = slot_index_first(&index, hash, &at); slot != SLOT_INDEX_NONE;
 *          slot = slot_index_next(&index, hash, &at))
 *
 * Not locked.
 */
#ifndef SLOT_INDEX_H
#define SLOT_INDEX_H

#include <stdint.h>

#define SLOT_INDEX_NONE UINT32_MAX

struct slot_index_cell {
    uint32_t slot; /* SLOT_INDEX_NONE: free */
    uint32_t hash;
};

struct slot_index {
    struct slot_index_cell *cells;
    uint32_t mask;
};

/* For slots 0 to slot_limit - 1, each at most once. */
void slot_index_init(struct slot_index *index, uint32_t slot_limit);
void slot_index_done(struct slot_index *index);
void slot_index_clear(struct slot_index *index);

/* Slots with this hash, one after another; nothing may be added or removed meanwhile. */
uint32_t slot_index_first(const struct slot_index *index, uint32_t hash, uint32_t *at);
uint32_t slot_index_next(const struct slot_index *index, uint32_t hash, uint32_t *at);

void slot_index_add(struct slot_index *index, uint32_t slot, uint32_t hash);
/* It is there, with this hash. */
void slot_index_remove(struct slot_index *index, uint32_t slot, uint32_t hash);

#endif /* SLOT_INDEX_H */
