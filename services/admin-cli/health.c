#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "core/buf.h"
#include "handlers.h"
#include "metercache/v1/health.pb-c.h"
#include "output.h"

#define JSON_BYTES     65536
#define TIMEOUT_MAX_MS 5000 /* of one process: this is to say how things stand now */

/* What one process said, or why it said nothing. */
struct health {
    bool serves;
    const char *state; /* "serving", "not-serving" or the status of the failed call */
    const char *reason;
    uint64_t elapsed_us;
};

static void check(struct health *out, struct cli *cli, enum cli_target target,
                  struct error *err)
{
    Metercache__V1__HealthCheckRequest request = METERCACHE__V1__HEALTH_CHECK_REQUEST__INIT;
    const Metercache__V1__HealthCheckResponse *answer;
    struct rpc_outcome outcome = {0};
    struct cli_call_options options = {
        .target = target, .timeout_max_ms = TIMEOUT_MAX_MS, .outcome = &outcome};
    struct cli_method method;
    ProtobufCMessage *reply;
    enum status st = services_find(&method, "HealthService/Check", err);

    if (st == ST_OK)
        st = cli_call_with(cli, &method, &options, &request.base, &reply, err);
    out->elapsed_us = outcome.elapsed_us;
    if (st != ST_OK) {
        out->serves = false;
        out->state = status_name(st);
        out->reason = err->message;
        return;
    }
    answer = (const void *)reply;
    out->serves = answer->status == METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_SERVING;
    out->state = out->serves ? "serving" : "not-serving";
    out->reason = answer->reason;
}

static void print_json(struct cli *cli, const struct health *health)
{
    struct buf text;

    buf_init(&text, JSON_BYTES);
    buf_append_text(&text, "{\n  \"services\": [");
    for (size_t i = 0; i < CLI_TARGET_COUNT; i++) {
        buf_printf(&text, "%s\n    {\"service\": \"%s\", \"endpoint\": \"",
                   i > 0 ? "," : "", services_target_name((enum cli_target)i));
        buf_append_json_escaped(&text, cli_endpoint(cli, (enum cli_target)i),
                                strlen(cli_endpoint(cli, (enum cli_target)i)));
        buf_printf(&text, "\", \"serves\": %s, \"state\": \"%s\", \"reason\": \"",
                   health[i].serves ? "true" : "false", health[i].state);
        buf_append_json_escaped(&text, health[i].reason, strlen(health[i].reason));
        buf_printf(&text, "\", \"elapsed_us\": %" PRIu64 "}", health[i].elapsed_us);
    }
    fprintf(cli->out, "%s\n  ]\n}\n", buf_text(&text));
    buf_done(&text);
}

static void print_table(struct cli *cli, const struct health *health)
{
    struct output_table table;

    output_table_init(&table, (const char *const[]){"SERVICE", "ENDPOINT", "STATE", ">TOOK",
                                                    "REASON", NULL});
    for (size_t i = 0; i < CLI_TARGET_COUNT; i++) {
        output_table_add(&table, services_target_name((enum cli_target)i));
        output_table_add(&table, cli_endpoint(cli, (enum cli_target)i));
        output_table_add(&table, health[i].state);
        output_table_add(&table, output_millis(health[i].elapsed_us).text);
        output_table_add(&table, health[i].reason);
    }
    output_table_print(cli->out, &table);
    output_table_done(&table);
}

enum status health_show(struct cli *cli, struct error *err)
{
    struct health health[CLI_TARGET_COUNT];
    struct error errors[CLI_TARGET_COUNT] = {0};
    unsigned failing = 0;

    for (size_t i = 0; i < CLI_TARGET_COUNT; i++) {
        check(&health[i], cli, (enum cli_target)i, &errors[i]);
        failing += !health[i].serves;
    }
    if (cli->is_json)
        print_json(cli, health);
    else
        print_table(cli, health);
    return failing == 0 ? ST_OK
                        : error_set(err, ST_UNAVAILABLE, "%u of %d services do not serve",
                                    failing, (int)CLI_TARGET_COUNT);
}
