/*
 * Listings of the ledger: counters, presumed outcomes, usage by time, alerts.
 */
#include "store/ledger_rows.h"

// clang-format off
static const struct db_statement COUNTERS = {
    "ledger_list_counters",
    "SELECT " LEDGER_COUNTER_COLUMNS " FROM metercache.quota_counter AS c"
    " WHERE scope = $2::smallint AND ($1::text = '' OR meter = $1::text)"
    " AND ($3::text = '' OR subject = $3::text)"
    " AND period_start <= $4::timestamptz AND period_end > $4::timestamptz"
    " ORDER BY posted_milli + held_milli DESC, meter, subject LIMIT $5::bigint",
    5, LEDGER_COUNTER_TYPES, DB_MANY};

static const struct db_statement UNKNOWN = {
    "ledger_list_unknown",
    "SELECT " LEDGER_EVENT_COLUMNS(LEDGER_EPOCH) " FROM metercache.ledger_event AS e"
    " WHERE outcome IN (11, 12)"
    " AND ($1::uuid = '00000000-0000-0000-0000-000000000000' OR op_id < $1::uuid)"
    " AND NOT EXISTS (SELECT FROM metercache.ledger_event AS x"
    "  WHERE x.reservation_id = e.reservation_id AND x.kind = 5)"
    " AND e.kind <> 5"
    " ORDER BY op_id DESC LIMIT $2::bigint",
    2, LEDGER_EVENT_TYPES, DB_MANY};

static const struct db_statement USAGE = {
    "ledger_list_usage",
    "SELECT meter, to_timestamp(floor(extract(epoch FROM bucket) / $4::bigint) * $4::bigint),"
    " sum(posted_milli)::bigint, sum(calls)::bigint FROM metercache.quota_usage"
    " WHERE ($1::text = '' OR meter = $1::text) AND bucket >= $2::timestamptz"
    " AND bucket < $3::timestamptz GROUP BY 1, 2 ORDER BY 1, 2 LIMIT $5::bigint",
    5, "tTii", DB_MANY};

static const struct db_statement ALERTS = {
    "ledger_list_alerts",
    "SELECT " LEDGER_ALERT_COLUMNS " FROM metercache.quota_alert"
    " WHERE ($1::text = '' OR meter = $1::text)"
    " AND ($2::bigint = 0 OR sequence < $2::bigint) ORDER BY sequence DESC LIMIT $3::bigint",
    3, LEDGER_ALERT_TYPES, DB_MANY};
// clang-format on

enum status ledger_store_list_counters(const struct ledger_counter **out, size_t *count,
                                       const struct store_call *call, const char *meter,
                                       int scope, const char *subject, int64_t at_us,
                                       struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_text(&params, meter);
    db_param_i16(&params, scope);
    db_param_text(&params, subject);
    db_param_time(&params, at_us);
    db_param_i64(&params, LEDGER_STORE_RESERVATIONS_MAX);
    enum status st = store_write(&result, call, &COUNTERS, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_counters(out, count, &result, err);
}

enum status ledger_store_list_unknown(const struct ledger_event **out, size_t *count,
                                      const struct store_call *call,
                                      const struct op_id *behind, size_t limit,
                                      struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_uuid(&params, behind);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_write(&result, call, &UNKNOWN, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_events(out, count, &result, err);
}

enum status ledger_store_list_usage(const struct ledger_usage **out, size_t *count,
                                    const struct store_call *call, const char *meter,
                                    int64_t from_us, int64_t until_us, int64_t seconds,
                                    size_t limit, struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_text(&params, meter);
    db_param_time(&params, from_us);
    db_param_time(&params, until_us);
    db_param_i64(&params, seconds);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_write(&result, call, &USAGE, &params, err);
    if (st != ST_OK)
        return st;
    struct ledger_usage *usage =
        arena_alloc_array(result.arena, (size_t)result.rows + 1, sizeof(*usage));
    result.failed = usage == NULL;
    for (int row = 0; usage != NULL && row < result.rows; row++)
        usage[row] = (struct ledger_usage){
            .meter = db_text(&result, row, 0),
            .start_us = db_time_us(&result, row, 1),
            .posted_milli = db_i64(&result, row, 2),
            .calls = db_i64(&result, row, 3),
        };
    *out = usage;
    *count = (size_t)result.rows;
    return db_result_finish(&result, err);
}

enum status ledger_store_list_alerts(const struct ledger_alert **out, size_t *count,
                                     const struct store_call *call, const char *meter,
                                     int64_t before, size_t limit, struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_text(&params, meter);
    db_param_i64(&params, before);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_write(&result, call, &ALERTS, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_alerts(out, count, &result, err);
}
