#include "search_value.h"

#include <stdio.h>
#include <string.h>

#include "catalog.h"

bool search_refuse(struct search_parse *parse, const char *name, const char *what)
{
    parse->problem->code = "invalid_body_params";
    snprintf(parse->problem->message, sizeof parse->problem->message, "%.60s %.80s", name,
             what);
    return false;
}

bool search_read_integer(struct search_parse *parse, const char *name, const json_t *value,
                         uint64_t min, uint64_t max, uint64_t *out)
{
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value)) {
        return search_refuse(parse, name, "must be an integer number");
    }
    if (number < 0 || (uint64_t)number < min || (uint64_t)number > max) {
        return search_refuse(parse, name, "is out of range");
    }
    *out = (uint64_t)number;
    return true;
}

bool search_read_bool(struct search_parse *parse, const char *name, const json_t *value,
                      bool *out)
{
    if (!json_is_boolean(value)) {
        return search_refuse(parse, name, "must be a boolean value");
    }
    *out = json_is_true(value);
    return true;
}

/* Nearest, halves away from zero; without libm, which nothing else here needs. */
static int64_t to_ppm(double number)
{
    return (int64_t)(number * 1e6 + (number < 0 ? -0.5 : 0.5));
}

bool search_read_ppm(struct search_parse *parse, const char *name, const json_t *value,
                     double min, double max, int64_t *out)
{
    double number = json_number_value(value);

    if (!json_is_number(value)) {
        return search_refuse(parse, name, "must be a number");
    }
    if (!(number >= min && number <= max)) {
        return search_refuse(parse, name, "is out of range");
    }
    *out = to_ppm(number);
    return true;
}

bool search_read_text(struct search_parse *parse, const char *name, const json_t *value,
                      const char **out)
{
    if (!json_is_string(value)) {
        return search_refuse(parse, name, "must be a string");
    }
    if (json_string_length(value) == 0 || json_string_length(value) >= SEARCH_TEXT_MAX) {
        return search_refuse(parse, name, "must have 1 to 127 bytes");
    }
    *out = json_string_value(value);
    return true;
}

bool search_read_word(struct search_parse *parse, const char *name, const json_t *value,
                      const char *const *words, int *out)
{
    const char *text;

    if (!search_read_text(parse, name, value, &text)) {
        return false;
    }
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return search_refuse(parse, name, "must be one of the documented values");
}

bool search_check_array(struct search_parse *parse, const char *name, const json_t *value)
{
    if (!json_is_array(value)) {
        return search_refuse(parse, name, "must be an array");
    }
    if (json_array_size(value) == 0 || json_array_size(value) > SEARCH_LIST_MAX) {
        return search_refuse(parse, name, "must contain 1 to 64 values");
    }
    return true;
}

bool search_check_object(struct search_parse *parse, const char *name, const json_t *value,
                         const char *const *keys)
{
    const char *key;
    json_t *member;

    if (!json_is_object(value)) {
        return search_refuse(parse, name, "must be an object");
    }
    json_object_foreach((json_t *)value, key, member) {
        int i = 0;

        while (keys[i] != NULL && strcmp(keys[i], key) != 0) {
            i++;
        }
        if (keys[i] == NULL) {
            char where[64];

            snprintf(where, sizeof where, "%.20s: property %.24s", name, key);
            return search_refuse(parse, where, "should not exist");
        }
    }
    return true;
}

bool search_read_range(struct search_parse *parse, const char *name, const json_t *value,
                       struct search_range *out)
{
    static const char *const keys[] = {"min", "max", NULL};
    const json_t *min = json_object_get(value, "min");
    const json_t *max = json_object_get(value, "max");

    *out = (struct search_range){0, UINT64_MAX};
    if (!search_check_object(parse, name, value, keys)) {
        return false;
    }
    if (min == NULL && max == NULL) {
        return search_refuse(parse, name, "needs min or max");
    }
    if (min != NULL && !search_read_integer(parse, name, min, 0, UINT32_MAX, &out->min)) {
        return false;
    }
    if (max != NULL && !search_read_integer(parse, name, max, 0, UINT32_MAX, &out->max)) {
        return false;
    }
    return out->min <= out->max || search_refuse(parse, name, "has min above max");
}

bool search_read_ids(struct search_parse *parse, const char *name, const json_t *value,
                     uint64_t max, struct search_list *out)
{
    size_t i;
    json_t *item;

    if (!search_check_array(parse, name, value)) {
        return false;
    }
    json_array_foreach(value, i, item) {
        uint64_t id;

        if (!search_read_integer(parse, name, item, 0, max, &id)) {
            return false;
        }
        out->ids[i] = (uint32_t)id;
    }
    out->count = (uint32_t)json_array_size(value);
    return true;
}

static bool read_id(struct search_parse *parse, const char *name, const json_t *value,
                    enum search_id_kind kind, uint32_t *out)
{
    const char *text;
    uint64_t number;
    int row;

    if (kind == ID_NUMBER) {
        if (!search_read_integer(parse, name, value, 0, UINT32_MAX, &number)) {
            return false;
        }
        *out = (uint32_t)number;
        return true;
    }
    if (!search_read_text(parse, name, value, &text)) {
        return false;
    }
    row = kind == ID_LANGUAGE ? catalog_find_language(text) : catalog_find_age(text);
    if (row < 0 && kind == ID_AGE) {
        return search_refuse(parse, name, "must be one of the documented values");
    }
    *out = row < 0 ? UINT32_MAX : (uint32_t)row;
    return true;
}

bool search_read_weighted(struct search_parse *parse, const char *name, const json_t *value,
                          enum search_id_kind kind, double default_weight,
                          struct search_list *out)
{
    static const char *const keys[] = {"id", "weight", NULL};
    bool is_array = json_is_array(value);
    size_t count = is_array ? json_array_size(value) : 1;

    if (is_array && !search_check_array(parse, name, value)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = is_array ? json_array_get(value, i) : value;
        const json_t *weight = json_object_get(item, "weight");
        int64_t ppm = to_ppm(default_weight);

        if (!search_check_object(parse, name, item, keys) ||
            !read_id(parse, name, json_object_get(item, "id"), kind, &out->ids[i]) ||
            (weight != NULL && !search_read_ppm(parse, name, weight, 0, 1, &ppm))) {
            return false;
        }
        out->weights_ppm[i] = (uint32_t)ppm;
    }
    out->count = (uint32_t)count;
    return true;
}
