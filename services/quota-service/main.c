/* quota-service: wiring. The life cycle is daemon.h's, the domain begins in quota_rpc.c. */
#include "config.h"
#include "daemon/daemon.h"
#include "quota_admin_rpc.h"
#include "quota_reads_rpc.h"
#include "quota_rpc.h"
#include "quota_service.h"

static const struct rpc_method *const tables[] = {QUOTA_METHODS, QUOTA_ADMIN_METHODS,
                                                  QUOTA_READ_METHODS};

int main(int argc, char *argv[])
{
    const struct daemon_spec spec = {
        .name = "quota-service",
        .prefix = "QUOTA_",
        .settings = QUOTA_SETTINGS,
        .setting_count = QUOTA_SETTING_COUNT,
        .config_size = sizeof(struct quota_config),
        .tables = tables,
        .table_count = COUNT_OF(tables),
        .default_listen_url = "tcp://127.0.0.1:7102",
        .default_ops_address = "127.0.0.1:9102",
        .default_workers = 4, /* only questions to the ledger block */
        .open = quota_service_open,
        .close = quota_service_close,
        .is_ready = quota_service_is_ready,
    };

    return daemon_main(&spec, argc, argv);
}
