#include "core/map.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/siphash.h"

#define FIRST_CAPACITY ((size_t)16)

/* Free (key NULL), grave (key NULL, is_grave) or taken. A grave keeps probe runs whole
 * after a removal; graves go when the table is rebuilt or empty. */
struct map_slot {
    unsigned char *key;
    size_t key_size;
    void *value;
    uint64_t hash;
    bool is_grave;
};

void map_init(struct map *map)
{
    *map = (struct map){.slots = NULL};
    rng_system_bytes(map->hash_key, sizeof(map->hash_key));
}

void map_done(struct map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        mem_free(map->slots[i].key);
    mem_free(map->slots);
    map->slots = NULL;
    map->capacity = 0;
    map->count = 0;
    map->used = 0;
}

static bool slot_holds(const struct map_slot *slot, uint64_t hash, const void *key,
                       size_t key_size)
{
    if (slot->key == NULL || slot->hash != hash || slot->key_size != key_size)
        return false;
    return key_size == 0 || memcmp(slot->key, key, key_size) == 0;
}

/* The slot that holds the key, or NULL. Ends because a quarter of the slots is free. */
static struct map_slot *find(const struct map *map, uint64_t hash, const void *key,
                             size_t key_size)
{
    if (map->capacity == 0)
        return NULL;
    for (size_t at = hash & (map->capacity - 1);; at = (at + 1) & (map->capacity - 1)) {
        struct map_slot *slot = &map->slots[at];

        if (slot_holds(slot, hash, key, key_size))
            return slot;
        if (slot->key == NULL && !slot->is_grave)
            return NULL;
    }
}

/* The first slot on the hash's way that is not taken. */
static struct map_slot *find_vacant(const struct map *map, uint64_t hash)
{
    size_t at = hash & (map->capacity - 1);

    while (map->slots[at].key != NULL)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

/* New slots without graves; twice as many when half are really taken. */
static void rebuild(struct map *map)
{
    struct map_slot *old = map->slots;
    size_t old_capacity = map->capacity;

    if (old_capacity == 0)
        map->capacity = FIRST_CAPACITY;
    else if (map->count >= old_capacity / 2)
        map->capacity = old_capacity * 2;
    map->slots = mem_alloc_array(map->capacity, sizeof(*map->slots));
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].key != NULL)
            *find_vacant(map, old[i].hash) = old[i];
    }
    map->used = map->count;
    mem_free(old);
}

void *map_get(const struct map *map, const void *key, size_t key_size)
{
    uint64_t hash = siphash_bytes(map->hash_key, key, key_size);
    const struct map_slot *slot = find(map, hash, key, key_size);

    return slot == NULL ? NULL : slot->value;
}

void *map_put(struct map *map, const void *key, size_t key_size, void *value)
{
    uint64_t hash = siphash_bytes(map->hash_key, key, key_size);
    struct map_slot *slot = find(map, hash, key, key_size);

    assert(value != NULL);
    if (slot != NULL) {
        void *former = slot->value;

        slot->value = value;
        return former;
    }
    if (map->used + 1 > map->capacity / 4 * 3)
        rebuild(map);
    slot = find_vacant(map, hash);
    if (!slot->is_grave)
        map->used++;
    *slot = (struct map_slot){
        .key = mem_realloc_array(NULL, key_size, 1),
        .key_size = key_size,
        .value = value,
        .hash = hash,
    };
    if (key_size > 0)
        memcpy(slot->key, key, key_size);
    map->count++;
    return NULL;
}

void *map_remove(struct map *map, const void *key, size_t key_size)
{
    uint64_t hash = siphash_bytes(map->hash_key, key, key_size);
    struct map_slot *slot = find(map, hash, key, key_size);
    void *former;

    if (slot == NULL)
        return NULL;
    former = slot->value;
    mem_free(slot->key);
    *slot = (struct map_slot){.is_grave = true};
    map->count--;
    if (map->count == 0 && map->used > map->capacity / 2) {
        memset(map->slots, 0, map->capacity * sizeof(*map->slots));
        map->used = 0;
    }
    return former;
}

bool map_next(const struct map *map, size_t *cursor, const void **key, size_t *key_size,
              void **value)
{
    while (*cursor < map->capacity) {
        const struct map_slot *slot = &map->slots[(*cursor)++];

        if (slot->key == NULL)
            continue;
        *key = slot->key;
        *key_size = slot->key_size;
        *value = slot->value;
        return true;
    }
    return false;
}
