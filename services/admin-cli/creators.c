#include <stdio.h>

#include "cli.h"
#include "client/message_field.h"
#include "handlers.h"
#include "render.h"

#define PAGE_SIZE_MAX 200

static enum status parse_platform(Metercache__V1__Platform *out, const char *text,
                                  struct error *err)
{
    int value;

    if (!message_field_enum_parse(&value, &metercache__v1__platform__descriptor, text))
        return cli_usage(err, "'%s' is no platform: instagram, tiktok or youtube", text);
    *out = (Metercache__V1__Platform)value;
    return ST_OK;
}

/* PLATFORM CREATOR: "@name" is a handle, anything else the provider's id. */
static enum status read_ref(Metercache__V1__CreatorRef *out, const struct cli *cli,
                            struct error *err)
{
    const char *creator = cli_arg(cli, 1);
    enum status st = parse_platform(&out->platform, cli_arg(cli, 0), err);

    if (st != ST_OK)
        return st;
    if (creator[0] == '@') {
        out->by_case = METERCACHE__V1__CREATOR_REF__BY_HANDLE;
        out->handle = (char *)creator + 1;
    } else {
        out->by_case = METERCACHE__V1__CREATOR_REF__BY_PROVIDER_USER_ID;
        out->provider_user_id = (char *)creator;
    }
    return ST_OK;
}

/* An option that is a JSON text, "-" or "@FILE". */
static enum status read_json_option(char **out, struct cli *cli, const char *name,
                                    struct error *err)
{
    const char *given = cli_option(cli, name), *text;
    size_t size;
    enum status st;

    if (given == NULL)
        return ST_OK;
    st = cli_read_text(&text, &size, cli, given, err);
    if (st == ST_OK)
        *out = (char *)text;
    return st;
}

static enum status read_search(Metercache__V1__SearchRequest *out, struct cli *cli,
                               struct error *err)
{
    uint64_t count = 0;
    enum status st = parse_platform(&out->platform, cli_option(cli, "--platform"), err);

    if (st == ST_OK)
        st = read_json_option(&out->filters_json, cli, "--filters", err);
    if (st == ST_OK)
        st = read_json_option(&out->sort_json, cli, "--sort", err);
    if (st == ST_OK)
        st = cli_option_number(&count, cli, "--count", 0, UINT32_MAX, err);
    if (st == ST_OK)
        st = cli_read_page(out->page, cli, PAGE_SIZE_MAX, err);
    out->count = (uint32_t)count; /* its bounds are the service's to check */
    return st;
}

enum status creators_search(struct cli *cli, struct error *err)
{
    Metercache__V1__SearchRequest request = METERCACHE__V1__SEARCH_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    ProtobufCMessage *reply;
    enum status st;

    request.page = &page;
    st = read_search(&request, cli, err);
    if (st == ST_OK)
        st = cli_call(cli, "CreatorService/Search", &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        render_search(cli->out, (const void *)reply);
    return ST_OK;
}

enum status creators_get(struct cli *cli, struct error *err)
{
    Metercache__V1__GetCreatorRequest request = METERCACHE__V1__GET_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref = METERCACHE__V1__CREATOR_REF__INIT;
    const Metercache__V1__GetCreatorResponse *answer;
    ProtobufCMessage *reply;
    enum status st = read_ref(&ref, cli, err);

    request.creator = &ref;
    if (st == ST_OK)
        st = cli_call(cli, "CreatorService/GetCreator", &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    answer = (const void *)reply;
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        render_creator(cli->out, answer->creator, answer->freshness, NULL);
    return ST_OK;
}

static enum status write_report(const char *path, const char *report, struct error *err)
{
    FILE *file = fopen(path, "we");
    bool is_written = file != NULL && fputs(report, file) >= 0;

    if ((file != NULL && fclose(file) != 0) || !is_written)
        return cli_usage(err, "cannot write the report to '%s'", path);
    return ST_OK;
}

enum status creators_select(struct cli *cli, struct error *err)
{
    Metercache__V1__SelectCreatorRequest request =
        METERCACHE__V1__SELECT_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref = METERCACHE__V1__CREATOR_REF__INIT;
    const Metercache__V1__SelectCreatorResponse *answer;
    const char *path = cli_option(cli, "--report");
    ProtobufCMessage *reply;
    enum status st = read_ref(&ref, cli, err);

    request.creator = &ref;
    request.omit_report = path == NULL && !cli->is_json;
    if (st == ST_OK)
        st = cli_call(cli, "CreatorService/SelectCreator", &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    answer = (const void *)reply;
    if (path != NULL)
        st = write_report(path, answer->report_json, err);
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        render_creator(cli->out, answer->creator, answer->freshness, answer->cost);
    return st;
}

enum status creators_enrich(struct cli *cli, struct error *err)
{
    Metercache__V1__EnrichCreatorRequest request =
        METERCACHE__V1__ENRICH_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref = METERCACHE__V1__CREATOR_REF__INIT;
    ProtobufCMessage *reply;
    enum status st = read_ref(&ref, cli, err);

    request.creator = &ref;
    if (st == ST_OK)
        st = cli_call(cli, "CreatorService/EnrichCreator", &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        render_enrichment(cli->out, (const void *)reply);
    return ST_OK;
}

enum status creators_searches(struct cli *cli, struct error *err)
{
    Metercache__V1__ListSearchesRequest request =
        METERCACHE__V1__LIST_SEARCHES_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    ProtobufCMessage *reply;
    enum status st = cli_read_page(&page, cli, PAGE_SIZE_MAX, err);

    request.page = &page;
    if (st == ST_OK)
        st = cli_call(cli, "CreatorService/ListSearches", &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        render_searches(cli->out, (const void *)reply);
    return ST_OK;
}
