/*
 * Reports and e-mail look-ups of creators_store.h.
 */
#include "store/creators_rows.h"
#include "store/creators_store.h"

// clang-format off
static const struct db_statement REPORT_FIND = {
    "creator_report_find",
    "SELECT CASE WHEN $4::boolean THEN document END, credibility_ppm, gender, age_group,"
    " country, city, language, account_type, posts, fetched_at, fresh_until"
    " FROM metercache.creator_report"
    " WHERE platform = $1::smallint AND provider_user_id = " CREATOR_KEY_ID,
    4, "titttttt" "iTT", DB_AT_MOST_ONE};

static const struct db_statement REPORT_PUT = {
    "creator_report_put",
    "INSERT INTO metercache.creator_report AS r (platform, provider_user_id, document,"
    " credibility_ppm, gender, age_group, country, city, language, account_type, posts,"
    " fetched_at, fresh_until)"
    " VALUES ($1::smallint, $2::text, $3::text::json, $4::bigint, $5::text, $6::text,"
    " $7::text, $8::text, $9::text, $10::text, $11::bigint, $12::timestamptz,"
    " $13::timestamptz)"
    " ON CONFLICT (platform, provider_user_id) DO UPDATE SET document = excluded.document,"
    " credibility_ppm = excluded.credibility_ppm, gender = excluded.gender,"
    " age_group = excluded.age_group, country = excluded.country, city = excluded.city,"
    " language = excluded.language, account_type = excluded.account_type,"
    " posts = excluded.posts, fetched_at = excluded.fetched_at,"
    " fresh_until = excluded.fresh_until"
    " WHERE excluded.fetched_at >= r.fetched_at",
    13, "", DB_NONE};

/* $4 and $5: the id and handle of the answer. Whatever was denied of the key is not so. */
static const struct db_statement ALIAS_PUT = {
    "creator_alias_put",
    "WITH believed AS (DELETE FROM metercache.creator_negative WHERE platform = $1::smallint"
    " AND key = CASE WHEN $3::boolean THEN '@' || lower($2::text) ELSE $2::text END)"
    "INSERT INTO metercache.creator_alias AS a (platform, key, is_handle, provider_user_id, at)"
    " SELECT $1::smallint, lower($2::text), $3::boolean, $4::text,"
    "  coalesce($6::timestamptz, now())"
    " WHERE $2::text <> '' AND CASE WHEN $3::boolean THEN lower($2::text) <> lower($5::text)"
    "  ELSE $2::text <> $4::text END"
    " ON CONFLICT (platform, key, is_handle) DO UPDATE"
    " SET provider_user_id = excluded.provider_user_id, at = excluded.at"
    " WHERE excluded.at >= a.at",
    6, "", DB_NONE};

static const struct db_statement ENRICHMENT_FIND = {
    "creator_enrichment_find",
    "SELECT state, email, provider, run_id, asked_at, answered_at, fresh_until"
    " FROM metercache.creator_enrichment"
    " WHERE platform = $1::smallint AND provider_user_id = " CREATOR_KEY_ID,
    3, "itttTTT", DB_AT_MOST_ONE};

static const struct db_statement ENRICHMENT_PUT = {
    "creator_enrichment_put",
    "WITH kept AS ("
    " INSERT INTO metercache.creator_enrichment AS e (platform, provider_user_id, state,"
    "  email, provider, run_id, asked_at, answered_at, fresh_until)"
    " VALUES ($1::smallint, $2::text, $3::smallint, $4::text, $5::text, $6::text,"
    "  $7::timestamptz, $8::timestamptz, $9::timestamptz)"
    " ON CONFLICT (platform, provider_user_id) DO UPDATE SET state = excluded.state,"
    "  email = excluded.email, provider = excluded.provider, run_id = excluded.run_id,"
    "  asked_at = excluded.asked_at, answered_at = excluded.answered_at,"
    "  fresh_until = excluded.fresh_until"
    " WHERE excluded.asked_at >= e.asked_at RETURNING e.state)"
    "UPDATE metercache.creator AS c SET email = $4::text, email_source = $5::text FROM kept"
    " WHERE c.platform = $1::smallint AND c.provider_user_id = $2::text AND kept.state = 1"
    " AND $4::text <> ''",
    9, "", DB_NONE};
// clang-format on

static void read_report(struct creator_report *out, struct db_result *result)
{
    *out = (struct creator_report){
        .document = db_is_null(result, 0, 0) ? NULL : db_text(result, 0, 0),
        .document_size = db_size(result, 0, 0),
        .credibility_ppm = db_i64_or(result, 0, 1, -1),
        .gender = db_text(result, 0, 2),
        .age_group = db_text(result, 0, 3),
        .country = db_text(result, 0, 4),
        .city = db_text(result, 0, 5),
        .language = db_text(result, 0, 6),
        .account_type = db_text(result, 0, 7),
        .posts = db_i64_or(result, 0, 8, -1),
        .fetched_at_us = db_time_us(result, 0, 9),
        .fresh_until_us = db_time_us(result, 0, 10),
    };
}

