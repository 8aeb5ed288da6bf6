/*
 * Reading the ledger back, of ledger_store.h.
 */
#include "store/ledger_rows.h"

#include <stddef.h>

// clang-format off
static const struct db_statement FIND_BATCH = {
    "ledger_find_batch",
    "SELECT committed, current_epoch, last_batch"
    " FROM metercache.ledger_find_batch($1::bigint, $2::bigint)",
    2, "bii", DB_ONE};

static const struct db_statement RESERVATIONS = {
    "ledger_reservations",
    "SELECT " LEDGER_EVENT_COLUMNS(LEDGER_NO_EPOCH)
    " FROM (SELECT reservation_id FROM metercache.quota_reservation"
    "  WHERE reservation_id > $1::uuid ORDER BY reservation_id LIMIT $2::bigint) AS r"
    /* OFFSET 0: one index look-up an id, whatever the planner thinks of the tables */
    " CROSS JOIN LATERAL (SELECT * FROM metercache.ledger_event"
    "  WHERE op_id = r.reservation_id OFFSET 0) AS e"
    " ORDER BY e.op_id",
    2, LEDGER_EVENT_TYPES, DB_MANY};

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
    " SELECT " LEDGER_EVENT_COLUMNS(LEDGER_EPOCH)
    " FROM ids CROSS JOIN LATERAL (SELECT * FROM metercache.ledger_event"
    "  WHERE op_id = ids.op_id OFFSET 0) AS e"
    " ORDER BY e.batch, e.position",
    1, LEDGER_EVENT_TYPES, DB_MANY};

static const struct db_statement SNAPSHOT = {
    "ledger_snapshot", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", 0, "", DB_NONE};

static const struct db_statement LAST_BATCH = {
    "ledger_last_batch", "SELECT last_batch, epoch FROM metercache.quota_writer",
    0, "ii", DB_ONE};

static const struct db_statement FIND_COUNTERS = {
    "ledger_find_counters",
    "SELECT k.meter, k.scope, k.subject, k.period_start, coalesce(c.period_end, k.period_end),"
    " coalesce(c.limit_milli, -1), coalesce(c.posted_milli, s.posted),"
    " coalesce(c.held_milli, s.held), coalesce(c.overage_milli, s.overage),"
    " coalesce(c.crossed_percent, 0), coalesce(c.soft_passed, false)"
    " FROM unnest($1::text[], $2::smallint[], $3::text[], $4::timestamptz[],"
    "  $5::timestamptz[]) WITH ORDINALITY"
    "  AS k (meter, scope, subject, period_start, period_end, n)"
    " LEFT JOIN LATERAL (SELECT * FROM metercache.quota_counter AS q"
    "  WHERE q.meter = k.meter AND q.period_start = k.period_start AND q.scope = k.scope"
    "  AND q.subject = k.subject OFFSET 0) AS c ON true"
    " LEFT JOIN LATERAL (SELECT f.* FROM metercache.ledger_subject_sums("
    "  k.scope, k.meter, k.subject, k.period_start) AS f WHERE c.meter IS NULL) AS s ON true"
    " ORDER BY k.n",
    5, LEDGER_COUNTER_TYPES, DB_MANY};

static const struct db_statement FIND_COOLDOWNS = {
    "ledger_find_cooldowns",
    "SELECT k.meter, k.key, q.until_at,"
    " coalesce(q.reservation_id, '00000000-0000-0000-0000-000000000000')"
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (meter, key, n)"
    " LEFT JOIN LATERAL (SELECT * FROM metercache.quota_cooldown AS q"
    "  WHERE q.meter = k.meter AND q.key = k.key OFFSET 0) AS q ON true"
    " ORDER BY k.n",
    2, "ttTu", DB_MANY};
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
    return ledger_rows_take_events(out, count, &result, err);
}

enum status ledger_store_operations(const struct ledger_event **out, size_t *count,
                                    const struct store_call *call,
                                    const struct op_id *op_ids, size_t op_id_count,
                                    struct error *err)
{
    const struct ledger_question question = {.op_ids = op_ids, .op_id_count = op_id_count};
    struct ledger_answer answer;

    enum status st = ledger_store_ask(&answer, call, &question, err);
    if (st != ST_OK)
        return st;
    *out = answer.events;
    *count = answer.event_count;
    return ST_OK;
}

/* ---- several questions, one snapshot ---- */

