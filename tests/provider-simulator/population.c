#include "population.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catalog.h"
#include "dice.h"
#include "text.h"

struct population {
    uint64_t seed;
    uint32_t size;
    struct creator *creators[PLATFORM_COUNT];
    uint32_t *ranking[PLATFORM_COUNT]; /* indexes, most followers first */
};

/* Numeric ids are base + index * stride + something below the stride: unique, and the index
 * can be read back. */
static const uint64_t id_base[] = {UINT64_C(41000000), UINT64_C(6800000000000000000)};
static const uint64_t id_stride[] = {4099, 7000003};

static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Pick a country row, by share. */
static uint8_t pick_country(struct dice *dice)
{
    uint32_t total = 0;
    uint32_t at;

    for (int row = 0; row < CATALOG_COUNTRIES; row++) {
        total += catalog_countries[row].share;
    }
    at = dice_below(dice, total);
    for (uint8_t row = 0; row < CATALOG_COUNTRIES; row++) {
        if (at < catalog_countries[row].share) {
            return row;
        }
        at -= catalog_countries[row].share;
    }
    return 0;
}

static uint32_t pick_followers(struct dice *dice)
{
    uint32_t base = 1000;

    for (int doubling = 0; doubling < 16 && dice_below(dice, 1000) < 600; doubling++) {
        base *= 2;
    }
    return base + dice_below(dice, base);
}

/* Fill `rows` with distinct numbers below `bound`. */
static void pick_distinct(struct dice *dice, uint8_t rows[3], uint32_t bound)
{
    uint32_t first = dice_below(dice, bound);
    uint32_t step = dice_between(dice, 1, bound / 3);

    for (uint32_t i = 0; i < 3; i++) {
        rows[i] = (uint8_t)((first + i * step) % bound);
    }
}

static void draw_person(struct creator *creator, struct dice *dice)
{
    uint32_t roll = dice_below(dice, 100);

    creator->first_name = (uint8_t)dice_below(dice, CATALOG_FIRST_NAMES);
    creator->last_name = (uint8_t)dice_below(dice, CATALOG_LAST_NAMES);
    creator->gender = roll < 46 ? GENDER_FEMALE : roll < 82 ? GENDER_MALE : GENDER_UNKNOWN;
    roll = dice_below(dice, 100);
    creator->age = roll < 34   ? 0
                   : roll < 66 ? 1
                   : roll < 80 ? 2
                   : roll < 86 ? 3
                   : roll < 88 ? 4
                               : AGE_UNKNOWN;
    creator->country = pick_country(dice);
    creator->city = (uint8_t)(creator->country * 3 + dice_below(dice, 3));
    creator->language = dice_below(dice, 100) < 82
                            ? catalog_countries[creator->country].language
                            : (uint8_t)dice_below(dice, CATALOG_LANGUAGES);
    roll = dice_below(dice, 100);
    creator->account_type = roll < 30 ? 1 : roll < 55 ? 2 : 3;
    creator->contacts = (uint8_t)((dice_below(dice, 100) < 55 ? CONTACT_EMAIL : 0) |
                                  (dice_below(dice, 100) < 8 ? CONTACT_PHONE : 0) |
                                  (dice_below(dice, 100) < 22 ? CONTACT_YOUTUBE : 0));
    creator->is_private = dice_below(dice, 100) < 4;
}

static void draw_numbers(struct creator *creator, struct dice *dice)
{
    uint64_t views;

    creator->followers = pick_followers(dice);
    /* Larger accounts engage less: 0.3 % up to 12 %, squared so that most are low. */
    creator->engagement_rate_ppm = dice_between(dice, 1, 340);
    creator->engagement_rate_ppm *= creator->engagement_rate_ppm;
    creator->engagement_rate_ppm += 3000;
    if (creator->followers > 1000000) {
        creator->engagement_rate_ppm /= 3;
    }
    creator->engagements =
        (uint32_t)((uint64_t)creator->followers * creator->engagement_rate_ppm / 1000000);
    views = (uint64_t)creator->followers * dice_between(dice, 80, 1500) / 1000;
    creator->average_views = (uint32_t)views;
    creator->monthly_growth_ppm = (int32_t)dice_between(dice, 0, 80000) - 20000;
    creator->last_posted_days =
        (uint16_t)(dice_below(dice, 100) < 70 ? dice_below(dice, 14)
                                              : dice_below(dice, 400));
    creator->is_verified = dice_below(dice, 100) < (creator->followers > 500000 ? 70U : 4U);
    creator->has_sponsored_posts = dice_below(dice, 100) < 45;
    pick_distinct(dice, creator->topics, CATALOG_TOPICS);
    pick_distinct(dice, creator->brands, CATALOG_BRANDS);
}

