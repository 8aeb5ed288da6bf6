/*
 * population.h - the creators the simulated providers know.
 *
 * A creator is a pure function of (seed, platform, index): no file, no clock. What searches
 * filter on is kept in a compact struct; names, ids and texts are spelled on demand.
 *
 * Followers are heavy-tailed: each doubling is reached by 60 % of those who reached the one
 * before, from 1,000 up to 131 million.
 *
 * Threads: immutable once built.
 */
#ifndef SIMULATOR_POPULATION_H
#define SIMULATOR_POPULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum platform {
    PLATFORM_INSTAGRAM,
    PLATFORM_TIKTOK,
    PLATFORM_YOUTUBE,
    PLATFORM_COUNT,
};

enum gender {
    GENDER_UNKNOWN,
    GENDER_MALE,
    GENDER_FEMALE,
};

enum contact {
    CONTACT_EMAIL = 1,
    CONTACT_PHONE = 2,
    CONTACT_YOUTUBE = 4,
};

enum {
    POPULATION_MAX = 1000000, /* creators on one platform */
    CREATOR_NAME_SIZE = 48,   /* buffers for the spelled names, NUL included */
    CREATOR_BIO_SIZE = 320,
    AGE_UNKNOWN = 5, /* creator.age otherwise: 18-24, 25-34, 35-44, 45-64, 65- */
};

/* Bytes named `..._pm` are per mille, `..._ppm` per million; rows index catalog tables. */
struct creator {
    uint64_t salt; /* seeds what is spelled on demand */
    uint32_t index;
    uint32_t followers;
    uint32_t engagement_rate_ppm;
    uint32_t engagements;
    uint32_t average_views;
    int32_t monthly_growth_ppm;
    uint16_t last_posted_days;
    uint16_t audience_country_pm[3];
    uint16_t audience_language_pm[2];
    uint16_t audience_interest_pm[3];
    uint16_t audience_age_pm[6];
    uint16_t audience_female_pm;
    uint16_t credibility_pm;
    uint8_t audience_country[3];
    uint8_t audience_language[2];
    uint8_t audience_interest[3];
    uint8_t platform;
    uint8_t first_name;
    uint8_t last_name;
    uint8_t country;
    uint8_t city;
    uint8_t language;
    uint8_t gender;
    uint8_t age;
    uint8_t account_type; /* 1 regular, 2 business, 3 creator */
    uint8_t contacts;     /* set of enum contact */
    uint8_t topics[3];
    uint8_t brands[3];
    bool is_verified;
    bool is_private;
    bool has_sponsored_posts;
};

struct population;

/* Build `per_platform` creators (1..POPULATION_MAX) for each platform. Free with _free. */
struct population *population_new(uint64_t seed, uint32_t per_platform);
void population_free(struct population *population);

uint32_t population_size(const struct population *population);

/* The creator with this index, or at this place in followers order; index < size. */
const struct creator *population_at(const struct population *population,
                                    enum platform platform, uint32_t index);
const struct creator *population_ranked(const struct population *population,
                                        enum platform platform, uint32_t rank);

/* By numeric id, UC... id or handle (letter case ignored, no '@'); NULL when unknown. */
const struct creator *population_find(const struct population *population,
                                      enum platform platform, const char *reference);

/* "instagram" -> PLATFORM_INSTAGRAM; false when there is no such platform. */
bool platform_parse(const char *name, enum platform *platform);

void creator_user_id(const struct creator *creator, char out[CREATOR_NAME_SIZE]);
void creator_username(const struct creator *creator, char out[CREATOR_NAME_SIZE]);
void creator_fullname(const struct creator *creator, char out[CREATOR_NAME_SIZE]);
void creator_bio(const struct creator *creator, char out[CREATOR_BIO_SIZE]);

/* The words keyword searches look into: the phrases of the creator's topics. */
void creator_keywords(const struct creator *creator, char out[CREATOR_BIO_SIZE]);

#endif
