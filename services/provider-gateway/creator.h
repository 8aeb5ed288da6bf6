/*
 * creator.h - platforms and creators as every provider's adapter speaks of them.
 */
#ifndef GATEWAY_CREATOR_H
#define GATEWAY_CREATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of metercache.v1.Platform. */
enum platform {
    PLATFORM_NONE = 0,
    PLATFORM_INSTAGRAM = 1,
    PLATFORM_TIKTOK = 2,
    PLATFORM_YOUTUBE = 3,
};

/* Text is never NULL, "" is unknown; numbers are -1 when unknown. */
struct creator {
    enum platform platform;
    const char *user_id; /* the provider's */
    const char *handle;  /* without '@' */
    const char *full_name;
    const char *url;
    const char *picture_url;
    int64_t followers;
    int64_t engagements;
    int64_t engagement_rate_ppm;
    int64_t average_views;
    bool is_private;
    bool is_verified;
};

struct creator_list {
    struct creator *items;
    size_t count;
};

#endif /* GATEWAY_CREATOR_H */
