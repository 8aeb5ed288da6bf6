/*
 * catalog.h - the dictionaries: places, languages, interests, topics, brands, names.
 *
 * Constant tables; ids and names are invented except for common place and language names.
 * Each table is closed by its count; a row is named elsewhere by its index (uint8_t).
 */
#ifndef SIMULATOR_CATALOG_H
#define SIMULATOR_CATALOG_H

#include <stddef.h>
#include <stdint.h>

struct catalog_language {
    const char *code;
    const char *name;
};

struct catalog_country {
    uint32_t id;
    const char *code;
    const char *name;
    uint8_t language; /* row of catalog_languages */
    uint8_t share;    /* creators living there, relative to the other rows */
};

struct catalog_city {
    uint32_t id;
    uint8_t country; /* row of catalog_countries */
    const char *name;
    const char *state;
};

struct catalog_interest {
    uint32_t id;
    const char *name;
};

struct catalog_topic {
    const char *tag;    /* the hashtag without '#' */
    const char *phrase; /* words found in a bio and in captions */
    uint8_t interest;   /* row of catalog_interests */
};

struct catalog_brand {
    uint32_t id;
    const char *name;
    const char *slug; /* the account name that posts mention */
};

enum {
    CATALOG_LANGUAGES = 16,
    CATALOG_COUNTRIES = 20,
    CATALOG_CITIES = 60, /* three for each country, in the order of the countries */
    CATALOG_INTERESTS = 28,
    CATALOG_TOPICS = 42,
    CATALOG_BRANDS = 32,
    CATALOG_FIRST_NAMES = 48,
    CATALOG_LAST_NAMES = 48,
    CATALOG_AGES = 6,
};

extern const struct catalog_language catalog_languages[CATALOG_LANGUAGES];
extern const struct catalog_country catalog_countries[CATALOG_COUNTRIES];
extern const struct catalog_city catalog_cities[CATALOG_CITIES];
extern const struct catalog_interest catalog_interests[CATALOG_INTERESTS];
extern const struct catalog_topic catalog_topics[CATALOG_TOPICS];
extern const struct catalog_brand catalog_brands[CATALOG_BRANDS];
extern const char *const catalog_first_names[CATALOG_FIRST_NAMES];
extern const char *const catalog_last_names[CATALOG_LAST_NAMES];
extern const char *const catalog_ages[CATALOG_AGES]; /* audience age ids */

/* The row with this id, code or name; -1 when there is none. */
int catalog_find_brand(uint32_t id);
int catalog_find_language(const char *code);
int catalog_find_age(const char *id);
int catalog_find_topic(const char *tag);

#endif
