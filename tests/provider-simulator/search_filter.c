#include "search_filter.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "catalog.h"

static bool in_range(const struct search_range *range, uint64_t value)
{
    return value >= range->min && value <= range->max;
}

static bool in_list(const struct search_list *list, uint32_t id)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* Whether `text` holds `word` (of `length` bytes), letter case ignored. */
static bool holds_word(const char *text, const char *word, size_t length)
{
    size_t left = strlen(text);

    for (; left >= length; text++, left--) {
        if (tolower((unsigned char)*text) == tolower((unsigned char)*word) &&
            strncasecmp(text, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool holds_all_words(const char *text, const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, " \t,");

        if (length > 0 && !holds_word(text, words, length)) {
            return false;
        }
        words += length + (words[length] != '\0');
    }
    return true;
}

static bool has_topic(const struct creator *creator, int row)
{
    return creator->topics[0] == row || creator->topics[1] == row ||
           creator->topics[2] == row;
}

static bool has_brand(const struct creator *creator, int row)
{
    return creator->brands[0] == row || creator->brands[1] == row ||
           creator->brands[2] == row;
}

static uint32_t shared_topics(const struct creator *a, const struct creator *b)
{
    return (uint32_t)has_topic(a, b->topics[0]) + has_topic(a, b->topics[1]) +
           has_topic(a, b->topics[2]);
}

/* How many of the tags speak for this creator; a creator is always relevant to itself. */
static uint32_t score_tags(const struct search_tags *tags, const struct creator *creator)
{
    uint32_t score = 0;

    for (uint32_t i = 0; i < tags->count; i++) {
        const struct search_tag *tag = &tags->tags[i];

        if (tag->kind == TAG_TOPIC) {
            score += has_topic(creator, tag->row);
        } else if (tag->kind == TAG_BRAND) {
            score += has_brand(creator, tag->row);
        } else if (tag->kind == TAG_CREATOR) {
            score += shared_topics(creator, tag->creator);
        }
    }
    return score;
}

static bool is_named(const struct search_tags *tags, const struct creator *creator)
{
    for (uint32_t i = 0; i < tags->count; i++) {
        if (tags->tags[i].kind == TAG_CREATOR && tags->tags[i].creator == creator) {
            return true;
        }
    }
    return false;
}

static uint32_t audience_country_ppm(const struct creator *creator, uint32_t id)
{
    for (int i = 0; i < 3; i++) {
        if (catalog_countries[creator->audience_country[i]].id == id) {
            return creator->audience_country_pm[i] * 1000U;
        }
    }
    return catalog_cities[creator->city].id == id ? creator->audience_country_pm[0] * 300U
                                                  : 0;
}

static uint32_t audience_language_ppm(const struct creator *creator, uint32_t row)
{
    for (int i = 0; i < 2; i++) {
        if (creator->audience_language[i] == row) {
            return creator->audience_language_pm[i] * 1000U;
        }
    }
    return 0;
}

static uint32_t audience_age_ppm(const struct creator *creator, uint32_t row)
{
    return row < CATALOG_AGES ? creator->audience_age_pm[row] * 1000U : 0;
}

static uint32_t audience_interest_ppm(const struct creator *creator, uint32_t id)
{
    for (int i = 0; i < 3; i++) {
        if (catalog_interests[creator->audience_interest[i]].id == id) {
            return creator->audience_interest_pm[i] * 1000U;
        }
    }
    return 0;
}

static uint32_t audience_gender_ppm(const struct creator *creator,
                                    enum gender_wanted wanted)
{
    return wanted == WANT_FEMALE ? creator->audience_female_pm * 1000U
                                 : 1000000U - creator->audience_female_pm * 1000U;
}

static bool any_weight(const struct search_list *list, const struct creator *creator,
                       uint32_t (*weigh)(const struct creator *, uint32_t))
{
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t weight = weigh(creator, list->ids[i]);

        if (weight > 0 && weight >= list->weights_ppm[i]) {
            return true;
        }
    }
    return false;
}

static bool match_gender(enum gender_wanted wanted, uint8_t gender)
{
    switch (wanted) {
    case WANT_MALE:
        return gender == GENDER_MALE;
    case WANT_FEMALE:
        return gender == GENDER_FEMALE;
    case WANT_KNOWN:
        return gender != GENDER_UNKNOWN;
    case WANT_UNKNOWN:
        break;
    }
    return gender == GENDER_UNKNOWN;
}

static bool match_age(const struct search_filter *filter, const struct creator *creator)
{
    static const uint32_t lowest[] = {18, 25, 35, 45, 65};
    static const uint32_t next[] = {25, 35, 45, 65, UINT32_MAX};

    return creator->age != AGE_UNKNOWN && lowest[creator->age] >= filter->age_min &&
           next[creator->age] <= filter->age_max;
}

static bool match_contacts(const struct search_filter *filter,
                           const struct creator *creator)
{
    bool wished = false;
    bool granted = false;

    for (uint32_t i = 0; i < filter->contact_count; i++) {
        bool has = (creator->contacts & filter->contacts[i].bit) != 0;

        if (filter->contacts[i].action == CONTACT_SHOULD) {
            wished = true;
            granted = granted || has;
        } else if (has != (filter->contacts[i].action == CONTACT_MUST)) {
            return false;
        }
    }
    return granted || !wished;
}

static bool match_interests(const struct search_filter *filter,
                            const struct creator *creator)
{
    for (int i = 0; i < 3; i++) {
        uint8_t row = catalog_topics[creator->topics[i]].interest;

        if (in_list(&filter->interests, catalog_interests[row].id)) {
            return true;
        }
    }
    return false;
}

static bool match_brands(const struct search_filter *filter, const struct creator *creator)
{
    for (int i = 0; i < 3; i++) {
        if (in_list(&filter->brands, catalog_brands[creator->brands[i]].id)) {
            return true;
        }
    }
    return false;
}

static bool match_growth(const struct search_filter *filter, const struct creator *creator)
{
    int64_t growth = (int64_t)creator->monthly_growth_ppm * filter->growth_months;

    switch (filter->growth_operator) {
    case GROWTH_GTE:
        return growth >= filter->growth_ppm;
    case GROWTH_GT:
        return growth > filter->growth_ppm;
    case GROWTH_LT:
        return growth < filter->growth_ppm;
    case GROWTH_LTE:
        break;
    }
    return growth <= filter->growth_ppm;
}

static bool match_audience_age_range(const struct search_filter *filter,
                                     const struct creator *creator)
{
    uint32_t sum = 0;

    for (uint32_t row = filter->audience_age_first; row <= filter->audience_age_last;
         row++) {
        sum += audience_age_ppm(creator, row);
    }
    return sum >= filter->audience_age_ppm;
}

/* Whether tagged topics interest the audience: the interest behind the tag is one of its. */
static bool match_audience_relevance(const struct search_filter *filter,
                                     const struct creator *creator)
{
    for (uint32_t i = 0; i < filter->audience_relevance.count; i++) {
        const struct search_tag *tag = &filter->audience_relevance.tags[i];
        uint8_t row;

        if (tag->kind == TAG_TOPIC) {
            row = catalog_topics[tag->row].interest;
        } else if (tag->kind == TAG_CREATOR) {
            row = tag->creator->audience_interest[0];
        } else {
            continue;
        }
        if (audience_interest_ppm(creator, catalog_interests[row].id) > 0) {
            return true;
        }
    }
    return false;
}

static bool match_text(const char *words, const struct creator *creator,
                       void (*spell)(const struct creator *, char[CREATOR_BIO_SIZE]))
{
    char text[CREATOR_BIO_SIZE];

    spell(creator, text);
    return holds_all_words(text, words);
}

static bool match_location(const struct search_filter *filter,
                           const struct creator *creator)
{
    return in_list(&filter->locations, catalog_countries[creator->country].id) ||
           in_list(&filter->locations, catalog_cities[creator->city].id);
}

static bool match_audience(const struct search_filter *filter,
                           const struct creator *creator, enum filter_kind kind)
{
    switch (kind) {
    case FILTER_AUDIENCE_LOCATION:
        return any_weight(&filter->audience_locations, creator, audience_country_ppm);
    case FILTER_AUDIENCE_LANGUAGE:
        return any_weight(&filter->audience_languages, creator, audience_language_ppm);
    case FILTER_AUDIENCE_GENDER:
        return audience_gender_ppm(creator, filter->audience_gender) >=
               filter->audience_gender_ppm;
    case FILTER_AUDIENCE_AGE:
        return any_weight(&filter->audience_ages, creator, audience_age_ppm);
    case FILTER_AUDIENCE_AGE_RANGE:
        return match_audience_age_range(filter, creator);
    case FILTER_AUDIENCE_INTERESTS:
        return any_weight(&filter->audience_interests, creator, audience_interest_ppm);
    default:
        return creator->credibility_pm * 1000U >= filter->credibility_ppm;
    }
}

static bool match_kind(const struct search_filter *filter, const struct creator *creator,
                       enum filter_kind kind)
{
    switch (kind) {
    case FILTER_FOLLOWERS:
        return in_range(&filter->followers, creator->followers);
    case FILTER_ENGAGEMENT_RATE:
        return creator->engagement_rate_ppm >= filter->engagement_rate_ppm;
    case FILTER_ENGAGEMENTS:
        return in_range(&filter->engagements, creator->engagements);
    case FILTER_REELS_PLAYS:
    case FILTER_VIEWS:
        return in_range(&filter->views, creator->average_views);
    case FILTER_LOCATION:
        return match_location(filter, creator);
    case FILTER_LANGUAGE:
        return creator->language == filter->language;
    case FILTER_GENDER:
        return match_gender(filter->gender, creator->gender);
    case FILTER_AGE:
        return match_age(filter, creator);
    case FILTER_LAST_POSTED:
        return creator->last_posted_days <= filter->last_posted_days;
    case FILTER_IS_VERIFIED:
        return creator->is_verified == filter->is_verified;
    case FILTER_HAS_SPONSORED:
        return creator->has_sponsored_posts == filter->has_sponsored;
    case FILTER_HAS_YOUTUBE:
        return ((creator->contacts & CONTACT_YOUTUBE) != 0) == filter->has_youtube;
    case FILTER_HAS_CONTACTS:
        return match_contacts(filter, creator);
    case FILTER_ACCOUNT_TYPES:
        return in_list(&filter->account_types, creator->account_type);
    case FILTER_INTERESTS:
        return match_interests(filter, creator);
    case FILTER_BRANDS:
        return match_brands(filter, creator);
    case FILTER_GROWTH:
        return match_growth(filter, creator);
    case FILTER_RELEVANCE:
        return score_tags(&filter->relevance, creator) > 0;
    case FILTER_AUDIENCE_RELEVANCE:
        return match_audience_relevance(filter, creator);
    case FILTER_TEXT_TAGS:
        return score_tags(&filter->text_tags, creator) > 0;
    case FILTER_KEYWORDS:
        return match_text(filter->keywords, creator, creator_keywords);
    case FILTER_BIO:
        return match_text(filter->bio, creator, creator_bio);
    default:
        return match_audience(filter, creator, kind);
    }
}

bool search_filter_match(const struct search_filter *filter, const struct creator *creator)
{
    bool granted = filter->optional == 0;

    for (uint32_t kind = 0; kind < FILTER_KIND_COUNT; kind++) {
        uint32_t bit = UINT32_C(1) << kind;

        if ((filter->present & bit) == 0) {
            continue;
        }
        if (filter->optional & bit) {
            granted = granted || match_kind(filter, creator, (enum filter_kind)kind);
        } else if (match_kind(filter, creator, (enum filter_kind)kind) ==
                   ((filter->negated & bit) != 0)) {
            return false;
        }
    }
    return granted;
}

uint64_t search_round_followers(uint64_t followers)
{
    uint64_t step = followers < 5000 ? 1000 : 5000;

    return (followers + step / 2) / step * step;
}

uint64_t search_round_views(uint64_t views)
{
    return (views + 500) / 1000 * 1000;
}

int64_t search_sort_key(const struct search_request *request, const struct creator *creator)
{
    const struct search_filter *filter = &request->filter;
    uint32_t value = request->sort_value;

    switch (request->sort) {
    case SORT_ENGAGEMENTS:
        return creator->engagements;
    case SORT_ENGAGEMENT_RATE:
        return creator->engagement_rate_ppm;
    case SORT_RELEVANCE:
        return score_tags(&filter->relevance, creator);
    case SORT_AUDIENCE_RELEVANCE:
        return score_tags(&filter->audience_relevance, creator);
    case SORT_REELS_PLAYS:
        return creator->average_views;
    case SORT_AUDIENCE_GEO:
        return audience_country_ppm(creator,
                                    value != 0 ? value : filter->audience_locations.ids[0]);
    case SORT_AUDIENCE_LANG:
        return audience_language_ppm(creator, filter->audience_languages.ids[0]);
    case SORT_AUDIENCE_GENDER:
        return audience_gender_ppm(creator, filter->audience_gender);
    case SORT_AUDIENCE_AGE:
        return audience_age_ppm(creator, filter->audience_ages.ids[0]);
    case SORT_AUDIENCE_INTEREST:
        return audience_interest_ppm(
            creator, value != 0 ? value : filter->audience_interests.ids[0]);
    case SORT_FOLLOWERS_GROWTH:
        return creator->monthly_growth_ppm;
    default:
        return creator->followers;
    }
}

bool search_names_creator(const struct search_filter *filter, const struct creator *creator)
{
    return (filter->present & (UINT32_C(1) << FILTER_RELEVANCE)) != 0 &&
           is_named(&filter->relevance, creator);
}
