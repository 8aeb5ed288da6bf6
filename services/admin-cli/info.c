#include <string.h>

#include "cli.h"
#include "core/buf.h"
#include "daemon/build_info.h"
#include "handlers.h"

#define WORDS_SIZE 128

/* Bash and, through bashcompinit, zsh: the program itself says what fits. */
static const char BASH_COMPLETION[] =
    "_metercache() {\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(metercache complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
    "}\n"
    "complete -o default -F _metercache metercache\n";

enum status info_help(struct cli *cli, struct error *err)
{
    struct buf words;
    enum status st = ST_OK;

    buf_init(&words, WORDS_SIZE);
    for (size_t i = 0; i < cli->input.arg_count; i++)
        buf_printf(&words, "%s%s", i > 0 ? " " : "", cli->input.args[i]);
    if (words.overflowed || !grammar_print_help(cli->out, cli->grammar, buf_text(&words)))
        st = cli_usage(err, "there is no command '%s'", buf_text(&words));
    buf_done(&words);
    return st;
}

enum status info_version(struct cli *cli, struct error *err)
{
    const char *version = build_info_version(), *revision = build_info_revision();

    (void)err;
    if (cli->is_json)
        fprintf(
            cli->out,
            "{\n  \"version\": \"%s\",\n  \"revision\": \"%s\",\n  \"build\": \"%s\"\n}\n",
            version, revision, build_info_mode());
    else
        fprintf(cli->out, "metercache %s (%s, %s)\n", version, revision, build_info_mode());
    return ST_OK;
}

enum status info_completion(struct cli *cli, struct error *err)
{
    if (strcmp(cli_arg(cli, 0), "bash") != 0 && strcmp(cli_arg(cli, 0), "zsh") != 0)
        return cli_usage(err, "completion is for bash and zsh, not '%s'", cli_arg(cli, 0));
    if (strcmp(cli_arg(cli, 0), "zsh") == 0)
        fputs("autoload -U +X bashcompinit && bashcompinit\n", cli->out);
    fputs(BASH_COMPLETION, cli->out);
    return ST_OK;
}

enum status info_complete(struct cli *cli, struct error *err)
{
    (void)err;
    grammar_complete(cli->out, cli->grammar, cli->input.args, cli->input.arg_count);
    return ST_OK;
}
