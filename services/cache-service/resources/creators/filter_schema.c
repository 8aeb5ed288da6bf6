#include "resources/creators/filter_schema.h"

#define FOLLOWERS_MAX 4294967295 /* the provider takes 32 bits */
#define IDS_MAX       2147483647

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define END          \
    {                \
        .name = NULL \
    }
#define SET(name_, element_)                                       \
    {                                                              \
        .name = (name_), .kind = FILTER_SET, .element = (element_) \
    }
#define OBJECT(name_, members_)                                       \
    {                                                                 \
        .name = (name_), .kind = FILTER_OBJECT, .members = (members_) \
    }
#define RANGE(name_, members_)                                                       \
    {                                                                                \
        .name = (name_), .kind = FILTER_OBJECT, .members = (members_), .is_range = 1 \
    }
#define FLAG(name_)                          \
    {                                        \
        .name = (name_), .kind = FILTER_BOOL \
    }
#define TEXT(name_)                          \
    {                                        \
        .name = (name_), .kind = FILTER_TEXT \
    }
#define WORD(name_, words_)                                     \
    {                                                           \
        .name = (name_), .kind = FILTER_WORD, .words = (words_) \
    }
#define WEIGHT(fallback_)                                              \
    {                                                                  \
        .name = "weight", .kind = FILTER_FRACTION, .min = 0, .max = 1, \
        .fallback = (fallback_)                                        \
    }

// clang-format off
static const struct filter_spec followers_range[] = {
    {.name = "min", .kind = FILTER_INTEGER, .max = FOLLOWERS_MAX, .rounding = FILTER_FOLLOWERS},
    {.name = "max", .kind = FILTER_INTEGER, .max = FOLLOWERS_MAX, .rounding = FILTER_FOLLOWERS},
    END,
};
static const struct filter_spec plays_range[] = {
    {.name = "min", .kind = FILTER_INTEGER, .max = FOLLOWERS_MAX, .rounding = FILTER_PLAYS},
    {.name = "max", .kind = FILTER_INTEGER, .max = FOLLOWERS_MAX, .rounding = FILTER_PLAYS},
    END,
};
static const struct filter_spec count_range[] = {
    {.name = "min", .kind = FILTER_INTEGER, .max = FOLLOWERS_MAX},
    {.name = "max", .kind = FILTER_INTEGER, .max = FOLLOWERS_MAX},
    END,
};
static const struct filter_spec age_range[] = {
    {.name = "min", .kind = FILTER_INTEGER, .min = 13, .max = 100},
    {.name = "max", .kind = FILTER_INTEGER, .min = 13, .max = 100},
    END,
};

static const struct filter_spec any_id = {
    .name = "id", .kind = FILTER_INTEGER, .min = 1, .max = IDS_MAX,
};
static const struct filter_spec any_text = TEXT("text");
static const struct filter_spec account_type = {
    .name = "accountType", .kind = FILTER_INTEGER, .min = 1, .max = 3,
};

static const struct filter_spec growth_members[] = {
    {.name = "interval", .kind = FILTER_WORD, .is_required = 1,
     .words = WORDS("i1month", "i2months", "i3months", "i4months", "i5months", "i6months")},
    {.name = "value", .kind = FILTER_FRACTION, .min = -1, .max = 1000, .is_required = 1},
    {.name = "operator", .kind = FILTER_WORD, .is_required = 1,
     .words = WORDS("gte", "gt", "lt", "lte")},
    END,
};
static const struct filter_spec contact_members[] = {
    {.name = "contactType", .kind = FILTER_TEXT, .is_required = 1},
    {.name = "filterAction", .kind = FILTER_WORD, .words = WORDS("must", "should", "not"),
     .fallback = "\"must\""},
    END,
};
static const struct filter_spec contact = OBJECT("contact", contact_members);
static const struct filter_spec tag_members[] = {
    {.name = "type", .kind = FILTER_WORD, .words = WORDS("hashtag", "mention"), .is_required = 1},
    {.name = "value", .kind = FILTER_TEXT, .is_required = 1},
    END,
};
static const struct filter_spec tag = OBJECT("tag", tag_members);
static const struct filter_spec operation_members[] = {
    {.name = "operator", .kind = FILTER_WORD, .words = WORDS("and", "or", "not"), .is_required = 1},
    {.name = "filter", .kind = FILTER_TEXT, .is_required = 1},
    END,
};
static const struct filter_spec operation = OBJECT("operation", operation_members);

