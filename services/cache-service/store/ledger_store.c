/*
 * Committing a batch; opening is in ledger_open.c, reading in ledger_reads.c.
 */
#include "store/ledger_store.h"

#include <stddef.h>
#include <string.h>

#include "core/clock.h"
#include "store/store_internal.h"

#define BUCKET_US (300LL * CLOCK_US_PER_SECOND)

enum { KIND_RESERVE = 1, KIND_SETTLE = 2, KIND_LAPSE = 4, KIND_ADJUST = 6 };

// clang-format off
static const struct db_statement COMMIT = {
    "ledger_commit",
    "SELECT metercache.ledger_commit($1::bigint, $2::bigint, $3::timestamptz, $4::bytea,"
    " $5::metercache.ledger_event[],"
    " $6::uuid[], $7::text[], $8::timestamptz[], $9::bigint[],"
    " $10::text[], $11::timestamptz[], $12::smallint[], $13::text[], $14::timestamptz[],"
    " $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::smallint[],"
    " $20::boolean[], $21::bigint[], $22::bigint[], $23::bigint[],"
    " $24::timestamptz[], $25::text[], $26::bigint[], $27::bigint[])",
    27, "v", DB_ONE};

/* The row type's number in this database, which arrays of it name. */
static const struct db_statement EVENT_TYPE = {
    "ledger_event_type", "SELECT 'metercache.ledger_event'::regtype::oid::bigint",
    0, "i", DB_ONE};

static const struct db_statement COOLDOWNS = {
    "ledger_add_cooldowns",
    "SELECT metercache.ledger_add_cooldowns($1::bigint, $2::bigint, $3::text[], $4::text[],"
    " $5::timestamptz[], $6::uuid[])",
    6, "v", DB_ONE};

static const struct db_statement LIMITS = {
    "ledger_add_limits",
    "SELECT metercache.ledger_add_limits($1::bigint, $2::bigint, $3::bigint[],"
    " $4::smallint[], $5::text[], $6::text[], $7::smallint[], $8::bigint[], $9::smallint[],"
    " $10::bigint[], $11::text[], $12::boolean[], $13::timestamptz[], $14::text[],"
    " $15::text[])",
    15, "v", DB_ONE};

static const struct db_statement ALERTS = {
    "ledger_add_alerts",
    "SELECT metercache.ledger_add_alerts($1::bigint, $2::bigint, $3::smallint[],"
    " $4::text[], $5::timestamptz[], $6::timestamptz[], $7::smallint[], $8::timestamptz[],"
    " $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])",
    13, "v", DB_ONE};

static const struct db_statement SEQUENCES = {
    "ledger_alert_sequences",
    "SELECT sequence FROM metercache.quota_alert WHERE batch = $1::bigint"
    " ORDER BY position",
    1, "i", DB_MANY};

/* The attributes of metercache.ledger_event, in their order. */
static const struct db_attribute EVENT_ATTRIBUTES[] = {
    {DB_COLUMN_UUID, offsetof(struct ledger_event, op_id)},
    {DB_COLUMN_UUID, offsetof(struct ledger_event, reservation_id)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, batch)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, at_us)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, period_start_us)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, expires_at_us)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, amount_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, released_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, overage_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, limit_version)},
    {DB_COLUMN_I16, offsetof(struct ledger_event, position)},
    {DB_COLUMN_I16, offsetof(struct ledger_event, kind)},
    {DB_COLUMN_I16, offsetof(struct ledger_event, purpose.platform)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, meter)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.provider)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.action)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.reason)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.creator)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.user)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, purpose.tenant)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, endpoint)},
    {DB_COLUMN_BYTES16, offsetof(struct ledger_event, body_hash)},
    {DB_COLUMN_BOOL, offsetof(struct ledger_event, is_scheduled)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, cooldown_key)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, actor)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, note)},
    {DB_COLUMN_KNOWN_I16, offsetof(struct ledger_event, call.outcome)},
    {DB_COLUMN_TIME, offsetof(struct ledger_event, call.started_at_us)},
    {DB_COLUMN_I64, offsetof(struct ledger_event, call.latency_us)},
    {DB_COLUMN_I32, offsetof(struct ledger_event, call.http_status)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_event, call.detail)},
};

/* A reservation that the batch closes, and what it must hold. $6 to $9 */
struct closing {
    struct op_id id;
    const char *meter;
    int64_t period_start_us;
    int64_t amount_milli;
};
static const struct db_attribute CLOSING_COLUMNS[] = {
    {DB_COLUMN_UUID, offsetof(struct closing, id)},
    {DB_COLUMN_TEXT, offsetof(struct closing, meter)},
    {DB_COLUMN_TIME, offsetof(struct closing, period_start_us)},
    {DB_COLUMN_I64, offsetof(struct closing, amount_milli)},
};

