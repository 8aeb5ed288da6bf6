#include "reservations.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"

#define NONE UINT32_MAX
/* 112 bytes of purpose each, four times what real ones take; the pool is shared. */
#define TEXT_BLOCKS_PER_SLOT 4

void reservations_init(struct reservations *pool, uint32_t held_limit,
                       uint32_t closed_limit)
{
    assert(held_limit > 0 && closed_limit > 0);
    pool->slot_count = held_limit + closed_limit;
    pool->held_limit = held_limit;
    pool->closed_limit = closed_limit;
    pool->slots = mem_alloc_array(pool->slot_count, sizeof(*pool->slots));
    pool->heap = mem_alloc_array(held_limit, sizeof(*pool->heap));
    pool->closed = mem_alloc_array(closed_limit, sizeof(*pool->closed));
    id_index_init(&pool->index, pool->slots, sizeof(*pool->slots), pool->slot_count);
    texts_init(&pool->texts, TEXT_BLOCKS_PER_SLOT * pool->slot_count);
    reservations_clear(pool);
}

void reservations_done(struct reservations *pool)
{
    texts_done(&pool->texts);
    id_index_done(&pool->index);
    mem_free(pool->closed);
    mem_free(pool->heap);
    mem_free(pool->slots);
}

void reservations_clear(struct reservations *pool)
{
    pool->untouched = 0;
    pool->first_free = NONE;
    pool->held_count = 0;
    pool->closed_head = 0;
    pool->closed_count = 0;
    pool->closed_total = 0;
    id_index_clear(&pool->index);
    texts_clear(&pool->texts);
}

/* ---- the heap of deadlines ------------------------------------------------------------- */

static bool is_earlier(const struct reservations *pool, uint32_t a, uint32_t b)
{
    const struct reservation *left = &pool->slots[a];
    const struct reservation *right = &pool->slots[b];

    if (left->expires_at_us != right->expires_at_us)
        return left->expires_at_us < right->expires_at_us;
    return op_id_compare(&left->id, &right->id) < 0;
}

static void heap_place(struct reservations *pool, uint32_t at, uint32_t slot)
{
    pool->heap[at] = slot;
    pool->slots[slot].heap_at = at;
}

static void heap_rise(struct reservations *pool, uint32_t at)
{
    uint32_t slot = pool->heap[at];

    while (at > 0 && is_earlier(pool, slot, pool->heap[(at - 1) / 2])) {
        heap_place(pool, at, pool->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(pool, at, slot);
}

static void heap_sink(struct reservations *pool, uint32_t at)
{
    uint32_t slot = pool->heap[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < pool->held_count &&
            is_earlier(pool, pool->heap[child + 1], pool->heap[child]))
            child++;
        if (child >= pool->held_count || !is_earlier(pool, pool->heap[child], slot))
            break;
        heap_place(pool, at, pool->heap[child]);
        at = child;
    }
    heap_place(pool, at, slot);
}

static void heap_add(struct reservations *pool, uint32_t slot)
{
    heap_place(pool, pool->held_count++, slot);
    heap_rise(pool, pool->held_count - 1);
}

static void heap_remove(struct reservations *pool, uint32_t at)
{
    uint32_t last = pool->heap[--pool->held_count];

    if (at == pool->held_count)
        return;
    heap_place(pool, at, last);
    heap_rise(pool, at);
    heap_sink(pool, pool->slots[last].heap_at);
}

struct reservation *reservations_first_due(const struct reservations *pool)
{
    return pool->held_count > 0 ? &pool->slots[pool->heap[0]] : NULL;
}

/* ---- the pool -------------------------------------------------------------------------- */

static uint32_t slot_of(const struct reservations *pool, const struct reservation *it)
{
    return (uint32_t)(it - pool->slots);
}

struct reservation *reservations_find(const struct reservations *pool,
                                      const struct op_id *id)
{
    uint32_t slot = id_index_find(&pool->index, id);

    return slot != ID_INDEX_NONE ? &pool->slots[slot] : NULL;
}

static void forget(struct reservations *pool, uint32_t slot)
{
    struct reservation *it = &pool->slots[slot];

    id_index_remove(&pool->index, slot);
    texts_remove(&pool->texts, it->text);
    it->state = RESERVATION_FREE;
    it->next_free = pool->first_free;
    pool->first_free = slot;
}

static void forget_oldest_closed(struct reservations *pool)
{
    forget(pool, pool->closed[pool->closed_head]);
    pool->closed_head = (pool->closed_head + 1) % pool->closed_limit;
    pool->closed_count--;
}

static void remember_closed(struct reservations *pool, uint32_t slot)
{
    if (pool->closed_count == pool->closed_limit)
        forget_oldest_closed(pool);
    pool->closed[(pool->closed_head + pool->closed_count) % pool->closed_limit] = slot;
    pool->closed_count++;
    pool->closed_total++;
}

/* There is one: held ones and closed ones are limited apart, and the pool is their sum. */
static uint32_t take_slot(struct reservations *pool)
{
    uint32_t slot = pool->first_free;

    if (slot != NONE) {
        pool->first_free = pool->slots[slot].next_free;
        return slot;
    }
    assert(pool->untouched < pool->slot_count);
    return pool->untouched++;
}

struct reservation *reservations_add(struct reservations *pool,
                                     const struct reservation *from,
                                     const struct purpose *purpose)
{
    uint32_t text;
    uint32_t slot;
    struct reservation *it;

    if (pool->held_count == pool->held_limit)
        return NULL;
    if (!texts_add(&pool->texts, purpose->bytes, purpose->size, &text))
        return NULL;
    slot = take_slot(pool);
    it = &pool->slots[slot];
    *it = *from;
    it->text = text;
    it->text_size = purpose->size;
    it->state = RESERVATION_HELD;
    id_index_add(&pool->index, slot);
    heap_add(pool, slot);
    return it;
}

void reservations_enter(struct reservations *pool, struct reservation *reservation,
                        enum reservation_state state)
{
    if (state == RESERVATION_CORRECTED) {
        assert(reservation->state == RESERVATION_LAPSED ||
               reservation->state == RESERVATION_UNKNOWN);
    } else {
        assert(reservation->state == RESERVATION_HELD && state > RESERVATION_HELD);
        heap_remove(pool, reservation->heap_at);
        remember_closed(pool, slot_of(pool, reservation));
    }
    reservation->state = (uint8_t)state;
}

void reservations_purpose(const struct reservations *pool,
                          const struct reservation *reservation, struct purpose *out)
{
    out->size = reservation->text_size;
    texts_read(&pool->texts, reservation->text, out->bytes, reservation->text_size);
}
