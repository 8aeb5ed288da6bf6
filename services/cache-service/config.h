/*
 * config.h - settings of cache-service, as rows. Adding a setting is a field and a row.
 */
#ifndef CACHE_CONFIG_H
#define CACHE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/settings.h"

struct cache_config {
    const char *database_url; /* runtime role */
    const char *replica_database_url;
    const char *owner_database_url; /* `cache-service migrate` alone */
    const char *migrations_dir;
    uint64_t database_connections;
    const char *ledger_listen_url;
    const char *events_listen_url; /* "": no events */
    const char *gateway_url;
    const char *service_token;
    const char *tls_ca_file; /* for calls to others; all three or none */
    const char *tls_cert_file;
    const char *tls_key_file;
    uint64_t fetchers;
    uint64_t enrichers;
    uint64_t flights;
    uint64_t waiters;
    uint64_t backoff_first_ms;
    uint64_t backoff_max_ms;
    uint64_t gateway_timeout_ms;
    uint64_t search_fresh_ms;
    uint64_t report_fresh_ms;
    uint64_t email_not_found_ms;
    uint64_t not_found_ms;
    uint64_t enrichment_wait_ms;
};

extern const struct setting CACHE_SETTINGS[];
extern const size_t CACHE_SETTING_COUNT;

#endif /* CACHE_CONFIG_H */
