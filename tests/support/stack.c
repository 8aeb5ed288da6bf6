#include "support/stack.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "daemon/tokens.h"
#include "support/expect.h"

#define ARGUMENTS_MAX 64
#define CLIENTS_MAX   64
#define VALUES_MAX    48
#define TOKENS_MAX    32
#define LINE_SIZE     512
#define OUTPUT_BYTES  (16u << 20)

extern char **environ;

struct named {
    char *name;
    char *text;
};

struct stack {
    char folder[256];
    const char *script;
    struct named values[VALUES_MAX];
    size_t value_count;
    struct named tokens[TOKENS_MAX];
    size_t token_count;
    struct rpc_client *clients[CLIENTS_MAX];
    size_t client_count;
};

static const char *const NAMES[STACK_SERVICE_COUNT] = {
    [STACK_POSTGRES] = "postgres",        [STACK_SIMULATOR] = "provider-simulator",
    [STACK_CACHE] = "cache-service",      [STACK_QUOTA] = "quota-service",
    [STACK_GATEWAY] = "provider-gateway",
};

const char *stack_service_name(enum stack_service service)
{
    return NAMES[service];
}

/* ---------------------------------------------------------------- processes ------- */

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_script(const struct stack *stack, const char *command, const char *service,
                      const char *const *settings)
{
    const char *argv[ARGUMENTS_MAX] = {stack->script, command, stack->folder};
    size_t count = 3;
    pid_t pid;

    if (service != NULL)
        argv[count++] = service;
    for (; settings != NULL && *settings != NULL; settings++) {
        assert_true(count < ARGUMENTS_MAX - 1);
        argv[count++] = *settings;
    }
    if (posix_spawn(&pid, stack->script, NULL, NULL, (char *const *)argv, environ) != 0)
        fail_msg("cannot run %s", stack->script);
    return wait_for(pid);
}

static void must_run(const struct stack *stack, const char *command,
                     enum stack_service service)
{
    int status = run_script(stack, command, NAMES[service], NULL);

    if (status != 0)
        fail_msg("stack %s %s ended with %d", command, NAMES[service], status);
}

void stack_kill(struct stack *stack, enum stack_service service)
{
    must_run(stack, "kill", service);
}

void stack_stop(struct stack *stack, enum stack_service service)
{
    must_run(stack, "stop", service);
}

void stack_start(struct stack *stack, enum stack_service service)
{
    must_run(stack, "start", service);
}

/* The first line of a file; "" when there is none. */
static void read_line(char line[LINE_SIZE], const char *path)
{
    FILE *file = fopen(path, "r");

    line[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(line, LINE_SIZE, file) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)fclose(file);
}

static pid_t pid_of(const struct stack *stack, enum stack_service service)
{
    char path[LINE_SIZE];
    char line[LINE_SIZE];

    (void)snprintf(path, sizeof(path), "%s/pid/%s", stack->folder, NAMES[service]);
    read_line(line, path);
    return (pid_t)strtol(line, NULL, 10);
}

bool stack_is_running(struct stack *stack, enum stack_service service)
{
    char path[LINE_SIZE];
    char line[LINE_SIZE];
    const char *state;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid_of(stack, service));
    read_line(line, path);
    state = strrchr(line, ')'); /* then a space and a letter; Z: dead, and not buried yet */
    return state != NULL && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';
}

/* ------------------------------------------------------------------ stack.env ------- */

static void read_values(struct stack *stack)
{
    char path[LINE_SIZE];
    char line[LINE_SIZE];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/stack.env", stack->folder);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("no %s", path);
    while (fgets(line, sizeof(line), file) != NULL && stack->value_count < VALUES_MAX) {
        char *equals = strchr(line, '=');

        line[strcspn(line, "\n")] = '\0';
        if (equals == NULL)
            continue;
        *equals = '\0';
        stack->values[stack->value_count++] =
            (struct named){mem_strdup(line), mem_strdup(equals + 1)};
    }
    (void)fclose(file);
}

const char *stack_value(const struct stack *stack, const char *name)
{
    for (size_t i = 0; i < stack->value_count; i++) {
        if (strcmp(stack->values[i].name, name) == 0)
            return stack->values[i].text;
    }
    fail_msg("stack.env has no %s", name);
    return "";
}

const char *stack_endpoint(const struct stack *stack, enum stack_service service)
{
    switch (service) {
    case STACK_CACHE:
        return stack_value(stack, "METERCACHE_ENDPOINT");
    case STACK_QUOTA:
        return stack_value(stack, "METERCACHE_QUOTA_ENDPOINT");
    case STACK_GATEWAY:
        return stack_value(stack, "METERCACHE_GATEWAY_ENDPOINT");
    default:
        fail_msg("%s takes no calls", NAMES[service]);
        return "";
    }
}

struct stack *stack_up(const char *name, const char *const *settings)
{
    const char *folder = getenv("TEST_DIR");
    struct stack *stack = mem_alloc(sizeof(*stack));

    stack->script = getenv("STACK_SCRIPT");
    if (folder == NULL || stack->script == NULL)
        fail_msg("run it with tests/support/run-tests");
    (void)snprintf(stack->folder, sizeof(stack->folder), "%s/%s", folder, name);
    if (run_script(stack, "up", NULL, settings) != 0)
        fail_msg("the stack does not start");
    read_values(stack);
    return stack;
}