/* A counter after the batch, and what it must be before. $10 to $23 */
struct moved {
    struct ledger_counter after;
    int64_t base_posted_milli;
    int64_t base_held_milli;
    int64_t base_overage_milli;
};
static const struct db_attribute COUNTER_COLUMNS[] = {
    {DB_COLUMN_TEXT, offsetof(struct moved, after.meter)},
    {DB_COLUMN_TIME, offsetof(struct moved, after.period_start_us)},
    {DB_COLUMN_I16, offsetof(struct moved, after.scope)},
    {DB_COLUMN_TEXT, offsetof(struct moved, after.subject)},
    {DB_COLUMN_TIME, offsetof(struct moved, after.period_end_us)},
    {DB_COLUMN_I64, offsetof(struct moved, after.limit_milli)},
    {DB_COLUMN_I64, offsetof(struct moved, after.posted_milli)},
    {DB_COLUMN_I64, offsetof(struct moved, after.held_milli)},
    {DB_COLUMN_I64, offsetof(struct moved, after.overage_milli)},
    {DB_COLUMN_I16, offsetof(struct moved, after.crossed_percent)},
    {DB_COLUMN_BOOL, offsetof(struct moved, after.soft_passed)},
    {DB_COLUMN_I64, offsetof(struct moved, base_posted_milli)},
    {DB_COLUMN_I64, offsetof(struct moved, base_held_milli)},
    {DB_COLUMN_I64, offsetof(struct moved, base_overage_milli)},
};

/* $24 to $27 */
static const struct db_attribute USAGE_COLUMNS[] = {
    {DB_COLUMN_TIME, offsetof(struct ledger_usage, start_us)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_usage, meter)},
    {DB_COLUMN_I64, offsetof(struct ledger_usage, posted_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_usage, calls)},
};

static const struct db_attribute COOLDOWN_COLUMNS[] = {
    {DB_COLUMN_TEXT, offsetof(struct ledger_cooldown, meter)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_cooldown, key)},
    {DB_COLUMN_TIME, offsetof(struct ledger_cooldown, until_us)},
    {DB_COLUMN_UUID, offsetof(struct ledger_cooldown, reservation_id)},
};

static const struct db_attribute LIMIT_COLUMNS[] = {
    {DB_COLUMN_I64, offsetof(struct ledger_limit, version)},
    {DB_COLUMN_I16, offsetof(struct ledger_limit, scope)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_limit, meter)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_limit, subject)},
    {DB_COLUMN_I16, offsetof(struct ledger_limit, mode)},
    {DB_COLUMN_I64, offsetof(struct ledger_limit, limit_milli)},
    {DB_COLUMN_I16, offsetof(struct ledger_limit, anchor_day)},
    {DB_COLUMN_I64, offsetof(struct ledger_limit, cooldown_ms)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_limit, thresholds)},
    {DB_COLUMN_BOOL, offsetof(struct ledger_limit, removed)},
    {DB_COLUMN_TIME, offsetof(struct ledger_limit, set_at_us)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_limit, set_by)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_limit, reason)},
};

static const struct db_attribute ALERT_COLUMNS[] = {
    {DB_COLUMN_I16, offsetof(struct ledger_alert, kind)},
    {DB_COLUMN_TEXT, offsetof(struct ledger_alert, meter)},
    {DB_COLUMN_TIME, offsetof(struct ledger_alert, period_start_us)},
    {DB_COLUMN_TIME, offsetof(struct ledger_alert, period_end_us)},
    {DB_COLUMN_I16, offsetof(struct ledger_alert, percent)},
    {DB_COLUMN_TIME, offsetof(struct ledger_alert, at_us)},
    {DB_COLUMN_I64, offsetof(struct ledger_alert, limit_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_alert, posted_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_alert, held_milli)},
    {DB_COLUMN_I64, offsetof(struct ledger_alert, amount_milli)},
};
// clang-format on

#define COLUMN_PARAMS(params, first_, count_, columns)                             \
    column_params(params, (struct db_rows){(first_), (count_), sizeof(*(first_))}, \
                  columns, COUNT_OF(columns))

static void column_params(struct db_params *params, struct db_rows rows,
                          const struct db_attribute *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        db_param_column(params, rows, columns[i].kind, columns[i].offset);
}

/* ---- what follows from the events ---- */

