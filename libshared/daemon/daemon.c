/*
 * The way of a daemon, from argv to the exit status, is daemon_main -> run_loaded ->
 * serve -> wait_for_end -> end_serving.
 */
#include "daemon/daemon.h"

#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "daemon/admin_rpc.h"
#include "daemon/build_info.h"
#include "daemon/configuration.h"
#include "daemon/listeners.h"
#include "daemon/options.h"
#include "daemon/process.h"
#include "daemon/signals.h"
#include "daemon/tokens.h"
#include "ops/ops.h"

#define NO_EXIT_YET (-1)

extern char **environ;

struct daemon {
    const struct daemon_spec *spec;
    const struct configuration *configuration;
    struct tokens *tokens;
    void *service;
    struct listeners listeners;
    struct ops *ops;
    atomic_bool is_draining;
    atomic_bool is_stuck; /* a listener cannot be cured: closing it might never end */
    uint64_t started_us;
};

/* Process-wide, as the exit status is. */
static atomic_int requested_exit = NO_EXIT_YET;

void daemon_request_exit(int exit_status)
{
    int none = NO_EXIT_YET;

    if (atomic_compare_exchange_strong(&requested_exit, &none, exit_status))
        signals_wake();
}

static int exit_status_of(enum status status)
{
    if (status == ST_INVALID || status == ST_PRECONDITION)
        return DAEMON_EXIT_CONFIGURATION;
    return DAEMON_EXIT_INTERNAL;
}

static int complain(const struct daemon_spec *spec, const struct error *err,
                    int exit_status)
{
    fprintf(stderr, "%s: %s\n", spec->name, err->message);
    return exit_status;
}

/* ---- serving ---- */

static bool is_ready(void *context, struct error *why_not)
{
    struct daemon *daemon = context;

    if (atomic_load(&daemon->is_draining)) {
        error_set(why_not, ST_UNAVAILABLE, "draining");
        return false;
    }
    return daemon->spec->is_ready == NULL ||
           daemon->spec->is_ready(daemon->service, why_not);
}

static void on_guard_failure(void *context)
{
    struct daemon *daemon = context;

    log_write(LOG_ERROR, "a listener cannot be cured, leaving", NULL, 0);
    atomic_store(&daemon->is_stuck, true);
    daemon_request_exit(DAEMON_EXIT_INTERNAL);
}

static enum status open_ops(struct daemon *daemon, struct error *err)
{
    const struct ops_options options = {
        .address = daemon->configuration->common->ops_address,
        .is_ready = is_ready,
        .context = daemon,
    };

    if (options.address[0] == '\0')
        return ST_OK;
    if (ops_open(&daemon->ops, &options, err) != ST_OK)
        return error_wrap(err, "%sOPS_ADDRESS", daemon->spec->prefix);
    return ST_OK;
}

static enum status open_listeners(struct daemon *daemon, struct error *err)
{
    const struct listeners_options options = {
        .spec = daemon->spec,
        .configuration = daemon->configuration,
        .service = daemon->service,
        .tokens = daemon->tokens,
        .is_ready = is_ready,
        .on_guard_failure = on_guard_failure,
        .context = daemon,
    };

    admin_rpc_setup(daemon->spec->name, daemon->configuration);
    return listeners_open(&daemon->listeners, &options, err);
}

/* In this order; what is open when one of them fails is for close_all. */
static enum status open_all(struct daemon *daemon, struct error *err)
{
    const struct configuration *configuration = daemon->configuration;
    enum status status =
        tokens_open(&daemon->tokens, configuration->common->tokens_file, err);

    if (status == ST_OK)
        status = daemon->spec->open(&daemon->service, configuration->own, err);
    if (status == ST_OK)
        status = open_listeners(daemon, err);
    if (status == ST_OK)
        status = open_ops(daemon, err);
    return status;
}

static void close_all(struct daemon *daemon)
{
    listeners_close(&daemon->listeners);
    ops_close(daemon->ops);
    if (daemon->service != NULL && daemon->spec->close != NULL)
        daemon->spec->close(daemon->service);
    tokens_close(daemon->tokens);
}

static void reload(struct daemon *daemon)
{
    struct error err;

    if (tokens_reload(daemon->tokens, &err) != ST_OK)
        log_event(LOG_ERROR, "tokens not reloaded, the former ones stay",
                  LOG_STR("error", err.message));
    else
        log_event(LOG_INFO, "tokens reloaded",
                  LOG_U64("tokens", tokens_count(daemon->tokens)));
}

/* Returns the exit status that was asked for. */
static int wait_for_end(struct daemon *daemon)
{
    for (;;) {
        int requested = atomic_load(&requested_exit);

        if (requested != NO_EXIT_YET)
            return requested;
        switch (signals_wait()) {
        case SIGNALS_END:
            return 0;
        case SIGNALS_RELOAD:
            reload(daemon);
            break;
        case SIGNALS_WOKEN:
            break;
        }
    }
}

