/*
 * text.h - a growing piece of text, for response bodies.
 *
 * Invariant: `bytes` is NUL-terminated after the first append. Out of memory aborts.
 * Ownership: text_done frees; text_take hands the bytes to the caller, who frees them.
 */
#ifndef SIMULATOR_TEXT_H
#define SIMULATOR_TEXT_H

#include <stddef.h>

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

void text_append(struct text *text, const char *bytes);
void text_append_n(struct text *text, const char *bytes, size_t length);
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A JSON string with its quotes; `value` is valid UTF-8. */
void text_append_json(struct text *text, const char *value);

/* A comma unless the last byte opens an object or an array. */
void text_comma(struct text *text);

/* A fraction given in parts per million, as a JSON number with six decimals. */
void text_append_ppm(struct text *text, long ppm);

char *text_take(struct text *text);
void text_done(struct text *text);

/* malloc family that aborts with a line when memory is spent. */
void *must_alloc(size_t size);
void *must_grow(void *old, size_t size);

#endif
