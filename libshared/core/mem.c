#include "core/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

static size_t array_bytes(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        log_abort("allocation size overflows", EOVERFLOW);
    /* Never 0, so that every allocation has an address of its own. */
    return count * size == 0 ? 1 : count * size;
}

void *mem_alloc(size_t size)
{
    return mem_alloc_array(1, size);
}

void *mem_alloc_array(size_t count, size_t size)
{
    void *memory = calloc(1, array_bytes(count, size));

    if (memory == NULL)
        log_abort("out of memory", ENOMEM);
    return memory;
}

void *mem_realloc_array(void *old, size_t count, size_t size)
{
    void *memory = realloc(old, array_bytes(count, size));

    if (memory == NULL)
        log_abort("out of memory", ENOMEM);
    return memory;
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_realloc_array(NULL, size, 1);

    memcpy(copy, text, size);
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list arguments;
    char *text;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        log_abort("formatting failed", errno);
    text = mem_alloc((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void mem_free(void *memory)
{
    free(memory);
}

void mem_free_secret(void *memory, size_t size)
{
    if (memory != NULL)
        explicit_bzero(memory, size);
    free(memory);
}
