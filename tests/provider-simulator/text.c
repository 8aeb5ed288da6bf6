#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must_grow(void *old, size_t size)
{
    void *grown = realloc(old, size == 0 ? 1 : size);

    if (grown == NULL) {
        fputs("provider-simulator: out of memory\n", stderr);
        abort();
    }
    return grown;
}

void *must_alloc(size_t size)
{
    void *block = must_grow(NULL, size);

    memset(block, 0, size);
    return block;
}

static void reserve(struct text *text, size_t more)
{
    size_t needed = text->length + more + 1;

    if (needed <= text->capacity) {
        return;
    }
    if (text->capacity == 0) {
        text->capacity = 256;
    }
    while (text->capacity < needed) {
        text->capacity *= 2;
    }
    text->bytes = must_grow(text->bytes, text->capacity);
}

void text_append_n(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_append(struct text *text, const char *bytes)
{
    text_append_n(text, bytes, strlen(bytes));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list first;
    va_list again;
    int length;

    reserve(text, 120);
    va_start(first, format);
    va_copy(again, first);
    length =
        vsnprintf(text->bytes + text->length, text->capacity - text->length, format, first);
    va_end(first);
    if (length > 0 && (size_t)length >= text->capacity - text->length) {
        reserve(text, (size_t)length);
        length = vsnprintf(text->bytes + text->length, text->capacity - text->length,
                           format, again);
    }
    va_end(again);
    if (length > 0) {
        text->length += (size_t)length;
    }
}

void text_append_json(struct text *text, const char *value)
{
    text_append_n(text, "\"", 1);
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;

        if (byte == '"' || byte == '\\') {
            text_append_n(text, "\\", 1);
            text_append_n(text, value, 1);
        } else if (byte < 0x20) {
            text_printf(text, "\\u%04x", byte);
        } else {
            text_append_n(text, value, 1);
        }
    }
    text_append_n(text, "\"", 1);
}

void text_comma(struct text *text)
{
    if (text->length > 0 && strchr("[{", text->bytes[text->length - 1]) == NULL) {
        text_append_n(text, ",", 1);
    }
}

void text_append_ppm(struct text *text, long ppm)
{
    long size = ppm < 0 ? -ppm : ppm;

    text_printf(text, "%s%ld.%06ld", ppm < 0 ? "-" : "", size / 1000000, size % 1000000);
}

char *text_take(struct text *text)
{
    char *bytes = text->bytes;

    *text = (struct text){0};
    return bytes;
}

void text_done(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
