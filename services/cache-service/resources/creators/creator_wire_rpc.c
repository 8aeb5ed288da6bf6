#include "resources/creators/creator_wire_rpc.h"

#include <string.h>

_Static_assert((int)POLICY_SOURCE_LIVE == METERCACHE__V1__SOURCE__SOURCE_LIVE &&
                   (int)POLICY_SOURCE_CACHED == METERCACHE__V1__SOURCE__SOURCE_CACHED &&
                   (int)POLICY_SOURCE_STALE == METERCACHE__V1__SOURCE__SOURCE_STALE,
               "policy.h has the numbers of common.proto");

static const char *const PLATFORM_NAMES[] = {"", "instagram", "tiktok", "youtube"};

void creator_from_wire(struct creator *out, const Metercache__V1__Creator *wire,
                       int64_t updated_at_us)
{
    *out = (struct creator){
        .platform = (int)wire->platform,
        .provider_user_id = wire->provider_user_id,
        .handle = wire->handle,
        .full_name = wire->full_name,
        .url = wire->url,
        .picture_url = wire->picture_url,
        .followers = wire->followers,
        .engagements = wire->engagements,
        .engagement_rate_ppm = wire->engagement_rate_ppm,
        .average_views = wire->average_views,
        .is_private = wire->is_private,
        .is_verified = wire->is_verified,
        .email = wire->email,
        .email_source = "",
        .updated_at_us = updated_at_us,
    };
}

Metercache__V1__Creator *creator_to_wire(const struct creator *creator, struct arena *arena)
{
    Metercache__V1__Creator *wire = arena_alloc(arena, sizeof(*wire));

    if (wire == NULL)
        return NULL;
    metercache__v1__creator__init(wire);
    wire->platform = (Metercache__V1__Platform)creator->platform;
    wire->provider_user_id = (char *)creator->provider_user_id;
    wire->handle = (char *)creator->handle;
    wire->full_name = (char *)creator->full_name;
    wire->url = (char *)creator->url;
    wire->picture_url = (char *)creator->picture_url;
    wire->followers = creator->followers;
    wire->engagements = creator->engagements;
    wire->engagement_rate_ppm = creator->engagement_rate_ppm;
    wire->average_views = creator->average_views;
    wire->is_private = creator->is_private;
    wire->is_verified = creator->is_verified;
    wire->email = (char *)creator->email;
    wire->has_report = creator->has_report;
    wire->updated_at_us = creator->updated_at_us;
    return wire;
}

enum status creator_check_platform(int platform, const char *field, struct error *err)
{
    if (platform < METERCACHE__V1__PLATFORM__PLATFORM_INSTAGRAM ||
        platform > METERCACHE__V1__PLATFORM__PLATFORM_YOUTUBE)
        return error_field(err, field, "must be one of instagram, tiktok and youtube");
    return ST_OK;
}

const char *creator_platform_name(int platform)
{
    return PLATFORM_NAMES[platform];
}

static enum status check_name(const char *name, const char *field, struct error *err)
{
    size_t size = strlen(name);

    if (size == 0 || size > CREATOR_NAME_MAX)
        return error_field(err, field, "must have 1 to %d bytes", CREATOR_NAME_MAX);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return error_field(err, field, "has a control character at byte %zu", i);
    }
    return ST_OK;
}

enum status creator_key_from_wire(struct creator_key *out,
                                  const Metercache__V1__CreatorRef *wire, struct error *err)
{
    struct creator_key key = {0};

    if (wire == NULL)
        return error_field(err, "creator", "is missing");
    enum status st = creator_check_platform((int)wire->platform, "creator.platform", err);
    if (st != ST_OK)
        return st;
    key.platform = (int)wire->platform;
    switch (wire->by_case) {
    case METERCACHE__V1__CREATOR_REF__BY_PROVIDER_USER_ID:
        key.provider_user_id = wire->provider_user_id;
        st = check_name(key.provider_user_id, "creator.provider_user_id", err);
        break;
    case METERCACHE__V1__CREATOR_REF__BY_HANDLE:
        key.handle = wire->handle + (wire->handle[0] == '@');
        st = check_name(key.handle, "creator.handle", err);
        break;
    default:
        st = error_field(err, "creator", "needs a provider_user_id or a handle");
        break;
    }
    if (st == ST_OK)
        *out = key;
    return st;
}

void creator_key_to_wire(Metercache__V1__CreatorRef *out, const struct creator_key *key)
{
    metercache__v1__creator_ref__init(out);
    out->platform = (Metercache__V1__Platform)key->platform;
    if (key->provider_user_id != NULL) {
        out->by_case = METERCACHE__V1__CREATOR_REF__BY_PROVIDER_USER_ID;
        out->provider_user_id = (char *)key->provider_user_id;
    } else {
        out->by_case = METERCACHE__V1__CREATOR_REF__BY_HANDLE;
        out->handle = (char *)key->handle;
    }
}

Metercache__V1__Freshness *creator_freshness_to_wire(const struct policy_freshness *from,
                                                     struct arena *arena)
{
    Metercache__V1__Freshness *wire = arena_alloc(arena, sizeof(*wire));
    char *reason = arena_strdup(arena, from->stale_reason);

    if (wire == NULL || reason == NULL)
        return NULL;
    metercache__v1__freshness__init(wire);
    wire->source = (Metercache__V1__Source)from->source;
    wire->fetched_at_us = from->fetched_at_us;
    wire->fresh_until_us = from->fresh_until_us;
    wire->age_us = from->now_us > from->fetched_at_us
                       ? (uint64_t)(from->now_us - from->fetched_at_us)
                       : 0;
    wire->stale_reason = reason;
    return wire;
}

Metercache__V1__Cost *creator_cost_to_wire(uint32_t provider_calls, int64_t credits_milli,
                                           struct arena *arena)
{
    Metercache__V1__Cost *wire = arena_alloc(arena, sizeof(*wire));

    if (wire == NULL)
        return NULL;
    metercache__v1__cost__init(wire);
    wire->provider_calls = provider_calls;
    wire->credits_milli = credits_milli;
    return wire;
}
