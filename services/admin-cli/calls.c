#include "cli.h"
#include "core/clock.h"
#include "core/parse.h"
#include "handlers.h"
#include "render.h"

#define PAGE_SIZE_MAX 500
#define AGE_MAX_MS    (3660ull * 24 * 3600 * 1000) /* ten years and a bit */

/* The time a duration such as "24h" ago; 0 when the option is not given. */
static enum status read_since(int64_t *out, const struct cli *cli, const char *name,
                              struct error *err)
{
    const char *text = cli_option(cli, name);
    uint64_t age_ms = 0;

    if (text == NULL) {
        *out = 0;
        return ST_OK;
    }
    if (!parse_duration_ms(&age_ms, text, 1, AGE_MAX_MS))
        return cli_usage(err, "%s wants a time such as 24h or 28d, not '%s'", name, text);
    *out = clock_wall_us() - (int64_t)age_ms * CLOCK_US_PER_MS;
    return ST_OK;
}

static void take(char **out, const struct cli *cli, const char *option)
{
    const char *text = cli_option(cli, option);

    if (text != NULL)
        *out = (char *)text;
}

static enum status read_calls(Metercache__V1__ListCallsRequest *out, const struct cli *cli,
                              struct error *err)
{
    int outcome = 0;
    enum status st = cli_read_page(out->page, cli, PAGE_SIZE_MAX, err);

    if (st == ST_OK)
        st = cli_option_enum(&outcome, cli, "--outcome",
                             &metercache__v1__call_outcome__descriptor, err);
    if (st == ST_OK)
        st = read_since(&out->from_us, cli, "--last", err);
    out->outcome = (Metercache__V1__CallOutcome)outcome;
    take(&out->provider, cli, "--provider");
    take(&out->action, cli, "--action");
    take(&out->user, cli, "--for-user");
    return st;
}

enum status calls_list(struct cli *cli, struct error *err)
{
    Metercache__V1__ListCallsRequest request = METERCACHE__V1__LIST_CALLS_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    ProtobufCMessage *reply;
    enum status st;

    request.page = &page;
    st = read_calls(&request, cli, err);
    if (st == ST_OK)
        st = cli_call(cli, "CallLogService/ListCalls", &request.base, &reply, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json)
        cli_print_json(cli, reply);
    else
        render_calls(cli->out, (const void *)reply);
    return ST_OK;
}
