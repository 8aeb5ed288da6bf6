#include "cooldowns.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "core/siphash.h"

static const uint64_t HASH_KEY[2] = {0x636f6f6c646f77, 0x6d657465726361};

static uint32_t hash_key(uint32_t meter, const char *key, size_t size)
{
    return (uint32_t)((siphash_bytes(HASH_KEY, key, size) + meter) * 0x9e3779b97f4a7c15u >>
                      32);
}

void cooldowns_init(struct cooldowns *cooldowns, uint32_t limit)
{
    assert(limit > COOLDOWNS_TOUCHED_MAX && limit < (1u << 28));
    cooldowns->limit = limit;
    cooldowns->slots = mem_alloc_array(limit, sizeof(*cooldowns->slots));
    slot_index_init(&cooldowns->index, limit);
    cooldowns_clear(cooldowns);
}

void cooldowns_done(struct cooldowns *cooldowns)
{
    slot_index_done(&cooldowns->index);
    mem_free(cooldowns->slots);
}

void cooldowns_clear(struct cooldowns *cooldowns)
{
    slot_index_clear(&cooldowns->index);
    cooldowns->untouched = 0;
    cooldowns->hand = 0;
    cooldowns->touched_count = 0;
    cooldowns->batch = 0;
}

struct cooldown *cooldowns_find(struct cooldowns *cooldowns, uint32_t meter,
                                const char *key, size_t key_size)
{
    uint32_t hash = hash_key(meter, key, key_size);
    uint32_t at;

    for (uint32_t slot = slot_index_first(&cooldowns->index, hash, &at);
         slot != SLOT_INDEX_NONE; slot = slot_index_next(&cooldowns->index, hash, &at)) {
        struct cooldown *cell = &cooldowns->slots[slot];

        if (cell->meter == meter && cell->key_size == key_size &&
            memcmp(cell->key, key, key_size) == 0)
            return cell;
    }
    return NULL;
}

/* One never used, or whose cell is free and can be asked for again. */
static struct cooldown *take_slot(struct cooldowns *cooldowns, int64_t now_us,
                                  uint64_t committed)
{
    if (cooldowns->untouched < cooldowns->limit)
        return &cooldowns->slots[cooldowns->untouched++];
    for (uint32_t steps = 0; steps < cooldowns->limit; steps++) {
        uint32_t slot = cooldowns->hand;
        struct cooldown *cell = &cooldowns->slots[slot];

        cooldowns->hand = (slot + 1) % cooldowns->limit;
        if (cell->until_us > now_us || cell->is_touched || cell->batch > committed)
            continue;
        slot_index_remove(&cooldowns->index, slot, cell->hash);
        return cell;
    }
    return NULL;
}

struct cooldown *cooldowns_add(struct cooldowns *cooldowns, uint32_t meter, const char *key,
                               size_t key_size, int64_t now_us, uint64_t committed)
{
    struct cooldown *cell = take_slot(cooldowns, now_us, committed);

    assert(key_size > 0 && key_size <= COOLDOWN_KEY_MAX);
    if (cell == NULL)
        return NULL;
    *cell = (struct cooldown){.hash = hash_key(meter, key, key_size),
                              .meter = (uint8_t)meter,
                              .key_size = (uint8_t)key_size};
    memcpy(cell->key, key, key_size);
    slot_index_add(&cooldowns->index, (uint32_t)(cell - cooldowns->slots), cell->hash);
    return cell;
}

void cooldowns_begin(struct cooldowns *cooldowns, uint64_t batch)
{
    for (uint32_t i = 0; i < cooldowns->touched_count; i++)
        cooldowns->slots[cooldowns->touched[i]].is_touched = false;
    cooldowns->touched_count = 0;
    cooldowns->batch = batch;
}

void cooldowns_touch(struct cooldowns *cooldowns, struct cooldown *cell)
{
    cell->batch = cooldowns->batch;
    if (cell->is_touched)
        return;
    assert(cooldowns->touched_count < COOLDOWNS_TOUCHED_MAX);
    cell->is_touched = true;
    cooldowns->touched[cooldowns->touched_count++] = (uint32_t)(cell - cooldowns->slots);
}

size_t cooldowns_copy_touched(const struct cooldowns *cooldowns,
                              struct cooldown out[COOLDOWNS_TOUCHED_MAX])
{
    for (uint32_t i = 0; i < cooldowns->touched_count; i++)
        out[i] = cooldowns->slots[cooldowns->touched[i]];
    return cooldowns->touched_count;
}