/* Does this counter count the event? An adjustment is the meter's alone. */
static bool counts(const struct ledger_counter *counter, const struct ledger_event *event)
{
    if (event->period_start_us != counter->period_start_us ||
        strcmp(event->meter, counter->meter) != 0)
        return false;
    if (counter->scope == LEDGER_SCOPE_METER)
        return true;
    if (event->kind == KIND_ADJUST)
        return false;
    switch (counter->scope) {
    case LEDGER_SCOPE_USER:
        return strcmp(event->purpose.user, counter->subject) == 0;
    case LEDGER_SCOPE_ENDPOINT:
        return strcmp(event->endpoint, counter->subject) == 0;
    case LEDGER_SCOPE_TENANT:
        return strcmp(event->purpose.tenant, counter->subject) == 0;
    default:
        return event->is_scheduled;
    }
}

static struct moved before_batch(const struct ledger_counter *counter,
                                 const struct ledger_batch *batch, size_t *counted)
{
    struct moved moved = {*counter, counter->posted_milli, counter->held_milli,
                          counter->overage_milli};

    for (size_t i = 0; i < batch->event_count; i++) {
        const struct ledger_event *event = &batch->events[i];

        if (!counts(counter, event))
            continue;
        if (event->kind == KIND_RESERVE) {
            moved.base_held_milli -= event->amount_milli;
        } else {
            moved.base_posted_milli -= event->amount_milli;
            moved.base_overage_milli -= event->overage_milli;
            moved.base_held_milli += event->released_milli;
        }
        *counted += counter->scope == LEDGER_SCOPE_METER;
    }
    return moved;
}

static size_t find_closings(struct closing *out, const struct ledger_batch *batch)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->event_count; i++) {
        const struct ledger_event *event = &batch->events[i];

        if (event->kind >= KIND_SETTLE && event->kind <= KIND_LAPSE)
            out[count++] = (struct closing){event->reservation_id, event->meter,
                                            event->period_start_us, event->released_milli};
    }
    return count;
}

/* A batch spans moments and a few meters: a handful of buckets, looked for one by one. */
static size_t sum_usage(struct ledger_usage *out, const struct ledger_batch *batch)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->event_count; i++) {
        const struct ledger_event *event = &batch->events[i];
        int64_t start_us = event->at_us - event->at_us % BUCKET_US;
        size_t at = 0;

        if (event->kind == KIND_RESERVE)
            continue;
        while (at < count &&
               (out[at].start_us != start_us || strcmp(out[at].meter, event->meter) != 0))
            at++;
        if (at == count)
            out[count++] = (struct ledger_usage){event->meter, start_us, 0, 0};
        out[at].posted_milli += event->amount_milli;
        out[at].calls += event->kind == KIND_SETTLE || event->kind == KIND_LAPSE;
    }
    return count;
}

/* ---- the commit ---- */

/* Asked for once, and again after any failure: the database may be another one then. */
static enum status event_type(uint32_t *out, const struct store_call *call,
                              struct error *err)
{
    struct db_result result;

    *out = store_event_type(call->store);
    if (*out != 0)
        return ST_OK;
    enum status st = store_write(&result, call, &EVENT_TYPE, NULL, err);
    if (st != ST_OK)
        return st;
    *out = (uint32_t)db_i64(&result, 0, 0);
    store_set_event_type(call->store, *out);
    return db_result_finish(&result, err);
}

/* With their places, which the caller's need not have. */
static struct ledger_event *placed(const struct ledger_batch *batch, struct arena *arena)
{
    struct ledger_event *events =
        arena_alloc_array(arena, batch->event_count + 1, sizeof(*events));

    if (events == NULL)
        return NULL;
    if (batch->event_count > 0)
        memcpy(events, batch->events, batch->event_count * sizeof(*events));
    for (size_t i = 0; i < batch->event_count; i++) {
        events[i].batch = batch->batch;
        events[i].position = (int)i + 1;
    }
    return events;
}

static enum status add_params(struct db_params *params, const struct store_call *call,
                              const struct ledger_batch *batch, struct error *err)
{
    size_t n = batch->event_count;
    struct closing *closings = arena_alloc_array(call->arena, n + 1, sizeof(*closings));
    struct ledger_usage *usage = arena_alloc_array(call->arena, n + 1, sizeof(*usage));
    struct moved *moved =
        arena_alloc_array(call->arena, batch->counter_count + 1, sizeof(*moved));
    struct ledger_event *events = placed(batch, call->arena);
    size_t counted = 0;
    uint32_t type;

    if (closings == NULL || usage == NULL || moved == NULL || events == NULL)
        return error_out_of_arena(err);
    if (event_type(&type, call, err) != ST_OK)
        return err->status;
    for (size_t i = 0; i < batch->counter_count; i++)
        moved[i] = before_batch(&batch->counters[i], batch, &counted);
    if (counted != n) {
        error_set(err, ST_PRECONDITION, "events of the batch move no counter of it");
        return error_reason(err, "COUNTERS_DISAGREE");
    }
    db_param_i64(params, batch->epoch);
    db_param_i64(params, batch->batch);
    db_param_time(params, batch->at_us);
    db_param_bytes(params, batch->digest, sizeof(batch->digest));
    db_param_rows(params, (struct db_rows){events, n, sizeof(*events)}, type,
                  EVENT_ATTRIBUTES, COUNT_OF(EVENT_ATTRIBUTES));
    COLUMN_PARAMS(params, closings, find_closings(closings, batch), CLOSING_COLUMNS);
    COLUMN_PARAMS(params, moved, batch->counter_count, COUNTER_COLUMNS);
    COLUMN_PARAMS(params, usage, sum_usage(usage, batch), USAGE_COLUMNS);
    return ST_OK;
}

