#include "config.h"
#include "core/base.h"
#include "daemon/daemon.h"
#include "gateway.h"
#include "gateway_rpc.h"

#define WORKERS 64

int main(int argc, char *argv[])
{
    static const struct rpc_method *const TABLES[] = {GATEWAY_METHODS};
    static const char *const FOREIGN_PREFIXES[] = {"MODASH_", "CLAY_", NULL};
    const struct daemon_spec spec = {
        .name = "provider-gateway",
        .prefix = "GATEWAY_",
        .foreign_prefixes = FOREIGN_PREFIXES,
        .settings = GATEWAY_SETTINGS,
        .setting_count = GATEWAY_SETTING_COUNT,
        .config_size = sizeof(struct gateway_config),
        .tables = TABLES,
        .table_count = COUNT_OF(TABLES),
        .default_listen_url = "tcp://127.0.0.1:7104",
        .default_ops_address = "127.0.0.1:9104",
        .default_workers = WORKERS,
        .open = gateway_open,
        .close = gateway_close,
        .is_ready = gateway_is_ready,
    };

    return daemon_main(&spec, argc, argv);
}
