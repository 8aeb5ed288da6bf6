#include "grammar.h"

#include <assert.h>
#include <string.h>

#define WORDS_SIZE 128 /* of a command's words, spaces included */

/* The command line while it is read. */
struct reader {
    struct grammar_input *out;
    const struct grammar *grammar;
    struct error *err;
    int argc;
    char *const *argv;
    int at;
    char words[WORDS_SIZE]; /* of the command, as far as they were read */
    bool has_started_args;  /* the command is settled */
};

/* Is `text` the start of `words`, up to a whole word? */
static bool begins(const char *words, const char *text)
{
    size_t size = strlen(text);

    return strncmp(words, text, size) == 0 && (words[size] == '\0' || words[size] == ' ');
}

static const struct grammar_command *find_command(const struct grammar *grammar,
                                                  const char *words)
{
    for (size_t i = 0; i < grammar->command_count; i++) {
        if (strcmp(grammar->commands[i].words, words) == 0)
            return &grammar->commands[i];
    }
    return NULL;
}

static bool begins_a_command(const struct grammar *grammar, const char *words)
{
    for (size_t i = 0; i < grammar->command_count; i++) {
        if (begins(grammar->commands[i].words, words))
            return true;
    }
    return false;
}

/* The row an option names; *value is set when it has the form --name=VALUE. */
static int find_option(const struct grammar_option *rows, const char *text,
                       const char **value)
{
    size_t size = strcspn(text, "=");

    for (int i = 0; rows != NULL && rows[i].name != NULL; i++) {
        bool is_name = strncmp(rows[i].name, text, size) == 0 && rows[i].name[size] == '\0';

        if (is_name || (rows[i].letter != NULL && strcmp(rows[i].letter, text) == 0)) {
            *value = is_name && text[size] == '=' ? text + size + 1 : NULL;
            return i;
        }
    }
    return -1;
}

static enum status read_value(struct reader *reader, const struct grammar_option *row,
                              const char *inline_value, const char **slot)
{
    if (row->value == NULL) {
        if (inline_value != NULL)
            return error_set(reader->err, ST_INVALID, "option %s takes no value",
                             row->name);
        *slot = "";
        return ST_OK;
    }
    if (*slot != NULL)
        return error_set(reader->err, ST_INVALID, "option %s is given twice", row->name);
    if (inline_value == NULL && reader->at + 1 >= reader->argc)
        return error_set(reader->err, ST_INVALID, "option %s wants a value: %s", row->name,
                         row->value);
    *slot = inline_value != NULL ? inline_value : reader->argv[++reader->at];
    return ST_OK;
}

static enum status read_option(struct reader *reader, const char *text)
{
    const struct grammar_command *command = reader->out->command;
    const char *value = NULL;
    int row = find_option(reader->grammar->globals, text, &value);

    if (row >= 0)
        return read_value(reader, &reader->grammar->globals[row], value,
                          &reader->out->globals[row]);
    if (command == NULL)
        return error_set(reader->err, ST_INVALID,
                         "option '%s' is none of the program's; a command's own options "
                         "stand behind its words",
                         text);
    reader->has_started_args = true;
    row = find_option(command->options, text, &value);
    if (row < 0)
        return error_set(reader->err, ST_INVALID, "'%s' has no option '%s'", command->words,
                         text);
    return read_value(reader, &command->options[row], value, &reader->out->values[row]);
}

/* A word of the command as long as there is such a command, an argument from then on. */
static enum status read_word(struct reader *reader, const char *text)
{
    struct grammar_input *out = reader->out;
    char longer[WORDS_SIZE];
    int size = snprintf(longer, sizeof(longer), "%s%s%s", reader->words,
                        reader->words[0] != '\0' ? " " : "", text);

    if (!reader->has_started_args && (size_t)size < sizeof(longer) &&
        begins_a_command(reader->grammar, longer)) {
        memcpy(reader->words, longer, sizeof(longer));
        out->command = find_command(reader->grammar, longer);
        return ST_OK;
    }
    if (out->command == NULL)
        return error_set(reader->err, ST_INVALID, "there is no command '%s'",
                         (size_t)size < sizeof(longer) ? longer : text);
    reader->has_started_args = true;
    if (out->arg_count == GRAMMAR_ARGUMENTS_MAX)
        return error_set(reader->err, ST_INVALID, "more than %d arguments",
                         GRAMMAR_ARGUMENTS_MAX);
    out->args[out->arg_count++] = text;
    return ST_OK;
}

