/*
 * texts.h - short byte strings in chains of fixed blocks; no allocation after texts_init.
 *
 * Reservations keep their purposes here: they differ in length, and space for the longest
 * in every reservation would be eight times what is used. Not locked.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"

#define TEXTS_NONE       UINT32_MAX
#define TEXTS_BLOCK_DATA 28

struct texts_block {
    uint32_t next;
    uint8_t data[TEXTS_BLOCK_DATA];
};

struct texts {
    struct texts_block *blocks;
    uint32_t block_count;
    uint32_t untouched; /* blocks from here on were never used */
    uint32_t first_free;
    uint32_t free_count;
};

void texts_init(struct texts *texts, uint32_t block_count);
void texts_done(struct texts *texts);
void texts_clear(struct texts *texts);

/* False when there is no room; `size` may be 0. *out is freed with texts_remove. */
bool texts_add(struct texts *texts, const void *data, size_t size, uint32_t *out) MUST_USE;
/* Copy the first `size` bytes, as many as were added. */
void texts_read(const struct texts *texts, uint32_t text, void *out, size_t size);
void texts_remove(struct texts *texts, uint32_t text);

#endif /* TEXTS_H */
