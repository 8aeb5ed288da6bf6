/*
 * json_read.h - reads what providers send, tolerantly: every field may be missing, null, or
 * of a neighbouring type (numbers as strings, ids as numbers).
 *
 * Pure, but for the arena that text is copied to.
 */
#ifndef GATEWAY_JSON_READ_H
#define GATEWAY_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/*
 * Parse a document whose root is an object. NULL when it is no JSON, nests deeper than 64,
 * or has so many values that its tree would not be small. Escaped NULs (which neither C
 * text nor jsonb can hold) are changed to U+FFFD in place first. Owned: json_decref.
 */
json_t *json_read_document(char *text, size_t size);

const json_t *json_read_object(const json_t *object, const char *key); /* or NULL */
const json_t *json_read_array(const json_t *object, const char *key);  /* or NULL */
/* A string, or a number as text; "" when there is none, NULL when the arena is full. */
const char *json_read_text(const json_t *object, const char *key, struct arena *arena);
/* A number not below 0, fractions cut; -1 when there is none. */
int64_t json_read_count(const json_t *object, const char *key);
/* A number not below 0 times `scale`, rounded; -1 when there is none. */
int64_t json_read_scaled(const json_t *object, const char *key, int64_t scale);
/* true, "true", 1 and "1" are true; all else is false. */
bool json_read_flag(const json_t *object, const char *key);
/* Compact text of a value in the arena; NULL when the arena is full, or when the text is
 * too long to be passed on (answer_limit.h). */
const char *json_read_compact(const json_t *value, struct arena *arena);

#endif /* GATEWAY_JSON_READ_H */
