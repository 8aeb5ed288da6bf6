/*
 * config.h - what an operator can set, as the service reads it (QUOTA_*).
 *
 * A new meter needs one field here, one row in config.c and one row in meters.c.
 */
#ifndef QUOTA_CONFIG_H
#define QUOTA_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/settings.h"

struct quota_config {
    const char *ledger_url;    /* of cache-service's ledger listener */
    const char *service_token; /* secret: our credential there */
    const char *tls_ca_file, *tls_cert_file, *tls_key_file; /* for tls+tcp:// to it */
    const char *instance;
    const char *events_listen_url;
    uint64_t anchor_day;
    uint64_t hold_max_ms;
    /* monthly budgets, each in its meter's unit */
    uint64_t discovery_results_per_month;
    uint64_t reports_per_month;
    uint64_t enrichments_per_month;
};

extern const struct setting QUOTA_SETTINGS[];
extern const size_t QUOTA_SETTING_COUNT;

#endif /* QUOTA_CONFIG_H */
