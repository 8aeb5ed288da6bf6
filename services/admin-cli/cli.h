/*
 * cli.h - the running program: what was asked, where answers go, and the way to a service.
 *
 *     argv -> grammar -> cli_run -> a handler (one file a group) -> cli_call -> render
 *
 * Exit status: 0, 64 for wrong usage, else 10 + the google.rpc code of the error.
 *
 * Threads: one.
 */
#ifndef ADMIN_CLI_CLI_H
#define ADMIN_CLI_CLI_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/error.h"
#include "grammar.h"
#include "metercache/v1/common.pb-c.h"
#include "rpc/client.h"
#include "services.h"

#define CLI_EXIT_USAGE     64
#define CLI_EXIT_CODE_BASE 10
#define CLI_FILE_MAX       (4u << 20) /* bytes of a file or of standard input */

struct cli {
    const struct grammar *grammar;
    struct grammar_input input;
    char *const *environment;
    FILE *out;
    FILE *diagnostics;
    bool is_json;
    bool is_verbose;
    uint64_t timeout_ms;
    struct arena arena; /* of the one command that runs */
    struct rpc_client *clients[CLI_TARGET_COUNT];
};

/* The whole program; returns the exit status. `out` and `diagnostics` stay open. */
int cli_run(const struct grammar *grammar, int argc, char *const *argv,
            char *const *environment, FILE *out, FILE *diagnostics);

int cli_exit_status(const struct error *err);

/* A mistake of the person at the keyboard: exit status 64. */
enum status cli_usage(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The argument at `index`, NULL when it was left out. */
const char *cli_arg(const struct cli *cli, size_t index);
/* A command's option as text; NULL when neither given nor with a fallback. */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* The same as a number; 0 when it is not given. */
MUST_USE enum status cli_option_number(uint64_t *out, const struct cli *cli,
                                       const char *name, uint64_t min, uint64_t max,
                                       struct error *err);
MUST_USE enum status cli_option_enum(int *out, const struct cli *cli, const char *name,
                                     const ProtobufCEnumDescriptor *type,
                                     struct error *err);
/* --page-size and --page-token. */
MUST_USE enum status cli_read_page(Metercache__V1__PageRequest *out, const struct cli *cli,
                                   uint64_t size_max, struct error *err);
/* Text as it stands, "-" for standard input, "@FILE" for a file's content; in the arena. */
MUST_USE enum status cli_read_text(const char **out, size_t *size, struct cli *cli,
                                   const char *text, struct error *err);

/*
 * Call a method by a name that services_find knows, at the process that serves it. The
 * reply lives in cli->arena.
 */
MUST_USE enum status cli_call(struct cli *cli, const char *method,
                              const ProtobufCMessage *request, ProtobufCMessage **reply,
                              struct error *err);

/* The same for a reply that is shown to a person: with --json it is printed here, and *reply
 * is NULL. */
MUST_USE enum status cli_ask(struct cli *cli, const char *method,
                             const ProtobufCMessage *request, const void **reply,
                             struct error *err);

struct cli_call_options {
    enum cli_target target;
    const char *idempotency_key; /* NULL: none */
    bool is_dry_run;
    uint64_t timeout_max_ms; /* shorter than --timeout and without retries; 0: neither */
    struct rpc_outcome *outcome; /* NULL: not wanted */
};

/* The same with everything said. */
MUST_USE enum status cli_call_with(struct cli *cli, const struct cli_method *method,
                                   const struct cli_call_options *options,
                                   const ProtobufCMessage *request,
                                   ProtobufCMessage **reply, struct error *err);

/* Where a target is, as given by option, variable or default. */
const char *cli_endpoint(const struct cli *cli, enum cli_target target);

/* The message as one JSON document and a line end. */
void cli_print_json(struct cli *cli, const ProtobufCMessage *message);

/* One line, then what a program or a person can act on, a line each. */
void cli_print_error(FILE *out, const struct error *err);

#endif /* ADMIN_CLI_CLI_H */
