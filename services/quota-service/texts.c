#include "texts.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"

void texts_init(struct texts *texts, uint32_t block_count)
{
    texts->blocks = mem_alloc_array(block_count, sizeof(*texts->blocks));
    texts->block_count = block_count;
    texts_clear(texts);
}

void texts_done(struct texts *texts)
{
    mem_free(texts->blocks);
}

void texts_clear(struct texts *texts)
{
    texts->untouched = 0;
    texts->first_free = TEXTS_NONE;
    texts->free_count = texts->block_count;
}

static uint32_t take_block(struct texts *texts)
{
    uint32_t block = texts->first_free;

    if (block == TEXTS_NONE)
        block = texts->untouched++;
    else
        texts->first_free = texts->blocks[block].next;
    texts->free_count--;
    return block;
}

bool texts_add(struct texts *texts, const void *data, size_t size, uint32_t *out)
{
    size_t needed = (size + TEXTS_BLOCK_DATA - 1) / TEXTS_BLOCK_DATA;
    size_t done = 0;
    uint32_t *link = out;

    if (needed > texts->free_count)
        return false;
    while (done < size) {
        uint32_t block = take_block(texts);
        size_t part = size - done < TEXTS_BLOCK_DATA ? size - done : TEXTS_BLOCK_DATA;

        memcpy(texts->blocks[block].data, (const uint8_t *)data + done, part);
        *link = block;
        link = &texts->blocks[block].next;
        done += part;
    }
    *link = TEXTS_NONE;
    return true;
}

void texts_read(const struct texts *texts, uint32_t text, void *out, size_t size)
{
    size_t done = 0;

    while (done < size) {
        size_t part = size - done < TEXTS_BLOCK_DATA ? size - done : TEXTS_BLOCK_DATA;

        assert(text != TEXTS_NONE);
        memcpy((uint8_t *)out + done, texts->blocks[text].data, part);
        text = texts->blocks[text].next;
        done += part;
    }
}

void texts_remove(struct texts *texts, uint32_t text)
{
    while (text != TEXTS_NONE) {
        uint32_t next = texts->blocks[text].next;

        texts->blocks[text].next = texts->first_free;
        texts->first_free = text;
        texts->free_count++;
        text = next;
    }
}
