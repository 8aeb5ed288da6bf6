#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "client/message_field.h"
#include "client/message_json.h"
#include "core/buf.h"
#include "core/parse.h"
#include "output.h"
#include "session.h"

#define ARENA_BYTES (64u << 20)
#define JSON_BYTES  (64u << 20)
#define USAGE       "USAGE" /* reason of errors that are the person's */
#define ENV_PREFIX  "METERCACHE_"

enum status cli_usage(struct error *err, const char *format, ...)
{
    char message[sizeof(err->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    error_set(err, ST_INVALID, "%s", message);
    return error_reason(err, USAGE);
}

int cli_exit_status(const struct error *err)
{
    if (err->status == ST_OK)
        return 0;
    return strcmp(err->reason, USAGE) == 0 ? CLI_EXIT_USAGE
                                           : CLI_EXIT_CODE_BASE + (int)err->status;
}

void cli_print_error(FILE *out, const struct error *err)
{
    bool is_usage = strcmp(err->reason, USAGE) == 0;

    fprintf(out, "error: %s: ", is_usage ? "usage" : status_name(err->status));
    output_print_text(out, err->message);
    fputc('\n', out);
    if (err->field[0] != '\0') {
        fputs("  field: ", out);
        output_print_text(out, err->field);
        fputc('\n', out);
    }
    for (size_t i = 0; i < err->violation_count; i++) {
        const struct error_violation *violation = &err->violations[i];

        fputs("  meter: ", out);
        output_print_text(out, violation->subject);
        fprintf(out, ", left %s credits", output_milli(violation->left_milli).text);
        if (violation->resets_at_us != 0)
            fprintf(out, ", resets at %s", output_time(violation->resets_at_us).text);
        fputc('\n', out);
    }
    if (err->reason[0] != '\0' && !is_usage) {
        fputs("  reason: ", out);
        output_print_text(out, err->reason);
        fputc('\n', out);
    }
    if (err->retry_after_ms > 0)
        fprintf(out, "  retry after: %" PRIu64 ".%03" PRIu64 " s\n",
                err->retry_after_ms / 1000, err->retry_after_ms % 1000);
}

const char *cli_arg(const struct cli *cli, size_t index)
{
    return index < cli->input.arg_count ? cli->input.args[index] : NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    return grammar_option(&cli->input, name);
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_option(cli, name) != NULL;
}

enum status cli_option_number(uint64_t *out, const struct cli *cli, const char *name,
                              uint64_t min, uint64_t max, struct error *err)
{
    const char *text = cli_option(cli, name);
    uint64_t number = 0;

    if (text != NULL && !parse_u64(&number, text, min, max))
        return cli_usage(err, "%s wants a number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                         name, min, max, text);
    *out = number;
    return ST_OK;
}

enum status cli_option_enum(int *out, const struct cli *cli, const char *name,
                            const ProtobufCEnumDescriptor *type, struct error *err)
{
    const char *text = cli_option(cli, name);
    char word[OUTPUT_TEXT_SIZE];
    int value = 0;

    if (text == NULL) {
        *out = 0;
        return ST_OK;
    }
    snprintf(word, sizeof(word), "%s", text);
    for (char *at = word; *at != '\0'; at++)
        *at = *at == '-' ? '_' : *at;
    if (!message_field_enum_parse(&value, type, word) || value == 0)
        return cli_usage(err, "%s: '%s' is no %s", name, text, type->short_name);
    *out = value;
    return ST_OK;
}

enum status cli_read_page(Metercache__V1__PageRequest *out, const struct cli *cli,
                          uint64_t size_max, struct error *err)
{
    const char *token = cli_option(cli, "--page-token");
    uint64_t size = 0;
    enum status st = cli_option_number(&size, cli, "--page-size", 1, size_max, err);

    out->page_size = (uint32_t)size;
    if (token != NULL)
        out->page_token = (char *)token;
    return st;
}

static enum status read_stream(const char **out, size_t *size, struct cli *cli, FILE *file,
                               const char *name, struct error *err)
{
    struct buf text;
    char block[8192];
    size_t got;

    buf_init(&text, CLI_FILE_MAX);
    while (!text.overflowed && (got = fread(block, 1, sizeof(block), file)) > 0)
        buf_append(&text, block, got);
    if (ferror(file) || text.overflowed) {
        bool overflowed = text.overflowed;

        buf_done(&text);
        return overflowed
                   ? cli_usage(err, "'%s' is larger than %u bytes", name, CLI_FILE_MAX)
                   : cli_usage(err, "cannot read '%s'", name);
    }
    *size = text.size;
    *out = arena_strndup(&cli->arena, buf_text(&text), text.size);
    buf_done(&text);
    return *out != NULL ? ST_OK : error_set(err, ST_EXHAUSTED, "'%s' is too large", name);
}

enum status cli_read_text(const char **out, size_t *size, struct cli *cli, const char *text,
                          struct error *err)
{
    FILE *file;
    enum status st;

    if (strcmp(text, "-") == 0)
        return read_stream(out, size, cli, stdin, "standard input", err);
    if (text[0] != '@') {
        *out = text;
        *size = strlen(text);
        return ST_OK;
    }
    file = fopen(text + 1, "re");
    if (file == NULL)
        return cli_usage(err, "cannot open '%s': %s", text + 1, strerror(errno));
    st = read_stream(out, size, cli, file, text + 1, err);
    fclose(file);
    return st;
}

void cli_print_json(struct cli *cli, const ProtobufCMessage *message)
{
    struct buf text;

    buf_init(&text, JSON_BYTES);
    message_json_print(&text, message, 0);
    fprintf(cli->out, "%s\n", buf_text(&text));
    buf_done(&text);
}

enum status cli_ask(struct cli *cli, const char *method, const ProtobufCMessage *request,
                    const void **reply, struct error *err)
{
    ProtobufCMessage *message;
    enum status st = cli_call(cli, method, request, &message, err);

    if (st != ST_OK)
        return st;
    *reply = cli->is_json ? NULL : message;
    if (cli->is_json)
        cli_print_json(cli, message);
    return ST_OK;
}

/* A variable that looks like ours but is none is more likely a typing error. */
static void warn_of_variables(const struct cli *cli)
{
    for (char *const *entry = cli->environment; *entry != NULL; entry++) {
        const struct grammar_option *row = cli->grammar->globals;
        size_t size = strcspn(*entry, "=");
        bool is_known =
            strncmp(*entry, "METERCACHE_TOKEN=", strlen("METERCACHE_TOKEN=")) == 0;

        if (strncmp(*entry, ENV_PREFIX, strlen(ENV_PREFIX)) != 0)
            continue;
        for (; row->name != NULL && !is_known; row++)
            is_known = row->env != NULL && strlen(row->env) == size &&
                       strncmp(row->env, *entry, size) == 0;
        if (!is_known)
            fprintf(cli->diagnostics, "warning: unknown variable %.*s\n", (int)size,
                    *entry);
    }
}

static enum status read_globals(struct cli *cli, struct error *err)
{
    const char *timeout =
        grammar_global(cli->grammar, &cli->input, "--timeout", cli->environment);

    cli->is_json =
        grammar_global(cli->grammar, &cli->input, "--json", cli->environment) != NULL;
    cli->is_verbose =
        grammar_global(cli->grammar, &cli->input, "--verbose", cli->environment) != NULL;
    if (!parse_duration_ms(&cli->timeout_ms, timeout, 1, 3600000))
        return cli_usage(err, "--timeout wants a time from 1ms to 1h such as 30s, not '%s'",
                         timeout);
    return ST_OK;
}

static enum status run(struct cli *cli, int argc, char *const *argv, struct error *err)
{
    const struct grammar *grammar = cli->grammar;
    enum status st = grammar_parse(&cli->input, grammar, argc, argv, err);

    if (st != ST_OK)
        return error_reason(err, USAGE);
    if (grammar_global(grammar, &cli->input, "--help", cli->environment) != NULL) {
        (void)grammar_print_help(
            cli->out, grammar, cli->input.command != NULL ? cli->input.command->words : "");
        return ST_OK;
    }
    if (cli->input.command == NULL)
        return cli_usage(err, "no command is given; see '%s --help'", grammar->program);
    st = grammar_check(&cli->input, err);
    if (st != ST_OK)
        return error_reason(err, USAGE);
    warn_of_variables(cli);
    st = read_globals(cli, err);
    return st != ST_OK ? st : cli->input.command->run(cli, err);
}

int cli_run(const struct grammar *grammar, int argc, char *const *argv,
            char *const *environment, FILE *out, FILE *diagnostics)
{
    struct cli cli = {.grammar = grammar,
                      .environment = environment,
                      .out = out,
                      .diagnostics = diagnostics};
    struct error err = ERROR_NONE;

    arena_init(&cli.arena, ARENA_BYTES);
    if (run(&cli, argc, argv, &err) != ST_OK) {
        fflush(out);
        cli_print_error(diagnostics, &err);
    } else if (fflush(out) != 0 || ferror(out)) {
        error_set(&err, ST_UNKNOWN, "cannot write the answer");
        cli_print_error(diagnostics, &err);
    } else {
        err = ERROR_NONE; /* what a handler saw and dealt with */
    }
    session_close(&cli);
    arena_done(&cli.arena);
    return cli_exit_status(&err);
}
