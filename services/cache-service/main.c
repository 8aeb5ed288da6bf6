/*
 * cache-service: owns Postgres, answers from it, and asks provider-gateway for the rest.
 */
#include "cache_service.h"
#include "config.h"
#include "core/base.h"
#include "daemon/daemon.h"
#include "ledger/ledger_rpc.h"
#include "migrate_command.h"
#include "resources/calls/calls_rpc.h"
#include "resources/creators/creators_rpc.h"

static const struct rpc_method *const tables[] = {
    creators_methods,
    calls_methods,
};

static const struct rpc_method *const ledger_tables[] = {
    ledger_methods,
};

static const struct daemon_listener listeners[] = {
    {
        .name = "ledger",
        .url_offset = offsetof(struct cache_config, ledger_listen_url),
        .tables = ledger_tables,
        .table_count = COUNT_OF(ledger_tables),
    },
};

static const struct daemon_command commands[] = {
    {
        .name = "migrate",
        .help = "bring the database's schema up to date, then leave",
        .run = migrate_command,
    },
};

int main(int argc, char *argv[])
{
    const struct daemon_spec spec = {
        .name = "cache-service",
        .prefix = "CACHE_",
        .settings = CACHE_SETTINGS,
        .setting_count = CACHE_SETTING_COUNT,
        .config_size = sizeof(struct cache_config),
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .listeners = listeners,
        .listener_count = COUNT_OF(listeners),
        .commands = commands,
        .command_count = COUNT_OF(commands),
        .default_listen_url = "tcp://127.0.0.1:7101",
        .default_ops_address = "127.0.0.1:9101",
        .default_workers = 16,
        .open = cache_service_open,
        .close = cache_service_close,
        .is_ready = cache_service_is_ready,
    };

    return daemon_main(&spec, argc, argv);
}
