#include "search_rows.h"

#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "search_value.h"

static bool read_followers(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    struct search_range *range = &parse->filter->followers;

    if (!search_read_range(parse, name, value, range)) {
        return false;
    }
    range->min = search_round_followers(range->min);
    if (range->max != UINT64_MAX) {
        range->max = search_round_followers(range->max);
    }
    return true;
}

static bool read_views(struct search_parse *parse, const char *name, const json_t *value)
{
    struct search_range *range = &parse->filter->views;

    if (!search_read_range(parse, name, value, range)) {
        return false;
    }
    range->min = search_round_views(range->min);
    if (range->max != UINT64_MAX) {
        range->max = search_round_views(range->max);
    }
    return true;
}

static bool read_engagements(struct search_parse *parse, const char *name,
                             const json_t *value)
{
    return search_read_range(parse, name, value, &parse->filter->engagements);
}

static bool read_engagement_rate(struct search_parse *parse, const char *name,
                                 const json_t *value)
{
    int64_t ppm;

    if (!search_read_ppm(parse, name, value, 0, 1000, &ppm)) {
        return false;
    }
    parse->filter->engagement_rate_ppm = (uint32_t)ppm;
    return true;
}

static bool read_locations(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    return search_read_ids(parse, name, value, UINT32_MAX, &parse->filter->locations);
}

static bool read_language(struct search_parse *parse, const char *name, const json_t *value)
{
    const char *code;

    if (!search_read_text(parse, name, value, &code)) {
        return false;
    }
    parse->filter->language = catalog_find_language(code);
    return true;
}

static bool read_gender(struct search_parse *parse, const char *name, const json_t *value)
{
    static const char *const words[] = {"MALE", "FEMALE", "KNOWN", "UNKNOWN", NULL};
    int word;

    if (!search_read_word(parse, name, value, words, &word)) {
        return false;
    }
    parse->filter->gender = (enum gender_wanted)word;
    return true;
}

static bool is_age_step(uint64_t years)
{
    return years == 18 || years == 25 || years == 35 || years == 45 || years == 65;
}

static bool read_age(struct search_parse *parse, const char *name, const json_t *value)
{
    struct search_range range;

    if (!search_read_range(parse, name, value, &range)) {
        return false;
    }
    if ((range.min != 0 && !is_age_step(range.min)) ||
        (range.max != UINT64_MAX && !is_age_step(range.max))) {
        return search_refuse(parse, name, "must use 18, 25, 35, 45 or 65");
    }
    parse->filter->age_min = (uint32_t)range.min;
    parse->filter->age_max = range.max == UINT64_MAX ? UINT32_MAX : (uint32_t)range.max;
    return true;
}

static bool read_last_posted(struct search_parse *parse, const char *name,
                             const json_t *value)
{
    uint64_t days;

    if (!search_read_integer(parse, name, value, 30, 10000, &days)) {
        return false;
    }
    parse->filter->last_posted_days = (uint32_t)days;
    return true;
}

static bool read_is_verified(struct search_parse *parse, const char *name,
                             const json_t *value)
{
    return search_read_bool(parse, name, value, &parse->filter->is_verified);
}

static bool read_has_sponsored(struct search_parse *parse, const char *name,
                               const json_t *value)
{
    return search_read_bool(parse, name, value, &parse->filter->has_sponsored);
}

static bool read_has_youtube(struct search_parse *parse, const char *name,
                             const json_t *value)
{
    return search_read_bool(parse, name, value, &parse->filter->has_youtube);
}

