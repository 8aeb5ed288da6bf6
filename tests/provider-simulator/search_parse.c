#include "search_parse.h"

#include <stdio.h>
#include <string.h>

#include "search_rows.h"
#include "search_value.h"

/*
 * body -> page, calculationMethod -> filter.influencer and filter.audience, a row of
 * search_rows.h for each key -> filterOperations and sort, once it is known what is present.
 */
struct sort_row {
    const char *name;
    uint32_t needs; /* one of these kinds must be present; 0 = no condition */
};

#define KIND(symbol) (UINT32_C(1) << FILTER_##symbol)

/* clang-format off */
static const struct sort_row sort_rows[SORT_COUNT] = {
    [SORT_FOLLOWERS]          = {"followers", 0},
    [SORT_ENGAGEMENTS]        = {"engagements", 0},
    [SORT_ENGAGEMENT_RATE]    = {"engagementRate", 0},
    [SORT_RELEVANCE]          = {"relevance", 0},
    [SORT_AUDIENCE_RELEVANCE] = {"audienceRelevance", 0},
    [SORT_REELS_PLAYS]        = {"reelsPlays", 0},
    [SORT_KEYWORDS]           = {"keywords", KIND(KEYWORDS)},
    [SORT_AUDIENCE_GEO]       = {"audienceGeo", KIND(AUDIENCE_LOCATION)},
    [SORT_AUDIENCE_LANG]      = {"audienceLang", KIND(AUDIENCE_LANGUAGE)},
    [SORT_AUDIENCE_GENDER]    = {"audienceGender", KIND(AUDIENCE_GENDER)},
    [SORT_AUDIENCE_AGE]       = {"audienceAge", KIND(AUDIENCE_AGE) | KIND(AUDIENCE_AGE_RANGE)},
    [SORT_AUDIENCE_INTEREST]  = {"audienceInterest", KIND(AUDIENCE_INTERESTS)},
    [SORT_FOLLOWERS_GROWTH]   = {"followersGrowth", KIND(GROWTH)},
};

static const char *const kind_names[] = {
#define X(symbol, name) name,
    FILTER_KINDS(X)
#undef X
    NULL,
};
/* clang-format on */

static const struct search_row *find_row(const struct search_row *rows, const char *key,
                                         enum platform platform)
{
    int where = platform == PLATFORM_INSTAGRAM ? ROW_INSTAGRAM : ROW_ELSEWHERE;

    for (int kind = 0; kind < FILTER_KIND_COUNT; kind++) {
        if (rows[kind].name != NULL && strcmp(rows[kind].name, key) == 0 &&
            (rows[kind].where & where) != 0) {
            return &rows[kind];
        }
    }
    return NULL;
}

/* Read one half of the filter; `skip` is a key that is not a row (NULL for none). */
static bool read_half(struct search_parse *parse, const char *half, json_t *object,
                      const struct search_row *rows, const char *skip)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object)) {
        return search_refuse(parse, half, "must be an object");
    }
    json_object_foreach(object, key, value) {
        const struct search_row *row = find_row(rows, key, parse->platform);
        char where[64];

        if (skip != NULL && strcmp(key, skip) == 0) {
            continue;
        }
        snprintf(where, sizeof where, "%s.%.40s", half, key);
        if (row == NULL) {
            return search_refuse(parse, where, "should not exist");
        }
        if (!row->read(parse, where, value)) {
            return false;
        }
        parse->filter->present |= UINT32_C(1) << (row - rows);
    }
    return true;
}

static uint32_t count_bits(uint32_t set)
{
    uint32_t count = 0;

    for (; set != 0; set &= set - 1) {
        count++;
    }
    return count;
}

static bool read_operations(struct search_parse *parse, const json_t *operations)
{
    static const char *const where = "filterOperations";
    static const char *const keys[] = {"operator", "filter", NULL};
    static const char *const operators[] = {"and", "or", "not", NULL};
    uint32_t named_or = 0;
    size_t i;
    json_t *item;

    if (!search_check_array(parse, where, operations)) {
        return false;
    }
    json_array_foreach(operations, i, item) {
        int operator;
        int kind;

        if (!search_check_object(parse, where, item, keys) ||
            !search_read_word(parse, where, json_object_get(item, "operator"), operators,
                              &operator) ||
            !search_read_word(parse, where, json_object_get(item, "filter"), kind_names,
                              &kind)) {
            return false;
        }
        if (operator== 1) {
            named_or |= UINT32_C(1) << kind;
        } else if (operator== 2) {
            parse->filter->negated |= UINT32_C(1) << kind;
        }
    }
    if (count_bits(named_or) == 1) {
        return search_refuse(parse, where, "or needs at least two filters");
    }
    parse->filter->optional = named_or & parse->filter->present;
    parse->filter->negated &= parse->filter->present;
    return true;
}

