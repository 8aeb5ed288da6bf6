/*
 * grammar.h - the command line as rows, and what follows from them: parsing, help, completion.
 *
 * A row names words, arguments, options, help and handler; nothing else knows the grammar.
 * Global options stand anywhere; a command's own options after its words; "--" ends
 * options. Options are "--name", "--name VALUE" or "--name=VALUE"; "-5" is an argument.
 *
 * Pure but for printing. Prefix of this folder: grammar_ here, cli_ for the running program.
 */
#ifndef ADMIN_CLI_GRAMMAR_H
#define ADMIN_CLI_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/error.h"

#define GRAMMAR_OPTIONS_MAX   16 /* of a command, and of the program */
#define GRAMMAR_ARGUMENTS_MAX 32

struct cli;

typedef enum status (*grammar_handler)(struct cli *cli, struct error *err);

struct grammar_option {
    const char *name;     /* "--count" */
    const char *letter;   /* "-v", or NULL */
    const char *value;    /* how help calls its value, "N"; NULL: a switch */
    const char *env;      /* variable that stands in for it, or NULL */
    const char *fallback; /* its value when not given; NULL: none */
    const char *help;
    bool is_required;
};

struct grammar_command {
    const char *words;   /* "creators search" */
    const char *args;    /* "PLATFORM [CREATOR]"; a last "WORD..." repeats */
    const char *help;    /* one line */
    const char *details; /* more for its own page, or NULL */
    const struct grammar_option *options; /* ended by .name NULL, or NULL */
    grammar_handler run;
};

/* All rows of the program. */
struct grammar {
    const char *program;
    const char *about; /* one line */
    const char *notes; /* printed at the end of the overview */
    const struct grammar_command *commands;
    size_t command_count;
    const struct grammar_option *globals; /* ended by .name NULL */
};

struct grammar_input {
    const struct grammar_command *command; /* NULL: only global options were given */
    const char *args[GRAMMAR_ARGUMENTS_MAX];
    size_t arg_count;
    const char *values[GRAMMAR_OPTIONS_MAX];  /* beside command->options; "" of a switch */
    const char *globals[GRAMMAR_OPTIONS_MAX]; /* beside grammar->globals */
};

/*
 * Read argv[1..]. ST_INVALID whose message says what is wrong. Text is borrowed from argv.
 * Required arguments and options are checked only by grammar_check, so that --help works
 * without them.
 */
MUST_USE enum status grammar_parse(struct grammar_input *out, const struct grammar *grammar,
                                   int argc, char *const *argv, struct error *err);

/* ST_INVALID when the command lacks an argument or option, or has too many. */
MUST_USE enum status grammar_check(const struct grammar_input *input, struct error *err);

/* What an option was given, else its variable (globals; not when it is empty), else its
 * fallback. The name must be one of the rows. */
const char *grammar_option(const struct grammar_input *input, const char *name);
const char *grammar_global(const struct grammar *grammar, const struct grammar_input *input,
                           const char *name, char *const *environment);

/* The value of a variable; NULL when it is not set. */
const char *grammar_variable(char *const *environment, const char *name);

/* Overview of all commands, of a group ("creators"), or one command's page. False when
 * `words` begins no command; NULL or "" is the overview. */
bool grammar_print_help(FILE *out, const struct grammar *grammar, const char *words);

/* What may stand for the last of `words`, a line each. */
void grammar_complete(FILE *out, const struct grammar *grammar, const char *const *words,
                      size_t count);

#endif /* ADMIN_CLI_GRAMMAR_H */
