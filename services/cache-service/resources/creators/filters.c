/*
 * filters.c - checks a caller's filters against the schema and writes the canonical form.
 *
 * The walk follows the schema, whose depth is fixed, never the input's.
 */
#include "resources/creators/filters.h"

#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/parse.h"
#include "resources/creators/filter_schema.h"

#define PATH_MAX_BYTES   96
#define SET_ELEMENTS_MAX 200
#define TEXT_BYTES_MAX   200
#define DECIMALS         1000000.0
#define NESTING_MAX      16

static enum status normalise(json_t **out, const struct filter_spec *spec,
                             const json_t *value, const char *path, struct error *err);

static void path_join(char out[PATH_MAX_BYTES], const char *path, const char *name)
{
    (void)snprintf(out, PATH_MAX_BYTES, "%s.%s", path, name);
}

static int64_t round_to(int64_t value, int64_t step)
{
    return (value + step / 2) / step * step;
}

static int64_t round_as_provider(int64_t value, enum filter_rounding rounding)
{
    switch (rounding) {
    case FILTER_FOLLOWERS:
        return round_to(value, value < 5000 ? 1000 : 5000);
    case FILTER_PLAYS:
        return round_to(value, 1000);
    case FILTER_EXACT:
        break;
    }
    return value;
}

static enum status normalise_integer(json_t **out, const struct filter_spec *spec,
                                     const json_t *value, const char *path,
                                     struct error *err)
{
    if (!json_is_number(value))
        return error_field(err, path, "must be a whole number");
    double number = json_number_value(value);
    if (!isfinite(number) || number < (double)spec->min || number > (double)spec->max)
        return error_field(err, path, "must be from %lld to %lld", (long long)spec->min,
                           (long long)spec->max);
    if (number != floor(number))
        return error_field(err, path, "must be a whole number");
    *out = json_integer(round_as_provider((int64_t)number, spec->rounding));
    return ST_OK;
}

/* Six decimals are more than the provider tells apart; 0.50 and 5e-1 become one number. */
static enum status normalise_fraction(json_t **out, const struct filter_spec *spec,
                                      const json_t *value, const char *path,
                                      struct error *err)
{
    if (!json_is_number(value))
        return error_field(err, path, "must be a number");
    double number = json_number_value(value);
    if (!isfinite(number) || number < (double)spec->min || number > (double)spec->max)
        return error_field(err, path, "must be from %lld to %lld", (long long)spec->min,
                           (long long)spec->max);
    double rounded = round(number * DECIMALS) / DECIMALS;
    *out =
        rounded == floor(rounded) ? json_integer((json_int_t)rounded) : json_real(rounded);
    return ST_OK;
}

static enum status normalise_text(json_t **out, const struct filter_spec *spec,
                                  const json_t *value, const char *path, struct error *err)
{
    if (!json_is_string(value))
        return error_field(err, path, "must be text");
    const char *text = json_string_value(value);
    if (spec->kind == FILTER_WORD) {
        for (size_t i = 0; spec->words[i] != NULL; i++) {
            if (strcmp(text, spec->words[i]) == 0) {
                *out = json_string(text);
                return ST_OK;
            }
        }
        return error_field(err, path, "'%.40s' is not one of its words, such as '%s'", text,
                           spec->words[0]);
    }
    size_t size = json_string_length(value);
    if (size == 0 || size > TEXT_BYTES_MAX)
        return error_field(err, path, "must have 1 to %d bytes", TEXT_BYTES_MAX);
    *out = json_stringn(text, size);
    return ST_OK;
}

static const struct filter_spec *find_member(const struct filter_spec *members,
                                             const char *name)
{
    for (; members->name != NULL; members++) {
        if (strcmp(members->name, name) == 0)
            return members;
    }
    return NULL;
}

static enum status refuse_unknown(const struct filter_spec *spec, const json_t *value,
                                  const char *path, struct error *err)
{
    char member_path[PATH_MAX_BYTES];
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)value, name, member) {
        if (find_member(spec->members, name) == NULL) {
            path_join(member_path, path, name);
            return error_field(err, member_path, "is not a known filter");
        }
    }
    return ST_OK;
}

static enum status normalise_member(json_t *object, const struct filter_spec *member,
                                    const json_t *value, const char *path,
                                    struct error *err)
{
    char member_path[PATH_MAX_BYTES];
    json_t *normal = NULL;

    path_join(member_path, path, member->name);
    if (value == NULL) {
        if (member->is_required)
            return error_field(err, member_path, "is missing");
        if (member->fallback != NULL)
            normal = json_loads(member->fallback, JSON_DECODE_ANY, NULL);
    } else {
        enum status st = normalise(&normal, member, value, member_path, err);
        if (st != ST_OK)
            return st;
    }
    if (normal != NULL)
        json_object_set_new(object, member->name, normal);
    return ST_OK;
}

/* As given: rounding could hide that it is upside down. */
static enum status check_range(const json_t *given, const char *path, struct error *err)
{
    const json_t *min = json_object_get(given, "min");
    const json_t *max = json_object_get(given, "max");

    if (min != NULL && max != NULL && json_number_value(min) > json_number_value(max))
        return error_field(err, path, "min must not exceed max");
    return ST_OK;
}

static enum status normalise_object(json_t **out, const struct filter_spec *spec,
                                    const json_t *value, const char *path,
                                    struct error *err)
{
    if (!json_is_object(value))
        return error_field(err, path, "must be an object");
    enum status st = refuse_unknown(spec, value, path, err);
    if (st != ST_OK)
        return st;