enum status creators_store_report_find(struct creator_report *out, bool *found,
                                       const struct store_call *call,
                                       const struct creator_key *key, bool with_document,
                                       struct error *err)
{
    struct db_params params;
    struct db_result result;

    creators_rows_key_params(&params, key);
    db_param_bool(&params, with_document);
    enum status st = store_read(&result, call, &REPORT_FIND, &params, err);
    if (st != ST_OK)
        return st;
    struct creator_report report;
    bool any = result.rows == 1;
    if (any)
        read_report(&report, &result);
    st = db_result_finish(&result, err);
    if (st != ST_OK)
        return st;
    if (any)
        *out = report;
    *found = any;
    return ST_OK;
}

static enum status put_creator(struct store_tx *tx, const struct creator *creator,
                               struct error *err)
{
    struct db_params params;

    creators_rows_upsert_params(&params, creator, 1);
    return store_step(NULL, tx, &CREATORS_ROWS_UPSERT, &params, err);
}

static enum status put_report(struct store_tx *tx, const struct creator *creator,
                              const struct creator_report *report, struct error *err)
{
    struct db_params params;

    db_params_init(&params);
    db_param_i16(&params, creator->platform);
    db_param_text(&params, creator->provider_user_id);
    db_param_bytes(&params, report->document, report->document_size);
    db_param_known_i64(&params, report->credibility_ppm);
    db_param_text(&params, report->gender);
    db_param_text(&params, report->age_group);
    db_param_text(&params, report->country);
    db_param_text(&params, report->city);
    db_param_text(&params, report->language);
    db_param_text(&params, report->account_type);
    db_param_known_i64(&params, report->posts);
    db_param_time(&params, report->fetched_at_us);
    db_param_time(&params, report->fresh_until_us);
    return store_step(NULL, tx, &REPORT_PUT, &params, err);
}

static enum status put_alias(struct store_tx *tx, const struct creator_key *asked,
                             const struct creator *creator, struct error *err)
{
    struct db_params params;

    creators_rows_key_params(&params, asked);
    db_param_text(&params, creator->provider_user_id);
    db_param_text(&params, creator->handle);
    db_param_time(&params, creator->updated_at_us);
    return store_step(NULL, tx, &ALIAS_PUT, &params, err);
}

enum status creators_store_report_put(const struct store_call *call,
                                      const struct creator_key *asked,
                                      const struct creator *creator,
                                      const struct creator_report *report,
                                      struct error *err)
{
    struct store_tx tx;

    enum status st = store_begin(&tx, call, NULL, err);
    if (st != ST_OK)
        return st;
    st = put_creator(&tx, creator, err);
    if (st == ST_OK)
        st = put_report(&tx, creator, report, err);
    if (st == ST_OK && asked != NULL)
        st = put_alias(&tx, asked, creator, err);
    return store_end(&tx, st, err);
}

static enum status read_enrichment(struct creator_enrichment *out, struct db_result *result,
                                   struct error *err)
{
    int64_t state = db_i64(result, 0, 0);

    if (state < CREATOR_ENRICHMENT_FOUND || state > CREATOR_ENRICHMENT_PENDING)
        return error_set(err, ST_INTERNAL, "a stored enrichment has state %d", (int)state);
    *out = (struct creator_enrichment){
        .state = (enum creator_enrichment_state)state,
        .email = db_text(result, 0, 1),
        .provider = db_text(result, 0, 2),
        .run_id = db_text(result, 0, 3),
        .asked_at_us = db_time_us(result, 0, 4),
        .answered_at_us = db_time_us(result, 0, 5),
        .fresh_until_us = db_time_us(result, 0, 6),
    };
    return ST_OK;
}

enum status creators_store_enrichment_find(struct creator_enrichment *out, bool *found,
                                           const struct store_call *call,
                                           const struct creator_key *key, struct error *err)
{
    struct db_params params;
    struct db_result result;

    creators_rows_key_params(&params, key);
    enum status st = store_read(&result, call, &ENRICHMENT_FIND, &params, err);
    if (st != ST_OK)
        return st;
    struct creator_enrichment enrichment;
    bool any = result.rows == 1;
    if (any)
        st = read_enrichment(&enrichment, &result, err);
    enum status finished = db_result_finish(&result, err);
    if (st != ST_OK || finished != ST_OK)
        return st != ST_OK ? st : finished;
    if (any)
        *out = enrichment;
    *found = any;
    return ST_OK;
}

enum status creators_store_enrichment_put(const struct store_call *call,
                                          const struct creator_key *key,
                                          const struct creator_enrichment *enrichment,
                                          struct error *err)
{
    struct db_params params;

    db_params_init(&params);
    db_param_i16(&params, key->platform);
    db_param_text(&params, key->provider_user_id);
    db_param_i16(&params, (int)enrichment->state);
    db_param_text(&params, enrichment->email);
    db_param_text(&params, enrichment->provider);
    db_param_text(&params, enrichment->run_id);
    db_param_time(&params, enrichment->asked_at_us);
    db_param_time(&params, enrichment->answered_at_us);
    db_param_time(&params, enrichment->fresh_until_us);
    return store_write(NULL, call, &ENRICHMENT_PUT, &params, err);
}
