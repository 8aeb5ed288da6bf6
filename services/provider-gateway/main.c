#include "config.h"
#include "core/base.h"
#include "daemon/daemon.h"
#include "gateway.h"
#include "gateway_rpc.h"

#define WORKERS 64

static enum status open_service(void **service, const void *config, struct error *err)
{
    struct gateway *gateway;
    enum status st = gateway_open(&gateway, config, err);

    if (st == ST_OK)
        *service = gateway;
    return st;
}

static void close_service(void *service)
{
    gateway_close(service);
}

static bool is_ready(void *service, struct error *err)
{
    return gateway_is_ready(service, err);
}

int main(int argc, char *argv[])
{
    static const struct rpc_method *const TABLES[] = {GATEWAY_METHODS};
    static const char *const FOREIGN_PREFIXES[] = {"MODASH_", "CLAY_", "META_", NULL};
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
        .open = open_service,
        .close = close_service,
        .is_ready = is_ready,
    };

    return daemon_main(&spec, argc, argv);
}
