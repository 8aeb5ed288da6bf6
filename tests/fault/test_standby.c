/*
 * A second quota-service stands by while the first lives, takes over when it is silent, and
 * the first, should it live after all, is fenced: it leaves and writes nothing more. C6, S1.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/quota.h"
#include "core/mem.h"
#include "support/fixture.h"

#define LINES_MAX   64
#define LINE_SIZE   1024
#define TAKEOVER_MS 20000
#define CALL_MS     2000

static const char *const SETTINGS[] = {NULL};

/* The second instance: the first one's environment, another name and addresses of its own. */
static struct {
    pid_t pid;
    char log[512];
    char url[128];
} standby;

static char *environment[LINES_MAX + 1];

static void read_environment(struct fixture *fixture)
{
    char path[512];
    char line[LINE_SIZE];
    size_t count = 0;

    (void)snprintf(path, sizeof(path), "%s/env/quota-service",
                   stack_value(fixture->stack, "STACK_DIR"));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL && count < LINES_MAX - 3) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "QUOTA_LISTEN_URL=", 17) != 0 &&
            strncmp(line, "QUOTA_OPS_ADDRESS=", 18) != 0)
            environment[count++] = mem_strdup(line);
    }
    (void)fclose(file);
    environment[count++] = mem_strdup("QUOTA_LISTEN_URL=tcp://127.0.0.1:0");
    environment[count++] = mem_strdup("QUOTA_OPS_ADDRESS=127.0.0.1:0");
    environment[count++] = mem_strdup("QUOTA_INSTANCE=quota-b");
}

static bool log_has(const char *text, char *line_out, size_t size)
{
    char line[LINE_SIZE];
    bool found = false;
    FILE *file = fopen(standby.log, "re");

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
        found = strstr(line, text) != NULL;
    if (file != NULL)
        (void)fclose(file);
    if (found && line_out != NULL)
        (void)snprintf(line_out, size, "%s", line);
    return found;
}

static void start_standby(struct fixture *fixture)
{
    const char *build = getenv("BUILD_DIR");
    char program[512];
    char *arguments[] = {program, NULL};
    posix_spawn_file_actions_t actions;
    char line[LINE_SIZE];

    assert_non_null(build);
    (void)snprintf(program, sizeof(program), "%s/bin/quota-service", build);
    (void)snprintf(standby.log, sizeof(standby.log), "%s/log/quota-b.log",
                   stack_value(fixture->stack, "STACK_DIR"));
    read_environment(fixture);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, standby.log,
                                                      O_CREAT | O_WRONLY | O_APPEND, 0600),
                     0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, 1, 2), 0);
    assert_int_equal(
        posix_spawn(&standby.pid, program, &actions, NULL, arguments, environment), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_eventually(log_has("listening listener=quota-service", line, sizeof(line)),
                      TAKEOVER_MS);
    const char *url = strstr(line, "url=");
    assert_non_null(url);
    (void)snprintf(standby.url, sizeof(standby.url), "%s", url + 4);
    standby.url[strcspn(standby.url, " \n")] = '\0';
}

static void stop_standby(void)
{
    int status;

    if (standby.pid != 0) {
        (void)kill(standby.pid, SIGKILL);
        (void)waitpid(standby.pid, &status, 0);
    }
    for (size_t i = 0; environment[i] != NULL; i++)
        mem_free(environment[i]);
}

static pid_t active_pid(struct fixture *fixture)
{
    char path[512];
    char line[64] = "";
    long pid;

    (void)snprintf(path, sizeof(path), "%s/pid/quota-service",
                   stack_value(fixture->stack, "STACK_DIR"));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file)); /* "pid starttime" */
    (void)fclose(file);
    pid = strtol(line, NULL, 10);
    assert_true(pid > 1);
    return (pid_t)pid;
}

static enum status reserve(struct rpc_client *client, struct error *err)
{
    struct op_id id = op_id_new();
    Metercache__V1__ReserveRequest request = METERCACHE__V1__RESERVE_REQUEST__INIT;
    Metercache__V1__ReserveResponse *reply = NULL;
    struct client_options options = {.timeout_ms = CALL_MS};
    struct arena arena;

    request.op_id = (ProtobufCBinaryData){OP_ID_SIZE, id.bytes};
    request.meter = "modash.reports";
    request.amount_milli = 1000;
    request.hold_ms = 60000;
    arena_init(&arena, 65536);
    enum status st = client_quota_reserve(&reply, client, &request, &options, &arena, err);
    arena_done(&arena);
    return st;
}

static int64_t number(struct fixture *fixture, const char *sql)
{
    return database_number(fixture->owner, sql, NULL);
}

static void test_standby_takes_over_and_the_fenced_writer_leaves(void **state)
{
    struct fixture *fixture = *state;
    struct error err = ERROR_NONE;
    pid_t first = active_pid(fixture);
    struct rpc_client *active =
        stack_client(fixture->stack, STACK_QUOTA, "provider-gateway");

    start_standby(fixture);
    struct rpc_client *second = stack_connect(
        fixture->stack, standby.url, stack_token(fixture->stack, "provider-gateway"));
    assert_eventually(log_has("standing by", NULL, 0), TAKEOVER_MS);
    assert_ok(reserve(active, &err), &err);
    assert_status(reserve(second, &err), &err, ST_UNAVAILABLE);
    assert_int_equal(number(fixture, "SELECT epoch FROM metercache.quota_writer"), 1);

    assert_int_equal(kill(first, SIGSTOP), 0); /* alive, and silent */
    assert_eventually(reserve(second, &err) == ST_OK, TAKEOVER_MS);
    assert_int_equal(number(fixture, "SELECT epoch FROM metercache.quota_writer"), 2);

    assert_int_equal(kill(first, SIGCONT), 0);
    assert_eventually(!stack_is_running(fixture->stack, STACK_QUOTA), TAKEOVER_MS);
    assert_ok(reserve(second, &err), &err);
    assert_int_equal(number(fixture, "SELECT epoch FROM metercache.quota_writer"), 2);
    /* one before, two after, and nothing of the first one's in between */
    assert_int_equal(number(fixture, "SELECT count(*) FROM metercache.ledger_event"
                                     " WHERE kind = 1"),
                     3);
}

static int set_up(void **state)
{
    return fixture_up(state, "standby", SETTINGS);
}

static int tear_down(void **state)
{
    stop_standby();
    return fixture_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standby_takes_over_and_the_fenced_writer_leaves),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
