#include "config.h"

#include "core/base.h"
#include "periods.h"

#define UNITS_MAX 1000000000 /* a month; keeps every sum far from 64 bits */

#define ROW(env, kind, field, fallback, min, max, help) \
    SETTING_ROW(struct quota_config, env, kind, field, fallback, min, max, help)

// clang-format off
const struct setting QUOTA_SETTINGS[] = {
    ROW("QUOTA_LEDGER_URL", SETTING_TEXT, ledger_url, "tcp://127.0.0.1:7103", 0, 0,
        "address of the ledger at cache-service"),
    ROW("QUOTA_SERVICE_TOKEN", SETTING_SECRET, service_token, "", 0, 0,
        "token quota-service calls the ledger with"),
    ROW("QUOTA_CLIENT_TLS_CA_FILE", SETTING_TEXT, tls_ca_file, "", 0, 0,
        "CA of the ledger when it is called over tls+tcp://"),
    ROW("QUOTA_CLIENT_TLS_CERT_FILE", SETTING_TEXT, tls_cert_file, "", 0, 0,
        "certificate shown to the ledger over tls+tcp://"),
    ROW("QUOTA_CLIENT_TLS_KEY_FILE", SETTING_TEXT, tls_key_file, "", 0, 0,
        "key of that certificate"),
    ROW("QUOTA_DISCOVERY_RESULTS_PER_MONTH", SETTING_COUNT, discovery_results_per_month,
        "140000", 0, UNITS_MAX, "Modash discovery results a month, 0.01 credit each"),
    ROW("QUOTA_REPORTS_PER_MONTH", SETTING_COUNT, reports_per_month,
        "1400", 0, UNITS_MAX, "Modash reports a month, 1 credit each"),
    ROW("QUOTA_ENRICHMENTS_PER_MONTH", SETTING_COUNT, enrichments_per_month,
        "2000", 0, UNITS_MAX, "Clay enrichments a month, 1 credit each"),
    ROW("QUOTA_ANCHOR_DAY", SETTING_COUNT, anchor_day,
        "1", 1, PERIODS_ANCHOR_MAX,
        "day of the month on which budgets begin anew (UTC); periods already made stay"),
    ROW("QUOTA_INSTANCE", SETTING_TEXT, instance, "quota-service", 1, 64,
        "name of this instance in the ledger; a standby needs another than the one it stands by for"),
    ROW("QUOTA_EVENTS_LISTEN_URL", SETTING_TEXT, events_listen_url, "", 0, 0,
        "address that publishes alerts (nng pub/sub); empty: none"),
    ROW("QUOTA_HOLD_MAX", SETTING_MILLIS, hold_max_ms,
        "15m", 1000, 86400000, "longest time a reservation is held before it lapses"),
};
// clang-format on

const size_t QUOTA_SETTING_COUNT = COUNT_OF(QUOTA_SETTINGS);
