/*
 * map.h - an open-addressing hash table from byte keys to pointers.
 *
 * Keys are copied; values are borrowed. Hashed with SipHash-2-4 under a key that map_init
 * draws, so that a peer who chooses keys cannot choose collisions. The owner bounds the
 * count. Not locked.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;    /* keys held */
    size_t used;     /* slots not free: keys, and graves of removed ones */
    uint64_t hash_key[2];
};

void map_init(struct map *map);
void map_done(struct map *map); /* frees keys and slots, not values */

/* The value or NULL. */
void *map_get(const struct map *map, const void *key, size_t key_size);
/* Sets or replaces; returns the former value or NULL. `value` is not NULL. */
void *map_put(struct map *map, const void *key, size_t key_size, void *value);
/* Removes; returns the former value or NULL. */
void *map_remove(struct map *map, const void *key, size_t key_size);
/* Walk: start with *cursor = 0; false at the end. Meanwhile put no new key; removing is
 * allowed, and ends the life of the walked key's bytes. */
bool map_next(const struct map *map, size_t *cursor, const void **key, size_t *key_size,
              void **value);

#endif /* CORE_MAP_H */
