#include "report_body.h"

#include <inttypes.h>
#include <time.h>

#include "catalog.h"
#include "spell.h"

static void print_person(const struct creator *creator, struct text *out)
{
    static const char *const types[] = {"Regular", "Business", "Creator"};
    static const char *const ages[] = {"18-24", "25-34", "35-44", "45-64", "65-"};
    const struct catalog_city *city = &catalog_cities[creator->city];
    const struct catalog_language *language = &catalog_languages[creator->language];
    char bio[CREATOR_BIO_SIZE];
    char username[CREATOR_NAME_SIZE];

    creator_bio(creator, bio);
    creator_username(creator, username);
    text_printf(out,
                ",\"isPrivate\":false,\"isVerified\":%s,\"accountType\":\"%s\",\"bio\":",
                creator->is_verified ? "true" : "false", types[creator->account_type - 1]);
    text_append_json(out, bio);
    if (creator->platform == PLATFORM_YOUTUBE) {
        text_append(out, ",\"description\":");
        text_append_json(out, bio);
    }
    text_printf(out, ",\"city\":\"%s\",\"state\":\"%s\",\"country\":\"%s\"", city->name,
                city->state, catalog_countries[creator->country].code);
    if (creator->gender != GENDER_UNKNOWN) {
        text_printf(out, ",\"gender\":\"%s\"",
                    creator->gender == GENDER_FEMALE ? "FEMALE" : "MALE");
    }
    if (creator->age != AGE_UNKNOWN) {
        text_printf(out, ",\"ageGroup\":\"%s\"", ages[creator->age]);
    }
    text_printf(out, ",\"language\":{\"code\":\"%s\",\"name\":\"%s\"},\"contacts\":[",
                language->code, language->name);
    if (creator->contacts & CONTACT_EMAIL) {
        text_printf(out, "{\"type\":\"email\",\"value\":\"%s@example.org\"}", username);
    }
    if (creator->contacts & CONTACT_PHONE) {
        text_comma(out);
        text_printf(out, "{\"type\":\"phone\",\"value\":\"+000%09" PRIu32 "\"}",
                    creator->index);
    }
    text_append(out, "]");
}

static void print_compared(const char *name, uint64_t value, struct dice *dice,
                           struct text *out)
{
    text_comma(out);
    text_printf(out, "\"%s\":{\"value\":%" PRIu64 ",\"compared\":", name, value);
    text_append_ppm(out, (long)dice_below(dice, 80000) - 40000);
    text_append(out, "}");
}

static void print_totals(const struct creator *creator, struct dice *dice, struct text *out)
{
    uint32_t posts = dice_between(dice, 40, 2400);
    uint32_t likes = creator->engagements - creator->engagements / 25;
    uint32_t comments = creator->engagements / 25;

    text_printf(out,
                ",\"postsCount\":%" PRIu32 ",\"avgLikes\":%" PRIu32
                ",\"avgComments\":%" PRIu32 ",\"avgViews\":%" PRIu32,
                posts, likes, comments, creator->average_views);
    if (creator->platform == PLATFORM_INSTAGRAM) {
        text_printf(out, ",\"avgReelsPlays\":%" PRIu32 ",\"totalLikes\":null",
                    creator->average_views);
    } else {
        text_printf(out, ",\"totalLikes\":%" PRIu64, (uint64_t)likes * posts);
    }
    if (creator->platform == PLATFORM_YOUTUBE) {
        text_printf(out, ",\"totalViews\":%" PRIu64,
                    (uint64_t)creator->average_views * posts);
    } else {
        text_append(out, ",\"totalViews\":null");
    }
    text_append(out, ",\"stats\":{");
    print_compared("followers", creator->followers, dice, out);
    print_compared("avgLikes", likes, dice, out);
    print_compared("avgComments", comments, dice, out);
    print_compared("avgShares", comments / 8, dice, out);
    text_append(out, "}");
}

/* Months backwards from the one of `now_s`, as "2026-09". */
static void print_month(int64_t now_s, int back, struct text *out)
{
    time_t at = (time_t)now_s;
    struct tm when;
    int months;

    gmtime_r(&at, &when);
    months = (when.tm_year + 1900) * 12 + when.tm_mon - back;
    text_printf(out, "{\"month\":\"%04d-%02d\"", months / 12, months % 12 + 1);
}

static void print_history(const struct creator *creator, int64_t now_s, struct text *out)
{
    text_append(out, ",\"statHistory\":[");
    for (int back = 12; back >= 1; back--) {
        int64_t followers = creator->followers - (int64_t)creator->followers *
                                                     creator->monthly_growth_ppm / 1000000 *
                                                     back;

        text_comma(out);
        print_month(now_s, back, out);
        text_printf(out,
                    ",\"followers\":%" PRId64 ",\"following\":%u,\"avgLikes\":%" PRIu32
                    ",\"avgViews\":%" PRIu32 ",\"avgComments\":%" PRIu32 "}",
                    followers < 0 ? 0 : followers, 803U, creator->engagements,
                    creator->average_views, creator->engagements / 25);
    }
    text_append(out, "]");
}

