/*
 * Writing the ledger; reading it back is in ledger_reads.c.
 */
#include "store/ledger_store.h"

#include <stddef.h>

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
    "SELECT meter, period_start, period_end, limit_milli, posted_milli, held_milli,"
    " overage_milli FROM metercache.quota_counter WHERE held_milli <> 0"
    " OR period_end > coalesce($1::timestamptz, '-infinity')"
    " ORDER BY meter, period_start",
    1, "tTTiiii", DB_MANY};

static const struct db_statement COMMIT = {
    "ledger_commit",
    "SELECT metercache.ledger_commit($1::bigint, $2::bigint, $3::timestamptz,"
    " $4::uuid[], $5::smallint[], $6::uuid[], $7::text[], $8::timestamptz[], $9::bigint[],"
    " $10::bigint[], $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::bytea[],"
    " $15::bigint[], $16::smallint[], $17::text[], $18::text[], $19::text[], $20::text[],"
    " $21::text[], $22::text[], $23::text[], $24::boolean[], $25::timestamptz[],"
    " $26::smallint[], $27::bigint[], $28::integer[], $29::text[],"
    " $30::text[], $31::timestamptz[], $32::timestamptz[], $33::bigint[], $34::bigint[],"
    " $35::bigint[], $36::bigint[])",
    36, "v", DB_ONE};

struct column {
    enum db_column kind;
    size_t offset;
};

/* $4 to $29 */
static const struct column EVENT_COLUMNS[] = {
    {DB_COLUMN_UUID, offsetof(struct ledger_event, op_id)},
    {DB_COLUMN_I16, offsetof(struct ledger_event, kind)},
    {DB_COLUMN_UUID, offsetof(struct ledger_event, reservation_id)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, meter)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, period_start_us)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, amount_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, released_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, overage_milli)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, at_us)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, expires_at_us)},
    {DB_COLUMN_BYTES16, offsetof(struct ledger_event, body_hash)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, limit_version)},
    {DB_COLUMN_I16, offsetof(struct ledger_event, purpose.platform)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.provider)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.action)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.reason)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.creator)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.user)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.tenant)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, endpoint)},
    {DB_COLUMN_BOOL, offsetof(struct ledger_event, has_call)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, call.started_at_us)},
    {DB_COLUMN_I16, offsetof(struct ledger_event, call.outcome)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, call.latency_us)},
    {DB_COLUMN_I32, offsetof(struct ledger_event, call.http_status)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, call.detail)},
};

/* $30 to $36 */
static const struct column COUNTER_COLUMNS[] = {
    {DB_COLUMN_TEXT, offsetof(struct ledger_counter, meter)},
    {DB_COLUMN_TIME, offsetof(struct ledger_counter, period_start_us)},
    {DB_COLUMN_TIME, offsetof(struct ledger_counter, period_end_us)},
    {DB_COLUMN_I64, offsetof(struct ledger_counter, limit_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_counter, posted_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_counter, held_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_counter, overage_milli)},
};
// clang-format on

static void column_params(struct db_params *params, struct db_rows rows,
                          const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        db_param_column(params, rows, columns[i].kind, columns[i].offset);
}

enum status ledger_store_commit(const struct store_call *call,
                                const struct ledger_batch *batch, struct error *err)
{
    struct db_params params;

    if (batch->event_count > LEDGER_STORE_EVENTS_MAX ||
        batch->counter_count > LEDGER_STORE_COUNTERS_MAX)
        return error_set(err, ST_INVALID, "a batch of %zu events and %zu counters",
                         batch->event_count, batch->counter_count);
    struct db_rows events = {batch->events, batch->event_count, sizeof(*batch->events)};
    struct db_rows counters = {batch->counters, batch->counter_count,
                               sizeof(*batch->counters)};
    db_params_init(&params);
    db_param_i64(&params, batch->epoch);
    db_param_i64(&params, batch->batch);
    db_param_time(&params, batch->at_us);
    column_params(&params, events, EVENT_COLUMNS, COUNT_OF(EVENT_COLUMNS));
    column_params(&params, counters, COUNTER_COLUMNS, COUNT_OF(COUNTER_COLUMNS));
    return store_write(NULL, call, &COMMIT, &params, err);
}

/* ---- opening ---- */

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

static void read_counter(struct ledger_counter *out, struct db_result *result, int row)
{
    *out = (struct ledger_counter){
        .meter = db_text(result, row, 0),
        .period_start_us = db_time_us(result, row, 1),
        .period_end_us = db_time_us(result, row, 2),
        .limit_milli = db_i64(result, row, 3),
        .posted_milli = db_i64(result, row, 4),
        .held_milli = db_i64(result, row, 5),
        .overage_milli = db_i64(result, row, 6),
    };
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
    struct ledger_counter *counters = NULL;
    if (result.rows > 0) {
        counters = arena_alloc_array(result.arena, (size_t)result.rows, sizeof(*counters));
        result.failed = counters == NULL;
    }
    for (int row = 0; counters != NULL && row < result.rows; row++)
        read_counter(&counters[row], &result, row);
    state->counters = counters;
    state->counter_count = (size_t)result.rows;
    return db_result_finish(&result, err);
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
    st = store_end(&tx, st, err);
    if (st == ST_OK)
        *out = state;
    return st;
}
