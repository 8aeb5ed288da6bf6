#include "spell.h"

#include <inttypes.h>

static void spell_url(const struct creator *creator, const char *username, struct text *out)
{
    static const char *const urls[PLATFORM_COUNT] = {
        [PLATFORM_INSTAGRAM] = "https://www.instagram.com/",
        [PLATFORM_TIKTOK] = "https://www.tiktok.com/@",
        [PLATFORM_YOUTUBE] = "https://www.youtube.com/@",
    };

    text_printf(out, ",\"url\":\"%s%s\"", urls[creator->platform], username);
}

void spell_profile(const struct creator *creator, struct text *out)
{
    char id[CREATOR_NAME_SIZE];
    char username[CREATOR_NAME_SIZE];
    char fullname[CREATOR_NAME_SIZE];

    creator_user_id(creator, id);
    creator_username(creator, username);
    creator_fullname(creator, fullname);
    text_printf(out, "\"userId\":\"%s\",\"fullname\":\"%s\",\"username\":\"%s\"", id,
                fullname, username);
    if (creator->platform == PLATFORM_YOUTUBE) {
        text_printf(out, ",\"handle\":\"%s\"", username);
    } else if (creator->platform == PLATFORM_TIKTOK) {
        text_printf(out, ",\"secUid\":\"MS4wLjABAAAA%016" PRIx64 "\"", creator->salt);
    }
    spell_url(creator, username, out);
    text_printf(out,
                ",\"picture\":\"https://imgigp.modash.io/v2?%08" PRIx64
                "\",\"followers\":%" PRIu32 ",\"engagements\":%" PRIu32
                ",\"engagementRate\":",
                creator->salt >> 32, creator->followers, creator->engagements);
    text_append_ppm(out, (long)creator->engagement_rate_ppm);
    if (creator->platform != PLATFORM_INSTAGRAM) {
        text_printf(out, ",\"averageViews\":%" PRIu32, creator->average_views);
    }
}

void spell_user_row(const struct creator *creator, struct text *out)
{
    char id[CREATOR_NAME_SIZE];
    char username[CREATOR_NAME_SIZE];
    char fullname[CREATOR_NAME_SIZE];

    creator_user_id(creator, id);
    creator_username(creator, username);
    creator_fullname(creator, fullname);
    text_printf(out, "{\"userId\":\"%s\",\"username\":\"%s\",\"fullname\":\"%s\"", id,
                username, fullname);
    if (creator->platform == PLATFORM_YOUTUBE) {
        text_printf(out, ",\"handle\":\"%s\"", username);
    }
    text_printf(out,
                ",\"picture\":\"https://imgigp.modash.io/v2?%08" PRIx64
                "\",\"followers\":%" PRIu32 ",\"isVerified\":%s}",
                creator->salt >> 32, creator->followers,
                creator->is_verified ? "true" : "false");
}