static void draw_audience(struct creator *creator, struct dice *dice)
{
    uint32_t left = 1000;

    creator->audience_country[0] = creator->country;
    creator->audience_country[1] =
        (uint8_t)((creator->country + 1 + dice_below(dice, 9)) % CATALOG_COUNTRIES);
    creator->audience_country[2] =
        (uint8_t)((creator->audience_country[1] + 10) % CATALOG_COUNTRIES);
    if (creator->audience_country[2] == creator->country) {
        creator->audience_country[2] =
            (uint8_t)((creator->country + 11) % CATALOG_COUNTRIES);
    }
    creator->audience_country_pm[0] = (uint16_t)dice_between(dice, 250, 800);
    creator->audience_country_pm[1] = (uint16_t)dice_between(dice, 30, 140);
    creator->audience_country_pm[2] = (uint16_t)dice_between(dice, 5, 30);
    creator->audience_language[0] = creator->language;
    creator->audience_language[1] = (uint8_t)(creator->language == 0 ? 1 : 0);
    creator->audience_language_pm[0] = (uint16_t)dice_between(dice, 450, 900);
    creator->audience_language_pm[1] = (uint16_t)dice_between(dice, 10, 90);
    for (int i = 0; i < 3; i++) {
        creator->audience_interest[i] = catalog_topics[creator->topics[i]].interest;
        creator->audience_interest_pm[i] = (uint16_t)dice_between(dice, 100, 600);
    }
    for (int i = 5; i > 0; i--) {
        static const uint32_t cap[] = {0, 700, 550, 300, 200, 40};
        uint32_t share = dice_below(dice, (left < cap[i] ? left : cap[i]) + 1);

        creator->audience_age_pm[i] = (uint16_t)share;
        left -= share;
    }
    creator->audience_age_pm[0] = (uint16_t)(left < 250 ? left : 250);
    creator->audience_female_pm = (uint16_t)dice_between(dice, 80, 920);
    creator->credibility_pm = (uint16_t)dice_between(dice, 450, 980);
}

static void draw_creator(struct creator *creator, uint64_t seed, enum platform platform,
                         uint32_t index)
{
    struct dice dice = {dice_mix(seed ^ dice_mix(((uint64_t)platform << 32) | index))};

    *creator = (struct creator){
        .salt = dice_next(&dice), .index = index, .platform = (uint8_t)platform};
    draw_person(creator, &dice);
    draw_numbers(creator, &dice);
    draw_audience(creator, &dice);
}

/* Sort by (followers, index) with one 64-bit key, so that the order needs no context. */
static int compare_keys_down(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return a < b ? 1 : a > b ? -1 : 0;
}

static uint32_t *rank_creators(const struct creator *creators, uint32_t size)
{
    uint64_t *keys = must_alloc(size * sizeof *keys);
    uint32_t *ranking = must_alloc(size * sizeof *ranking);

    for (uint32_t i = 0; i < size; i++) {
        keys[i] = ((uint64_t)creators[i].followers << 32) | (UINT32_MAX - i);
    }
    qsort(keys, size, sizeof *keys, compare_keys_down);
    for (uint32_t i = 0; i < size; i++) {
        ranking[i] = UINT32_MAX - (uint32_t)keys[i];
    }
    free(keys);
    return ranking;
}

struct population *population_new(uint64_t seed, uint32_t per_platform)
{
    struct population *population = must_alloc(sizeof *population);

    population->seed = seed;
    population->size = per_platform;
    for (int p = 0; p < PLATFORM_COUNT; p++) {
        struct creator *creators = must_alloc(per_platform * sizeof *creators);

        for (uint32_t i = 0; i < per_platform; i++) {
            draw_creator(&creators[i], seed, (enum platform)p, i);
        }
        population->creators[p] = creators;
        population->ranking[p] = rank_creators(creators, per_platform);
    }
    return population;
}

void population_free(struct population *population)
{
    if (population == NULL) {
        return;
    }
    for (int p = 0; p < PLATFORM_COUNT; p++) {
        free(population->creators[p]);
        free(population->ranking[p]);
    }
    free(population);
}

uint32_t population_size(const struct population *population)
{
    return population->size;
}

const struct creator *population_at(const struct population *population,
                                    enum platform platform, uint32_t index)
{
    return &population->creators[platform][index];
}

const struct creator *population_ranked(const struct population *population,
                                        enum platform platform, uint32_t rank)
{
    return &population->creators[platform][population->ranking[platform][rank]];
}

/* The index a reference claims: what the four characters after "UC" encode, the quotient of
 * a numeric id, or the number a handle ends with. UINT64_MAX when it claims none. */
