#include "store/ledger_rows.h"

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
        .is_scheduled = db_bool(result, row, 20),
        .cooldown_key = db_text(result, row, 21),
        .actor = db_text(result, row, 22),
        .note = db_text(result, row, 23),
        .has_call = !db_is_null(result, row, 24),
        .call = {.outcome = (int)db_i64(result, row, 24),
                 .started_at_us = db_time_us(result, row, 25),
                 .latency_us = db_i64(result, row, 26),
                 .http_status = (int)db_i64(result, row, 27),
                 .detail = db_text(result, row, 28)},
        .batch = db_i64(result, row, 29),
        .epoch = db_i64(result, row, 30),
    };
    db_bytes(result, row, 10, out->body_hash, sizeof(out->body_hash));
}

static void read_counter(struct ledger_counter *out, struct db_result *result, int row)
{
    *out = (struct ledger_counter){
        .meter = db_text(result, row, 0),
        .scope = (int)db_i64(result, row, 1),
        .subject = db_text(result, row, 2),
        .period_start_us = db_time_us(result, row, 3),
        .period_end_us = db_time_us(result, row, 4),
        .limit_milli = db_i64(result, row, 5),
        .posted_milli = db_i64(result, row, 6),
        .held_milli = db_i64(result, row, 7),
        .overage_milli = db_i64(result, row, 8),
        .crossed_percent = (int)db_i64(result, row, 9),
        .soft_passed = db_bool(result, row, 10),
    };
}

static void read_alert(struct ledger_alert *out, struct db_result *result, int row)
{
    *out = (struct ledger_alert){
        .sequence = db_i64(result, row, 0),
        .kind = (int)db_i64(result, row, 1),
        .meter = db_text(result, row, 2),
        .period_start_us = db_time_us(result, row, 3),
        .period_end_us = db_time_us(result, row, 4),
        .percent = (int)db_i64(result, row, 5),
        .at_us = db_time_us(result, row, 6),
        .limit_milli = db_i64(result, row, 7),
        .posted_milli = db_i64(result, row, 8),
        .held_milli = db_i64(result, row, 9),
        .amount_milli = db_i64(result, row, 10),
    };
}

void ledger_rows_read_limit(struct ledger_limit *out, struct db_result *result, int row)
{
    *out = (struct ledger_limit){
        .version = db_i64(result, row, 0),
        .scope = (int)db_i64(result, row, 1),
        .meter = db_text(result, row, 2),
        .subject = db_text(result, row, 3),
        .mode = (int)db_i64(result, row, 4),
        .limit_milli = db_i64(result, row, 5),
        .anchor_day = (int)db_i64(result, row, 6),
        .cooldown_ms = db_i64(result, row, 7),
        .thresholds = db_text(result, row, 8),
        .removed = db_bool(result, row, 9),
        .set_at_us = db_time_us(result, row, 10),
        .set_by = db_text(result, row, 11),
        .reason = db_text(result, row, 12),
    };
}

enum status ledger_rows_take_events(const struct ledger_event **out, size_t *count,
                                    struct db_result *result, struct error *err)
{
    size_t rows = (size_t)result->rows;
    struct ledger_event *events =
        arena_alloc_array(result->arena, rows + 1, sizeof(*events));

    result->failed = events == NULL;
    for (int row = 0; events != NULL && row < result->rows; row++)
        read_event(&events[row], result, row);
    *out = events;
    *count = rows;
    return db_result_finish(result, err);
}

enum status ledger_rows_take_counters(const struct ledger_counter **out, size_t *count,
                                      struct db_result *result, struct error *err)
{
    size_t rows = (size_t)result->rows;
    struct ledger_counter *counters =
        arena_alloc_array(result->arena, rows + 1, sizeof(*counters));

    result->failed = counters == NULL;
    for (int row = 0; counters != NULL && row < result->rows; row++)
        read_counter(&counters[row], result, row);
    *out = counters;
    *count = rows;
    return db_result_finish(result, err);
}

enum status ledger_rows_take_alerts(const struct ledger_alert **out, size_t *count,
                                    struct db_result *result, struct error *err)
{
    size_t rows = (size_t)result->rows;
    struct ledger_alert *alerts =
        arena_alloc_array(result->arena, rows + 1, sizeof(*alerts));

    result->failed = alerts == NULL;
    for (int row = 0; alerts != NULL && row < result->rows; row++)
        read_alert(&alerts[row], result, row);
    *out = alerts;
    *count = rows;
    return db_result_finish(result, err);
}
