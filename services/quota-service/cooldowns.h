/*
 * cooldowns.h - keys that may not be granted again for a while ("once an hour per key").
 *
 * A cell is GCRA with a burst of one: the time from which the key is free again. The ledger
 * keeps every cell; here are those used lately. Free ones whose last change is committed may
 * be dropped, and are asked for again. Cells changed since cooldowns_begin are listed.
 *
 * No allocation after cooldowns_init. Not locked.
 */
#ifndef COOLDOWNS_H
#define COOLDOWNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "core/op_id.h"
#include "meters.h"
#include "slot_index.h"

#ifndef COOLDOWNS_TOUCHED_MAX     /* the simulator's is smaller */
#define COOLDOWNS_TOUCHED_MAX 256 /* in one batch */
#endif
#define COOLDOWN_KEY_MAX 128

struct cooldown {
    int64_t until_us; /* 0: free */
    struct op_id reservation_id;
    uint64_t batch; /* that carries its last change */
    uint32_t hash;
    uint8_t meter;
    uint8_t key_size;
    bool is_touched;
    char key[COOLDOWN_KEY_MAX];
};

struct cooldowns {
    struct cooldown *slots;
    uint32_t limit;
    uint32_t untouched; /* slots from here on were never used */
    uint32_t hand;      /* where the next free cell is looked for */
    struct slot_index index;
    uint32_t touched[COOLDOWNS_TOUCHED_MAX];
    uint32_t touched_count;
    uint64_t batch;
};

void cooldowns_init(struct cooldowns *cooldowns, uint32_t limit);
void cooldowns_done(struct cooldowns *cooldowns);
void cooldowns_clear(struct cooldowns *cooldowns);

/* NULL when it is not here: the ledger may know it. */
struct cooldown *cooldowns_find(struct cooldowns *cooldowns, uint32_t meter,
                                const char *key, size_t key_size);
/* Insert one that is not here (1 to COOLDOWN_KEY_MAX bytes). NULL: all others are needed. */
struct cooldown *cooldowns_add(struct cooldowns *cooldowns, uint32_t meter, const char *key,
                               size_t key_size, int64_t now_us, uint64_t committed);

void cooldowns_begin(struct cooldowns *cooldowns, uint64_t batch);
void cooldowns_touch(struct cooldowns *cooldowns, struct cooldown *cell);
size_t cooldowns_copy_touched(const struct cooldowns *cooldowns,
                              struct cooldown out[COOLDOWNS_TOUCHED_MAX]);

#endif /* COOLDOWNS_H */
