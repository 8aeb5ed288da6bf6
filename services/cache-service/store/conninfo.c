#include "store/conninfo.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"

static const char *const HARDENING[][2] = {
    {"connect_timeout", "3"},    {"tcp_user_timeout", "3000"}, {"keepalives", "1"},
    {"keepalives_idle", "2"},    {"keepalives_interval", "1"}, {"keepalives_count", "3"},
    {"client_encoding", "UTF8"}, {"gssencmode", "disable"},
};

#define ROOM        (COUNT_OF(HARDENING) + 2) /* with application_name and options */
#define OPTIONS_MAX 4096

const char *conninfo_value(const struct conninfo *info, const char *keyword)
{
    for (size_t i = 0; i < info->count; i++)
        if (strcmp(info->keywords[i], keyword) == 0)
            return info->values[i];
    return NULL;
}

static void add(struct conninfo *info, const char *keyword, const char *value)
{
    info->keywords[info->count] = mem_strdup(keyword);
    info->values[info->count] = mem_strdup(value);
    info->count++;
}

static void add_missing(struct conninfo *info, const char *keyword, const char *value)
{
    if (conninfo_value(info, keyword) == NULL)
        add(info, keyword, value);
}

static void append_limit(struct buf *options, const char *given, const char *name,
                         uint64_t value_ms)
{
    if (value_ms > 0 && strstr(given, name) == NULL)
        buf_printf(options, " -c %s=%" PRIu64, name, value_ms);
}

/* The server's own limits end what a client that is gone has left behind. */
static void complete_options(struct conninfo *info, const struct conninfo_extras *extras)
{
    size_t at = 0;

    while (at < info->count && strcmp(info->keywords[at], "options") != 0)
        at++;
    const char *given = at < info->count ? info->values[at] : "";

    struct buf options;
    buf_init(&options, OPTIONS_MAX);
    buf_append_text(&options, given);
    append_limit(&options, given, "statement_timeout", extras->statement_ms);
    append_limit(&options, given, "lock_timeout", extras->lock_ms);
    append_limit(&options, given, "idle_in_transaction_session_timeout",
                 extras->idle_in_transaction_ms);
    append_limit(&options, given, "client_connection_check_interval", 500);
    if (at < info->count) {
        mem_free((char *)info->values[at]);
        info->values[at] = mem_strdup(buf_text(&options));
    } else {
        add(info, "options", buf_text(&options));
    }
    buf_done(&options);
}

static unsigned count_hosts(const struct conninfo *info)
{
    const char *list = conninfo_value(info, "host");

    if (list == NULL)
        list = conninfo_value(info, "hostaddr");
    unsigned hosts = 1;
    for (; list != NULL && *list != '\0'; list++)
        if (*list == ',')
            hosts++;
    return hosts;
}

enum status conninfo_parse(struct conninfo *out, const char *text,
                           const struct conninfo_extras *extras, struct error *err)
{
    PQconninfoOption *options = PQconninfoParse(text, NULL);

    if (options == NULL)
        return error_set(err, ST_INVALID,
                         "the database connection string is neither a URL nor keywords");
    size_t given = 0;
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        given += option->val != NULL;

    struct conninfo info = {0};
    info.keywords = mem_alloc_array(given + ROOM + 1, sizeof(*info.keywords));
    info.values = mem_alloc_array(given + ROOM + 1, sizeof(*info.values));
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (option->val != NULL)
            add(&info, option->keyword, option->val);
    PQconninfoFree(options);

    for (size_t i = 0; i < COUNT_OF(HARDENING); i++)
        add_missing(&info, HARDENING[i][0], HARDENING[i][1]);
    add_missing(&info, "application_name", extras->application);
    complete_options(&info, extras);
    info.hosts = count_hosts(&info);
    *out = info;
    return ST_OK;
}

void conninfo_done(struct conninfo *info)
{
    for (size_t i = 0; i < info->count; i++) {
        mem_free((char *)info->keywords[i]);
        mem_free_secret((char *)info->values[i], strlen(info->values[i]));
    }
    mem_free(info->keywords);
    mem_free(info->values);
    *info = (struct conninfo){0};
}
