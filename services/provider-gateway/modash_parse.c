#include "modash_parse.h"

#include <string.h>

#include "json_read.h"

#define USER_ID_BYTES ((size_t)128)
#define EMAIL_BYTES   ((size_t)254)
#define PPM           1000000

bool modash_parse_is_error(const json_t *root)
{
    return json_read_flag(root, "error");
}

const char *modash_parse_error(const json_t *root)
{
    const char *code = json_string_value(json_object_get(root, "code"));

    return code == NULL ? "" : code;
}

/* Text under the first of two names that has any; NULL when the arena is full. */
static const char *text_of(const json_t *object, const char *name, const char *other,
                           struct arena *arena)
{
    const char *text = json_read_text(object, name, arena);

    return text != NULL && text[0] == '\0' ? json_read_text(object, other, arena) : text;
}

static int64_t count_of(const json_t *object, const char *name, const char *other)
{
    int64_t count = json_read_count(object, name);

    return count < 0 ? json_read_count(object, other) : count;
}

/* The fields that search hits, user rows and a report's inner profile share. */
static bool read_creator(struct creator *out, const json_t *object, enum platform platform,
                         struct arena *arena)
{
    *out = (struct creator){
        .platform = platform,
        .user_id = json_read_text(object, "userId", arena),
        .handle = text_of(object, "handle", "username", arena),
        .full_name = text_of(object, "fullname", "fullName", arena),
        .url = json_read_text(object, "url", arena),
        .picture_url = text_of(object, "picture", "profile_picture", arena),
        .followers = json_read_count(object, "followers"),
        .engagements = json_read_count(object, "engagements"),
        .engagement_rate_ppm = json_read_scaled(object, "engagementRate", PPM),
        .average_views = count_of(object, "averageViews", "avgViews"),
        .is_private = json_read_flag(object, "isPrivate"),
        .is_verified = json_read_flag(object, "isVerified"),
    };
    if (out->handle != NULL)
        out->handle += out->handle[0] == '@';
    return out->user_id != NULL && out->handle != NULL && out->full_name != NULL &&
           out->url != NULL && out->picture_url != NULL;
}

static bool has_id(const struct creator *creator)
{
    size_t size = strlen(creator->user_id);

    return size > 0 && size <= USER_ID_BYTES;
}

static bool is_listed(const struct creator_list *list, const char *user_id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].user_id, user_id) == 0)
            return true;
    }
    return false;
}

/* One search hit: {"userId", "profile": {...}}. */
static bool read_hit(struct creator *out, const json_t *hit, enum platform platform,
                     struct arena *arena)
{
    const json_t *profile = json_read_object(hit, "profile");

    if (!read_creator(out, profile == NULL ? hit : profile, platform, arena))
        return false;
    if (out->user_id[0] == '\0')
        out->user_id = json_read_text(hit, "userId", arena);
    return out->user_id != NULL;
}

/* Append an array's creators to a list that has room for them. */
static bool append_creators(struct creator_list *list, const json_t *array,
                            enum platform platform, struct arena *arena)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct creator creator;

        if (!read_hit(&creator, json_array_get(array, i), platform, arena))
            return false;
        if (has_id(&creator) && !is_listed(list, creator.user_id))
            list->items[list->count++] = creator;
    }
    return true;
}

bool modash_parse_search(struct modash_page *out, const json_t *root,
                         enum platform platform, struct arena *arena)
{
    const json_t *directs = json_read_array(root, "directs");
    const json_t *lookalikes = json_read_array(root, "lookalikes");
    struct modash_page page = {
        .returned = json_array_size(directs) + json_array_size(lookalikes),
        .total = json_read_count(root, "total"),
        .is_exact_match = json_read_flag(root, "isExactMatch"),
    };

    if (modash_parse_is_error(root) || (directs == NULL && lookalikes == NULL) ||
        page.returned > MODASH_RESULTS_MAX)
        return false;
    page.creators.items =
        arena_alloc_array(arena, page.returned + 1, sizeof(*page.creators.items));
    if (page.creators.items == NULL ||
        !append_creators(&page.creators, directs, platform, arena) ||
        !append_creators(&page.creators, lookalikes, platform, arena))
        return false;
    *out = page;
    return true;
}

bool modash_parse_users(struct creator_list *out, const json_t *root,
                        enum platform platform, struct arena *arena)
{
    const json_t *users = json_read_array(root, "users");
    struct creator_list list = {NULL, 0};

    if (modash_parse_is_error(root) || users == NULL ||
        json_array_size(users) > MODASH_RESULTS_MAX)
        return false;
    list.items = arena_alloc_array(arena, json_array_size(users) + 1, sizeof(*list.items));
    if (list.items == NULL || !append_creators(&list, users, platform, arena))
        return false;
    *out = list;
    return true;
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');

    return at != NULL && at != text && at[1] != '\0' && strlen(text) <= EMAIL_BYTES &&
           strpbrk(text, " \t\r\n<>\"") == NULL;
}

/* "contacts": [{"type": "email", "value": "..."}], the others of no interest. */
static bool read_emails(struct modash_report *out, const json_t *profile,
                        struct arena *arena)
{
    const json_t *contacts = json_read_array(profile, "contacts");

    for (size_t i = 0; i < json_array_size(contacts); i++) {
        const json_t *contact = json_array_get(contacts, i);
        const char *type = json_string_value(json_object_get(contact, "type"));
        const char *value = json_string_value(json_object_get(contact, "value"));

        if (out->email_count == MODASH_EMAILS_MAX)
            break;
        if (type == NULL || strcmp(type, "email") != 0 || value == NULL || !is_email(value))
            continue;
        out->emails[out->email_count] = arena_strdup(arena, value);
        if (out->emails[out->email_count++] == NULL)
            return false;
    }
    return true;
}

bool modash_parse_report(struct modash_report *out, const json_t *root,
                         enum platform platform, struct arena *arena)
{
    const json_t *outer = json_read_object(root, "profile");
    const json_t *inner = json_read_object(outer, "profile");
    struct modash_report report = {.email_count = 0};
    const char *canonical;

    if (modash_parse_is_error(root) || outer == NULL)
        return false;
    if (!read_creator(&report.creator, inner == NULL ? outer : inner, platform, arena))
        return false;
    canonical = json_read_text(outer, "userId", arena);
    if (canonical == NULL)
        return false;
    if (canonical[0] != '\0')
        report.creator.user_id = canonical;
    if (report.creator.average_views < 0)
        report.creator.average_views = count_of(outer, "averageViews", "avgViews");
    report.creator.is_private |= json_read_flag(outer, "isPrivate");
    report.creator.is_verified |= json_read_flag(outer, "isVerified");
    report.report_json = json_read_compact(outer, arena);
    if (!has_id(&report.creator) || report.report_json == NULL ||
        !read_emails(&report, outer, arena))
        return false;
    *out = report;
    return true;
}

bool modash_parse_balance(int64_t *credits_milli, const json_t *root)
{
    int64_t milli = json_read_scaled(json_read_object(root, "billing"), "credits", 1000);

    if (modash_parse_is_error(root) || milli < 0)
        return false;
    *credits_milli = milli;
    return true;
}
