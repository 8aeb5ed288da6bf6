/*
 * arena.h - memory that lives as long as one request, with a hard limit.
 *
 * Everything a peer can make us allocate comes from an arena, so its limit bounds that
 * peer. At the limit arena_alloc returns NULL, which callers turn into ST_INVALID or
 * ST_EXHAUSTED. Nothing is freed singly; reset keeps one block for the next request. The
 * memory held is at most a third above the limit, plus one block of 16 KiB.
 *
 * Threads: one owner at a time.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "core/base.h"

struct arena_block;

struct arena {
    struct arena_block *first;
    struct arena_block *current;
    size_t used_bytes;  /* handed out since the last reset, padding included */
    size_t limit_bytes; /* arena_alloc refuses to go past it */
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_done(struct arena *arena);  /* frees all; the arena may be init-ed again */
void arena_reset(struct arena *arena); /* forgets all, keeps one block */

/* 16-byte aligned, zeroed; NULL at the limit or on size overflow. */
void *arena_alloc(struct arena *arena, size_t size) MUST_USE;
void *arena_alloc_array(struct arena *arena, size_t count, size_t size) MUST_USE;
char *arena_strdup(struct arena *arena, const char *text) MUST_USE;
void *arena_memdup(struct arena *arena, const void *data, size_t size) MUST_USE;
/* Copy of `size` bytes with a NUL behind them. The three copies never take NULL text. */
char *arena_strndup(struct arena *arena, const char *data, size_t size) MUST_USE;
char *arena_printf(struct arena *arena, const char *format, ...) MUST_USE PRINTF_LIKE(2, 3);

#endif /* CORE_ARENA_H */
