#include "core/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

#define ALIGNMENT   ((size_t)16)
#define BLOCK_BYTES ((size_t)16384)

/* Small allocations fill blocks of BLOCK_BYTES in turn; one above a quarter of that gets
 * a block of its own, so that no more than a quarter of a block is ever left unused. */
struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t capacity;
    alignas(16) unsigned char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

/* Frees every block but `kept`, which may be NULL. */
static void free_blocks(struct arena *arena, struct arena_block *kept)
{
    struct arena_block *block = arena->first;

    while (block != NULL) {
        struct arena_block *next = block->next;

        if (block != kept)
            mem_free(block);
        block = next;
    }
    arena->first = kept;
    arena->current = kept;
    arena->used_bytes = 0;
}

void arena_done(struct arena *arena)
{
    free_blocks(arena, NULL);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->current;

    free_blocks(arena, kept);
    if (kept != NULL) {
        kept->used = 0;
        kept->next = NULL;
    }
}

static struct arena_block *add_block(struct arena *arena, size_t capacity)
{
    struct arena_block *block =
        mem_realloc_array(NULL, 1, sizeof(struct arena_block) + capacity);

    block->used = 0;
    block->capacity = capacity;
    block->next = arena->first;
    arena->first = block;
    return block;
}

static struct arena_block *block_with_room(struct arena *arena, size_t size)
{
    size_t capacity = arena->limit_bytes < BLOCK_BYTES ? arena->limit_bytes : BLOCK_BYTES;

    if (arena->current != NULL && arena->current->capacity - arena->current->used >= size)
        return arena->current;
    if (size > capacity / 4)
        return add_block(arena, size);
    arena->current = add_block(arena, capacity);
    return arena->current;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block;
    size_t padded;
    void *memory;

    if (size > SIZE_MAX / 2)
        return NULL;
    padded = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (padded > arena->limit_bytes - arena->used_bytes)
        return NULL;
    block = block_with_room(arena, padded);
    memory = block->data + block->used;
    block->used += padded;
    arena->used_bytes += padded;
    return memset(memory, 0, padded);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(arena, count * size);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_memdup(arena, text, strlen(text) + 1);
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);

    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *arena_strndup(struct arena *arena, const char *data, size_t size)
{
    char *copy = size == SIZE_MAX ? NULL : arena_alloc(arena, size + 1);

    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return NULL;
    text = arena_alloc(arena, (size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
