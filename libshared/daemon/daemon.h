/*
 * daemon.h - one life cycle for all services.
 *
 *     argv -> settings -> log -> tokens -> spec.open -> serve (RPC, ops) -> signal
 *          -> drain -> spec.close -> exit
 *
 * main.c of a service is a struct daemon_spec. Signals are blocked before the first
 * library thread; the main thread waits for them: SIGTERM or SIGINT drains (a second one
 * leaves at once), SIGHUP reloads the tokens file. Exit status: 0 after a drain, 64 wrong
 * usage, 70 internal (guard, fenced), 78 configuration.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "daemon/settings.h"
#include "rpc/method.h"

/* Settings every daemon has; variable names are the spec's prefix + NAME. */
struct daemon_config {
    const char *listen_url;  /* LISTEN_URL */
    const char *ops_address; /* OPS_ADDRESS host:port; "" none */
    const char *tokens_file; /* TOKENS_FILE */
    const char *log_level;   /* LOG_LEVEL */
    const char *log_format;  /* LOG_FORMAT */
    uint64_t workers;        /* WORKERS */
    uint64_t contexts;       /* CONTEXTS */
    uint64_t drain_ms;       /* DRAIN_TIMEOUT */
    uint64_t connections;    /* CONNECTIONS */
    const char *tls_ca_file, *tls_cert_file, *tls_key_file; /* TLS_CA_FILE ... */
};

/* A second listener with its own method tables, such as the ledger's. */
struct daemon_listener {
    const char *name;  /* "ledger" */
    size_t url_offset; /* of its const char * URL in the service's config */
    const struct rpc_method *const *tables;
    size_t table_count;
};

/* A subcommand such as `migrate`: runs instead of serving; returns the exit status. */
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
    uint64_t default_workers;

    /* Build the service before any listener starts. *service is given to handlers. */
    enum status (*open)(void **service, const void *config, struct error *err);
    void (*close)(void *service);
    /* Ready to serve? Fills err with the reason when not. Called often; never blocks. */
    bool (*is_ready)(void *service, struct error *err);
    /* Called when draining starts, before requests are waited for; may be NULL. */
    void (*drain)(void *service);
};

int daemon_main(const struct daemon_spec *spec, int argc, char *argv[]);

/* End the process in an orderly way from any thread: as SIGTERM, but with this status. */
void daemon_request_exit(int exit_status);

#endif /* DAEMON_DAEMON_H */