static void begin_params(struct db_params *params, const struct ledger_batch *batch)
{
    db_params_init(params);
    db_param_i64(params, batch->epoch);
    db_param_i64(params, batch->batch);
}

static enum status add_extras(struct store_tx *tx, const struct ledger_batch *batch,
                              struct error *err)
{
    struct db_params params;
    enum status st = ST_OK;

    if (batch->cooldown_count > 0) {
        begin_params(&params, batch);
        COLUMN_PARAMS(&params, batch->cooldowns, batch->cooldown_count, COOLDOWN_COLUMNS);
        st = store_step(NULL, tx, &COOLDOWNS, &params, err);
    }
    if (st == ST_OK && batch->limit_count > 0) {
        begin_params(&params, batch);
        COLUMN_PARAMS(&params, batch->limits, batch->limit_count, LIMIT_COLUMNS);
        st = store_step(NULL, tx, &LIMITS, &params, err);
    }
    if (st == ST_OK && batch->alert_count + batch->published_count > 0) {
        begin_params(&params, batch);
        COLUMN_PARAMS(&params, batch->alerts, batch->alert_count, ALERT_COLUMNS);
        db_param_column(
            &params,
            (struct db_rows){batch->published, batch->published_count, sizeof(int64_t)},
            DB_COLUMN_I64, 0);
        st = store_step(NULL, tx, &ALERTS, &params, err);
    }
    return st;
}

static enum status read_sequences(int64_t *out, size_t *count, struct db_result *result,
                                  struct error *err)
{
    *count = 0;
    for (int row = 0; row < result->rows && row < LEDGER_STORE_ALERTS_MAX; row++)
        out[(*count)++] = db_i64(result, row, 0);
    return db_result_finish(result, err);
}

/* Two or three statements more: only batches that have them take a transaction of several. */
static enum status commit_with_extras(const struct store_call *call,
                                      const struct ledger_batch *batch,
                                      struct db_params *params, int64_t *sequences,
                                      struct error *err)
{
    struct store_tx tx;
    struct db_result result;
    size_t count;
    enum status st = store_begin(&tx, call, NULL, err);

    if (st != ST_OK) {
        db_params_done(params);
        return st;
    }
    st = store_step(NULL, &tx, &COMMIT, params, err);
    if (st == ST_OK)
        st = add_extras(&tx, batch, err);
    if (st == ST_OK && batch->alert_count > 0) {
        struct db_params number;

        db_params_init(&number);
        db_param_i64(&number, batch->batch);
        st = store_step(&result, &tx, &SEQUENCES, &number, err);
        if (st == ST_OK)
            st = read_sequences(sequences, &count, &result, err);
    }
    return store_end(&tx, st, err);
}

enum status ledger_store_commit(const struct store_call *call,
                                const struct ledger_batch *batch, int64_t *sequences,
                                struct error *err)
{
    struct db_params params;
    enum status st;

    if (batch->event_count > LEDGER_STORE_EVENTS_MAX ||
        batch->counter_count > LEDGER_STORE_COUNTERS_MAX)
        return error_set(err, ST_INVALID, "a batch of %zu events and %zu counters",
                         batch->event_count, batch->counter_count);
    db_params_init(&params);
    st = add_params(&params, call, batch, err);
    if (st != ST_OK) {
        db_params_done(&params);
        return st;
    }
    if (batch->cooldown_count + batch->limit_count + batch->alert_count +
            batch->published_count ==
        0)
        st = store_write(NULL, call, &COMMIT, &params, err);
    else
        st = commit_with_extras(call, batch, &params, sequences, err);
    if (st != ST_OK)
        store_set_event_type(call->store, 0);
    return st;
}

enum status ledger_store_alert_sequences(int64_t *sequences, size_t *count,
                                         const struct store_call *call, int64_t batch,
                                         struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_i64(&params, batch);
    enum status st = store_write(&result, call, &SEQUENCES, &params, err);
    return st == ST_OK ? read_sequences(sequences, count, &result, err) : st;
}
