/*
 * buf.h - a growing byte buffer with a limit, always NUL-terminated behind its size.
 *
 * An append that would pass the limit is dropped whole and sets buf->overflowed, and from
 * then on every append is dropped until buf_clear: check once, at the end. Appended data
 * never lies in the buffer itself.
 *
 * Threads: one owner at a time.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"

struct buf {
    char *data; /* NULL until the first append */
    size_t size;
    size_t capacity;
    size_t limit; /* largest size, the NUL not counted */
    bool overflowed;
};

void buf_init(struct buf *buf, size_t limit);
void buf_done(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory */
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_append_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* JSON string body of `text`, without the quotes; bytes that are no UTF-8 become \ufffd. */
void buf_append_json_escaped(struct buf *buf, const char *text, size_t size);
const char *buf_text(const struct buf *buf); /* "" when empty */

#endif /* CORE_BUF_H */
