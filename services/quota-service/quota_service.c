#include "quota_service.h"

#include <stdio.h>

#include "alert_event_rpc.h"
#include "core/mem.h"
#include "daemon/daemon.h"
#include "meters.h"
#include "quota_stats.h"

#define HELD_LIMIT     131072
#define CLOSED_LIMIT   16384
#define DONE_LIMIT     32768
#define REFUSED_LIMIT  8192
#define COUNTER_LIMIT  131072
#define COOLDOWN_LIMIT 16384
#define QUEUE_LIMIT    8192

static struct quota_core_options core_options(const struct quota_config *config)
{
    struct quota_core_options options = {.held_limit = HELD_LIMIT,
                                         .closed_limit = CLOSED_LIMIT,
                                         .done_limit = DONE_LIMIT,
                                         .refused_limit = REFUSED_LIMIT,
                                         .anchor_day = (unsigned)config->anchor_day,
                                         .counter_limit = COUNTER_LIMIT,
                                         .cooldown_limit = COOLDOWN_LIMIT,
                                         .meter_count = METER_COUNT};

    for (unsigned meter = 0; meter < METER_COUNT; meter++)
        options.limits_milli[meter] = meters_limit_milli(meter, config);
    return options;
}

/* What EventsService tells of an alert; QuotaService.ListThresholds has them all. */
static void publish_alert(void *context, const struct quota_alert *alert)
{
    struct quota_service *quota = context;

    if (quota->events != NULL)
        alert_event_publish(quota->events, alert);
}

static enum status open_events(struct quota_service *quota, struct error *err)
{
    const char *url = quota->config->events_listen_url;
    char name[96];

    if (url[0] == '\0')
        return ST_OK;
    snprintf(name, sizeof(name), "quota-service/%s", quota->config->instance);
    return rpc_publisher_open(&quota->events, name, url, err);
}

static enum status open_reads(struct quota_service *quota, struct error *err)
{
    const struct quota_config *config = quota->config;
    const struct ledger_reads_options options = {.url = config->ledger_url,
                                                 .token = config->service_token,
                                                 .tls_ca_file = config->tls_ca_file,
                                                 .tls_cert_file = config->tls_cert_file,
                                                 .tls_key_file = config->tls_key_file};

    return ledger_reads_open(&quota->reads, &options, err);
}

enum status quota_service_open(void **service, const void *settings, struct error *err)
{
    const struct quota_config *config = settings;
    struct quota_service *quota = mem_alloc(sizeof(*quota));
    struct writer_options options = {.core = core_options(config),
                                     .ledger = {.url = config->ledger_url,
                                                .token = config->service_token,
                                                .writer_name = config->instance,
                                                .tls_ca_file = config->tls_ca_file,
                                                .tls_cert_file = config->tls_cert_file,
                                                .tls_key_file = config->tls_key_file},
                                     .queue_limit = QUEUE_LIMIT,
                                     .alert = publish_alert,
                                     .alert_context = quota,
                                     .end = daemon_request_exit};

    quota->config = config;
    stats_register(quota_stats, QUOTA_STAT_COUNT);
    if (open_events(quota, err) != ST_OK || open_reads(quota, err) != ST_OK ||
        writer_open(&quota->writer, &options, err) != ST_OK) {
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
    rpc_publisher_close(quota->events);
    ledger_reads_close(quota->reads);
    stats_unregister(quota_stats);
    mem_free(quota);
}

bool quota_service_is_ready(void *service, struct error *err)
{
    const struct quota_service *quota = service;

    return writer_is_ready(quota->writer, err);
}
