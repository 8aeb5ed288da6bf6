/*
 * handlers.h - what each command does, one file a group.
 *
 * A handler reads its input through cli.h, calls, prints to cli->out, and returns a status;
 * errors are printed by cli_run.
 */
#ifndef ADMIN_CLI_HANDLERS_H
#define ADMIN_CLI_HANDLERS_H

#include "core/error.h"

struct cli;

/* creators.c */
enum status creators_search(struct cli *cli, struct error *err);
enum status creators_get(struct cli *cli, struct error *err);
enum status creators_select(struct cli *cli, struct error *err);
enum status creators_enrich(struct cli *cli, struct error *err);
enum status creators_searches(struct cli *cli, struct error *err);

/* quota.c: what was spent and what became of it */
enum status quota_usage(struct cli *cli, struct error *err);
enum status quota_history(struct cli *cli, struct error *err);
enum status quota_operation(struct cli *cli, struct error *err);
enum status quota_unknown(struct cli *cli, struct error *err);
enum status quota_alerts(struct cli *cli, struct error *err);
enum status quota_verify(struct cli *cli, struct error *err);

/* quota_change.c: limits, corrections, adjustments */
enum status quota_correct(struct cli *cli, struct error *err);
enum status quota_adjust(struct cli *cli, struct error *err);
enum status quota_limits(struct cli *cli, struct error *err);
enum status quota_limit_set(struct cli *cli, struct error *err);
enum status quota_limit_remove(struct cli *cli, struct error *err);

/* calls.c: the call log */
enum status calls_list(struct cli *cli, struct error *err);

/* health.c */
enum status health_show(struct cli *cli, struct error *err);

/* call.c: any method, and what methods there are */
enum status call_method(struct cli *cli, struct error *err);
enum status call_list_methods(struct cli *cli, struct error *err);
enum status call_describe(struct cli *cli, struct error *err);

/* admin.c: what every daemon serves */
enum status admin_ping(struct cli *cli, struct error *err);
enum status admin_stats(struct cli *cli, struct error *err);
enum status admin_config(struct cli *cli, struct error *err);
enum status admin_connections(struct cli *cli, struct error *err);
enum status admin_log_level(struct cli *cli, struct error *err);
enum status admin_drain(struct cli *cli, struct error *err);

/* token.c */
enum status token_new(struct cli *cli, struct error *err);

/* info.c: nothing but the program itself */
enum status info_help(struct cli *cli, struct error *err);
enum status info_version(struct cli *cli, struct error *err);
enum status info_completion(struct cli *cli, struct error *err);
enum status info_complete(struct cli *cli, struct error *err);

#endif /* ADMIN_CLI_HANDLERS_H */