/* "-" is standard input, "-5" a number. */
static bool is_option(const char *text)
{
    return text[0] == '-' && text[1] != '\0' && (text[1] < '0' || text[1] > '9');
}

enum status grammar_parse(struct grammar_input *out, const struct grammar *grammar,
                          int argc, char *const *argv, struct error *err)
{
    struct grammar_input input = {0};
    struct reader reader = {
        .out = &input, .grammar = grammar, .err = err, .argc = argc, .argv = argv};
    bool has_ended_options = false;

    for (reader.at = 1; reader.at < argc; reader.at++) {
        const char *text = argv[reader.at];
        enum status st;

        if (!has_ended_options && strcmp(text, "--") == 0) {
            has_ended_options = true;
            reader.has_started_args = input.command != NULL;
            continue;
        }
        if (!has_ended_options && is_option(text))
            st = read_option(&reader, text);
        else
            st = read_word(&reader, text);
        if (st != ST_OK)
            return st;
    }
    if (input.command == NULL && reader.words[0] != '\0')
        return error_set(err, ST_INVALID, "'%s' wants a further word; see '%s help %s'",
                         reader.words, grammar->program, reader.words);
    *out = input;
    return ST_OK;
}

/* Calls for each argument in "A B [C] D...": its name into `name`, false at the end. */
static bool next_arg(const char **args, char *name, size_t size)
{
    const char *start = *args + strspn(*args, " ");
    size_t length = strcspn(start, " ");

    if (length == 0)
        return false;
    snprintf(name, size, "%.*s", (int)length, start);
    *args = start + length;
    return true;
}

enum status grammar_check(const struct grammar_input *input, struct error *err)
{
    const struct grammar_command *command = input->command;
    const struct grammar_option *options = command->options;
    const char *args = command->args;
    char name[64];
    size_t index = 0;
    bool repeats = false;

    for (; next_arg(&args, name, sizeof(name)); index++) {
        repeats = strstr(name, "...") != NULL;
        if (name[0] != '[' && index >= input->arg_count)
            return error_set(err, ST_INVALID, "'%s' wants the argument %s", command->words,
                             name);
    }
    if (input->arg_count > index && !repeats)
        return error_set(err, ST_INVALID, "'%s' does not take the argument '%s'",
                         command->words, input->args[index]);
    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (options[i].is_required && input->values[i] == NULL)
            return error_set(err, ST_INVALID, "'%s' wants the option %s %s", command->words,
                             options[i].name, options[i].value);
    }
    return ST_OK;
}

const char *grammar_option(const struct grammar_input *input, const char *name)
{
    const char *ignored;
    int row = find_option(input->command->options, name, &ignored);

    assert(row >= 0);
    return input->values[row] != NULL ? input->values[row]
                                      : input->command->options[row].fallback;
}

const char *grammar_variable(char *const *environment, const char *name)
{
    size_t size = strlen(name);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=')
            return *environment + size + 1;
    }
    return NULL;
}

const char *grammar_global(const struct grammar *grammar, const struct grammar_input *input,
                           const char *name, char *const *environment)
{
    const char *value;
    int row = find_option(grammar->globals, name, &value);

    assert(row >= 0);
    if (input->globals[row] != NULL)
        return input->globals[row];
    value = grammar->globals[row].env != NULL
                ? grammar_variable(environment, grammar->globals[row].env)
                : NULL;
    return value != NULL && value[0] != '\0' ? value : grammar->globals[row].fallback;
}

static void print_options(FILE *out, const struct grammar_option *rows)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        char left[64];

        snprintf(left, sizeof(left), "%s%s%s%s%s", rows->letter != NULL ? rows->letter : "",
                 rows->letter != NULL ? ", " : "", rows->name,
                 rows->value != NULL ? " " : "", rows->value != NULL ? rows->value : "");
        fprintf(out, "  %-26s %s", left, rows->help);
        if (rows->is_required)
            fputs(" (required)", out);
        else if (rows->fallback != NULL)
            fprintf(out, " [%s]", rows->fallback);
        if (rows->env != NULL)
            fprintf(out, " (%s)", rows->env);
        fputc('\n', out);
    }
}

