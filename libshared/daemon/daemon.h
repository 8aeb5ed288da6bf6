/*
 * daemon.h - one life cycle for all services.
 *
 *     argv -> settings -> log -> tokens -> spec.open -> serve (RPC, ops) -> signal
 *          -> drain -> spec.close -> exit
 *
 * main.c of a service is a struct daemon_spec. Signals are blocked before the first
 * library thread; the main thread waits for them: SIGTERM or SIGINT drains, a second one
 * leaves at once with 128 + its number, SIGHUP reloads the tokens file, SIGPIPE is ignored.
 * Exit status: 0 after a drain, 64 wrong usage, 70 internal (guard, fenced), 78
 * configuration.
 *
 *     cache-service                      serve
 *     cache-service --check              read settings and tokens, say what is wrong, leave
 *     cache-service --print-config       the settings in force, secrets hidden
 *     cache-service --list-settings      their names
 *     cache-service --help | --version
 *     cache-service migrate              a command of the spec
 *
 * Every listener serves Health; the main one also serves Admin. A drain refuses new work
 * on the main listener first, because its requests may need what the others serve; work
 * that outlasts DRAIN_TIMEOUT is left behind without waiting any longer. One daemon a
 * process.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "daemon/settings.h"
#include "rpc/method.h"

#define DAEMON_EXIT_USAGE         64
#define DAEMON_EXIT_INTERNAL      70
#define DAEMON_EXIT_CONFIGURATION 78

/* Settings every daemon has; variable names are the spec's prefix + NAME. */
struct daemon_config {
    const char *listen_url;           /* LISTEN_URL */
    const char *ops_address;          /* OPS_ADDRESS host:port; "" none */
    const char *tokens_file;          /* TOKENS_FILE */
    const char *log_level;            /* LOG_LEVEL */
    const char *log_format;           /* LOG_FORMAT */
    uint64_t workers;                 /* WORKERS */
    uint64_t contexts;                /* CONTEXTS */
    uint64_t drain_ms;                /* DRAIN_TIMEOUT */
    uint64_t queue;                   /* QUEUE */
    uint64_t connections;             /* CONNECTIONS */
    uint64_t connections_per_address; /* CONNECTIONS_PER_ADDRESS */
    uint64_t inflight_per_connection; /* INFLIGHT_PER_CONNECTION */
    uint64_t request_bytes;           /* REQUEST_BYTES */
    bool guard;                       /* LISTENER_GUARD */
    const char *tls_ca_file;          /* TLS_CA_FILE ... : with tls+tcp:// all three */
    const char *tls_cert_file;
    const char *tls_key_file;
};

/* A second listener with its own method tables, such as the ledger's. */
struct daemon_listener {
    const char *name;  /* "ledger" */
    size_t url_offset; /* of its const char * URL in the service's config; "": off */
    const struct rpc_method *const *tables;
    size_t table_count;
};

/* A subcommand such as `migrate`: runs instead of serving, with default signals and the log
 * set up; returns the exit status. */
struct daemon_command {
    const char *name;
    const char *help;
    int (*run)(const void *config);
};

struct daemon_spec {
    const char *name;                    /* "cache-service" */
    const char *prefix;                  /* "CACHE_" */
    const char *const *foreign_prefixes; /* further prefixes it owns, NULL-ended, or NULL */
    const struct setting *settings;      /* the service's own rows */
    size_t setting_count;
    size_t config_size;
    const struct rpc_method *const *tables;
    size_t table_count;
    const struct daemon_listener *listeners;
    size_t listener_count;
    const struct daemon_command *commands;
    size_t command_count;
    const char *default_listen_url;  /* NULL: to serve, LISTEN_URL has to be set */
    const char *default_ops_address; /* NULL: no ops page unless set */
    uint64_t default_workers;        /* 0: 16 */

    /* Build the service before any listener starts. *service is given to handlers. ST_INVALID
     * and ST_PRECONDITION mean that an operator has to act (78), others 70. A peer that is
     * absent is no reason to fail. */
    enum status (*open)(void **service, const void *config, struct error *err);
    void (*close)(void *service);
    /* Ready to serve? Fills err with the reason when not. Any thread, often; never blocks.
     * NULL: always. */
    bool (*is_ready)(void *service, struct error *err);
    /* Called when draining starts, before requests are waited for; may be NULL. */
    void (*drain)(void *service);
};

int daemon_main(const struct daemon_spec *spec, int argc, char *argv[]);

/* End the process in an orderly way from any thread: as SIGTERM, but with this status. Of
 * several calls the first counts. */
void daemon_request_exit(int exit_status);

#endif /* DAEMON_DAEMON_H */