static uint64_t claimed_index(enum platform platform, const char *reference)
{
    size_t length = strlen(reference);
    size_t digits = length;

    if (platform == PLATFORM_YOUTUBE && length == 24 && strncmp(reference, "UC", 2) == 0) {
        uint64_t index = 0;

        for (int i = 2; i < 6; i++) {
            const char *at = strchr(base64url, reference[i]);

            index = index * 64 + (at == NULL ? 0 : (uint64_t)(at - base64url));
        }
        return index;
    }
    while (digits > 0 && reference[digits - 1] >= '0' && reference[digits - 1] <= '9') {
        digits--;
    }
    if (digits == length || length - digits > 19) {
        return UINT64_MAX;
    }
    if (digits == 0 && platform != PLATFORM_YOUTUBE) {
        uint64_t id = strtoull(reference, NULL, 10);

        return id < id_base[platform] ? UINT64_MAX
                                      : (id - id_base[platform]) / id_stride[platform];
    }
    return strtoull(reference + digits, NULL, 10);
}

const struct creator *population_find(const struct population *population,
                                      enum platform platform, const char *reference)
{
    uint64_t index = claimed_index(platform, reference);
    char spelled[CREATOR_NAME_SIZE];
    const struct creator *creator;

    if (index >= population->size) {
        return NULL;
    }
    creator = population_at(population, platform, (uint32_t)index);
    creator_user_id(creator, spelled);
    if (strcmp(spelled, reference) == 0) {
        return creator;
    }
    creator_username(creator, spelled);
    return strcasecmp(spelled, reference) == 0 ? creator : NULL;
}

static const char *const platform_names[PLATFORM_COUNT] = {"instagram", "tiktok",
                                                           "youtube"};

bool platform_parse(const char *name, enum platform *platform)
{
    for (int p = 0; p < PLATFORM_COUNT; p++) {
        if (strcmp(platform_names[p], name) == 0) {
            *platform = (enum platform)p;
            return true;
        }
    }
    return false;
}

void creator_user_id(const struct creator *creator, char out[CREATOR_NAME_SIZE])
{
    if (creator->platform == PLATFORM_YOUTUBE) {
        struct dice dice = {creator->salt};
        uint32_t index = creator->index;

        memcpy(out, "UC", 2);
        for (int i = 5; i >= 2; i--) {
            out[i] = base64url[index % 64];
            index /= 64;
        }
        for (int i = 6; i < 24; i++) {
            out[i] = base64url[dice_below(&dice, 64)];
        }
        out[24] = '\0';
        return;
    }
    snprintf(out, CREATOR_NAME_SIZE, "%llu",
             (unsigned long long)(id_base[creator->platform] +
                                  creator->index * id_stride[creator->platform] +
                                  creator->salt % id_stride[creator->platform]));
}

/* Append `name` in lower case. */
static char *spell_lower(char *out, const char *name)
{
    for (; *name != '\0'; name++) {
        *out++ = (char)(*name >= 'A' && *name <= 'Z' ? *name + ('a' - 'A') : *name);
    }
    return out;
}

/* By hand, not with printf: handle searches spell the whole population. */
void creator_username(const struct creator *creator, char out[CREATOR_NAME_SIZE])
{
    static const char separators[] = "._-";
    char digits[12];
    int count = 0;
    uint32_t index = creator->index;

    out = spell_lower(out, catalog_first_names[creator->first_name]);
    if (creator->platform != PLATFORM_YOUTUBE) {
        *out++ = separators[creator->salt % 2];
    }
    out = spell_lower(out, catalog_last_names[creator->last_name]);
    *out++ = separators[1 + creator->salt % 2 * (creator->platform == PLATFORM_YOUTUBE)];
    do {
        digits[count++] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    while (count > 0) {
        *out++ = digits[--count];
    }
    *out = '\0';
}

void creator_fullname(const struct creator *creator, char out[CREATOR_NAME_SIZE])
{
    snprintf(out, CREATOR_NAME_SIZE, "%s %s", catalog_first_names[creator->first_name],
             catalog_last_names[creator->last_name]);
}

void creator_bio(const struct creator *creator, char out[CREATOR_BIO_SIZE])
{
    snprintf(out, CREATOR_BIO_SIZE, "%s. Also %s. %s, %s%s",
             catalog_topics[creator->topics[0]].phrase,
             catalog_topics[creator->topics[1]].phrase, catalog_cities[creator->city].name,
             catalog_countries[creator->country].name,
             creator->contacts & CONTACT_EMAIL ? " | write to me" : "");
    if (out[0] >= 'a' && out[0] <= 'z') {
        out[0] = (char)(out[0] - ('a' - 'A'));
    }
}

void creator_keywords(const struct creator *creator, char out[CREATOR_BIO_SIZE])
{
    snprintf(out, CREATOR_BIO_SIZE, "%s %s %s %s",
             catalog_topics[creator->topics[0]].phrase,
             catalog_topics[creator->topics[1]].phrase,
             catalog_topics[creator->topics[2]].phrase,
             catalog_interests[catalog_topics[creator->topics[0]].interest].name);
}
