/*
 * Who searched for what, of searches_store.h: the rows that belong to a user. Row-level
 * security hides them from everybody else, so each statement runs with the user named.
 */
#include <string.h>

#include "store/searches_store.h"
#include "store/store_internal.h"

/* Identity and row in one statement, so that a search costs one round trip more, not four:
 * the row's user is what set_config returns, so it is set before the policy is asked.
 * The answer does not wait for the disk: a crash of the database may lose the last half
 * second of the history, of nothing else. */
// clang-format off
static const struct db_statement RECORD = {
    "search_request_record",
    "INSERT INTO metercache.search_request (id, user_id, platform, filter_hash, filters, count,"
    " from_cache, discovered, at)"
    " SELECT $1::uuid, self.id, $3::smallint, $4::bytea, $5::text::jsonb, $6::bigint,"
    " $7::bigint, $8::bigint, $9::timestamptz"
    " FROM (SELECT set_config('app.user', $2::text, true),"
    "  set_config('synchronous_commit', 'off', true)) AS self (id, durability)"
    " ON CONFLICT (id) DO NOTHING",
    9, "", DB_NONE};

static const struct db_statement LIST = {
    "search_request_list",
    "SELECT id, platform, filter_hash, filters::text, count, from_cache, discovered, at"
    " FROM metercache.search_request WHERE id < $1::uuid ORDER BY id DESC LIMIT $2::bigint",
    2, "uiytiiiT", DB_MANY};
// clang-format on

static enum status check_user(const char *user, struct error *err)
{
    if (user == NULL || user[0] == '\0')
        return error_set(err, ST_INVALID, "a search request belongs to a user");
    return ST_OK;
}

enum status searches_store_record_request(const struct store_call *call, const char *user,
                                          const struct search_request *request,
                                          struct error *err)
{
    struct db_params params;

    enum status st = check_user(user, err);
    if (st != ST_OK)
        return st;
    db_params_init(&params);
    db_param_uuid(&params, &request->id);
    db_param_text(&params, user);
    db_param_i16(&params, request->platform);
    db_param_bytes(&params, request->filter_hash, sizeof(request->filter_hash));
    db_param_text(&params, request->filters);
    db_param_i64(&params, request->count);
    db_param_i64(&params, request->from_cache);
    db_param_i64(&params, request->discovered);
    db_param_time(&params, request->at_us);
    return store_write(NULL, call, &RECORD, &params, err);
}

static void read_request(struct search_request *out, struct db_result *result, int row)
{
    *out = (struct search_request){
        .id = db_uuid(result, row, 0),
        .platform = (int)db_i64(result, row, 1),
        .filters = db_text(result, row, 3),
        .count = (uint32_t)db_i64(result, row, 4),
        .from_cache = (uint32_t)db_i64(result, row, 5),
        .discovered = (uint32_t)db_i64(result, row, 6),
        .at_us = db_time_us(result, row, 7),
    };
    db_bytes(result, row, 2, out->filter_hash, sizeof(out->filter_hash));
}

static enum status take_requests(const struct search_request **out, size_t *count,
                                 struct db_result *result, struct error *err)
{
    size_t rows = (size_t)result->rows;
    struct search_request *requests = NULL;

    if (rows > 0) {
        requests = arena_alloc_array(result->arena, rows, sizeof(*requests));
        result->failed = requests == NULL;
    }
    for (int row = 0; requests != NULL && row < result->rows; row++)
        read_request(&requests[row], result, row);
    enum status st = db_result_finish(result, err);
    if (st != ST_OK)
        return st;
    *out = requests;
    *count = rows;
    return ST_OK;
}

enum status searches_store_list_requests(const struct search_request **out, size_t *count,
                                         const struct store_call *call, const char *user,
                                         const struct op_id *before, size_t limit,
                                         struct error *err)
{
    struct store_tx tx;
    struct db_params params;
    struct db_result result;
    struct op_id newest;

    memset(newest.bytes, 0xff, sizeof(newest.bytes));
    if (limit > SEARCHES_STORE_REQUEST_MAX)
        limit = SEARCHES_STORE_REQUEST_MAX;
    enum status st = check_user(user, err);
    if (st == ST_OK)
        st = store_begin(&tx, call, user, err);
    if (st != ST_OK)
        return st;
    db_params_init(&params);
    db_param_uuid(&params, op_id_is_zero(before) ? &newest : before);
    db_param_i64(&params, (int64_t)limit);
    st = store_step(&result, &tx, &LIST, &params, err);
    const struct search_request *requests = NULL;
    size_t rows = 0;
    if (st == ST_OK)
        st = take_requests(&requests, &rows, &result, err);
    st = store_end(&tx, st, err);
    if (st == ST_OK) {
        *out = requests;
        *count = rows;
    }
    return st;
}