static void print_page(FILE *out, const struct grammar *grammar,
                       const struct grammar_command *command)
{
    fprintf(out, "usage: %s %s%s%s%s\n\n%s\n", grammar->program, command->words,
            command->args[0] != '\0' ? " " : "", command->args,
            command->options != NULL ? " [OPTIONS]" : "", command->help);
    if (command->details != NULL)
        fprintf(out, "\n%s\n", command->details);
    if (command->options != NULL) {
        fputs("\noptions:\n", out);
        print_options(out, command->options);
    }
    fprintf(out, "\nGlobal options: %s --help\n", grammar->program);
}

static void print_commands(FILE *out, const struct grammar *grammar, const char *words)
{
    for (size_t i = 0; i < grammar->command_count; i++) {
        const struct grammar_command *command = &grammar->commands[i];
        char left[160];

        if (words[0] != '\0' && !begins(command->words, words))
            continue;
        snprintf(left, sizeof(left), "%s%s%s", command->words,
                 command->args[0] != '\0' ? " " : "", command->args);
        fprintf(out, "  %-34s %s\n", left, command->help);
    }
}

bool grammar_print_help(FILE *out, const struct grammar *grammar, const char *words)
{
    const struct grammar_command *command;

    if (words == NULL || words[0] == '\0') {
        fprintf(out, "%s: %s\n\nusage: %s [OPTIONS] COMMAND [ARGUMENTS]\n\ncommands:\n",
                grammar->program, grammar->about, grammar->program);
        print_commands(out, grammar, "");
        fputs("\noptions:\n", out);
        print_options(out, grammar->globals);
        fprintf(out, "\n%s\n", grammar->notes);
        return true;
    }
    command = find_command(grammar, words);
    if (command != NULL) {
        print_page(out, grammar, command);
        return true;
    }
    if (!begins_a_command(grammar, words))
        return false;
    fprintf(out, "usage: %s %s COMMAND\n\ncommands:\n", grammar->program, words);
    print_commands(out, grammar, words);
    return true;
}

static void complete_options(FILE *out, const struct grammar_option *rows, const char *text)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        if (strncmp(rows->name, text, strlen(text)) == 0)
            fprintf(out, "%s\n", rows->name);
    }
}

/* The words that may follow `words` and start with `text`, each once. */
static void complete_words(FILE *out, const struct grammar *grammar, const char *words,
                           const char *text)
{
    size_t offset = words[0] != '\0' ? strlen(words) + 1 : 0;
    char former[WORDS_SIZE] = "";

    for (size_t i = 0; i < grammar->command_count; i++) {
        const char *all = grammar->commands[i].words;
        char next[WORDS_SIZE];

        if ((offset > 0 && !begins(all, words)) || strlen(all) <= offset)
            continue;
        snprintf(next, sizeof(next), "%.*s", (int)strcspn(all + offset, " "), all + offset);
        if (strncmp(next, text, strlen(text)) == 0 && strcmp(next, former) != 0) {
            fprintf(out, "%s\n", next);
            memcpy(former, next, sizeof(former));
        }
    }
}

void grammar_complete(FILE *out, const struct grammar *grammar, const char *const *words,
                      size_t count)
{
    const char *text = count > 0 ? words[count - 1] : "";
    const struct grammar_command *command = NULL;
    char so_far[WORDS_SIZE] = "";

    for (size_t i = 0; i + 1 < count; i++) {
        char longer[WORDS_SIZE];
        int size = snprintf(longer, sizeof(longer), "%s%s%s", so_far,
                            so_far[0] != '\0' ? " " : "", words[i]);

        if (words[i][0] != '-' && (size_t)size < sizeof(longer) &&
            begins_a_command(grammar, longer))
            memcpy(so_far, longer, sizeof(longer));
    }
    command = find_command(grammar, so_far);
    if (text[0] == '-') {
        complete_options(out, command != NULL ? command->options : NULL, text);
        complete_options(out, grammar->globals, text);
    } else {
        complete_words(out, grammar, so_far, text);
    }
}