static enum status ask_events(struct ledger_answer *out, struct store_tx *tx,
                              const struct ledger_question *question, struct error *err)
{
    struct db_rows rows = {question->op_ids, question->op_id_count, sizeof(struct op_id)};
    struct db_params params;
    struct db_result result;

    if (question->op_id_count == 0)
        return ST_OK;
    db_params_init(&params);
    db_param_column(&params, rows, DB_COLUMN_UUID, 0);
    enum status st = store_step(&result, tx, &OPERATIONS, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_events(&out->events, &out->event_count, &result, err);
}

static enum status ask_last_batch(struct ledger_answer *out, struct store_tx *tx,
                                  struct error *err)
{
    struct db_result result;

    enum status st = store_step(&result, tx, &LAST_BATCH, NULL, err);
    if (st != ST_OK)
        return st;
    out->last_batch = db_i64(&result, 0, 0);
    out->epoch = db_i64(&result, 0, 1);
    return db_result_finish(&result, err);
}

static enum status ask_counters(struct ledger_answer *out, struct store_tx *tx,
                                const struct ledger_question *question, struct error *err)
{
    struct db_rows rows = {question->counters, question->counter_count,
                           sizeof(struct ledger_counter)};
    struct db_params params;
    struct db_result result;

    if (question->counter_count == 0)
        return ST_OK;
    db_params_init(&params);
    db_param_column(&params, rows, DB_COLUMN_TEXT, offsetof(struct ledger_counter, meter));
    db_param_column(&params, rows, DB_COLUMN_I16, offsetof(struct ledger_counter, scope));
    db_param_column(&params, rows, DB_COLUMN_TEXT,
                    offsetof(struct ledger_counter, subject));
    db_param_column(&params, rows, DB_COLUMN_TIME,
                    offsetof(struct ledger_counter, period_start_us));
    db_param_column(&params, rows, DB_COLUMN_TIME,
                    offsetof(struct ledger_counter, period_end_us));
    enum status st = store_step(&result, tx, &FIND_COUNTERS, &params, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_counters(&out->counters, &out->counter_count, &result, err);
}

static enum status ask_cooldowns(struct ledger_answer *out, struct store_tx *tx,
                                 const struct ledger_question *question, struct error *err)
{
    struct db_rows rows = {question->cooldowns, question->cooldown_count,
                           sizeof(struct ledger_cooldown)};
    struct db_params params;
    struct db_result result;
    struct ledger_cooldown *cells;

    if (question->cooldown_count == 0)
        return ST_OK;
    db_params_init(&params);
    db_param_column(&params, rows, DB_COLUMN_TEXT, offsetof(struct ledger_cooldown, meter));
    db_param_column(&params, rows, DB_COLUMN_TEXT, offsetof(struct ledger_cooldown, key));
    enum status st = store_step(&result, tx, &FIND_COOLDOWNS, &params, err);
    if (st != ST_OK)
        return st;
    cells = arena_alloc_array(result.arena, (size_t)result.rows + 1, sizeof(*cells));
    result.failed = cells == NULL;
    for (int row = 0; cells != NULL && row < result.rows; row++)
        cells[row] = (struct ledger_cooldown){
            .meter = db_text(&result, row, 0),
            .key = db_text(&result, row, 1),
            .until_us = db_time_us(&result, row, 2),
            .reservation_id = db_uuid(&result, row, 3),
        };
    out->cooldowns = cells;
    out->cooldown_count = (size_t)result.rows;
    return db_result_finish(&result, err);
}

enum status ledger_store_ask(struct ledger_answer *out, const struct store_call *call,
                             const struct ledger_question *question, struct error *err)
{
    struct ledger_answer answer = {.last_batch = 0};
    struct store_tx tx;

    if (question->op_id_count > LEDGER_STORE_OPERATIONS_MAX ||
        question->counter_count > LEDGER_STORE_OPERATIONS_MAX ||
        question->cooldown_count > LEDGER_STORE_OPERATIONS_MAX)
        return error_set(err, ST_INVALID, "more than %d ids or keys",
                         LEDGER_STORE_OPERATIONS_MAX);
    enum status st = store_begin(&tx, call, NULL, err);
    if (st != ST_OK)
        return st;
    st = store_step(NULL, &tx, &SNAPSHOT, NULL, err);
    if (st == ST_OK)
        st = ask_last_batch(&answer, &tx, err);
    if (st == ST_OK)
        st = ask_events(&answer, &tx, question, err);
    if (st == ST_OK)
        st = ask_counters(&answer, &tx, question, err);
    if (st == ST_OK)
        st = ask_cooldowns(&answer, &tx, question, err);
    st = store_end(&tx, st, err);
    if (st == ST_OK)
        *out = answer;
    return st;
}
