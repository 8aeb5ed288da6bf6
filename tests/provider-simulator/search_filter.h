/*
 * search_filter.h - which creators a search means, in what order, cut into pages.
 *
 * Pure. A filter is a set of tests, one for each key the provider documents; all present
 * tests must hold, unless filterOperations turned one round ("not") or made it one of
 * several alternatives ("or"). Fractions are held in parts per million, so that no
 * comparison depends on floating point.
 *
 * search_parse.h makes a request from a JSON body.
 */
#ifndef SIMULATOR_SEARCH_FILTER_H
#define SIMULATOR_SEARCH_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "population.h"

/* Name in the body; the dear ones (they spell texts) stand last, so that they run last. */
#define FILTER_KINDS(X)                             \
    X(FOLLOWERS, "followers")                       \
    X(ENGAGEMENT_RATE, "engagementRate")            \
    X(ENGAGEMENTS, "engagements")                   \
    X(REELS_PLAYS, "reelsPlays")                    \
    X(VIEWS, "views")                               \
    X(LOCATION, "location")                         \
    X(LANGUAGE, "language")                         \
    X(GENDER, "gender")                             \
    X(AGE, "age")                                   \
    X(LAST_POSTED, "lastposted")                    \
    X(IS_VERIFIED, "isVerified")                    \
    X(HAS_SPONSORED, "hasSponsoredPosts")           \
    X(HAS_YOUTUBE, "hasYouTube")                    \
    X(HAS_CONTACTS, "hasContactDetails")            \
    X(ACCOUNT_TYPES, "accountTypes")                \
    X(INTERESTS, "interests")                       \
    X(BRANDS, "brands")                             \
    X(GROWTH, "followersGrowthRate")                \
    X(RELEVANCE, "relevance")                       \
    X(AUDIENCE_RELEVANCE, "audienceRelevance")      \
    X(TEXT_TAGS, "textTags")                        \
    X(AUDIENCE_LOCATION, "audience.location")       \
    X(AUDIENCE_LANGUAGE, "audience.language")       \
    X(AUDIENCE_GENDER, "audience.gender")           \
    X(AUDIENCE_AGE, "audience.age")                 \
    X(AUDIENCE_AGE_RANGE, "audience.ageRange")      \
    X(AUDIENCE_INTERESTS, "audience.interests")     \
    X(AUDIENCE_CREDIBILITY, "audience.credibility") \
    X(KEYWORDS, "keywords")                         \
    X(BIO, "bio")

enum filter_kind {
#define X(symbol, name) FILTER_##symbol,
    FILTER_KINDS(X)
#undef X
        FILTER_KIND_COUNT,
};

enum {
    SEARCH_PAGE_SIZE = 15,
    SEARCH_PAGE_MAX = 665,
    SEARCH_LIST_MAX = 64,  /* values in one list */
    SEARCH_TEXT_MAX = 128, /* bytes of one text, NUL included */
};

struct search_range {
    uint64_t min;
    uint64_t max; /* UINT64_MAX when open */
};

/* A list of ids, each with the weight the audience must have at least (audience.* only). */
struct search_list {
    uint32_t count;
    uint32_t ids[SEARCH_LIST_MAX];
    uint32_t weights_ppm[SEARCH_LIST_MAX];
};

struct search_contact {
    uint8_t bit; /* enum contact; 0 for a kind no creator has */
    enum { CONTACT_MUST, CONTACT_SHOULD, CONTACT_NOT } action;
};

/* What relevance and textTags name: topics, creators (for "@handle"), brands (mentions). */
struct search_tags {
    uint32_t count;
    struct search_tag {
        enum { TAG_TOPIC, TAG_CREATOR, TAG_BRAND, TAG_UNKNOWN } kind;
        int row;                       /* of the catalog */
        const struct creator *creator; /* borrowed from the population */
    } tags[SEARCH_LIST_MAX];
};

enum gender_wanted {
    WANT_MALE,
    WANT_FEMALE,
    WANT_KNOWN,
    WANT_UNKNOWN,
};

struct search_filter {
    uint32_t present;  /* bit (1 << kind): the key was in the body */
    uint32_t negated;  /* present tests that must fail */
    uint32_t optional; /* present tests of which one must hold */

    struct search_range followers;
    struct search_range engagements;
    struct search_range views; /* reelsPlays on Instagram, views elsewhere */
    uint32_t engagement_rate_ppm;
    struct search_list locations;
    int language; /* row; -1 for one that nobody speaks */
    enum gender_wanted gender;
    uint32_t age_min; /* years; 0 and UINT32_MAX when open */
    uint32_t age_max;
    uint32_t last_posted_days;
    bool is_verified;
    bool has_sponsored;
    bool has_youtube;
    uint32_t contact_count;
    struct search_contact contacts[SEARCH_LIST_MAX];
    struct search_list account_types;
    struct search_list interests;
    struct search_list brands;
    uint32_t growth_months;
    int64_t growth_ppm;
    enum { GROWTH_GTE, GROWTH_GT, GROWTH_LT, GROWTH_LTE } growth_operator;
    struct search_tags relevance;
    struct search_tags audience_relevance;
    struct search_tags text_tags;

    struct search_list audience_locations;
    struct search_list audience_languages; /* rows, UINT32_MAX for an unknown code */
    struct search_list audience_ages;      /* rows */
    struct search_list audience_interests; /* ids */
    enum gender_wanted audience_gender;
    uint32_t audience_gender_ppm;
    uint32_t audience_age_first; /* ageRange: rows, both included */
    uint32_t audience_age_last;
    uint32_t audience_age_ppm;
    uint32_t credibility_ppm;

    char keywords[SEARCH_TEXT_MAX];
    char bio[SEARCH_TEXT_MAX];
};

enum search_sort {
    SORT_FOLLOWERS,
    SORT_ENGAGEMENTS,
    SORT_ENGAGEMENT_RATE,
    SORT_RELEVANCE,
    SORT_AUDIENCE_RELEVANCE,
    SORT_REELS_PLAYS,
    SORT_KEYWORDS,
    SORT_AUDIENCE_GEO,
    SORT_AUDIENCE_LANG,
    SORT_AUDIENCE_GENDER,
    SORT_AUDIENCE_AGE,
    SORT_AUDIENCE_INTEREST,
    SORT_FOLLOWERS_GROWTH,
    SORT_COUNT,
};

struct search_request {
    uint32_t page;
    enum search_sort sort;
    bool ascending;
    uint32_t sort_value; /* an id for audienceGeo and audienceInterest, else 0 */
    struct search_filter filter;
};

struct search_page {
    uint32_t total; /* creators that match, on all pages */
    uint32_t count;
    struct search_hit {
        const struct creator *creator;
        bool direct; /* named by its handle */
    } hits[SEARCH_PAGE_SIZE];
};

/* Followers go to the nearest 1,000 below 5,000, to the nearest 5,000 above; plays to 1,000. */
uint64_t search_round_followers(uint64_t followers);
uint64_t search_round_views(uint64_t views);

/* Whether one creator passes. */
bool search_filter_match(const struct search_filter *filter, const struct creator *creator);

/* What a creator weighs in the order asked for. */
int64_t search_sort_key(const struct search_request *request,
                        const struct creator *creator);

/* Whether relevance names this creator by "@handle". */
bool search_names_creator(const struct search_filter *filter,
                          const struct creator *creator);

/* The page asked for; creators named by handle come first, then sort order, then rank. */
void search_run(const struct population *population, enum platform platform,
                const struct search_request *request, struct search_page *page);

#endif