static bool read_contacts(struct search_parse *parse, const char *name, const json_t *value)
{
    static const char *const keys[] = {"contactType", "filterAction", NULL};
    static const char *const actions[] = {"must", "should", "not", NULL};
    size_t i;
    json_t *item;

    if (!search_check_array(parse, name, value)) {
        return false;
    }
    json_array_foreach(value, i, item) {
        const json_t *action = json_object_get(item, "filterAction");
        const char *type;
        int word = CONTACT_MUST;

        if (!search_check_object(parse, name, item, keys) ||
            !search_read_text(parse, name, json_object_get(item, "contactType"), &type) ||
            (action != NULL && !search_read_word(parse, name, action, actions, &word))) {
            return false;
        }
        parse->filter->contacts[i] = (struct search_contact){
            .bit = strcmp(type, "email") == 0     ? CONTACT_EMAIL
                   : strcmp(type, "phone") == 0   ? CONTACT_PHONE
                   : strcmp(type, "youtube") == 0 ? CONTACT_YOUTUBE
                                                  : 0,
            .action = word,
        };
    }
    parse->filter->contact_count = (uint32_t)json_array_size(value);
    return true;
}

static bool read_account_types(struct search_parse *parse, const char *name,
                               const json_t *value)
{
    struct search_list *list = &parse->filter->account_types;

    if (!search_read_ids(parse, name, value, 3, list)) {
        return false;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->ids[i] == 0) {
            return search_refuse(parse, name, "must use 1, 2 or 3");
        }
    }
    return true;
}

static bool read_interests(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    return search_read_ids(parse, name, value, UINT32_MAX, &parse->filter->interests);
}

static bool read_brands(struct search_parse *parse, const char *name, const json_t *value)
{
    return search_read_ids(parse, name, value, UINT32_MAX, &parse->filter->brands);
}

static bool read_growth(struct search_parse *parse, const char *name, const json_t *value)
{
    static const char *const keys[] = {"interval", "value", "operator", NULL};
    static const char *const intervals[] = {"i1month",  "i2months", "i3months", "i4months",
                                            "i5months", "i6months", NULL};
    static const char *const operators[] = {"gte", "gt", "lt", "lte", NULL};
    int interval;
    int operator;
    int64_t ppm;

    if (!search_check_object(parse, name, value, keys) ||
        !search_read_word(parse, name, json_object_get(value, "interval"), intervals,
                          &interval) ||
        !search_read_word(parse, name, json_object_get(value, "operator"), operators,
                          &operator) ||
        !search_read_ppm(parse, name, json_object_get(value, "value"), -1, 1000, &ppm)) {
        return false;
    }
    parse->filter->growth_months = (uint32_t)interval + 1;
    parse->filter->growth_operator = operator;
    parse->filter->growth_ppm = ppm;
    return true;
}

static struct search_tag find_tag(struct search_parse *parse, const char *text)
{
    struct search_tag tag = {.kind = TAG_UNKNOWN};

    if (text[0] == '@') {
        tag.creator = population_find(parse->population, parse->platform, text + 1);
        tag.kind = tag.creator == NULL ? TAG_UNKNOWN : TAG_CREATOR;
        return tag;
    }
    tag.row = catalog_find_topic(text + (text[0] == '#'));
    tag.kind = tag.row < 0 ? TAG_UNKNOWN : TAG_TOPIC;
    return tag;
}

static bool read_tags(struct search_parse *parse, const char *name, const json_t *value,
                      struct search_tags *tags)
{
    size_t i;
    json_t *item;

    if (!search_check_array(parse, name, value)) {
        return false;
    }
    json_array_foreach(value, i, item) {
        const char *text;

        if (!search_read_text(parse, name, item, &text)) {
            return false;
        }
        tags->tags[i] = find_tag(parse, text);
    }
    tags->count = (uint32_t)json_array_size(value);
    return true;
}

static bool read_relevance(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    return read_tags(parse, name, value, &parse->filter->relevance);
}

static bool read_audience_relevance(struct search_parse *parse, const char *name,
                                    const json_t *value)
{
    return read_tags(parse, name, value, &parse->filter->audience_relevance);
}

static struct search_tag find_mention(const char *slug)
{
    for (int row = 0; row < CATALOG_BRANDS; row++) {
        if (strcmp(catalog_brands[row].slug, slug) == 0) {
            return (struct search_tag){.kind = TAG_BRAND, .row = row};
        }
    }
    return (struct search_tag){.kind = TAG_UNKNOWN};
}

