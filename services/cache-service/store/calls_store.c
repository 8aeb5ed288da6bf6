#include "store/calls_store.h"

#include "store/store_internal.h"

// clang-format off
/* Filters that are off are folded away when the statement is planned with its values. */
static const struct db_statement LIST = {
    "calls_list",
    "SELECT at, event_id, op_id, provider, action, reason, platform, creator, user_id,"
    " started_at, outcome, credits_milli, latency_us, http_status, meter, detail"
    " FROM metercache.call_log"
    " WHERE ($1::text = '' OR provider = $1::text)"
    " AND ($2::text = '' OR action = $2::text)"
    " AND ($3::text = '' OR user_id = $3::text)"
    /* An event's id was made at most a day before the event, and not over a minute after. */
    " AND ($4::timestamptz IS NULL OR (at >= $4::timestamptz"
    "  AND event_id >= metercache.uuid_at($4::timestamptz - interval '1 day')))"
    " AND ($5::timestamptz IS NULL OR (at < $5::timestamptz"
    "  AND event_id < metercache.uuid_at($5::timestamptz + interval '1 minute')))"
    " AND ($6::smallint = 0 OR outcome = $6::smallint)"
    " AND ($7::uuid = '00000000-0000-0000-0000-000000000000' OR event_id < $7::uuid)"
    " ORDER BY event_id DESC LIMIT $8::bigint",
    8, "TuutttittTiiiitt", DB_MANY};
// clang-format on

static void read_call(struct call_record *out, struct db_result *result, int row)
{
    *out = (struct call_record){
        .at_us = db_time_us(result, row, 0),
        .event_id = db_uuid(result, row, 1),
        .op_id = db_uuid(result, row, 2),
        .provider = db_text(result, row, 3),
        .action = db_text(result, row, 4),
        .reason = db_text(result, row, 5),
        .platform = (int)db_i64(result, row, 6),
        .creator = db_text(result, row, 7),
        .user = db_text(result, row, 8),
        .started_at_us = db_time_us(result, row, 9),
        .outcome = (int)db_i64(result, row, 10),
        .credits_milli = db_i64(result, row, 11),
        .latency_us = db_i64(result, row, 12),
        .http_status = (int)db_i64(result, row, 13),
        .meter = db_text(result, row, 14),
        .detail = db_text(result, row, 15),
    };
}

enum status calls_store_list(const struct call_record **out, size_t *count,
                             const struct store_call *call,
                             const struct calls_filter *filter,
                             const struct calls_cursor *behind, size_t limit,
                             struct error *err)
{
    struct db_params params;
    struct db_result result;

    if (limit > CALLS_STORE_LIST_MAX)
        limit = CALLS_STORE_LIST_MAX;
    db_params_init(&params);
    db_param_text(&params, filter->provider);
    db_param_text(&params, filter->action);
    db_param_text(&params, filter->user);
    db_param_time(&params, filter->from_us);
    db_param_time(&params, filter->until_us);
    db_param_i16(&params, filter->outcome);
    db_param_uuid(&params, &behind->event_id);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_read(&result, call, &LIST, &params, err);
    if (st != ST_OK)
        return st;
    size_t rows = (size_t)result.rows;
    struct call_record *calls = NULL;
    if (rows > 0) {
        calls = arena_alloc_array(call->arena, rows, sizeof(*calls));
        result.failed = calls == NULL;
    }
    for (int row = 0; calls != NULL && row < result.rows; row++)
        read_call(&calls[row], &result, row);
    st = db_result_finish(&result, err);
    if (st != ST_OK)
        return st;
    *out = calls;
    *count = rows;
    return ST_OK;
}
