/*
 * Reading the ledger back, of ledger_store.h.
 */
#include "store/ledger_store.h"
#include "store/store_internal.h"

// clang-format off
static const struct db_statement FIND_BATCH = {
    "ledger_find_batch",
    "SELECT committed, current_epoch, last_batch"
    " FROM metercache.ledger_find_batch($1::bigint, $2::bigint)",
    2, "bii", DB_ONE};

static const struct db_statement RESERVATIONS = {
    "ledger_reservations",
    "SELECT r.reservation_id, 1::smallint, r.reservation_id, r.meter, r.period_start,"
    " r.amount_milli, 0::bigint, 0::bigint, r.at, r.expires_at, r.body_hash, r.limit_version,"
    " r.platform, r.provider, r.action, r.reason, r.creator, r.user_id, r.tenant, r.endpoint,"
    " false, NULL::timestamptz, 0::smallint, 0::bigint, 0::integer, ''::text,"
    " 0::bigint, 0::bigint"
    " FROM metercache.quota_reservation AS r WHERE r.reservation_id > $1::uuid"
    " ORDER BY r.reservation_id LIMIT $2::bigint",
    2, "uiutTiiiTTyiitttttttbTiiitii", DB_MANY};

static const struct db_statement OPERATIONS = {
    "ledger_operations",
    "WITH asked AS ("
    " SELECT DISTINCT reservation_id FROM metercache.ledger_event"
    " WHERE op_id = ANY ($1::uuid[])"
    " AND reservation_id <> '00000000-0000-0000-0000-000000000000'),"
    " ids AS ("
    " SELECT unnest($1::uuid[]) AS op_id"
    " UNION SELECT reservation_id FROM asked"
    " UNION SELECT o.op_id FROM asked JOIN metercache.ledger_event AS o"
    "  ON o.reservation_id = asked.reservation_id AND o.kind <> 1)"
    " SELECT e.op_id, e.kind, e.reservation_id, e.meter, e.period_start, e.amount_milli,"
    " e.released_milli, e.overage_milli, e.at, e.expires_at, e.body_hash, e.limit_version,"
    " e.platform, e.provider, e.action, e.reason, e.creator, e.user_id, e.tenant, e.endpoint,"
    " l.event_id IS NOT NULL, l.started_at, l.outcome, l.latency_us, l.http_status, l.detail,"
    " e.batch, (SELECT b.epoch FROM metercache.quota_batch AS b WHERE b.batch = e.batch)"
    /* OFFSET 0: one index look-up an id, whatever size the planner thinks `ids` has */
    " FROM ids CROSS JOIN LATERAL (SELECT * FROM metercache.ledger_event"
    "  WHERE op_id = ids.op_id OFFSET 0) AS e"
    " LEFT JOIN LATERAL (SELECT * FROM metercache.call_log"
    "  WHERE at = e.at AND event_id = e.op_id OFFSET 0) AS l ON true"
    " ORDER BY e.batch, e.position",
    1, "uiutTiiiTTyiitttttttbTiiitii", DB_MANY};
// clang-format on

enum status ledger_store_find_batch(struct ledger_batch_state *out,
                                    const struct store_call *call, int64_t epoch,
                                    int64_t batch, struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_i64(&params, epoch);
    db_param_i64(&params, batch);
    enum status st = store_write(&result, call, &FIND_BATCH, &params, err);
    if (st != ST_OK)
        return st;
    *out = (struct ledger_batch_state){
        .committed = db_bool(&result, 0, 0),
        .current_epoch = db_i64(&result, 0, 1),
        .last_batch = db_i64(&result, 0, 2),
    };
    db_result_done(&result);
    return ST_OK;
}

static void read_event(struct ledger_event *out, struct db_result *result, int row)
{
    *out = (struct ledger_event){
        .op_id = db_uuid(result, row, 0),
        .kind = (int)db_i64(result, row, 1),
        .reservation_id = db_uuid(result, row, 2),
        .meter = db_text(result, row, 3),
        .period_start_us = db_time_us(result, row, 4),
        .amount_milli = db_i64(result, row, 5),
        .released_milli = db_i64(result, row, 6),
        .overage_milli = db_i64(result, row, 7),
        .at_us = db_time_us(result, row, 8),
        .expires_at_us = db_time_us(result, row, 9),
        .limit_version = db_i64(result, row, 11),
        .purpose = {.platform = (int)db_i64(result, row, 12),
                    .provider = db_text(result, row, 13),
                    .action = db_text(result, row, 14),
                    .reason = db_text(result, row, 15),
                    .creator = db_text(result, row, 16),
                    .user = db_text(result, row, 17),
                    .tenant = db_text(result, row, 18)},
        .endpoint = db_text(result, row, 19),
        .has_call = db_bool(result, row, 20),
        .call = {.started_at_us = db_time_us(result, row, 21),
                 .outcome = (int)db_i64(result, row, 22),
                 .latency_us = db_i64(result, row, 23),
                 .http_status = (int)db_i64(result, row, 24),
                 .detail = db_text(result, row, 25)},
        .batch = db_i64(result, row, 26),
        .epoch = db_i64(result, row, 27),
    };
    db_bytes(result, row, 10, out->body_hash, sizeof(out->body_hash));
}

static enum status take_events(const struct ledger_event **out, size_t *count,
                               struct db_result *result, struct error *err)
{
    size_t rows = (size_t)result->rows;
    struct ledger_event *events = NULL;

    if (rows > 0) {
        events = arena_alloc_array(result->arena, rows, sizeof(*events));
        result->failed = events == NULL;
    }
    for (int row = 0; events != NULL && row < result->rows; row++)
        read_event(&events[row], result, row);
    enum status st = db_result_finish(result, err);
    if (st != ST_OK)
        return st;
    *out = events;
    *count = rows;
    return ST_OK;
}

enum status ledger_store_list_reservations(const struct ledger_event **out, size_t *count,
                                           const struct store_call *call,
                                           const struct op_id *after, size_t limit,
                                           struct error *err)
{
    struct db_params params;
    struct db_result result;

    if (limit > LEDGER_STORE_RESERVATIONS_MAX)
        limit = LEDGER_STORE_RESERVATIONS_MAX;
    db_params_init(&params);
    db_param_uuid(&params, after);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_write(&result, call, &RESERVATIONS, &params, err);
    if (st != ST_OK)
        return st;
    return take_events(out, count, &result, err);
}

enum status ledger_store_operations(const struct ledger_event **out, size_t *count,
                                    const struct store_call *call,
                                    const struct op_id *op_ids, size_t op_id_count,
                                    struct error *err)
{
    struct db_params params;
    struct db_result result;

    if (op_id_count > LEDGER_STORE_OPERATIONS_MAX)
        return error_set(err, ST_INVALID, "more than %d op ids",
                         LEDGER_STORE_OPERATIONS_MAX);
    struct db_rows rows = {op_ids, op_id_count, sizeof(*op_ids)};
    db_params_init(&params);
    db_param_column(&params, rows, DB_COLUMN_UUID, 0);
    enum status st = store_write(&result, call, &OPERATIONS, &params, err);
    if (st != ST_OK)
        return st;
    return take_events(out, count, &result, err);
}
