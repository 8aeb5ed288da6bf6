/*
 * options.h - the command line of a daemon: one word at most.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdio.h>

#include "core/error.h"
#include "daemon/configuration.h"
#include "daemon/daemon.h"

enum options_action {
    OPTIONS_SERVE,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_LIST_SETTINGS,
    OPTIONS_PRINT_CONFIG,
    OPTIONS_CHECK,
    OPTIONS_COMMAND,
};

struct options {
    enum options_action action;
    const struct daemon_command *command; /* of the spec, with OPTIONS_COMMAND */
};

/* ST_INVALID: names what is not understood. */
MUST_USE enum status options_parse(struct options *out, const struct daemon_spec *spec,
                                   int argc, char *const argv[], struct error *err);

/* Usage, commands, signals, exit status and settings. */
void options_print_help(FILE *out, const struct daemon_spec *spec,
                        const struct configuration *configuration);

#endif /* DAEMON_OPTIONS_H */
