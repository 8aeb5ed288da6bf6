#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "search_rows.h"
#include "search_value.h"

static bool read_location(struct search_parse *parse, const char *name, const json_t *value)
{
    return search_read_weighted(parse, name, value, ID_NUMBER, 0.2,
                                &parse->filter->audience_locations);
}

static bool read_language(struct search_parse *parse, const char *name, const json_t *value)
{
    return search_read_weighted(parse, name, value, ID_LANGUAGE, 0.2,
                                &parse->filter->audience_languages);
}

static bool read_interests(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    return search_read_weighted(parse, name, value, ID_NUMBER, 0.3,
                                &parse->filter->audience_interests);
}

static bool read_ages(struct search_parse *parse, const char *name, const json_t *value)
{
    return search_read_weighted(parse, name, value, ID_AGE, 0.3,
                                &parse->filter->audience_ages);
}

static bool read_gender(struct search_parse *parse, const char *name, const json_t *value)
{
    static const char *const keys[] = {"id", "weight", NULL};
    static const char *const words[] = {"MALE", "FEMALE", NULL};
    const json_t *weight = json_object_get(value, "weight");
    int word;
    int64_t ppm = 500000;

    if (!search_check_object(parse, name, value, keys) ||
        !search_read_word(parse, name, json_object_get(value, "id"), words, &word) ||
        (weight != NULL && !search_read_ppm(parse, name, weight, 0, 1, &ppm))) {
        return false;
    }
    parse->filter->audience_gender = (enum gender_wanted)word;
    parse->filter->audience_gender_ppm = (uint32_t)ppm;
    return true;
}

/* The audience age row whose range starts or ends with these years; `value` is a string. */
static bool read_years(struct search_parse *parse, const char *name, const json_t *value,
                       bool is_end, uint32_t *row)
{
    const char *text;

    if (!search_read_text(parse, name, value, &text)) {
        return false;
    }
    for (uint32_t i = 0; i < CATALOG_AGES; i++) {
        const char *years = is_end ? catalog_ages[i] + 3 : catalog_ages[i];

        if (strlen(text) == 2 && strncmp(years, text, 2) == 0) {
            *row = i;
            return true;
        }
    }
    return search_refuse(parse, name, "must be one of the documented values");
}

static bool read_age_range(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    static const char *const keys[] = {"min", "max", "weight", NULL};
    const json_t *max = json_object_get(value, "max");
    const json_t *weight = json_object_get(value, "weight");
    uint32_t first;
    uint32_t last = CATALOG_AGES - 1;
    int64_t ppm = 300000;

    if (!search_check_object(parse, name, value, keys) ||
        !read_years(parse, name, json_object_get(value, "min"), false, &first) ||
        (max != NULL && !read_years(parse, name, max, true, &last)) ||
        (weight != NULL && !search_read_ppm(parse, name, weight, 0, 1, &ppm))) {
        return false;
    }
    if (first > last) {
        return search_refuse(parse, name, "has min above max");
    }
    parse->filter->audience_age_first = first;
    parse->filter->audience_age_last = last;
    parse->filter->audience_age_ppm = (uint32_t)ppm;
    return true;
}

static bool read_credibility(struct search_parse *parse, const char *name,
                             const json_t *value)
{
    int64_t ppm;

    if (!search_read_ppm(parse, name, value, 0, 1, &ppm)) {
        return false;
    }
    parse->filter->credibility_ppm = (uint32_t)ppm;
    return true;
}

/* clang-format off */
const struct search_row search_audience_rows[FILTER_KIND_COUNT] = {
    [FILTER_AUDIENCE_LOCATION]    = {"location", read_location, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_LANGUAGE]    = {"language", read_language, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_GENDER]      = {"gender", read_gender, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_AGE]         = {"age", read_ages, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_AGE_RANGE]   = {"ageRange", read_age_range, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_INTERESTS]   = {"interests", read_interests, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_CREDIBILITY] = {"credibility", read_credibility, ROW_EVERYWHERE},
};
/* clang-format on */
