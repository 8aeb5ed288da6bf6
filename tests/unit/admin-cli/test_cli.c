#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"

/* Nothing listens there: port 9 of loopback is "discard". */
#define NOWHERE "tcp://127.0.0.1:9"

struct run {
    int status;
    char *out;
    char *diagnostics;
};

static int setup(void **state)
{
    static struct run run;

    run = (struct run){0};
    *state = &run;
    return 0;
}

static int teardown(void **state)
{
    struct run *run = *state;

    free(run->out);
    free(run->diagnostics);
    return 0;
}

/* Run the program with up to 15 words, the last one NULL. */
static void run_program(struct run *run, char *const *environment, char *const *words)
{
    char *argv[17] = {"metercache"};
    int argc = 1;
    size_t out_size, diagnostics_size;
    FILE *out, *diagnostics;

    free(run->out);
    free(run->diagnostics);
    out = open_memstream(&run->out, &out_size);
    diagnostics = open_memstream(&run->diagnostics, &diagnostics_size);
    while (words[argc - 1] != NULL) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    run->status = cli_run(&COMMANDS, argc, argv, environment, out, diagnostics);
    fclose(out);
    fclose(diagnostics);
}

#define RUN(run, ...) \
    run_program(run, (char *const[]){NULL}, (char *const[]){__VA_ARGS__, NULL})

static void test_cli_exit_status_is_64_for_usage_else_10_plus_the_code(void **state)
{
    (void)state;
    struct error err = ERROR_NONE;

    assert_int_equal(cli_exit_status(&err), 0);
    error_set(&err, ST_NOT_FOUND, "x");
    assert_int_equal(cli_exit_status(&err), 15);
    error_set(&err, ST_EXHAUSTED, "x");
    assert_int_equal(cli_exit_status(&err), 18);
    error_set(&err, ST_UNAUTHENTICATED, "x");
    assert_int_equal(cli_exit_status(&err), 26);
    cli_usage(&err, "x");
    assert_int_equal(cli_exit_status(&err), 64);
}

/* C8: which meter, what is left, when it resets. */
static void test_cli_print_error_gives_every_detail_a_line(void **state)
{
    struct run *run = *state;
    struct error err;
    size_t size;
    FILE *out = open_memstream(&run->out, &size);

    error_set(&err, ST_EXHAUSTED, "meter 'modash.reports' is spent");
    error_reason(&err, "METER_SPENT");
    error_add_violation(&err, "modash.reports", 0, 1796083200000000);
    err.retry_after_ms = 1500;
    cli_print_error(out, &err);
    error_field(&err, "filters.age", "wants a number\x1b");
    cli_print_error(out, &err);
    fclose(out);
    assert_string_equal(run->out,
                        "error: RESOURCE_EXHAUSTED: meter 'modash.reports' is spent\n"
                        "  meter: modash.reports, left 0.000 credits, resets at "
                        "2026-12-01T00:00:00Z\n"
                        "  reason: METER_SPENT\n"
                        "  retry after: 1.500 s\n"
                        "error: INVALID_ARGUMENT: wants a number?\n"
                        "  field: filters.age\n");
}

static void test_cli_run_wrong_usage_says_so_and_exits_64(void **state)
{
    struct run *run = *state;

    RUN(run, "creators", "find");
    assert_int_equal(run->status, 64);
    assert_string_equal(run->diagnostics,
                        "error: usage: there is no command 'creators find'\n");
    assert_string_equal(run->out, "");
    RUN(run, "creators", "search");
    assert_int_equal(run->status, 64);
    RUN(run, "creators", "search", "--platform", "myspace");
    assert_int_equal(run->status, 64);
    RUN(run, "creators", "search", "--platform", "tiktok", "--count", "many");
    assert_int_equal(run->status, 64);
    RUN(run, "--timeout", "soon", "usage");
    assert_int_equal(run->status, 64);
    RUN(run, "--token-file", "/nowhere/token", "usage");
    assert_int_equal(run->status, 64);
    assert_non_null(strstr(run->diagnostics, "'/nowhere/token'"));
    RUN(run, "call", "creators.Find");
    assert_int_equal(run->status, 64);
    RUN(run, "ping", "postgres");
    assert_int_equal(run->status, 64);
}