static void forget(struct named *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mem_free(list[i].name);
        mem_free(list[i].text);
    }
}

void stack_down(struct stack *stack)
{
    if (stack == NULL)
        return;
    for (size_t i = 0; i < stack->client_count; i++)
        rpc_client_close(stack->clients[i]);
    (void)run_script(stack, "down", NULL, NULL);
    forget(stack->values, stack->value_count);
    forget(stack->tokens, stack->token_count);
    mem_free(stack);
}

/* --------------------------------------------------------- tokens and clients ------- */

static const char *keep_token(struct stack *stack, const char *name, const char *text)
{
    assert_true(stack->token_count < TOKENS_MAX);
    stack->tokens[stack->token_count] = (struct named){mem_strdup(name), mem_strdup(text)};
    return stack->tokens[stack->token_count++].text;
}

const char *stack_token(struct stack *stack, const char *name)
{
    char path[LINE_SIZE];
    char line[LINE_SIZE];

    for (size_t i = 0; i < stack->token_count; i++) {
        if (strcmp(stack->tokens[i].name, name) == 0)
            return stack->tokens[i].text;
    }
    (void)snprintf(path, sizeof(path), "%s/%s.token",
                   stack_value(stack, "STACK_TOKENS_DIR"), name);
    read_line(line, path);
    if (line[0] == '\0')
        fail_msg("no token in %s", path);
    return keep_token(stack, name, line);
}

void stack_add_token(struct stack *stack, const char *name, enum rpc_role role,
                     const char *subject, int64_t expiry_unix)
{
    static const enum stack_service READERS[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};
    char token[TOKENS_TEXT_SIZE];
    char line[LINE_SIZE];
    FILE *file = fopen(stack_value(stack, "STACK_TOKENS_FILE"), "a");

    tokens_make(token, line, sizeof(line), name, role, subject, expiry_unix);
    if (file == NULL || fprintf(file, "%s\n", line) < 0 || fclose(file) != 0)
        fail_msg("cannot write the tokens file");
    for (size_t i = 0; i < COUNT_OF(READERS); i++)
        assert_int_equal(kill(pid_of(stack, READERS[i]), SIGHUP), 0);
    (void)keep_token(stack, name, token);
}

struct rpc_client *stack_connect(struct stack *stack, const char *url, const char *bearer)
{
    const struct rpc_client_options options = {.endpoints = url, .bearer = bearer};
    struct rpc_client *client = NULL;
    struct error err = ERROR_NONE;

    assert_true(stack->client_count < CLIENTS_MAX);
    assert_ok(rpc_client_open(&client, &options, &err), &err);
    stack->clients[stack->client_count++] = client;
    return client;
}

struct rpc_client *stack_client(struct stack *stack, enum stack_service service,
                                const char *token_name)
{
    return stack_connect(stack, stack_endpoint(stack, service),
                         stack_token(stack, token_name));
}

/* ------------------------------------------------------------------------ CLI ------- */

/* The environment of the program: addresses, and nothing of the caller's own. */
static size_t cli_environment(struct stack *stack, const char *token_name,
                              char *environment[VALUES_MAX])
{
    static const char *const PASSED[] = {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                         "TSAN_OPTIONS", "LSAN_OPTIONS"};
    static const char *const ADDRESSES[] = {
        "METERCACHE_ENDPOINT", "METERCACHE_QUOTA_ENDPOINT", "METERCACHE_GATEWAY_ENDPOINT"};
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(PASSED); i++) {
        if (getenv(PASSED[i]) != NULL)
            environment[count++] = mem_printf("%s=%s", PASSED[i], getenv(PASSED[i]));
    }
    for (size_t i = 0; i < COUNT_OF(ADDRESSES); i++)
        environment[count++] =
            mem_printf("%s=%s", ADDRESSES[i], stack_value(stack, ADDRESSES[i]));
    if (token_name != NULL)
        environment[count++] =
            mem_printf("METERCACHE_TOKEN_FILE=%s/%s.token",
                       stack_value(stack, "STACK_TOKENS_DIR"), token_name);
    environment[count] = NULL;
    return count;
}

static char *read_output(int fd)
{
    char *text = mem_alloc(OUTPUT_BYTES + 1);
    size_t size = 0;
    ssize_t got;

    while (size < OUTPUT_BYTES && (got = read(fd, text + size, OUTPUT_BYTES - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    return text;
}

int stack_run_cli(struct stack *stack, const char *token_name, const char *const *arguments,
                  char **out)
{
    char *program = mem_printf("%s/metercache", stack_value(stack, "STACK_BIN"));
    const char *argv[ARGUMENTS_MAX] = {program};
    char *environment[VALUES_MAX];
    size_t variables = cli_environment(stack, token_name, environment);
    posix_spawn_file_actions_t actions;
    int pipe_fds[2];
    pid_t pid;

    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, pipe_fds[0]), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, pipe_fds[1]), 0);
    if (posix_spawn(&pid, program, &actions, NULL, (char *const *)argv, environment) != 0)
        fail_msg("cannot run %s", program);
    (void)close(pipe_fds[1]);
    *out = read_output(pipe_fds[0]);
    (void)close(pipe_fds[0]);
    (void)posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < variables; i++)
        mem_free(environment[i]);
    mem_free(program);
    return wait_for(pid);
}
