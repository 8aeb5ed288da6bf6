/*
 * main.c - `metercache`: the command line to all three services.
 */
#include <stdio.h>

#include "cli.h"
#include "commands.h"

extern char **environ;

int main(int argc, char *argv[])
{
    return cli_run(&COMMANDS, argc, argv, environ, stdout, stderr);
}
