#include "json_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "answer_limit.h"
#include "core/mem.h"

#define VALUES_MAX  ((size_t)250000) /* a tree of some 20 MB */
#define DEPTH_MAX   64               /* jansson recurses */
#define COUNT_LIMIT 9.0e18
#define REAL_DIGITS 15 /* what a double gives back as it was written */

/*
 * One pass over the raw text: count what will become values and how deep they nest, and
 * defuse "\u0000" (same length, so in place). Knows strings and escapes, nothing else;
 * jansson judges the rest.
 */
static bool prepare(char *text, size_t size)
{
    size_t values = 0;
    size_t depth = 0;
    size_t deepest = 0;
    bool in_string = false;

    for (size_t i = 0; i < size; i++) {
        if (!in_string) {
            bool opens = text[i] == '[' || text[i] == '{';

            in_string = text[i] == '"';
            values += opens || text[i] == ',' || text[i] == ':';
            depth += opens;
            depth -= depth > 0 && (text[i] == ']' || text[i] == '}');
            deepest = depth > deepest ? depth : deepest;
        } else if (text[i] == '\\') {
            if (size - i > 5 && memcmp(text + i, "\\u0000", 6) == 0)
                memcpy(text + i, "\\ufffd", 6);
            i++;
        } else if (text[i] == '"') {
            in_string = false;
        }
    }
    return values <= VALUES_MAX && deepest <= DEPTH_MAX;
}

json_t *json_read_document(char *text, size_t size)
{
    json_t *root;

    if (size == 0 || !prepare(text, size))
        return NULL;
    root = json_loadb(text, size, 0, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

const json_t *json_read_object(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_object(value) ? value : NULL;
}

const json_t *json_read_array(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_array(value) ? value : NULL;
}

const char *json_read_text(const json_t *object, const char *key, struct arena *arena)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_string(value))
        return arena_strndup(arena, json_string_value(value), json_string_length(value));
    if (json_is_integer(value))
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return "";
}

/* The number a value is or spells. */
static bool number_of(double *out, const json_t *value)
{
    const char *text;
    char *end;

    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (!json_is_string(value))
        return false;
    text = json_string_value(value);
    if (strspn(text, "0123456789+-.eE") != strlen(text) || *text == '\0')
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

int64_t json_read_count(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    double number;

    if (json_is_integer(value))
        return json_integer_value(value) < 0 ? -1 : (int64_t)json_integer_value(value);
    if (!number_of(&number, value) || number < 0 || number > COUNT_LIMIT)
        return -1;
    return (int64_t)number;
}

int64_t json_read_scaled(const json_t *object, const char *key, int64_t scale)
{
    double number;

    if (!number_of(&number, json_object_get(object, key)))
        return -1;
    number *= (double)scale;
    return number < 0 || number > COUNT_LIMIT ? -1 : (int64_t)llround(number);
}

bool json_read_flag(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_string(value))
        return strcasecmp(json_string_value(value), "true") == 0 ||
               strcmp(json_string_value(value), "1") == 0;
    return json_is_true(value) ||
           (json_is_integer(value) && json_integer_value(value) == 1);
}

const char *json_read_compact(const json_t *value, struct arena *arena)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
    const char *copy = NULL;

    if (text != NULL && strlen(text) <= ANSWER_LIMIT_BYTES)
        copy = arena_strdup(arena, text);
    free(text);
    return copy;
}
