#include "modash_request.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/parse.h"
#include "url.h"

#define API           "/v1"
#define LIMIT_DEFAULT 10u

/* NULL for no platform of Modash's. */
static const char *platform_name(enum platform platform)
{
    switch (platform) {
    case PLATFORM_INSTAGRAM:
        return "instagram";
    case PLATFORM_TIKTOK:
        return "tiktok";
    case PLATFORM_YOUTUBE:
        return "youtube";
    case PLATFORM_NONE:
        break;
    }
    return NULL;
}

static enum status begin_with_platform(struct buf *url, const char *base,
                                       enum platform platform, struct error *err)
{
    const char *name = platform_name(platform);

    if (name == NULL)
        return error_field(err, "platform", "no such platform");
    url_begin(url, base, API);
    url_segment(url, name);
    return ST_OK;
}

/* User text that is to become one value of a URL. */
static enum status check_name(const char *name, const char *field, struct error *err)
{
    size_t size = strlen(name);

    if (size == 0 || size > MODASH_NAME_BYTES)
        return error_field(err, field, "must have 1 to %zu bytes", MODASH_NAME_BYTES);
    if (!parse_is_utf8(name, size))
        return error_field(err, field, "is not valid utf-8");
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return error_field(err, field, "holds a control character");
    }
    return ST_OK;
}

/* As it would be refused in a path even when encoded: separators, and "." and "..". */
static enum status check_segment(const char *name, const char *field, struct error *err)
{
    enum status st = check_name(name, field, err);

    if (st != ST_OK)
        return st;
    if (strpbrk(name, "/\\?#%") != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return error_field(err, field, "'%s' cannot be a user id or handle", name);
    return ST_OK;
}

static enum status check_object(const char *text, size_t limit, const char *field,
                                struct error *err)
{
    size_t size = strlen(text);
    size_t depth = 0;
    json_t *root;
    bool is_object;

    if (size > limit)
        return error_field(err, field, "is longer than %zu bytes", limit);
    for (size_t i = 0; i < size; i++) { /* jansson recurses */
        depth += text[i] == '[' || text[i] == '{';
        if (depth > 1024)
            return error_field(err, field, "has too many parts");
    }
    root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    is_object = json_is_object(root);
    json_decref(root);
    if (!is_object)
        return error_field(err, field, "is not a JSON object");
    return ST_OK;
}

enum status modash_request_search(struct buf *url, struct buf *body, const char *base,
                                  const struct modash_search *search, struct error *err)
{
    enum status st = begin_with_platform(url, base, search->platform, err);

    if (st != ST_OK)
        return st;
    url_path(url, "/search");
    if (search->page > MODASH_PAGE_MAX)
        return error_field(err, "page", "%" PRIu32 " is past the last page, %u",
                           search->page, MODASH_PAGE_MAX);
    buf_printf(body, "{\"page\":%" PRIu32, search->page);
    if (search->sort_json[0] != '\0') {
        st = check_object(search->sort_json, MODASH_SORT_BYTES, "sort_json", err);
        if (st != ST_OK)
            return st;
        buf_printf(body, ",\"sort\":%s", search->sort_json);
    }
    if (search->filters_json[0] != '\0') {
        st = check_object(search->filters_json, MODASH_FILTERS_BYTES, "filters_json", err);
        if (st != ST_OK)
            return st;
        buf_printf(body, ",\"filter\":%s", search->filters_json);
    }
    buf_append_text(body, "}");
    return ST_OK;
}

enum status modash_request_users(struct buf *url, const char *base, enum platform platform,
                                 const char *query, uint32_t limit, struct error *err)
{
    char number[16];
    enum status st = begin_with_platform(url, base, platform, err);

    if (st == ST_OK)
        st = check_name(query, "query", err);
    if (st != ST_OK)
        return st;
    if (limit > MODASH_LIMIT_MAX)
        return error_field(err, "limit", "%" PRIu32 " is more than %u", limit,
                           MODASH_LIMIT_MAX);
    (void)snprintf(number, sizeof(number), "%" PRIu32, limit == 0 ? LIMIT_DEFAULT : limit);
    url_path(url, "/users");
    url_query(url, "query", query);
    url_query(url, "limit", number);
    return ST_OK;
}

enum status modash_request_report(struct buf *url, const char *base, enum platform platform,
                                  const char *who, struct error *err)
{
    enum status st = begin_with_platform(url, base, platform, err);

    if (st != ST_OK)
        return st;
    who += *who == '@';
    st = check_segment(who, "creator", err);
    if (st != ST_OK)
        return st;
    url_path(url, "/profile");
    url_segment(url, who);
    url_path(url, "/report");
    return ST_OK;
}

void modash_request_user_info(struct buf *url, const char *base)
{
    url_begin(url, base, API "/user/info");
}
