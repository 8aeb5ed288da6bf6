#include <inttypes.h>
#include <time.h>

#include "catalog.h"
#include "report_body.h"

/* The three lists of posts: most of a report's bytes. */
struct post_kind {
    const char *type;
    const char *path;
};

static const struct post_kind post_kinds[PLATFORM_COUNT][2] = {
    [PLATFORM_INSTAGRAM] = {{"reel", "https://www.instagram.com/reel/"},
                            {"post", "https://www.instagram.com/p/"}},
    [PLATFORM_TIKTOK] = {{"video", "https://www.tiktok.com/video/"},
                         {"video", "https://www.tiktok.com/video/"}},
    [PLATFORM_YOUTUBE] = {{"video", "https://www.youtube.com/watch?v="},
                          {"shorts", "https://www.youtube.com/shorts/"}},
};

/* A caption of `sentences` sentences, with hashtags. */
static void print_caption(const struct creator *creator, struct dice *dice,
                          uint32_t sentences, struct text *out)
{
    static const char *const openings[] = {
        "Today was all about",    "Three things I learned about",
        "A quiet word on",        "Why I keep coming back to",
        "What nobody says about", "One more week of",
        "New on the channel:",    "You asked for",
        "Behind the scenes of",   "Honest notes on",
    };
    static const char *const closings[] = {
        "and it did not go as planned",   "tell me what you would do differently",
        "more of this on sunday",         "full list in the comments",
        "thank you for two hundred days", "save this for later \\u2728",
    };

    text_append(out, ",\"text\":\"");
    for (uint32_t i = 0; i < sentences; i++) {
        const struct catalog_topic *topic =
            &catalog_topics[creator->topics[dice_below(dice, 3)]];

        text_printf(out, "%s %s, %s. ", openings[dice_below(dice, 10)], topic->phrase,
                    closings[dice_below(dice, 6)]);
    }
    for (int i = 0; i < 3; i++) {
        text_printf(out, "#%s ", catalog_topics[creator->topics[i]].tag);
    }
    text_append(out, "\"");
}

/* Names of media files are long on every platform. */
static void print_media(struct dice *dice, const char *name, struct text *out)
{
    text_printf(out,
                ",\"%s\":\"https://cdn.example/v/t51/%016" PRIx64 "_%016" PRIx64
                ".jpg?stp=dst-jpg&_nc_cat=%u&oh=%016" PRIx64 "%016" PRIx64 "&oe=%08" PRIx64
                "\"",
                name, dice_next(dice), dice_next(dice), dice_below(dice, 120),
                dice_next(dice), dice_next(dice), dice_next(dice) >> 32);
}

static void print_date(int64_t now_s, uint32_t days_ago, uint32_t second, struct text *out)
{
    time_t at = (time_t)((now_s / 86400 - days_ago) * 86400 + second);
    struct tm when;

    gmtime_r(&at, &when);
    text_printf(out, ",\"created\":\"%04d-%02d-%02dT%02d:%02d:%02d.000Z\"",
                when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour,
                when.tm_min, when.tm_sec);
}

static void print_post(const struct creator *creator, struct dice *dice, int64_t now_s,
                       uint32_t days_ago, struct text *out)
{
    const struct post_kind *kind = &post_kinds[creator->platform][dice_below(dice, 2)];
    uint32_t percent = dice_between(dice, 40, 220);
    uint64_t likes = (uint64_t)creator->engagements * percent / 100;

    text_comma(out);
    text_printf(out, "{\"id\":\"%" PRIu64 "\",\"type\":\"%s\",\"title\":null",
                dice_next(dice) >> 2, kind->type);
    print_caption(creator, dice, dice_between(dice, 3, 14), out);
    text_printf(out, ",\"url\":\"%s%011" PRIx64 "/\"", kind->path, dice_next(dice) >> 20);
    print_date(now_s, days_ago, dice_below(dice, 86400), out);
    text_printf(out, ",\"likes\":%" PRIu64 ",\"comments\":%" PRIu64 ",\"views\":%" PRIu64,
                likes, likes / dice_between(dice, 20, 90),
                (uint64_t)creator->average_views * percent / 100);
    print_media(dice, "thumbnail", out);
    print_media(dice, "image", out);
    text_append(out, ",\"video\":null,\"hashtags\":[");
    for (int i = 0; i < 3; i++) {
        text_comma(out);
        text_append_json(out, catalog_topics[creator->topics[i]].tag);
    }
    text_printf(out, "],\"mentions\":[\"%s\"]",
                catalog_brands[creator->brands[dice_below(dice, 3)]].slug);
}

static void print_posts(const struct creator *creator, struct dice *dice, int64_t now_s,
                        const char *name, uint32_t count, bool sponsored, struct text *out)
{
    text_comma(out);
    text_printf(out, "\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++) {
        print_post(creator, dice, now_s, creator->last_posted_days + i * 3, out);
        if (sponsored) {
            const struct catalog_brand *brand =
                &catalog_brands[creator->brands[dice_below(dice, 3)]];

            text_printf(out,
                        ",\"sponsors\":[{\"domain\":\"%s.example\",\"logo_url\":"
                        "\"https://cdn.example/%s.png\",\"name\":\"%s\"}]",
                        brand->slug, brand->slug, brand->name);
        }
        text_append(out, "}");
    }
    text_append(out, "]");
}

void report_posts_print(const struct creator *creator, struct dice *dice, int64_t now_s,
                        struct text *out)
{
    uint32_t size = dice_between(dice, 55, 145);

    print_posts(creator, dice, now_s, "recentPosts", size, false, out);
    print_posts(creator, dice, now_s, "popularPosts", size / 3, false, out);
    print_posts(creator, dice, now_s, "sponsoredPosts",
                creator->has_sponsored_posts ? size / 4 : 0, true, out);
}
