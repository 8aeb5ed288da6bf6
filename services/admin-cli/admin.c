#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "handlers.h"
#include "metercache/v1/admin.pb-c.h"
#include "output.h"

/* A method of AdminService at the process that the first argument names. */
static enum status call_admin(ProtobufCMessage **reply, struct cli *cli, const char *name,
                              const ProtobufCMessage *request, struct error *err)
{
    struct cli_call_options options = {.target = CLI_CACHE};
    struct cli_method method;
    enum status st = services_find(&method, name, err);

    if (st == ST_OK && cli_arg(cli, 0) != NULL &&
        !services_target_parse(&options.target, cli_arg(cli, 0)))
        st = cli_usage(err, "'%s' is no service: cache, quota or gateway", cli_arg(cli, 0));
    return st == ST_OK ? cli_call_with(cli, &method, &options, request, reply, err) : st;
}

/* "label: text", the text from a server. */
static void print_line(const struct cli *cli, const char *label, const char *text)
{
    fprintf(cli->out, "%-9s ", label);
    output_print_text(cli->out, text);
    fputc('\n', cli->out);
}

enum status admin_ping(struct cli *cli, struct error *err)
{
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    const Metercache__V1__PingResponse *answer;
    ProtobufCMessage *reply;
    enum status st = call_admin(&reply, cli, "AdminService/Ping", &request.base, err);

    if (st != ST_OK)
        return st;
    if (cli->is_json) {
        cli_print_json(cli, reply);
        return ST_OK;
    }
    answer = (const void *)reply;
    print_line(cli, "service", answer->service);
    print_line(cli, "version", answer->version);
    print_line(cli, "build", answer->build);
    print_line(cli, "instance", answer->instance_id);
    fprintf(cli->out, "%-9s %" PRIu32 "\n", "protocol", answer->protocol_version);
    fprintf(cli->out, "%-9s %" PRIu64 " s\n", "uptime", answer->uptime_us / 1000000);
    fprintf(cli->out, "%-9s %s\n", "clock", output_time(answer->now_us).text);
    return ST_OK;
}

enum status admin_stats(struct cli *cli, struct error *err)
{
    Metercache__V1__GetStatsRequest request = METERCACHE__V1__GET_STATS_REQUEST__INIT;
    const Metercache__V1__GetStatsResponse *answer;
    const char *prefix = cli_option(cli, "--prefix");
    struct output_table table;
    ProtobufCMessage *reply;
    enum status st;

    if (prefix != NULL)
        request.prefix = (char *)prefix;
    st = call_admin(&reply, cli, "AdminService/GetStats", &request.base, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json) {
        cli_print_json(cli, reply);
        return ST_OK;
    }
    answer = (const void *)reply;
    output_table_init(&table,
                      (const char *const[]){"NAME", "LABELS", ">VALUE", "MEANING", NULL});
    for (size_t i = 0; i < answer->n_stats; i++) {
        char value[32];

        snprintf(value, sizeof(value), "%" PRId64, answer->stats[i]->value);
        output_table_add(&table, answer->stats[i]->name);
        output_table_add(&table, answer->stats[i]->labels);
        output_table_add(&table, value);
        output_table_add(&table, answer->stats[i]->help);
    }
    output_table_print(cli->out, &table);
    output_table_done(&table);
    return ST_OK;
}

enum status admin_config(struct cli *cli, struct error *err)
{
    Metercache__V1__ShowConfigRequest request = METERCACHE__V1__SHOW_CONFIG_REQUEST__INIT;
    const Metercache__V1__ShowConfigResponse *answer;
    struct output_table table;
    ProtobufCMessage *reply;
    enum status st = call_admin(&reply, cli, "AdminService/ShowConfig", &request.base, err);

    if (st != ST_OK)
        return st;
    if (cli->is_json) {
        cli_print_json(cli, reply);
        return ST_OK;
    }
    answer = (const void *)reply;
    output_table_init(&table, (const char *const[]){"SETTING", "VALUE", "FROM", NULL});
    for (size_t i = 0; i < answer->n_values; i++) {
        output_table_add(&table, answer->values[i]->name);
        output_table_add(&table, answer->values[i]->value);
        output_table_add(&table, answer->values[i]->is_default ? "default" : "environment");
    }
    output_table_print(cli->out, &table);
    output_table_done(&table);
    return ST_OK;
}

enum status admin_connections(struct cli *cli, struct error *err)
{
    Metercache__V1__ListConnectionsRequest request =
        METERCACHE__V1__LIST_CONNECTIONS_REQUEST__INIT;
    const Metercache__V1__ListConnectionsResponse *answer;
    struct output_table table;
    ProtobufCMessage *reply;
    enum status st =
        call_admin(&reply, cli, "AdminService/ListConnections", &request.base, err);

    if (st != ST_OK)
        return st;
    if (cli->is_json) {
        cli_print_json(cli, reply);
        return ST_OK;
    }
    answer = (const void *)reply;
    output_table_init(&table, (const char *const[]){">ID", "PEER", "SINCE", "LAST REQUEST",
                                                    ">REQUESTS", ">IN FLIGHT", NULL});
    for (size_t i = 0; i < answer->n_connections; i++) {
        const Metercache__V1__ConnectionInfo *info = answer->connections[i];

        output_table_add(&table, output_count(info->id).text);
        output_table_add(&table, info->peer);
        output_table_add(&table, output_time(info->since_us).text);
        output_table_add(&table, output_time(info->last_request_at_us).text);
        output_table_add(&table, output_count((int64_t)info->requests).text);
        output_table_add(&table, output_count(info->inflight).text);
    }
    output_table_print(cli->out, &table);
    output_table_done(&table);
    return ST_OK;
}

enum status admin_log_level(struct cli *cli, struct error *err)
{
    Metercache__V1__SetLogLevelRequest request =
        METERCACHE__V1__SET_LOG_LEVEL_REQUEST__INIT;
    ProtobufCMessage *reply;
    enum status st;

    request.level = (char *)cli_arg(cli, 1);
    st = call_admin(&reply, cli, "AdminService/SetLogLevel", &request.base, err);
    if (st != ST_OK)
        return st;
    if (cli->is_json) {
        cli_print_json(cli, reply);
    } else {
        const Metercache__V1__SetLogLevelResponse *answer = (const void *)reply;

        fprintf(cli->out, "%s, formerly ", cli_arg(cli, 1));
        output_print_text(cli->out, answer->former_level);
        fputc('\n', cli->out);
    }
    return ST_OK;
}

enum status admin_drain(struct cli *cli, struct error *err)
{
    Metercache__V1__DrainRequest request = METERCACHE__V1__DRAIN_REQUEST__INIT;
    ProtobufCMessage *reply;
    enum status st = call_admin(&reply, cli, "AdminService/Drain", &request.base, err);

    if (st != ST_OK)
        return st;
    if (cli->is_json) {
        cli_print_json(cli, reply);
    } else {
        const Metercache__V1__DrainResponse *answer = (const void *)reply;

        fprintf(cli->out, "draining; %" PRIu32 " calls in flight\n", answer->inflight);
    }
    return ST_OK;
}
