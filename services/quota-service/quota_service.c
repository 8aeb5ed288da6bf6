#include "quota_service.h"

#include <stdio.h>
#include <unistd.h>

#include "core/mem.h"
#include "daemon/daemon.h"
#include "meters.h"
#include "quota_stats.h"
#include "quota_submit_rpc.h"

#define HELD_LIMIT    131072
#define CLOSED_LIMIT  16384
#define DONE_LIMIT    65536
#define REFUSED_LIMIT 16384
#define QUEUE_LIMIT   8192
/* Limits come from settings; limits set over RPC will count from 1. */
#define SETTINGS_LIMIT_VERSION 0

static struct quota_core_options core_options(const struct quota_config *config)
{
    struct quota_core_options options = {.held_limit = HELD_LIMIT,
                                         .closed_limit = CLOSED_LIMIT,
                                         .done_limit = DONE_LIMIT,
                                         .refused_limit = REFUSED_LIMIT,
                                         .anchor_day = (unsigned)config->anchor_day,
                                         .meter_count = METER_COUNT,
                                         .limit_version = SETTINGS_LIMIT_VERSION};

    for (unsigned meter = 0; meter < METER_COUNT; meter++)
        options.limits_milli[meter] = meters_limit_milli(meter, config);
    return options;
}

/* "host/pid": tells people which instance holds the ledger. */
static void name_writer(char *out, size_t size)
{
    char host[64] = "";

    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    snprintf(out, size, "%s/%ld", host, (long)getpid());
}

enum status quota_service_open(void **service, const void *settings, struct error *err)
{
    const struct quota_config *config = settings;
    char name[96];
    struct writer_options options = {.core = core_options(config),
                                     .ledger = {.url = config->ledger_url,
                                                .token = config->service_token,
                                                .writer_name = name,
                                                .tls_ca_file = config->tls_ca_file,
                                                .tls_cert_file = config->tls_cert_file,
                                                .tls_key_file = config->tls_key_file},
                                     .queue_limit = QUEUE_LIMIT,
                                     .end = daemon_request_exit};
    struct quota_service *quota = mem_alloc(sizeof(*quota));

    name_writer(name, sizeof(name));
    quota->config = config;
    quota->submissions = submissions_new();
    stats_register(quota_stats, QUOTA_STAT_COUNT);
    if (writer_open(&quota->writer, &options, err) != ST_OK) {
        quota_service_close(quota);
        return err->status;
    }
    *service = quota;
    return ST_OK;
}

void quota_service_close(void *service)
{
    struct quota_service *quota = service;

    if (quota == NULL)
        return;
    writer_close(quota->writer);
    submissions_free(quota->submissions);
    stats_unregister(quota_stats);
    mem_free(quota);
}

bool quota_service_is_ready(void *service, struct error *err)
{
    const struct quota_service *quota = service;

    return writer_is_ready(quota->writer, err);
}
