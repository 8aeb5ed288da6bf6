/*
 * mem.h - allocation that never returns NULL: out of memory ends the process with a line.
 *
 * Sizes a peer controls are bounded before they reach this file.
 */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

#include "core/base.h"

void *mem_alloc(size_t size) MUST_USE;                     /* zeroed */
void *mem_alloc_array(size_t count, size_t size) MUST_USE; /* zeroed; aborts on overflow */
/* As realloc: what is added is not zeroed, and neither is a fresh block (old = NULL). */
void *mem_realloc_array(void *old, size_t count, size_t size) MUST_USE;
char *mem_strdup(const char *text) MUST_USE;
char *mem_printf(const char *format, ...) MUST_USE PRINTF_LIKE(1, 2);
void mem_free(void *memory); /* accepts NULL */

/* Overwrite in a way the compiler keeps, then free: for secrets. Accepts NULL. */
void mem_free_secret(void *memory, size_t size);

#endif /* CORE_MEM_H */