static void print_content_type(const struct creator *creator, const char *name,
                               int64_t now_s, struct dice *dice, struct text *out)
{
    text_comma(out);
    text_printf(out, "\"%s\":{\"engagements\":%" PRIu32 ",\"engagementRate\":", name,
                creator->engagements);
    text_append_ppm(out, (long)creator->engagement_rate_ppm);
    text_printf(out,
                ",\"avgLikes\":%" PRIu32 ",\"avgComments\":%" PRIu32
                ",\"avgPosts4weeks\":%" PRIu32 ",\"statHistory\":[",
                creator->engagements, creator->engagements / 25, dice_between(dice, 1, 28));
    for (int back = 12; back >= 1; back--) {
        text_comma(out);
        print_month(now_s, back, out);
        text_printf(out,
                    ",\"avgEngagements\":%" PRIu32 ",\"avgViews\":%" PRIu32
                    ",\"avgShares\":%" PRIu32 ",\"avgSaves\":%" PRIu32 "}",
                    creator->engagements, creator->average_views, dice_below(dice, 90),
                    dice_below(dice, 200));
    }
    text_append(out, "]}");
}

static void print_content_types(const struct creator *creator, int64_t now_s,
                                struct dice *dice, struct text *out)
{
    static const char *const names[PLATFORM_COUNT][4] = {
        [PLATFORM_INSTAGRAM] = {"all", "reels", NULL, NULL},
        [PLATFORM_TIKTOK] = {"all", NULL, NULL, NULL},
        [PLATFORM_YOUTUBE] = {"all", "videos", "shorts", "streams"},
    };

    text_append(out, ",\"statsByContentType\":{");
    for (int i = 0; i < 4 && names[creator->platform][i] != NULL; i++) {
        print_content_type(creator, names[creator->platform][i], now_s, dice, out);
    }
    text_append(out, "}");
}

static void print_tags(const struct creator *creator, struct text *out)
{
    text_append(out, ",\"hashtags\":[");
    for (int i = 0; i < 3; i++) {
        text_comma(out);
        text_printf(out, "{\"tag\":\"%s\",\"weight\":0.%d}",
                    catalog_topics[creator->topics[i]].tag, 5 - i);
    }
    text_append(out, "],\"mentions\":[");
    for (int i = 0; i < 3; i++) {
        text_comma(out);
        text_printf(out, "{\"tag\":\"%s\",\"weight\":0.%d}",
                    catalog_brands[creator->brands[i]].slug, 3 - i);
    }
    text_append(out, "],\"interests\":[");
    for (int i = 0; i < 3; i++) {
        const struct catalog_interest *row =
            &catalog_interests[catalog_topics[creator->topics[i]].interest];

        text_comma(out);
        text_printf(out, "{\"id\":%u,\"name\":\"%s\"}", row->id, row->name);
    }
    text_append(out, "],\"brandAffinity\":[");
    for (int i = 0; i < 3; i++) {
        const struct catalog_brand *row = &catalog_brands[creator->brands[i]];

        text_comma(out);
        text_printf(out, "{\"id\":%u,\"name\":\"%s\"}", row->id, row->name);
    }
    text_append(out, "]");
}

static void print_extra(const struct creator *creator, struct dice *dice, struct text *out)
{
    text_printf(out,
                ",\"paidPostPerformance\":0.81,\"paidPostPerformanceViews\":0.9,"
                "\"sponsoredPostsMedianViews\":%" PRIu32
                ",\"nonSponsoredPostsMedianViews\":%" PRIu32
                ",\"audienceExtra\":{\"followersRange\":{\"leftNumber\":%" PRIu32
                ",\"rightNumber\":%" PRIu32 "},\"engagementRateDistribution\":[",
                creator->average_views / 4 * 3, creator->average_views,
                creator->followers / 2, creator->followers / 2 * 3);
    for (int i = 0; i < 20; i++) {
        text_comma(out);
        text_printf(out,
                    "{\"min\":0.%03d,\"max\":0.%03d,\"total\":%" PRIu32 ",\"median\":%s}",
                    i * 5, i * 5 + 5, dice_below(dice, 9000), i == 7 ? "true" : "false");
    }
    text_append(out, "],\"credibilityDistribution\":[");
    for (int i = 0; i < 19; i++) {
        text_comma(out);
        text_printf(out, "{\"min\":0.%02d,\"max\":0.%02d,\"total\":%" PRIu32 "}", i * 5,
                    i * 5 + 5, dice_below(dice, 9000));
    }
    text_append(out, "]}");
}

void report_body_print(const struct population *population, const struct creator *creator,
                       int64_t now_s, struct text *out)
{
    struct dice dice = {dice_mix(creator->salt)};
    char id[CREATOR_NAME_SIZE];

    creator_user_id(creator, id);
    text_printf(out, "{\"error\":false,\"profile\":{\"userId\":\"%s\",\"profile\":{", id);
    spell_profile(creator, out);
    text_append(out, "}");
    print_person(creator, out);
    print_totals(creator, &dice, out);
    print_history(creator, now_s, out);
    print_content_types(creator, now_s, &dice, out);
    print_tags(creator, out);
    report_posts_print(creator, &dice, now_s, out);
    print_extra(creator, &dice, out);
    report_audience_print(population, creator, &dice, "audience", out);
    if (creator->platform == PLATFORM_INSTAGRAM) {
        text_append(out, ",\"audienceCommenters\":null");
    } else {
        report_audience_print(population, creator, &dice, "audienceCommenters", out);
    }
    text_append(out, ",\"lookalikes\":[]}}");
}
