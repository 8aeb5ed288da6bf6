#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/escape.h"
#include "core/mem.h"

#define FIRST_CAPACITY ((size_t)256)

void buf_init(struct buf *buf, size_t limit)
{
    /* One byte less than SIZE_MAX at most: the NUL needs a place. */
    *buf = (struct buf){.limit = limit < SIZE_MAX ? limit : SIZE_MAX - 1};
}

void buf_done(struct buf *buf)
{
    mem_free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->overflowed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

/* Makes room for `size` more bytes and the NUL, or marks the overflow. */
static bool reserve(struct buf *buf, size_t size)
{
    size_t needed;
    size_t capacity = buf->capacity == 0 ? FIRST_CAPACITY : buf->capacity;

    if (buf->overflowed || size > buf->limit - buf->size) {
        buf->overflowed = true;
        return false;
    }
    needed = buf->size + size + 1;
    if (needed <= buf->capacity)
        return true;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity > buf->limit + 1)
        capacity = buf->limit + 1;
    buf->data = mem_realloc_array(buf->data, capacity, 1);
    buf->capacity = capacity;
    return true;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    if (!reserve(buf, size))
        return;
    if (size > 0)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buf->overflowed = true;
        return;
    }
    if (!reserve(buf, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(buf->data + buf->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buf->size += (size_t)length;
}

void buf_append_json_escaped(struct buf *buf, const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t run = escape_plain_run(text + at, size - at);
        struct escape_step step;

        buf_append(buf, text + at, run);
        at += run;
        if (at == size)
            return;
        step = escape_next(text + at, size - at);
        buf_append(buf, step.text, step.size);
        at += step.taken;
    }
}

const char *buf_text(const struct buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}
