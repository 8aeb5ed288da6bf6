/*
 * What verification reads.
 */
#include <string.h>

#include "store/ledger_rows.h"

// clang-format off
static const struct db_statement BATCHES = {
    "ledger_batches",
    "SELECT batch, epoch, at, format, events, hash FROM metercache.quota_batch"
    " WHERE batch >= $1::bigint ORDER BY batch LIMIT $2::bigint",
    2, "iiTiiy", DB_MANY};

static const struct db_statement EVENTS = {
    "ledger_batch_events",
    "SELECT " LEDGER_EVENT_COLUMNS(LEDGER_NO_EPOCH) " FROM metercache.ledger_event AS e"
    " WHERE batch BETWEEN $1::bigint AND $2::bigint ORDER BY batch, position",
    2, LEDGER_EVENT_TYPES, DB_MANY};

static const struct db_statement LIMITS = {
    "ledger_batch_limits",
    "SELECT " LEDGER_LIMIT_COLUMNS ", batch FROM metercache.quota_limit"
    " WHERE batch BETWEEN $1::bigint AND $2::bigint ORDER BY version",
    2, LEDGER_LIMIT_TYPES "i", DB_MANY};

static const struct db_statement TEXT_HASH = {
    "ledger_text_hash", "SELECT metercache.ledger_text_hash($1::bigint, $2::bytea)",
    2, "y", DB_ONE};

static const struct db_statement CROSS_CHECK = {
    "ledger_cross_check",
    "SELECT coalesce(metercache.ledger_first_wrong_counter(),"
    " metercache.ledger_first_wrong_reservation(), ''),"
    " (SELECT count(*) FROM metercache.quota_counter)",
    0, "ti", DB_ONE};

static const struct db_statement HEAD = {
    "ledger_head", "SELECT last_batch, head_hash FROM metercache.quota_writer",
    0, "iy", DB_ONE};
// clang-format on

enum status ledger_store_batches(const struct ledger_stored_batch **out, size_t *count,
                                 const struct store_call *call, int64_t first, size_t limit,
                                 struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_i64(&params, first);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_write(&result, call, &BATCHES, &params, err);
    if (st != ST_OK)
        return st;
    struct ledger_stored_batch *batches =
        arena_alloc_array(result.arena, (size_t)result.rows + 1, sizeof(*batches));
    result.failed = batches == NULL;
    for (int row = 0; batches != NULL && row < result.rows; row++) {
        batches[row] = (struct ledger_stored_batch){
            .batch = db_i64(&result, row, 0),
            .epoch = db_i64(&result, row, 1),
            .at_us = db_time_us(&result, row, 2),
            .format = (int)db_i64(&result, row, 3),
            .events = db_i64(&result, row, 4),
        };
        db_bytes(&result, row, 5, batches[row].hash, sizeof(batches[row].hash));
    }
    *out = batches;
    *count = (size_t)result.rows;
    return db_result_finish(&result, err);
}

static enum status read_range(struct db_result *result, const struct store_call *call,
                              const struct db_statement *statement, int64_t first,
                              int64_t last, struct error *err)
{
    struct db_params params;

    db_params_init(&params);
    db_param_i64(&params, first);
    db_param_i64(&params, last);
    return store_write(result, call, statement, &params, err);
}

enum status ledger_store_batch_events(const struct ledger_event **out, size_t *count,
                                      const struct store_call *call, int64_t first,
                                      int64_t last, struct error *err)
{
    struct db_result result;

    enum status st = read_range(&result, call, &EVENTS, first, last, err);
    if (st != ST_OK)
        return st;
    return ledger_rows_take_events(out, count, &result, err);
}

enum status ledger_store_batch_limits(const struct ledger_limit **out,
                                      const int64_t **batch_of, size_t *count,
                                      const struct store_call *call, int64_t first,
                                      int64_t last, struct error *err)
{
    struct db_result result;

    enum status st = read_range(&result, call, &LIMITS, first, last, err);
    if (st != ST_OK)
        return st;
    size_t rows = (size_t)result.rows;
    struct ledger_limit *limits =
        arena_alloc_array(result.arena, rows + 1, sizeof(*limits));
    int64_t *batches = arena_alloc_array(result.arena, rows + 1, sizeof(*batches));
    result.failed = limits == NULL || batches == NULL;
    for (int row = 0; !result.failed && row < result.rows; row++) {
        ledger_rows_read_limit(&limits[row], &result, row);
        batches[row] = db_i64(&result, row, 13);
    }
    *out = limits;
    *batch_of = batches;
    *count = rows;
    return db_result_finish(&result, err);
}

enum status ledger_store_text_hash(uint8_t out[LEDGER_STORE_DIGEST_SIZE],
                                   const struct store_call *call, int64_t batch,
                                   const uint8_t *former, size_t former_size,
                                   struct error *err)
{
    struct db_params params;
    struct db_result result;

    db_params_init(&params);
    db_param_i64(&params, batch);
    db_param_bytes(&params, former, former_size);
    enum status st = store_write(&result, call, &TEXT_HASH, &params, err);
    if (st != ST_OK)
        return st;
    memset(out, 0, LEDGER_STORE_DIGEST_SIZE);
    if (db_size(&result, 0, 0) == LEDGER_STORE_DIGEST_SIZE)
        db_bytes(&result, 0, 0, out, LEDGER_STORE_DIGEST_SIZE);
    return db_result_finish(&result, err);
}

enum status ledger_store_cross_check(const char **fault, int64_t *counters,
                                     const struct store_call *call, struct error *err)
{
    struct db_result result;

    enum status st = store_write(&result, call, &CROSS_CHECK, NULL, err);
    if (st != ST_OK)
        return st;
    *fault = db_text(&result, 0, 0);
    *counters = db_i64(&result, 0, 1);
    return db_result_finish(&result, err);
}

enum status ledger_store_head(uint8_t out[LEDGER_STORE_DIGEST_SIZE], size_t *size,
                              int64_t *last_batch, const struct store_call *call,
                              struct error *err)
{
    struct db_result result;

    enum status st = store_write(&result, call, &HEAD, NULL, err);
    if (st != ST_OK)
        return st;
    *last_batch = db_i64(&result, 0, 0);
    *size = db_size(&result, 0, 1);
    if (*size > 0)
        db_bytes(&result, 0, 1, out, LEDGER_STORE_DIGEST_SIZE);
    return db_result_finish(&result, err);
}
