#include "support/tiny_daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "daemon/daemon.h"
#include "daemon/tokens.h"
#include "metercache/v1/calls.pb-c.h"
#include "support/expect.h"

#define ARENA_BYTES     ((size_t)4 << 20)
#define CALL_TIMEOUT_MS 2000

/* ---- in the child ---- */

struct config {
    const char *key;
    uint64_t number;
    const char *open;
    const char *side_url;
};

#define ROW(env_, kind_, field_, fallback_, max_, help_) \
    SETTING_ROW(struct config, env_, kind_, field_, fallback_, 0, max_, help_)

static const struct setting SETTINGS[] = {
    ROW("TINY_KEY", SETTING_SECRET, key, TINY_SECRET, 0, "a secret"),
    ROW("TINY_NUMBER", SETTING_COUNT, number, "7", 100, "a count"),
    ROW("TINY_OPEN", SETTING_TEXT, open, "ok", 0, "what open does"),
    ROW("TINY_SIDE_LISTEN_URL", SETTING_TEXT, side_url, "", 0, "a second listener"),
};

static enum status open_service(void **service, const void *config, struct error *err)
{
    const struct config *tiny = config;

    if (strcmp(tiny->key, TINY_SECRET) != 0 || tiny->number != 7)
        return error_set(err, ST_INTERNAL, "settings did not arrive");
    for (int i = ST_CANCELLED; i < STATUS_COUNT; i++) {
        if (strcmp(tiny->open, status_name((enum status)i)) == 0)
            return error_set(err, (enum status)i, "open was told to fail");
    }
    *service = (void *)config;
    return ST_OK;
}

static void close_service(void *service)
{
    assert_non_null(service);
    fputs("service closed\n", stderr);
}

static void drain_service(void *service)
{
    assert_non_null(service);
    fputs("service drains\n", stderr);
}

static enum status list_calls(struct rpc_call *call, const void *request, void *reply,
                              struct error *err)
{
    const Metercache__V1__ListCallsRequest *in = request;
    char byte;

    (void)call;
    (void)reply;
    if (strcmp(in->provider, "fenced") == 0)
        daemon_request_exit(DAEMON_EXIT_INTERNAL);
    if (strcmp(in->provider, "gate") != 0)
        return ST_OK;
    fputs("at the gate\n", stderr);
    if (read(CHILD_GATE_FD, &byte, 1) != 1)
        return error_set(err, ST_INTERNAL, "the gate is gone");
    return ST_OK;
}

static int greet(const void *config)
{
    const struct config *tiny = config;

    printf("hello %d\n", (int)tiny->number);
    return 3;
}

int tiny_daemon_main(int argc, char *argv[])
{
    static const struct rpc_method methods[] = {
        {.service = &metercache__v1__call_log_service__descriptor,
         .name = "ListCalls",
         .roles = RPC_ROLES_ANY,
         .handler = list_calls},
        {.service = NULL},
    };
    static const struct rpc_method *const tables[] = {methods};
    static const struct daemon_listener listeners[] = {
        {.name = "side",
         .url_offset = offsetof(struct config, side_url),
         .tables = tables,
         .table_count = COUNT_OF(tables)},
    };
    static const struct daemon_command commands[] = {
        {.name = "greet", .help = "say hello", .run = greet},
    };
    static const char *const foreign[] = {"WEE_", NULL};
    static const struct daemon_spec spec = {
        .name = "tiny",
        .prefix = "TINY_",
        .foreign_prefixes = foreign,
        .settings = SETTINGS,
        .setting_count = COUNT_OF(SETTINGS),
        .config_size = sizeof(struct config),
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .listeners = listeners,
        .listener_count = COUNT_OF(listeners),
        .commands = commands,
        .command_count = COUNT_OF(commands),
        .default_listen_url = "tcp://127.0.0.1:0",
        .default_ops_address = "127.0.0.1:0",
        .default_workers = 4,
        .open = open_service,
        .close = close_service,
        .drain = drain_service,
    };

    return daemon_main(&spec, argc, argv);
}

/* ---- in the test ---- */

void tiny_daemon_write_tokens(struct tiny_daemon *tiny)
{
    FILE *file = fopen(tiny->tokens_path, "w");

    assert_non_null(file);
    for (unsigned role = RPC_ROLE_CLIENT; role <= RPC_ROLE_SERVICE; role <<= 1) {
        const char *name = rpc_role_name((enum rpc_role)role);
        char line[TOKENS_LINE_SIZE];

        tokens_make(tiny->tokens[role], line, sizeof line, name, (enum rpc_role)role, name,
                    0);
        assert_true(fprintf(file, "%s\n", line) > 0);
    }
    assert_int_equal(fclose(file), 0);
}

static void prepare(struct tiny_daemon *tiny, const char *const *arguments,
                    const char *const *settings)
{
    const char *folder = getenv("METERCACHE_TEST_DIR");
    const char *environment[TINY_SETTINGS_MAX];
    char tokens_setting[600];
    size_t count = 0;
    bool names_tokens = false;

    *tiny = (struct tiny_daemon){.client = NULL};
    arena_init(&tiny->arena, ARENA_BYTES);
    snprintf(tiny->tokens_path, sizeof tiny->tokens_path, "%s/tiny-%ld.tokens",
             folder != NULL ? folder : P_tmpdir, (long)getpid());
    tiny_daemon_write_tokens(tiny);
    for (; count < TINY_SETTINGS_MAX - 2 && settings[count] != NULL; count++) {
        environment[count] = settings[count];
        names_tokens |= strncmp(settings[count], "TINY_TOKENS_FILE=", 17) == 0;
    }
    snprintf(tokens_setting, sizeof tokens_setting, "TINY_TOKENS_FILE=%s",
             tiny->tokens_path);
    if (!names_tokens)
        environment[count++] = tokens_setting;
    environment[count] = NULL;
    child_start(&tiny->child, arguments, environment);
}

int tiny_daemon_run(struct tiny_daemon *tiny, const char *const *arguments,
                    const char *const *settings)
{
    prepare(tiny, arguments, settings);
    return child_wait(&tiny->child);
}

void tiny_daemon_start(struct tiny_daemon *tiny, const char *const *settings)
{
    const char *const none[] = {NULL};

    prepare(tiny, none, settings);
    child_await_text(&tiny->child, " started ");
    child_await_text(&tiny->child, "tokens=");
    assert_true(child_find_word(&tiny->child, "listen=", tiny->url, sizeof tiny->url));
    assert_true(child_find_word(&tiny->child, "ops=", tiny->ops, sizeof tiny->ops));
    tiny_daemon_call_as(tiny, RPC_ROLE_ADMIN);
}

void tiny_daemon_call_as(struct tiny_daemon *tiny, enum rpc_role role)
{
    tiny_daemon_call_at(tiny, tiny->url, role);
}

void tiny_daemon_call_at(struct tiny_daemon *tiny, const char *url, enum rpc_role role)
{
    const struct rpc_client_options options = {
        .endpoints = url,
        .bearer = tiny->tokens[role],
        .fail_fast_ms = CALL_TIMEOUT_MS,
    };

    rpc_client_close(tiny->client);
    tiny->client = NULL;
    arena_reset(&tiny->arena);
    assert_ok(rpc_client_open(&tiny->client, &options, &tiny->err), &tiny->err);
}

void tiny_daemon_done(struct tiny_daemon *tiny)
{
    rpc_client_close(tiny->client);
    child_done(&tiny->child);
    arena_done(&tiny->arena);
    unlink(tiny->tokens_path);
}