/* Work that outlasts the drain still uses what close_all frees: then leave without it. */
static void end_serving(struct daemon *daemon, int exit_status)
{
    signals_leave_at_next();
    log_event(LOG_INFO, "draining", LOG_I64("exit_status", exit_status));
    atomic_store(&daemon->is_draining, true);
    if (daemon->spec->drain != NULL)
        daemon->spec->drain(daemon->service);

    bool is_idle =
        listeners_drain(&daemon->listeners, daemon->configuration->common->drain_ms);
    bool must_leave = !is_idle || atomic_load(&daemon->is_stuck);

    if (!must_leave)
        close_all(daemon);
    log_event(LOG_INFO, "stopped", LOG_I64("exit_status", exit_status),
              LOG_U64("uptime_ms", (clock_mono_us() - daemon->started_us) / 1000));
    if (must_leave)
        _exit(exit_status);
}

static int serve(const struct daemon_spec *spec, const struct configuration *configuration)
{
    struct daemon daemon = {
        .spec = spec,
        .configuration = configuration,
        .started_us = clock_mono_us(),
    };
    struct error err;
    enum status status = open_all(&daemon, &err);

    if (status != ST_OK) {
        close_all(&daemon);
        return complain(spec, &err, exit_status_of(status));
    }
    log_event(LOG_INFO, "started", LOG_STR("version", build_info_version()),
              LOG_STR("revision", build_info_revision()),
              LOG_STR("listen", listeners_main_url(&daemon.listeners)),
              LOG_STR("ops", daemon.ops != NULL ? ops_address(daemon.ops) : ""),
              LOG_U64("tokens", tokens_count(daemon.tokens)));

    int exit_status = wait_for_end(&daemon);

    end_serving(&daemon, exit_status);
    return exit_status;
}

/* ---- before serving ---- */

static enum status setup_log(const struct daemon_spec *spec,
                             const struct daemon_config *config, struct error *err)
{
    enum log_format format = LOG_TEXT;
    enum log_level level;

    if (!log_level_parse(&level, config->log_level))
        return error_set(err, ST_INVALID,
                         "%sLOG_LEVEL: '%s' given, expected error, warn, info or debug",
                         spec->prefix, config->log_level);
    if (strcasecmp(config->log_format, "json") == 0)
        format = LOG_JSON;
    else if (strcasecmp(config->log_format, "text") != 0)
        return error_set(err, ST_INVALID, "%sLOG_FORMAT: '%s' given, expected text or json",
                         spec->prefix, config->log_format);
    log_setup(spec->name, format, level);
    return ST_OK;
}

static enum status check_tokens(const struct configuration *configuration,
                                struct error *err)
{
    struct tokens *tokens;
    enum status status = tokens_open(&tokens, configuration->common->tokens_file, err);

    if (status == ST_OK)
        tokens_close(tokens);
    return status;
}

static int check(const struct daemon_spec *spec, const struct configuration *configuration)
{
    struct error err;

    if (check_tokens(configuration, &err) != ST_OK)
        return complain(spec, &err, DAEMON_EXIT_CONFIGURATION);
    printf("%s: settings and tokens are fine\n", spec->name);
    return 0;
}

static int run_loaded(const struct daemon_spec *spec,
                      const struct configuration *configuration,
                      const struct options *options)
{
    struct error err;

    if (options->action == OPTIONS_PRINT_CONFIG) {
        settings_print(stdout, configuration->rows, configuration->row_count,
                       configuration->block);
        return 0;
    }
    if (setup_log(spec, configuration->common, &err) != ST_OK)
        return complain(spec, &err, DAEMON_EXIT_CONFIGURATION);
    if (options->action == OPTIONS_COMMAND) {
        signals_unblock();
        return options->command->run(configuration->own);
    }
    if (configuration_check_serving(configuration, spec, &err) != ST_OK)
        return complain(spec, &err, DAEMON_EXIT_CONFIGURATION);
    if (options->action == OPTIONS_CHECK)
        return check(spec, configuration);
    return serve(spec, configuration);
}

static int load_and_run(const struct daemon_spec *spec, struct configuration *configuration,
                        const struct options *options)
{
    struct error err;

    process_harden();
    process_keep_memory();
    if (configuration_load(configuration, spec, environ, &err) != ST_OK)
        return complain(spec, &err, DAEMON_EXIT_CONFIGURATION);
    return run_loaded(spec, configuration, options);
}

static void print_version(const struct daemon_spec *spec)
{
    printf("%s %s (%s, %s)\n", spec->name, build_info_version(), build_info_revision(),
           build_info_mode());
}

int daemon_main(const struct daemon_spec *spec, int argc, char *argv[])
{
    struct options options;
    struct configuration configuration;
    struct error err;
    int exit_status = 0;

    signals_block();
    if (options_parse(&options, spec, argc, argv, &err) != ST_OK) {
        complain(spec, &err, DAEMON_EXIT_USAGE);
        fprintf(stderr, "%s: try --help\n", spec->name);
        return DAEMON_EXIT_USAGE;
    }
    configuration_init(&configuration, spec);
    switch (options.action) {
    case OPTIONS_VERSION:
        print_version(spec);
        break;
    case OPTIONS_HELP:
        options_print_help(stdout, spec, &configuration);
        break;
    case OPTIONS_LIST_SETTINGS:
        settings_print_names(stdout, configuration.rows, configuration.row_count);
        break;
    default:
        exit_status = load_and_run(spec, &configuration, &options);
    }
    configuration_done(&configuration);
    return exit_status;
}
