#include "modash.h"

#include "url.h"

#define METER_DISCOVERY "modash.discovery"
#define METER_REPORTS   "modash.reports"
#define RESULT_MILLI    10
#define REPORT_MILLI    1000

/* Where a reader finds what it needs and leaves what it read. */
struct reading {
    struct arena *arena;
    enum platform platform;
    void *out;
};

/* What all answers of Modash share: an error body's code. True when it is one. */
static bool read_error(unsigned http_status, const json_t *root,
                       struct outcome_reading *out)
{
    if (http_status <= 299 && !modash_parse_is_error(root))
        return false;
    outcome_copy_code(out->code, modash_parse_error(root));
    return true;
}

static void read_search(void *context, unsigned http_status, const json_t *root,
                        struct outcome_reading *out)
{
    struct reading *reading = context;
    struct modash_page *page = reading->out;

    if (read_error(http_status, root, out))
        return;
    out->is_usable = modash_parse_search(page, root, reading->platform, reading->arena);
    out->outcome = page->returned > 0 ? CALL_OK : CALL_EMPTY;
    out->cost_milli = RESULT_MILLI * (int64_t)page->returned;
}

static void read_users(void *context, unsigned http_status, const json_t *root,
                       struct outcome_reading *out)
{
    struct reading *reading = context;
    struct creator_list *users = reading->out;

    if (read_error(http_status, root, out))
        return;
    out->is_usable = modash_parse_users(users, root, reading->platform, reading->arena);
    out->outcome = users->count > 0 ? CALL_OK : CALL_EMPTY;
}

static void read_report(void *context, unsigned http_status, const json_t *root,
                        struct outcome_reading *out)
{
    struct reading *reading = context;

    if (read_error(http_status, root, out))
        return;
    out->is_usable =
        modash_parse_report(reading->out, root, reading->platform, reading->arena);
    out->outcome = CALL_OK;
    out->cost_milli = REPORT_MILLI;
}

static void read_balance(void *context, unsigned http_status, const json_t *root,
                         struct outcome_reading *out)
{
    struct reading *reading = context;

    if (read_error(http_status, root, out))
        return;
    out->is_usable = modash_parse_balance(reading->out, root);
    out->outcome = CALL_OK;
}

enum status modash_search_creators(struct modash_page *out, struct call_receipt *receipt,
                                   struct modash *modash,
                                   const struct call_context *context,
                                   const struct modash_search *search, struct error *err)
{
    struct modash_page page = {.total = 0};
    struct reading reading = {context->arena, search->platform, &page};
    struct buf url, body;
    enum status st;

    buf_init(&url, URL_SIZE_MAX);
    buf_init(&body, MODASH_BODY_BYTES);
    st = modash_request_search(&url, &body, modash->provider.is.base_url, search, err);
    if (st == ST_OK) {
        struct metered_request request = {
            .provider = &modash->provider,
            .context = context,
            .action = "search",
            .meter = METER_DISCOVERY,
            .amount_milli = (int64_t)MODASH_PAGE_SIZE * RESULT_MILLI,
            .platform = search->platform,
            .creator = "",
            .url = buf_text(&url),
            .body = buf_text(&body),
            .read = read_search,
            .read_context = &reading,
        };
        st = metered_call(receipt, modash->door, &request, err);
    }
    buf_done(&body);
    buf_done(&url);
    if (st == ST_OK)
        *out = page;
    return st;
}

enum status modash_find_users(struct creator_list *out, struct call_receipt *receipt,
                              struct modash *modash, const struct call_context *context,
                              const struct modash_user_query *query, struct error *err)
{
    struct creator_list users = {NULL, 0};
    struct reading reading = {context->arena, query->platform, &users};
    struct buf url;
    enum status st;

    buf_init(&url, URL_SIZE_MAX);
    st = modash_request_users(&url, modash->provider.is.base_url, query->platform,
                              query->query, query->limit, err);
    if (st == ST_OK) {
        struct metered_request request = {
            .provider = &modash->provider,
            .context = context,
            .action = "users",
            .meter = METER_DISCOVERY,
            .platform = query->platform,
            .creator = "",
            .url = buf_text(&url),
            .read = read_users,
            .read_context = &reading,
        };
        st = metered_call(receipt, modash->door, &request, err);
    }
    buf_done(&url);
    if (st == ST_OK)
        *out = users;
    return st;
}

enum status modash_fetch_report(struct modash_report *out, struct call_receipt *receipt,
                                struct modash *modash, const struct call_context *context,
                                const struct modash_creator_name *name, struct error *err)
{
    struct modash_report report;
    struct reading reading = {context->arena, name->platform, &report};
    struct buf url;
    enum status st;

    buf_init(&url, URL_SIZE_MAX);
    st = modash_request_report(&url, modash->provider.is.base_url, name->platform,
                               name->who, err);
    if (st == ST_OK) {
        struct metered_request request = {
            .provider = &modash->provider,
            .context = context,
            .action = "report",
            .meter = METER_REPORTS,
            .amount_milli = REPORT_MILLI,
            .platform = name->platform,
            .creator = name->who + (name->who[0] == '@'),
            .url = buf_text(&url),
            .read = read_report,
            .read_context = &reading,
        };
        st = metered_call(receipt, modash->door, &request, err);
    }
    buf_done(&url);
    if (st == ST_OK && receipt->outcome == CALL_EMPTY) {
        (void)error_set(err, ST_NOT_FOUND, "modash has no report of it");
        return error_reason(err, "PROVIDER_NOT_FOUND");
    }
    if (st == ST_OK)
        *out = report;
    return st;
}

enum status modash_fetch_balance(int64_t *credits_milli, struct call_receipt *receipt,
                                 struct modash *modash, const struct call_context *context,
                                 struct error *err)
{
    int64_t credits = 0;
    struct reading reading = {context->arena, PLATFORM_NONE, &credits};
    struct buf url;
    enum status st;

    buf_init(&url, URL_SIZE_MAX);
    modash_request_user_info(&url, modash->provider.is.base_url);
    struct metered_request request = {
        .provider = &modash->provider,
        .context = context,
        .action = "user_info",
        .meter = METER_REPORTS,
        .creator = "",
        .url = buf_text(&url),
        .read = read_balance,
        .read_context = &reading,
    };
    st = metered_call(receipt, modash->door, &request, err);
    buf_done(&url);
    if (st == ST_OK && receipt->outcome == CALL_EMPTY) {
        (void)error_set(err, ST_UNAVAILABLE, "modash names no balance");
        return error_reason(err, "PROVIDER_ERROR");
    }
    if (st == ST_OK)
        *credits_milli = credits;
    return st;
}
