/*
 * Opening the ledger, and who writes it.
 */
#include "store/ledger_rows.h"
#include "store/ledger_store.h"
#include "store/store_internal.h"

// clang-format off
static const struct db_statement OPEN = {
    "ledger_open", "SELECT epoch, last_batch, last_at FROM metercache.ledger_open($1::text)",
    1, "iiT", DB_ONE};

/* Ids sort by time; no row: all zero. */
static const struct db_statement NEWEST = {
    "ledger_newest",
    "SELECT coalesce((SELECT op_id FROM metercache.ledger_event ORDER BY op_id DESC LIMIT 1),"
    " '00000000-0000-0000-0000-000000000000'::uuid)",
    0, "u", DB_ONE};

static const struct db_statement COUNTERS = {
    "ledger_counters",
    "SELECT " LEDGER_COUNTER_COLUMNS " FROM metercache.quota_counter AS c"
    " WHERE scope = 1 AND (held_milli <> 0"
    "  OR period_end > coalesce($1::timestamptz, '-infinity')"
    "  OR (meter, period_start) IN (SELECT meter, period_start"
    "   FROM metercache.quota_reservation WHERE amount_milli = 0))"
    " ORDER BY meter, period_start",
    1, LEDGER_COUNTER_TYPES, DB_MANY};

static const struct db_statement LIMITS = {
    "ledger_limits",
    "SELECT " LEDGER_LIMIT_COLUMNS
    " FROM (SELECT DISTINCT ON (meter, scope, subject, mode) * FROM metercache.quota_limit"
    "  ORDER BY meter, scope, subject, mode, version DESC) AS l ORDER BY version",
    0, LEDGER_LIMIT_TYPES, DB_MANY};

static const struct db_statement UNPUBLISHED = {
    "ledger_unpublished",
    "SELECT " LEDGER_ALERT_COLUMNS " FROM metercache.quota_alert"
    " WHERE published_at IS NULL ORDER BY sequence LIMIT $1::bigint",
    1, LEDGER_ALERT_TYPES, DB_MANY};

static const struct db_statement BEAT = {
    "ledger_beat", "SELECT metercache.ledger_beat($1::bigint)", 1, "v", DB_ONE};

static const struct db_statement RESIGN = {
    "ledger_resign", "SELECT metercache.ledger_resign($1::bigint)", 1, "v", DB_ONE};

static const struct db_statement WRITER = {
    "ledger_writer",
    "SELECT epoch, last_batch, beat, writer FROM metercache.quota_writer",
    0, "iiit", DB_ONE};
// clang-format on

static enum status take_epoch(struct ledger_state *state, struct store_tx *tx,
                              const char *writer, struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_text(&params, writer);
    enum status st = store_step(&result, tx, &OPEN, &params, err);
    if (st != ST_OK)
        return st;
    state->epoch = db_i64(&result, 0, 0);
    state->last_batch = db_i64(&result, 0, 1);
    state->last_at_us = db_time_us(&result, 0, 2);
    return db_result_finish(&result, err);
}

/* A statement of its own: it sees what the batch in flight committed. */
static enum status take_newest(struct ledger_state *state, struct store_tx *tx,
                               struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    enum status st = store_step(&result, tx, &NEWEST, &params, err);
    if (st != ST_OK)
        return st;
    state->newest_op_id = db_uuid(&result, 0, 0);
    return db_result_finish(&result, err);
}

static enum status take_counters(struct ledger_state *state, struct store_tx *tx,
                                 int64_t ended_after_us, struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_time(&params, ended_after_us);
    enum status st = store_step(&result, tx, &COUNTERS, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_counters(&state->counters, &state->counter_count, &result, err);
}

static enum status take_limits(struct ledger_state *state, struct store_tx *tx,
                               struct error *err)
{
    struct db_result result;
    struct ledger_limit *limits;

    enum status st = store_step(&result, tx, &LIMITS, NULL, err);
    if (st != ST_OK)
        return st;
    limits = arena_alloc_array(result.arena, (size_t)result.rows + 1, sizeof(*limits));
    result.failed = limits == NULL;
    for (int row = 0; limits != NULL && row < result.rows; row++)
        ledger_rows_read_limit(&limits[row], &result, row);
    state->limits = limits;
    state->limit_count = (size_t)result.rows;
    state->limit_version =
        limits != NULL && result.rows > 0 ? limits[result.rows - 1].version : 0;
    return db_result_finish(&result, err);
}

static enum status take_alerts(struct ledger_state *state, struct store_tx *tx,
                               struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_i64(&params, LEDGER_STORE_ALERTS_MAX);
    enum status st = store_step(&result, tx, &UNPUBLISHED, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_alerts(&state->alerts, &state->alert_count, &result, err);
}

enum status ledger_store_open(struct ledger_state *out, const struct store_call *call,
                              const char *writer, int64_t ended_after_us, struct error *err)
{
    struct store_tx tx;
    struct ledger_state state;

    enum status st = store_begin(&tx, call, NULL, err);
    if (st != ST_OK)
        return st;
    st = take_epoch(&state, &tx, writer, err);
    if (st == ST_OK)
        st = take_newest(&state, &tx, err);
    if (st == ST_OK)
        st = take_counters(&state, &tx, ended_after_us, err);
    if (st == ST_OK)
        st = take_limits(&state, &tx, err);
    if (st == ST_OK)
        st = take_alerts(&state, &tx, err);
    st = store_end(&tx, st, err);
    if (st == ST_OK)
        *out = state;
    return st;
}

/* ---- who writes ---- */

static enum status call_with(const struct store_call *call,
                             const struct db_statement *statement, int64_t epoch,
                             struct error *err)
{
    struct db_params params;

    db_params_init(&params);
    db_param_i64(&params, epoch);
    return store_write(NULL, call, statement, &params, err);
}

enum status ledger_store_beat(const struct store_call *call, int64_t epoch,
                              struct error *err)
{
    return call_with(call, &BEAT, epoch, err);
}

enum status ledger_store_writer(struct ledger_writer *out, const struct store_call *call,
                                int64_t resign_epoch, struct error *err)
{
    struct db_result result;
    enum status st = resign_epoch > 0 ? call_with(call, &RESIGN, resign_epoch, err) : ST_OK;

    if (st == ST_OK)
        st = store_write(&result, call, &WRITER, NULL, err);
    if (st != ST_OK)
        return st;
    *out = (struct ledger_writer){
        .epoch = db_i64(&result, 0, 0),
        .last_batch = db_i64(&result, 0, 1),
        .beat = db_i64(&result, 0, 2),
        .name = db_text(&result, 0, 3),
    };
    return db_result_finish(&result, err);
}
