#include "config.h"

#include "answer_limit.h"
#include "core/base.h"

#define SECOND     ((uint64_t)1000)
#define KIB        ((uint64_t)1024)
#define ROW(...)   SETTING_ROW(struct gateway_config, __VA_ARGS__)
#define NO_DEFAULT NULL
#define TEXT_OF(n) #n
#define IN_KIB(n)  TEXT_OF(n) "KiB"

// clang-format off
const struct setting GATEWAY_SETTINGS[] = {
    ROW("GATEWAY_QUOTA_URL", SETTING_TEXT, quota_url, NO_DEFAULT, 1, 2048,
        "quota-service's endpoints, comma-separated"),
    ROW("GATEWAY_SERVICE_TOKEN", SETTING_SECRET, service_token, NO_DEFAULT, 1, 256,
        "this service's token towards quota-service (role service)"),
    ROW("GATEWAY_CLIENT_TLS_CA_FILE", SETTING_TEXT, tls_ca_file, "", 0, 0,
        "CA of quota-service when it is called over tls+tcp://"),
    ROW("GATEWAY_CLIENT_TLS_CERT_FILE", SETTING_TEXT, tls_cert_file, "", 0, 0,
        "certificate shown to quota-service over tls+tcp://"),
    ROW("GATEWAY_CLIENT_TLS_KEY_FILE", SETTING_TEXT, tls_key_file, "", 0, 0,
        "key of that certificate"),
    ROW("MODASH_BASE_URL", SETTING_TEXT, modash_base_url, "https://api.modash.io", 1, 1024,
        "Modash's address, without /v1"),
    ROW("MODASH_API_KEY", SETTING_SECRET, modash_key, "", 0, 4096,
        "Modash's API key"),
    ROW("MODASH_TIMEOUT", SETTING_MILLIS, modash_timeout_ms, "30s", SECOND, 300 * SECOND,
        "longest wait for one answer of Modash"),
    ROW("CLAY_BASE_URL", SETTING_TEXT, clay_base_url, "https://api.clay.com", 1, 1024,
        "Clay's address, without /public/v0"),
    ROW("CLAY_API_KEY", SETTING_SECRET, clay_key, "", 0, 4096,
        "Clay's API key; empty: no enrichment"),
    ROW("CLAY_ROUTINE_ID", SETTING_TEXT, clay_routine_id, "", 0, 128,
        "the routine that finds an e-mail address; empty: no enrichment"),
    ROW("CLAY_AUTH_HEADER", SETTING_TEXT, clay_auth_header, "clay-api-key", 1, 64,
        "the header that carries Clay's key; Authorization sends it as Bearer"),
    ROW("CLAY_RESULT_EMAIL_KEY", SETTING_TEXT, clay_result_email_key, "email", 1, 128,
        "where the routine's result has the address"),
    ROW("CLAY_TIMEOUT", SETTING_MILLIS, clay_timeout_ms, "30s", SECOND, 300 * SECOND,
        "longest wait for one answer of Clay"),
    ROW("CLAY_CHARGE_NOT_FOUND", SETTING_BOOL, clay_charge_not_found, "yes", 0, 0,
        "a run that finds nothing costs as much as one that does"),
    ROW("GATEWAY_ALLOW_PLAIN_HTTP_LOOPBACK", SETTING_BOOL, allow_loopback, "no", 0, 0,
        "let a provider's base URL be http or https on loopback: for the simulator"),
    ROW("GATEWAY_PROVIDER_CA_FILE", SETTING_TEXT, provider_ca_file, "", 0, 0,
        "PEM file of the CAs that providers' certificates are checked against; empty: the "
        "system's"),
    ROW("GATEWAY_RESPONSE_BYTES", SETTING_BYTES, response_bytes, IN_KIB(ANSWER_LIMIT_KIB),
        64 * KIB, ANSWER_LIMIT_BYTES,
        "largest decoded answer taken from a provider; it must fit a reply frame of 4 MiB"),
    ROW("GATEWAY_CONNECTIONS_PER_HOST", SETTING_COUNT, connections_per_host, "64", 1, 1024,
        "connections to one provider"),
    ROW("GATEWAY_SETTLE_BACKLOG", SETTING_COUNT, settle_backlog, "4096", 1, 1000000,
        "calls in flight and settlements waiting for quota-service; beyond: no calls"),
};
// clang-format on
const size_t GATEWAY_SETTING_COUNT = COUNT_OF(GATEWAY_SETTINGS);
