/*
 * ledger_rows.h - rows of the ledger's tables as structs; for store/ledger_*.c alone.
 *
 * A list of columns and the letters of their types belong together, and to one reader.
 */
#ifndef STORE_LEDGER_ROWS_H
#define STORE_LEDGER_ROWS_H

#include "store/ledger_store.h"
#include "store/store_internal.h"

// clang-format off
/* FROM metercache.ledger_event AS e; `epoch` is an expression for that of its batch. */
#define LEDGER_EVENT_COLUMNS(epoch) \
    "e.op_id, e.kind, e.reservation_id, e.meter, e.period_start, e.amount_milli," \
    " e.released_milli, e.overage_milli, e.at, e.expires_at, e.body_hash, e.limit_version," \
    " e.platform, e.provider, e.action, e.reason, e.creator, e.user_id, e.tenant, e.endpoint," \
    " e.is_scheduled, e.cooldown_key, e.actor, e.note, e.outcome, e.started_at, e.latency_us," \
    " e.http_status, e.detail, e.batch, " epoch
#define LEDGER_EVENT_TYPES "uiutTiiiTTyiitttttttbtttiTiitii"
#define LEDGER_NO_EPOCH    "0::bigint"
#define LEDGER_EPOCH       "(SELECT b.epoch FROM metercache.quota_batch AS b WHERE b.batch = e.batch)"

/* FROM metercache.quota_counter AS c */
#define LEDGER_COUNTER_COLUMNS \
    "c.meter, c.scope, c.subject, c.period_start, c.period_end, c.limit_milli, c.posted_milli," \
    " c.held_milli, c.overage_milli, c.crossed_percent, c.soft_passed"
#define LEDGER_COUNTER_TYPES "titTTiiiiib"

#define LEDGER_ALERT_COLUMNS \
    "sequence, kind, meter, period_start, period_end, percent, at, limit_milli, posted_milli," \
    " held_milli, amount_milli"
#define LEDGER_ALERT_TYPES "iitTTiTiiii"
#define LEDGER_LIMIT_COLUMNS \
    "version, scope, meter, subject, mode, limit_milli, anchor_day, cooldown_ms," \
    " threshold_percent::text, removed, set_at, set_by, reason"
#define LEDGER_LIMIT_TYPES "iittiiiitbTtt"
// clang-format on

void ledger_rows_read_limit(struct ledger_limit *out, struct db_result *result, int row);

/* The whole result, into its arena; ends it. */
MUST_USE enum status ledger_rows_take_events(const struct ledger_event **out, size_t *count,
                                             struct db_result *result, struct error *err);
MUST_USE enum status ledger_rows_take_counters(const struct ledger_counter **out,
                                               size_t *count, struct db_result *result,
                                               struct error *err);
MUST_USE enum status ledger_rows_take_alerts(const struct ledger_alert **out, size_t *count,
                                             struct db_result *result, struct error *err);

#endif /* STORE_LEDGER_ROWS_H */