static bool read_filter(struct search_parse *parse, const json_t *filter)
{
    static const char *const keys[] = {"influencer", "audience", NULL};
    json_t *influencer = json_object_get(filter, "influencer");
    json_t *audience = json_object_get(filter, "audience");
    const json_t *operations = json_object_get(influencer, "filterOperations");

    if (!search_check_object(parse, "filter", filter, keys)) {
        return false;
    }
    if (influencer != NULL && !read_half(parse, "influencer", influencer,
                                         search_influencer_rows, "filterOperations")) {
        return false;
    }
    if (audience != NULL &&
        !read_half(parse, "audience", audience, search_audience_rows, NULL)) {
        return false;
    }
    if ((parse->filter->present & KIND(AUDIENCE_AGE)) != 0 &&
        (parse->filter->present & KIND(AUDIENCE_AGE_RANGE)) != 0) {
        return search_refuse(parse, "audience.ageRange", "cannot be combined with age");
    }
    return operations == NULL || read_operations(parse, operations);
}

static bool read_sort(struct search_parse *parse, const json_t *sort)
{
    static const char *const keys[] = {"field", "direction", "value", NULL};
    static const char *const directions[] = {"desc", "asc", NULL};
    const char *names[SORT_COUNT + 1] = {NULL};
    const json_t *direction = json_object_get(sort, "direction");
    const json_t *number = json_object_get(sort, "value");
    int field;
    int order = 0;
    uint64_t value = 0;

    for (int i = 0; i < SORT_COUNT; i++) {
        names[i] = sort_rows[i].name;
    }
    if (!search_check_object(parse, "sort", sort, keys) ||
        !search_read_word(parse, "sort.field", json_object_get(sort, "field"), names,
                          &field) ||
        (direction != NULL &&
         !search_read_word(parse, "sort.direction", direction, directions, &order)) ||
        (number != NULL &&
         !search_read_integer(parse, "sort.value", number, 0, UINT32_MAX, &value))) {
        return false;
    }
    if (sort_rows[field].needs != 0 &&
        (sort_rows[field].needs & parse->filter->present) == 0) {
        return search_refuse(parse, "sort.field", "needs the matching filter");
    }
    if (number != NULL && field != SORT_AUDIENCE_GEO && field != SORT_AUDIENCE_INTEREST) {
        return search_refuse(parse, "sort.value",
                             "is for audienceGeo and audienceInterest");
    }
    parse->request->sort = (enum search_sort)field;
    parse->request->ascending = order == 1;
    parse->request->sort_value = (uint32_t)value;
    return true;
}

static bool read_page(struct search_parse *parse, const json_t *value)
{
    uint64_t page;

    if (!search_read_integer(parse, "page", value, 0, UINT32_MAX, &page)) {
        return false;
    }
    if (page > SEARCH_PAGE_MAX) {
        parse->problem->code = "page_limit";
        snprintf(parse->problem->message, sizeof parse->problem->message,
                 "page must not be greater than %d", SEARCH_PAGE_MAX);
        return false;
    }
    parse->request->page = (uint32_t)page;
    return true;
}

bool search_parse(const json_t *body, const struct population *population,
                  enum platform platform, struct search_request *request,
                  struct search_problem *problem)
{
    static const char *const keys[] = {"page", "calculationMethod", "sort", "filter", NULL};
    static const char *const methods[] = {"median", "average", NULL};
    struct search_parse parse = {population, platform, request, &request->filter, problem};
    const json_t *page = json_object_get(body, "page");
    const json_t *method = json_object_get(body, "calculationMethod");
    const json_t *filter = json_object_get(body, "filter");
    const json_t *sort = json_object_get(body, "sort");
    int ignored;

    *request = (struct search_request){0};
    return search_check_object(&parse, "body", body, keys) &&
           (page == NULL || read_page(&parse, page)) &&
           (method == NULL ||
            search_read_word(&parse, "calculationMethod", method, methods, &ignored)) &&
           (filter == NULL || read_filter(&parse, filter)) &&
           (sort == NULL || read_sort(&parse, sort));
}