    json_t *object = json_object();
    for (const struct filter_spec *member = spec->members; member->name != NULL; member++) {
        st = normalise_member(object, member, json_object_get(value, member->name), path,
                              err);
        if (st != ST_OK)
            break;
    }
    if (st == ST_OK && spec->is_range)
        st = check_range(value, path, err);
    if (st != ST_OK || json_object_size(object) == 0) {
        json_decref(object); /* an empty filter filters nothing: leave it out */
        return st;
    }
    *out = object;
    return ST_OK;
}

static char *dump(const json_t *value)
{
    return json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY |
                                 JSON_REAL_PRECISION(9));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts by canonical text and drops repeats. */
static json_t *sorted_set(char **texts, size_t count)
{
    json_t *set = json_array();

    qsort(texts, count, sizeof(texts[0]), compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(texts[i], texts[i - 1]) != 0)
            json_array_append_new(set, json_loads(texts[i], JSON_DECODE_ANY, NULL));
    }
    return set;
}

static enum status normalise_set(json_t **out, const struct filter_spec *spec,
                                 const json_t *value, const char *path, struct error *err)
{
    char *texts[SET_ELEMENTS_MAX];
    char element_path[PATH_MAX_BYTES];
    size_t count = 0;
    enum status st = ST_OK;

    if (!json_is_array(value))
        return error_field(err, path, "must be a list");
    if (json_array_size(value) > SET_ELEMENTS_MAX)
        return error_field(err, path, "has more than %d elements", SET_ELEMENTS_MAX);
    for (size_t i = 0; i < json_array_size(value) && st == ST_OK; i++) {
        json_t *normal = NULL;

        (void)snprintf(element_path, sizeof(element_path), "%s[%zu]", path, i);
        st = normalise(&normal, spec->element, json_array_get(value, i), element_path, err);
        if (st == ST_OK && normal != NULL)
            texts[count++] = dump(normal);
        json_decref(normal);
    }
    if (st == ST_OK && count > 0)
        *out = sorted_set(texts, count);
    while (count > 0)
        free(texts[--count]);
    return st;
}

/* *out stays NULL when the value filters nothing. */
static enum status normalise(json_t **out, const struct filter_spec *spec,
                             const json_t *value, const char *path, struct error *err)
{
    switch (spec->kind) {
    case FILTER_BOOL:
        if (!json_is_boolean(value))
            return error_field(err, path, "must be true or false");
        *out = json_boolean(json_is_true(value));
        return ST_OK;
    case FILTER_INTEGER:
        return normalise_integer(out, spec, value, path, err);
    case FILTER_FRACTION:
        return normalise_fraction(out, spec, value, path, err);
    case FILTER_TEXT:
    case FILTER_WORD:
        return normalise_text(out, spec, value, path, err);
    case FILTER_OBJECT:
        return normalise_object(out, spec, value, path, err);
    case FILTER_SET:
        return normalise_set(out, spec, value, path, err);
    }
    return error_set(err, ST_INTERNAL, "filter '%s' has no kind", path);
}

static enum status canonical_text(const char **out, const struct filter_spec *spec,
                                  const char *text, struct arena *arena, struct error *err)
{
    json_error_t where;
    json_t *normal = NULL;

    if (text == NULL || text[0] == '\0')
        text = "{}";
    if (strlen(text) > FILTERS_TEXT_MAX)
        return error_field(err, spec->name, "is longer than %d bytes", FILTERS_TEXT_MAX);
    if (!parse_json_is_shallow(text, strlen(text), NESTING_MAX))
        return error_field(err, spec->name, "is nested more than %d deep", NESTING_MAX);
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    if (value == NULL)
        return error_field(err, spec->name, "is not JSON: %s, at byte %d", where.text,
                           where.position);
    enum status st = normalise(&normal, spec, value, spec->name, err);
    json_decref(value);
    if (st != ST_OK)
        return st;

    char *dumped = normal == NULL ? NULL : dump(normal);
    *out = arena_strdup(arena, dumped == NULL ? "{}" : dumped);
    free(dumped);
    json_decref(normal);
    if (*out == NULL)
        return error_out_of_arena(err);
    return ST_OK;
}

/* An audience age list and an age range exclude each other, by the provider's reference. */
static enum status check_ages(const char *filters, struct error *err)
{
    json_t *value = json_loads(filters, 0, NULL);
    const json_t *audience = json_object_get(value, "audience");
    bool both = json_object_get(audience, "age") != NULL &&
                json_object_get(audience, "ageRange") != NULL;

    json_decref(value);
    if (both)
        return error_field(err, "filters.audience.ageRange",
                           "cannot be combined with 'age'");
    return ST_OK;
}

enum status filters_canonicalise(struct filters_search *out, const char *platform,
                                 const char *filters_json, const char *sort_json,
                                 struct arena *arena, struct error *err)
{
    struct filters_search search = {0};
    crypto_hash_sha256_state state;

    enum status st =
        canonical_text(&search.filters, &FILTER_SCHEMA_FILTERS, filters_json, arena, err);
    if (st != ST_OK)
        return st;
    st = check_ages(search.filters, err);
    if (st != ST_OK)
        return st;
    st = canonical_text(&search.sort, &FILTER_SCHEMA_SORT, sort_json, arena, err);
    if (st != ST_OK)
        return st;

    /* The NULs between the parts keep them apart whatever they contain. */
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)platform, strlen(platform) + 1);
    crypto_hash_sha256_update(&state, (const uint8_t *)search.filters,
                              strlen(search.filters) + 1);
    crypto_hash_sha256_update(&state, (const uint8_t *)search.sort,
                              strlen(search.sort) + 1);
    crypto_hash_sha256_final(&state, search.hash);
    *out = search;
    return ST_OK;
}
