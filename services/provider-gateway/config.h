/*
 * config.h - the gateway's settings.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/settings.h"

struct gateway_config {
    const char *quota_url;
    const char *service_token;
    const char *tls_ca_file; /* for calls to quota-service; all three or none */
    const char *tls_cert_file;
    const char *tls_key_file;
    const char *modash_base_url;
    const char *modash_key;
    uint64_t modash_timeout_ms;
    const char *clay_base_url;
    const char *clay_key;
    const char *clay_routine_id;
    const char *clay_auth_header;
    const char *clay_result_email_key;
    uint64_t clay_timeout_ms;
    bool clay_charge_not_found;
    bool allow_loopback;
    const char *provider_ca_file; /* "": the system's */
    uint64_t response_bytes;
    uint64_t connections_per_host;
    uint64_t settle_backlog;
};

extern const struct setting GATEWAY_SETTINGS[];
extern const size_t GATEWAY_SETTING_COUNT;

#endif /* GATEWAY_CONFIG_H */
