#include "support/pgbench.h"

#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/database.h"
#include "support/expect.h"

#define OUTPUT_SIZE 8192

extern char **environ;

static const char SCRIPT[] =
    "BEGIN;\n"
    "UPDATE bench.meter SET held = held + 10 WHERE id = 1 AND held + 10 <= budget;\n"
    "INSERT INTO bench.event (id, meter, amount, at)"
    " VALUES (gen_random_uuid(), 1, 10, now());\n"
    "END;\n";

static const char TABLES[] =
    "CREATE SCHEMA IF NOT EXISTS bench;"
    "CREATE TABLE IF NOT EXISTS bench.meter"
    " (id int PRIMARY KEY, held bigint NOT NULL, budget bigint NOT NULL);"
    "CREATE TABLE IF NOT EXISTS bench.event (id uuid PRIMARY KEY, meter int NOT NULL,"
    " amount bigint NOT NULL, at timestamptz NOT NULL);"
    "INSERT INTO bench.meter VALUES (1, 0, 1000000000000) ON CONFLICT DO NOTHING";

static bool find_program(char *out, size_t size)
{
    glob_t found;
    bool is_found = glob("/usr/lib/postgresql/*/bin/pgbench", 0, NULL, &found) == 0;

    if (is_found) {
        (void)snprintf(out, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
    }
    return is_found;
}

static void write_script(const char *path)
{
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(SCRIPT, file) < 0 || fclose(file) != 0)
        fail_msg("cannot write '%s'", path);
}

/* Its standard output; what it says on the other one is passed through. */
static void run(char *const *arguments, char out[OUTPUT_SIZE])
{
    posix_spawn_file_actions_t actions;
    size_t size = 0;
    ssize_t got;
    int ends[2];
    int status;
    pid_t pid;

    if (pipe(ends) != 0)
        fail_msg("no pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    if (posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ) != 0)
        fail_msg("cannot start '%s'", arguments[0]);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    while (size < OUTPUT_SIZE - 1 &&
           (got = read(ends[0], out + size, OUTPUT_SIZE - 1 - size)) > 0)
        size += (size_t)got;
    out[size] = '\0';
    (void)close(ends[0]);
    while (waitpid(pid, &status, 0) < 0) {}
    if (status != 0)
        fail_msg("pgbench failed: %s", out);
}

double pgbench_run(struct stack *stack, unsigned clients, unsigned seconds)
{
    const char *host = strchr(stack_value(stack, "STACK_DATABASE_OWNER_URL"), '@');
    struct database *database = database_open(stack, DATABASE_SUPERUSER);
    char program[256];
    char script[512];
    char url[512];
    char client_text[16];
    char seconds_text[16];
    char state[6];
    char out[OUTPUT_SIZE];
    const char *tps;

    assert_true(database_try(database, TABLES, state));
    database_close(database);
    if (!find_program(program, sizeof(program)))
        return 0;
    (void)snprintf(script, sizeof(script), "%s/pgbench.sql",
                   stack_value(stack, "STACK_DIR"));
    (void)snprintf(url, sizeof(url), "postgresql://postgres%s", host);
    (void)snprintf(client_text, sizeof(client_text), "%u", clients);
    (void)snprintf(seconds_text, sizeof(seconds_text), "%u", seconds);
    write_script(script);
    run((char *const[]){program, "-n", "-M", "prepared", "-j", "2", "-c", client_text, "-T",
                        seconds_text, "-f", script, url, NULL},
        out);
    tps = strstr(out, "tps = ");
    return tps == NULL ? 0 : strtod(tps + strlen("tps = "), NULL);
}