static bool read_text_tags(struct search_parse *parse, const char *name,
                           const json_t *value)
{
    static const char *const keys[] = {"type", "value", NULL};
    static const char *const types[] = {"hashtag", "mention", NULL};
    struct search_tags *tags = &parse->filter->text_tags;
    size_t i;
    json_t *item;

    if (!search_check_array(parse, name, value)) {
        return false;
    }
    json_array_foreach(value, i, item) {
        const char *text;
        int type;

        if (!search_check_object(parse, name, item, keys) ||
            !search_read_word(parse, name, json_object_get(item, "type"), types, &type) ||
            !search_read_text(parse, name, json_object_get(item, "value"), &text)) {
            return false;
        }
        tags->tags[i] = type == 0 ? find_tag(parse, text) : find_mention(text);
    }
    tags->count = (uint32_t)json_array_size(value);
    return true;
}

static bool read_text(struct search_parse *parse, const char *name, const json_t *value,
                      char out[SEARCH_TEXT_MAX])
{
    const char *text;

    if (!search_read_text(parse, name, value, &text)) {
        return false;
    }
    snprintf(out, SEARCH_TEXT_MAX, "%s", text);
    return true;
}

static bool read_keywords(struct search_parse *parse, const char *name, const json_t *value)
{
    return read_text(parse, name, value, parse->filter->keywords);
}

static bool read_bio(struct search_parse *parse, const char *name, const json_t *value)
{
    return read_text(parse, name, value, parse->filter->bio);
}

/* clang-format off */
const struct search_row search_influencer_rows[FILTER_KIND_COUNT] = {
    [FILTER_FOLLOWERS]          = {"followers", read_followers, ROW_EVERYWHERE},
    [FILTER_ENGAGEMENT_RATE]    = {"engagementRate", read_engagement_rate, ROW_EVERYWHERE},
    [FILTER_ENGAGEMENTS]        = {"engagements", read_engagements, ROW_EVERYWHERE},
    [FILTER_REELS_PLAYS]        = {"reelsPlays", read_views, ROW_INSTAGRAM},
    [FILTER_VIEWS]              = {"views", read_views, ROW_ELSEWHERE},
    [FILTER_LOCATION]           = {"location", read_locations, ROW_EVERYWHERE},
    [FILTER_LANGUAGE]           = {"language", read_language, ROW_EVERYWHERE},
    [FILTER_GENDER]             = {"gender", read_gender, ROW_EVERYWHERE},
    [FILTER_AGE]                = {"age", read_age, ROW_EVERYWHERE},
    [FILTER_LAST_POSTED]        = {"lastposted", read_last_posted, ROW_EVERYWHERE},
    [FILTER_IS_VERIFIED]        = {"isVerified", read_is_verified, ROW_EVERYWHERE},
    [FILTER_HAS_SPONSORED]      = {"hasSponsoredPosts", read_has_sponsored, ROW_EVERYWHERE},
    [FILTER_HAS_YOUTUBE]        = {"hasYouTube", read_has_youtube, ROW_EVERYWHERE},
    [FILTER_HAS_CONTACTS]       = {"hasContactDetails", read_contacts, ROW_EVERYWHERE},
    [FILTER_ACCOUNT_TYPES]      = {"accountTypes", read_account_types, ROW_EVERYWHERE},
    [FILTER_INTERESTS]          = {"interests", read_interests, ROW_EVERYWHERE},
    [FILTER_BRANDS]             = {"brands", read_brands, ROW_EVERYWHERE},
    [FILTER_GROWTH]             = {"followersGrowthRate", read_growth, ROW_EVERYWHERE},
    [FILTER_RELEVANCE]          = {"relevance", read_relevance, ROW_EVERYWHERE},
    [FILTER_AUDIENCE_RELEVANCE] = {"audienceRelevance", read_audience_relevance, ROW_EVERYWHERE},
    [FILTER_TEXT_TAGS]          = {"textTags", read_text_tags, ROW_EVERYWHERE},
    [FILTER_KEYWORDS]           = {"keywords", read_keywords, ROW_EVERYWHERE},
    [FILTER_BIO]                = {"bio", read_bio, ROW_EVERYWHERE},
};
/* clang-format on */
