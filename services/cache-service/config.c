#include "config.h"

#include "core/base.h"

#define DAY_MS (24ULL * 3600 * 1000)
#define ROW(env_, kind_, field_, fallback_, min_, max_, help_) \
    SETTING_ROW(struct cache_config, env_, kind_, field_, fallback_, min_, max_, help_)

// clang-format off
const struct setting CACHE_SETTINGS[] = {
    ROW("CACHE_DATABASE_URL",         SETTING_SECRET, database_url,         "",    0, 0,
        "connection string of the runtime role"),
    ROW("CACHE_REPLICA_DATABASE_URL", SETTING_SECRET, replica_database_url, "",    0, 0,
        "connection string of a replica for reads that may lag; empty: none"),
    ROW("CACHE_OWNER_DATABASE_URL",   SETTING_SECRET, owner_database_url,   "",    0, 0,
        "connection string of the owner role, for 'migrate' alone"),
    ROW("CACHE_MIGRATIONS_DIR",       SETTING_TEXT,   migrations_dir,
        "/usr/local/share/metercache/migrations",                                  0, 0,
        "folder of the numbered SQL files"),
    ROW("CACHE_DATABASE_CONNECTIONS", SETTING_COUNT,  database_connections, "16",  3, 256,
        "connections to the database, two of them kept for the ledger"),
    ROW("CACHE_LEDGER_LISTEN_URL",    SETTING_TEXT,   ledger_listen_url,    "tcp://127.0.0.1:7103", 0, 0,
        "address of the ledger, for quota-service alone"),
    ROW("CACHE_EVENTS_LISTEN_URL",    SETTING_TEXT,   events_listen_url,    "",    0, 0,
        "address that publishes what the cache has filled (nng pub/sub); empty: none"),
    ROW("CACHE_GATEWAY_URL",          SETTING_TEXT,   gateway_url,          "tcp://127.0.0.1:7104", 0, 0,
        "address of provider-gateway; several with commas"),
    ROW("CACHE_SERVICE_TOKEN",        SETTING_SECRET, service_token,        "",    0, 0,
        "token cache-service calls others with"),
    ROW("CACHE_CLIENT_TLS_CA_FILE",   SETTING_TEXT,   tls_ca_file,          "",    0, 0,
        "CA of the services called over tls+tcp://"),
    ROW("CACHE_CLIENT_TLS_CERT_FILE", SETTING_TEXT,   tls_cert_file,        "",    0, 0,
        "certificate shown to services called over tls+tcp://"),
    ROW("CACHE_CLIENT_TLS_KEY_FILE",  SETTING_TEXT,   tls_key_file,         "",    0, 0,
        "key of that certificate"),
    ROW("CACHE_FETCHERS",             SETTING_COUNT,  fetchers,             "32",  1, 128,
        "searches and reports fetched at once"),
    ROW("CACHE_ENRICHERS",            SETTING_COUNT,  enrichers,            "8",   1, 128,
        "enrichments under way at once"),
    ROW("CACHE_FLIGHTS",              SETTING_COUNT,  flights,              "4096", 1, 65536,
        "fetches queued or running; more are refused"),
    ROW("CACHE_WAITERS",              SETTING_COUNT,  waiters,              "160", 4, 65536,
        "requests that wait for a fetch at once; keep it below CACHE_CONTEXTS, the rest serves reads"),
    ROW("CACHE_BACKOFF_FIRST",        SETTING_MILLIS, backoff_first_ms,     "1s",  0, 3600000,
        "pause before a failed fetch is tried again; doubles; 0: none"),
    ROW("CACHE_BACKOFF_MAX",          SETTING_MILLIS, backoff_max_ms,       "60s", 0, 86400000,
        "longest such pause"),
    ROW("CACHE_GATEWAY_TIMEOUT",      SETTING_MILLIS, gateway_timeout_ms,   "29s", 100, 600000,
        "time one provider call may take, its reservation included"),
    ROW("CACHE_SEARCH_FRESH",         SETTING_MILLIS, search_fresh_ms,      "7d",  1000, 365 * DAY_MS,
        "age up to which a search's results are fresh"),
    ROW("CACHE_REPORT_FRESH",         SETTING_MILLIS, report_fresh_ms,      "30d", 1000, 365 * DAY_MS,
        "age up to which a creator report is fresh"),
    ROW("CACHE_EMAIL_NOT_FOUND",      SETTING_MILLIS, email_not_found_ms,   "30d", 1000, 365 * DAY_MS,
        "time before a fruitless enrichment is tried again"),
    ROW("CACHE_NOT_FOUND",            SETTING_MILLIS, not_found_ms,         "24h", 1000, 365 * DAY_MS,
        "time a provider's 'not found' or 'private' is remembered"),
    ROW("CACHE_ENRICHMENT_WAIT",      SETTING_MILLIS, enrichment_wait_ms,   "15s", 0, 300000,
        "time an enrichment is polled before its callers are told that it is pending"),
};
// clang-format on

const size_t CACHE_SETTING_COUNT = COUNT_OF(CACHE_SETTINGS);
