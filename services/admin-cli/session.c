/*
 * session.c - the part of cli.h that talks to services.
 */
#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "core/mem.h"
#include "session.h"

#define TOKEN_FILE_MAX 4096
#define FAIL_FAST_MS   1000 /* wait for a connection; shorter than any time-out */

static const char *const ENDPOINT_OPTIONS[CLI_TARGET_COUNT] = {
    [CLI_CACHE] = "--endpoint",
    [CLI_QUOTA] = "--quota-endpoint",
    [CLI_GATEWAY] = "--gateway-endpoint",
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static const char *global(const struct cli *cli, const char *name)
{
    return grammar_global(cli->grammar, &cli->input, name, cli->environment);
}

const char *cli_endpoint(const struct cli *cli, enum cli_target target)
{
    return global(cli, ENDPOINT_OPTIONS[target]);
}

/* First line of the file. */
static enum status read_token_file(char *token, size_t size, const char *path,
                                   struct error *err)
{
    FILE *file = fopen(path, "re");
    bool has_line;

    if (file == NULL)
        return cli_usage(err, "cannot read the token file '%s'", path);
    has_line = fgets(token, (int)size, file) != NULL;
    fclose(file);
    if (!has_line)
        return cli_usage(err, "the token file '%s' is empty", path);
    token[strcspn(token, "\r\n")] = '\0';
    return ST_OK;
}

/* The token: a file wins over METERCACHE_TOKEN; none at all is for methods that need none. */
static enum status find_token(char *token, size_t size, const struct cli *cli,
                              struct error *err)
{
    const char *path = global(cli, "--token-file");
    const char *text = grammar_variable(cli->environment, "METERCACHE_TOKEN");

    if (path != NULL)
        return read_token_file(token, size, path, err);
    if ((size_t)snprintf(token, size, "%s", text != NULL ? text : "") >= size)
        return cli_usage(err, "METERCACHE_TOKEN is longer than %zu bytes", size - 1);
    return ST_OK;
}

static enum status connect_to(struct cli *cli, enum cli_target target, struct error *err)
{
    struct rpc_client_options options = {
        .endpoints = cli_endpoint(cli, target),
        .tls_ca_file = global(cli, "--tls-ca-file"),
        .tls_cert_file = global(cli, "--tls-cert-file"),
        .tls_key_file = global(cli, "--tls-key-file"),
        .fail_fast_ms = smaller(cli->timeout_ms / 2 + 1, FAIL_FAST_MS),
    };
    char *token;
    enum status st;

    if (cli->clients[target] != NULL)
        return ST_OK;
    token = mem_alloc(TOKEN_FILE_MAX);
    st = find_token(token, TOKEN_FILE_MAX, cli, err);
    if (st == ST_OK) {
        options.bearer = token;
        st = rpc_client_open(&cli->clients[target], &options, err);
    }
    mem_free_secret(token, TOKEN_FILE_MAX);
    return st;
}

static void print_outcome(const struct cli *cli, const struct cli_method *method,
                          const struct cli_call_options *options, enum status st,
                          const struct rpc_outcome *outcome)
{
    fprintf(cli->diagnostics,
            "%s at %s %s: code=%s executed=%s%s attempts=%u server_us=%" PRIu64
            " queue_us=%" PRIu64 " elapsed_us=%" PRIu64 " instance=%s\n",
            method->full_name, services_target_name(options->target),
            cli_endpoint(cli, options->target), status_name(st),
            outcome->executed ? "yes" : "no", outcome->replayed ? " replayed=yes" : "",
            outcome->attempts, outcome->server_us, outcome->queue_us, outcome->elapsed_us,
            outcome->instance_id[0] != '\0' ? outcome->instance_id : "-");
}

enum status cli_call_with(struct cli *cli, const struct cli_method *method,
                          const struct cli_call_options *options,
                          const ProtobufCMessage *request, ProtobufCMessage **reply,
                          struct error *err)
{
    struct rpc_outcome outcome = {0};
    const char *key = options->idempotency_key;
    uint64_t timeout_max_ms = options->timeout_max_ms;
    struct rpc_call_options call = {
        .method = method->full_name,
        .reply_type = method->reply,
        .is_idempotent = method->is_idempotent,
        .timeout_ms =
            timeout_max_ms > 0 ? smaller(timeout_max_ms, cli->timeout_ms) : cli->timeout_ms,
        .no_retry = timeout_max_ms > 0,
        .on_behalf_of = global(cli, "--user"),
        .idempotency_key = key,
        .idempotency_key_size = key != NULL ? strlen(key) : 0,
        .is_dry_run = options->is_dry_run,
    };
    enum status st = connect_to(cli, options->target, err);

    if (st != ST_OK)
        return st;
    st = rpc_client_call(cli->clients[options->target], &call, request, &cli->arena, reply,
                         &outcome, err);
    if (cli->is_verbose)
        print_outcome(cli, method, options, st, &outcome);
    if (options->outcome != NULL)
        *options->outcome = outcome;
    return st;
}

enum status cli_call(struct cli *cli, const char *name, const ProtobufCMessage *request,
                     ProtobufCMessage **reply, struct error *err)
{
    struct cli_method method;
    enum status st = services_find(&method, name, err);

    if (st != ST_OK)
        return st;
    return cli_call_with(cli, &method,
                         &(struct cli_call_options){.target = method.service->target},
                         request, reply, err);
}

void session_close(struct cli *cli)
{
    for (size_t i = 0; i < CLI_TARGET_COUNT; i++) {
        rpc_client_close(cli->clients[i]);
        cli->clients[i] = NULL;
    }
}
