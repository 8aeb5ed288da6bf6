#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core/clock.h"
#include "daemon/tokens.h"
#include "handlers.h"

#define EXPIRY_DAYS_MAX 3650
#define DAY_SECONDS     86400

static enum status check_name(const char *option, const char *text, struct error *err)
{
    return tokens_name_is_valid(text)
               ? ST_OK
               : cli_usage(err, "%s wants 1 to %d letters, digits or any of \"._@:+-\"",
                           option, RPC_SUBJECT_SIZE - 1);
}

/* A new file that its owner alone can read; an existing one is never overwritten. */
static enum status write_secret(const char *path, const char *token, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool is_written;

    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return cli_usage(err, "cannot create '%s': %s", path, strerror(errno));
    }
    is_written = fprintf(file, "%s\n", token) > 0;
    if (fclose(file) != 0 || !is_written)
        return cli_usage(err, "cannot write '%s'", path);
    return ST_OK;
}

static void print_token(const struct cli *cli, const char *token, const char *line)
{
    if (cli->is_json && token != NULL)
        fprintf(cli->out, "{\n  \"token\": \"%s\",\n  \"line\": \"%s\"\n}\n", token, line);
    else if (cli->is_json)
        fprintf(cli->out, "{\n  \"line\": \"%s\"\n}\n", line);
    else if (token != NULL)
        fprintf(cli->out, "%s\n%s\n", token, line);
    else
        fprintf(cli->out, "%s\n", line);
}

enum status token_new(struct cli *cli, struct error *err)
{
    const char *id = cli_option(cli, "--id"), *path = cli_option(cli, "--write-token");
    const char *subject = cli_has(cli, "--subject") ? cli_option(cli, "--subject") : id;
    char token[TOKENS_TEXT_SIZE], line[TOKENS_LINE_SIZE];
    enum rpc_role role = RPC_ROLE_NONE;
    uint64_t days = 0;
    int64_t expiry = 0;
    enum status st = check_name("--id", id, err);

    if (st == ST_OK)
        st = check_name("--subject", subject, err);
    if (st == ST_OK &&
        (!rpc_role_parse(&role, cli_option(cli, "--role")) || role == RPC_ROLE_NONE))
        st = cli_usage(err, "--role wants client, staff, admin, cron or service, not '%s'",
                       cli_option(cli, "--role"));
    if (st == ST_OK)
        st = cli_option_number(&days, cli, "--expires-days", 1, EXPIRY_DAYS_MAX, err);
    if (st != ST_OK)
        return st;
    if (days > 0)
        expiry = clock_wall_us() / CLOCK_US_PER_SECOND + (int64_t)days * DAY_SECONDS;
    tokens_make(token, line, sizeof(line), id, role, subject, expiry);
    if (path != NULL)
        st = write_secret(path, token, err);
    if (st == ST_OK)
        print_token(cli, path == NULL ? token : NULL, line);
    return st;
}
