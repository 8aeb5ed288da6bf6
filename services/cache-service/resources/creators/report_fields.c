#include "resources/creators/report_fields.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "core/parse.h"

#define NESTING_MAX    64
#define TEXT_BYTES_MAX 100
#define PPM            1000000.0

static const char *text_at(const json_t *object, const char *name, struct arena *arena)
{
    const json_t *value = json_object_get(object, name);
    size_t size = json_string_length(value);

    if (size == 0 || size > TEXT_BYTES_MAX)
        return "";
    const char *text = arena_strdup(arena, json_string_value(value));
    return text == NULL ? "" : text;
}

static int64_t fraction_at_ppm(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_number(value))
        return -1;
    double number = json_number_value(value);
    return number >= 0 && number <= 1 ? llround(number * PPM) : -1;
}

static int64_t count_at(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) && json_integer_value(value) >= 0
               ? json_integer_value(value)
               : -1;
}

enum status report_fields_read(struct creator_report *out, const char *document,
                               struct arena *arena, struct error *err)
{
    size_t size = strlen(document);

    if (!parse_json_is_shallow(document, size, NESTING_MAX))
        return error_set(err, ST_INVALID, "the report is nested more than %d deep",
                         NESTING_MAX);
    json_t *report = json_loadb(document, size, 0, NULL);
    if (!json_is_object(report)) {
        json_decref(report);
        return error_set(err, ST_INVALID, "the report is no JSON object");
    }
    out->credibility_ppm =
        fraction_at_ppm(json_object_get(report, "audience"), "credibility");
    out->gender = text_at(report, "gender", arena);
    out->age_group = text_at(report, "ageGroup", arena);
    out->country = text_at(report, "country", arena);
    out->city = text_at(report, "city", arena);
    out->language = text_at(json_object_get(report, "language"), "code", arena);
    out->account_type = text_at(report, "accountType", arena);
    out->posts = count_at(report, "postsCount");
    json_decref(report);
    return ST_OK;
}
