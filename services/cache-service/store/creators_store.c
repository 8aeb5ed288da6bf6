/*
 * Creators themselves and what is known not to exist; reports and e-mail look-ups are in
 * creators_reports.c.
 */
#include "store/creators_store.h"

#include "store/creators_rows.h"

// clang-format off
static const struct db_statement FIND = {
    "creator_find",
    "SELECT " CREATOR_COLUMNS " FROM metercache.creator AS c" CREATOR_REPORT_JOIN
    " WHERE c.platform = $1::smallint AND c.provider_user_id = " CREATOR_KEY_ID,
    3, CREATOR_TYPES, DB_AT_MOST_ONE};

#define NEGATIVE_KEY "CASE WHEN $2::boolean THEN '@' || lower($3::text) ELSE $3::text END"

static const struct db_statement NEGATIVE_FIND = {
    "creator_negative_find",
    "SELECT reason, until FROM metercache.creator_negative"
    " WHERE platform = $1::smallint AND key = " NEGATIVE_KEY " AND kind = $4::smallint",
    4, "tT", DB_AT_MOST_ONE};

static const struct db_statement NEGATIVE_PUT = {
    "creator_negative_put",
    "INSERT INTO metercache.creator_negative AS n (platform, key, kind, reason, until)"
    " VALUES ($1::smallint, " NEGATIVE_KEY ", $4::smallint, $5::text, $6::timestamptz)"
    " ON CONFLICT (platform, key, kind)"
    " DO UPDATE SET reason = excluded.reason, until = excluded.until",
    6, "", DB_NONE};

static const struct db_statement NEGATIVE_DROP = {
    "creator_negative_drop",
    "DELETE FROM metercache.creator_negative"
    " WHERE platform = $1::smallint AND key = " NEGATIVE_KEY " AND kind = $4::smallint",
    4, "", DB_NONE};
// clang-format on

enum status creators_store_find(struct creator *out, bool *found,
                                const struct store_call *call,
                                const struct creator_key *key, struct error *err)
{
    struct db_params params;
    struct db_result result;

    creators_rows_key_params(&params, key);
    enum status st = store_read(&result, call, &FIND, &params, err);
    if (st != ST_OK)
        return st;
    struct creator creator;
    bool any = result.rows == 1;
    if (any)
        creators_rows_read(&creator, &result, 0);
    st = db_result_finish(&result, err);
    if (st != ST_OK)
        return st;
    if (any)
        *out = creator;
    *found = any;
    return ST_OK;
}

/* ---- negatives ---- */

static void negative_params(struct db_params *params, const struct creator_key *key,
                            enum creator_negative_kind kind)
{
    bool by_handle = key->provider_user_id == NULL;

    db_params_init(params);
    db_param_i16(params, key->platform);
    db_param_bool(params, by_handle);
    db_param_text(params, by_handle ? key->handle : key->provider_user_id);
    db_param_i16(params, (int)kind);
}

enum status creators_store_negative_find(struct creator_negative *out, bool *found,
                                         const struct store_call *call,
                                         const struct creator_key *key,
                                         enum creator_negative_kind kind, struct error *err)
{
    struct db_params params;
    struct db_result result;

    negative_params(&params, key, kind);
    enum status st = store_read(&result, call, &NEGATIVE_FIND, &params, err);
    if (st != ST_OK)
        return st;
    struct creator_negative negative = {.kind = kind};
    bool any = result.rows == 1;
    if (any) {
        negative.reason = db_text(&result, 0, 0);
        negative.until_us = db_time_us(&result, 0, 1);
    }
    st = db_result_finish(&result, err);
    if (st != ST_OK)
        return st;
    if (any)
        *out = negative;
    *found = any;
    return ST_OK;
}

enum status creators_store_negative_put(const struct store_call *call,
                                        const struct creator_key *key,
                                        const struct creator_negative *negative,
                                        struct error *err)
{
    struct db_params params;

    negative_params(&params, key, negative->kind);
    if (negative->until_us == 0)
        return store_write(NULL, call, &NEGATIVE_DROP, &params, err);
    db_param_text(&params, negative->reason);
    db_param_time(&params, negative->until_us);
    return store_write(NULL, call, &NEGATIVE_PUT, &params, err);
}