static void test_cli_run_quota_reads_scopes_credits_and_ids(void **state)
{
    static const char ID[] = "01a211b3-f279-764d-9bae-116b27236e5a";
    struct run *run = *state;

    RUN(run, "quota", "usage", "--scope", "planet");
    assert_int_equal(run->status, 64);
    assert_non_null(strstr(run->diagnostics, "--scope wants meter, user"));
    RUN(run, "usage", "--subject", "alice");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "history", "--last", "401d");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "operation", "12");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "correct", (char *)ID, "0.0001", "--reason", "x");
    assert_int_equal(run->status, 64);
    assert_non_null(strstr(run->diagnostics, "at most three decimals"));
    RUN(run, "quota", "correct", (char *)ID, "1");
    assert_int_equal(run->status, 64);
    assert_non_null(strstr(run->diagnostics, "--reason TEXT"));
    RUN(run, "quota", "adjust", "modash.reports", "some", "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "alerts", "--page-size", "501");
    assert_int_equal(run->status, 64);
}

/* No limit of 0 by an option that was forgotten. */
static void test_cli_run_quota_limit_set_wants_an_amount(void **state)
{
    struct run *run = *state;

    RUN(run, "quota", "limit", "set", "m", "--scope", "meter", "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "limit", "set", "m", "--scope", "cooldown", "--credits", "1",
        "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "limit", "set", "m", "--scope", "cooldown", "--cooldown", "32d",
        "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "limit", "set", "m", "--scope", "meter", "--credits", "1", "--mode",
        "stern", "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "limit", "set", "m", "--scope", "meter", "--credits", "1",
        "--thresholds", "0", "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "limit", "remove", "m", "--reason", "x");
    assert_int_equal(run->status, 64);
    RUN(run, "quota", "limit", "remove", "m", "--scope", "user");
    assert_int_equal(run->status, 64);
}

/* Whoever does not know whether it was done can ask again with the same id. */
static void test_cli_run_quota_adjust_in_doubt_tells_its_op_id(void **state)
{
    struct run *run = *state;

    RUN(run, "--quota-endpoint", NOWHERE, "--timeout", "100ms", "quota", "adjust", "m",
        "-1.5", "--reason", "x");
    assert_int_equal(run->status, 14);
    assert_non_null(strstr(run->diagnostics, "ask again with --op-id "));
}

static void test_cli_run_call_with_bad_json_names_the_field(void **state)
{
    struct run *run = *state;

    RUN(run, "call", "creators.Search", "{\"page\":{\"size\":1}}");
    assert_int_equal(run->status, 13);
    assert_non_null(strstr(run->diagnostics, "  field: page.size\n"));
}

static void test_cli_run_without_services_exits_24(void **state)
{
    struct run *run = *state;

    RUN(run, "--endpoint", NOWHERE, "--quota-endpoint", NOWHERE, "--gateway-endpoint",
        NOWHERE, "--timeout", "200ms", "health");
    assert_int_equal(run->status, 24);
    assert_non_null(strstr(run->out, "quota-service"));
    assert_non_null(strstr(run->diagnostics, "3 of 3 services do not serve"));
    RUN(run, "--quota-endpoint", NOWHERE, "--timeout", "200ms", "-v", "usage");
    assert_int_equal(run->status, 14); /* tried again until the time was up */
    assert_non_null(
        strstr(run->diagnostics, "/metercache.v1.QuotaService/GetUsage at quota-service"));
    assert_non_null(strstr(run->diagnostics, "code=DEADLINE_EXCEEDED executed=no"));
}

static void test_cli_run_warns_of_unknown_variables_only(void **state)
{
    struct run *run = *state;
    char *const environment[] = {"METERCACHE_ENDPIONT=x", "METERCACHE_USER=a",
                                 "METERCACHE_TOKEN=t", "HOME=/", NULL};

    run_program(run, environment, (char *const[]){"version", NULL});
    assert_int_equal(run->status, 0);
    assert_string_equal(run->diagnostics,
                        "warning: unknown variable METERCACHE_ENDPIONT\n");
}

static void test_cli_run_variables_stand_in_for_options(void **state)
{
    struct run *run = *state;
    char *const environment[] = {"METERCACHE_TIMEOUT=never", NULL};

    run_program(run, environment, (char *const[]){"version", NULL});
    assert_int_equal(run->status, 64);
    run_program(run, environment, (char *const[]){"--timeout", "5s", "version", NULL});
    assert_int_equal(run->status, 0);
}

static void test_cli_run_help_needs_no_arguments(void **state)
{
    struct run *run = *state;

    RUN(run, "creators", "select", "--help");
    assert_int_equal(run->status, 0);
    assert_non_null(strstr(run->out, "PLATFORM CREATOR"));
    RUN(run, "-h");
    assert_int_equal(run->status, 0);
    assert_non_null(strstr(run->out, "18 resource exhausted"));
    RUN(run, "help", "nothing");
    assert_int_equal(run->status, 64);
}

static void test_cli_run_token_new_prints_token_then_line(void **state)
{
    struct run *run = *state;
    char *line;

    RUN(run, "token", "new", "--id", "alice-1", "--role", "client", "--subject", "alice",
        "--expires-days", "7");
    assert_int_equal(run->status, 0);
    assert_memory_equal(run->out, "mct_", 4);
    line = strchr(run->out, '\n') + 1;
    assert_memory_equal(line, "alice-1 ", 8);
    assert_non_null(strstr(line, " client alice 1"));
    RUN(run, "token", "new", "--id", "a b", "--role", "client");
    assert_int_equal(run->status, 64);
    RUN(run, "token", "new", "--id", "a", "--role", "root");
    assert_int_equal(run->status, 64);
    RUN(run, "token", "new", "--id", "a", "--role", "none");
    assert_int_equal(run->status, 64);
}

static void test_cli_run_token_new_writes_a_private_file_once(void **state)
{
    struct run *run = *state;
    const char *folder = getenv("TEST_DIR");
    char path[512];
    struct stat about;

    snprintf(path, sizeof(path), "%s/token-%ld", folder != NULL ? folder : ".",
             (long)getpid());
    RUN(run, "token", "new", "--id", "a", "--role", "admin", "--write-token", path);
    assert_int_equal(run->status, 0);
    assert_null(strstr(run->out, "mct_"));
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    RUN(run, "token", "new", "--id", "a", "--role", "admin", "--write-token", path);
    assert_int_equal(run->status, 64); /* never overwritten */
    unlink(path);
}

static void test_cli_run_describe_prints_the_messages(void **state)
{
    struct run *run = *state;

    RUN(run, "describe", "quota.Reserve");
    assert_int_equal(run->status, 0);
    assert_non_null(
        strstr(run->out, "rpc Reserve(ReserveRequest) returns (ReserveResponse)"));
    assert_non_null(strstr(run->out, "  int64 amount_milli = 3;\n"));
    assert_non_null(strstr(run->out, "enum Platform {\n"));
    RUN(run, "describe");
    assert_int_equal(run->status, 0);
    assert_non_null(strstr(run->out, "EventsService (events) at cache-service\n  Since("));
}

int main(void)
{
#define CLI_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_cli_exit_status_is_64_for_usage_else_10_plus_the_code),
        CLI_TEST(test_cli_print_error_gives_every_detail_a_line),
        CLI_TEST(test_cli_run_wrong_usage_says_so_and_exits_64),
        CLI_TEST(test_cli_run_quota_reads_scopes_credits_and_ids),
        CLI_TEST(test_cli_run_quota_limit_set_wants_an_amount),
        CLI_TEST(test_cli_run_quota_adjust_in_doubt_tells_its_op_id),
        CLI_TEST(test_cli_run_call_with_bad_json_names_the_field),
        CLI_TEST(test_cli_run_without_services_exits_24),
        CLI_TEST(test_cli_run_warns_of_unknown_variables_only),
        CLI_TEST(test_cli_run_variables_stand_in_for_options),
        CLI_TEST(test_cli_run_help_needs_no_arguments),
        CLI_TEST(test_cli_run_token_new_prints_token_then_line),
        CLI_TEST(test_cli_run_token_new_writes_a_private_file_once),
        CLI_TEST(test_cli_run_describe_prints_the_messages),
    };

    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