static const struct filter_spec influencer_members[] = {
    RANGE("followers", followers_range),
    {.name = "engagementRate", .kind = FILTER_FRACTION, .min = 0, .max = 1},
    SET("location", &any_id),
    TEXT("language"),
    {.name = "lastposted", .kind = FILTER_INTEGER, .min = 30, .max = 3650},
    WORD("gender", WORDS("MALE", "FEMALE", "KNOWN", "UNKNOWN")),
    RANGE("age", age_range),
    TEXT("bio"),
    TEXT("keywords"),
    SET("relevance", &any_text),
    SET("audienceRelevance", &any_text),
    OBJECT("followersGrowthRate", growth_members),
    SET("hasContactDetails", &contact),
    SET("accountTypes", &account_type),
    SET("brands", &any_id),
    SET("interests", &any_id),
    SET("textTags", &tag),
    RANGE("reelsPlays", plays_range),
    RANGE("views", plays_range),
    RANGE("engagements", count_range),
    FLAG("isVerified"),
    FLAG("hasSponsoredPosts"),
    FLAG("hasYouTube"),
    SET("filterOperations", &operation),
    END,
};

#define GENDERS WORDS("MALE", "FEMALE")
#define AGES WORDS("13-17", "18-24", "25-34", "35-44", "45-64", "65-")

static const struct filter_spec weighted_place_members[] = {
    {.name = "id", .kind = FILTER_INTEGER, .min = 1, .max = IDS_MAX, .is_required = 1},
    WEIGHT("0.2"),
    END,
};
static const struct filter_spec weighted_place = OBJECT("place", weighted_place_members);
static const struct filter_spec weighted_language_members[] = {
    {.name = "id", .kind = FILTER_TEXT, .is_required = 1},
    WEIGHT("0.2"),
    END,
};
static const struct filter_spec weighted_gender_members[] = {
    {.name = "id", .kind = FILTER_WORD, .words = GENDERS, .is_required = 1},
    WEIGHT("0.5"),
    END,
};
static const struct filter_spec weighted_age_members[] = {
    {.name = "id", .kind = FILTER_WORD, .words = AGES, .is_required = 1},
    WEIGHT("0.3"),
    END,
};
static const struct filter_spec weighted_age = OBJECT("age", weighted_age_members);
static const struct filter_spec age_span_members[] = {
    WORD("min", WORDS("13", "18", "25", "35", "45", "65")),
    WORD("max", WORDS("17", "24", "34", "44", "64", "65-")),
    WEIGHT("0.3"),
    END,
};
static const struct filter_spec weighted_interest_members[] = {
    {.name = "id", .kind = FILTER_INTEGER, .min = 1, .max = IDS_MAX, .is_required = 1},
    WEIGHT("0.3"),
    END,
};
static const struct filter_spec weighted_interest = OBJECT("interest", weighted_interest_members);

static const struct filter_spec audience_members[] = {
    SET("location", &weighted_place),
    OBJECT("language", weighted_language_members),
    OBJECT("gender", weighted_gender_members),
    SET("age", &weighted_age),
    OBJECT("ageRange", age_span_members),
    SET("interests", &weighted_interest),
    {.name = "credibility", .kind = FILTER_FRACTION, .min = 0, .max = 1},
    END,
};

static const struct filter_spec filters_members[] = {
    OBJECT("influencer", influencer_members),
    OBJECT("audience", audience_members),
    END,
};

static const struct filter_spec sort_members[] = {
    {.name = "field", .kind = FILTER_WORD, .fallback = "\"followers\"",
     .words = WORDS("followers", "engagements", "engagementRate", "relevance",
                    "audienceRelevance", "reelsPlays", "keywords", "audienceGeo",
                    "audienceLang", "audienceGender", "audienceAge", "audienceInterest",
                    "followersGrowth")},
    {.name = "value", .kind = FILTER_INTEGER, .min = 0, .max = IDS_MAX},
    {.name = "direction", .kind = FILTER_WORD, .words = WORDS("asc", "desc"),
     .fallback = "\"desc\""},
    END,
};
// clang-format on

const struct filter_spec FILTER_SCHEMA_FILTERS = OBJECT("filters", filters_members);
const struct filter_spec FILTER_SCHEMA_SORT = OBJECT("sort", sort_members);
