/*
 * commands.h - the program's grammar: every command and global option, a row each.
 */
#ifndef ADMIN_CLI_COMMANDS_H
#define ADMIN_CLI_COMMANDS_H

#include "grammar.h"

extern const struct grammar COMMANDS;

#endif /* ADMIN_CLI_COMMANDS_H */
