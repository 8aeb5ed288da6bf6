#include "daemon/options.h"

#include <string.h>

static const struct {
    const char *word;
    enum options_action action;
    const char *help;
} WORDS[] = {
    {"--help", OPTIONS_HELP, "print this and leave"},
    {"--version", OPTIONS_VERSION, "print the version and leave"},
    {"--list-settings", OPTIONS_LIST_SETTINGS, "print the names of all settings"},
    {"--print-config", OPTIONS_PRINT_CONFIG, "print the settings in force, secrets hidden"},
    {"--check", OPTIONS_CHECK, "read settings and tokens, say what is wrong, leave"},
};

static bool find_word(struct options *out, const struct daemon_spec *spec, const char *word)
{
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (strcmp(word, WORDS[i].word) == 0) {
            *out = (struct options){.action = WORDS[i].action};
            return true;
        }
    }
    for (size_t i = 0; i < spec->command_count; i++) {
        if (strcmp(word, spec->commands[i].name) == 0) {
            *out =
                (struct options){.action = OPTIONS_COMMAND, .command = &spec->commands[i]};
            return true;
        }
    }
    return false;
}

enum status options_parse(struct options *out, const struct daemon_spec *spec, int argc,
                          char *const argv[], struct error *err)
{
    if (argc <= 1) {
        *out = (struct options){.action = OPTIONS_SERVE};
        return ST_OK;
    }
    if (argc > 2)
        return error_set(err, ST_INVALID, "one argument at most, '%.80s' is one too many",
                         argv[2]);
    if (!find_word(out, spec, argv[1]))
        return error_set(err, ST_INVALID, "'%.80s' is no option and no command", argv[1]);
    return ST_OK;
}

void options_print_help(FILE *out, const struct daemon_spec *spec,
                        const struct configuration *configuration)
{
    fprintf(out, "usage: %s [option | command]\n\nWithout an argument it serves.\n\n",
            spec->name);
    fputs("Options:\n", out);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        fprintf(out, "  %-16s %s\n", WORDS[i].word, WORDS[i].help);
    if (spec->command_count > 0)
        fputs("\nCommands:\n", out);
    for (size_t i = 0; i < spec->command_count; i++)
        fprintf(out, "  %-16s %s\n", spec->commands[i].name, spec->commands[i].help);
    fputs(
        "\nSignals:\n"
        "  SIGTERM, SIGINT  finish requests in flight, then leave; a second one: at once\n"
        "  SIGHUP           read the tokens file again\n"
        "\nExit status: 0 done, 64 wrong usage, 70 internal failure, 78 wrong "
        "configuration,\n128 + the signal's number after a second SIGTERM or SIGINT.\n"
        "\nSettings, from the environment:\n",
        out);
    settings_print_help(out, configuration->rows, configuration->row_count);
}
