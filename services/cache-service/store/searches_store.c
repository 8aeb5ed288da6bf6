#include "store/searches_store.h"

#include <string.h>

#include "store/creators_rows.h"

#define SEARCH_COLUMNS                                                                     \
    "s.filter_hash, s.platform, s.filters::text, s.sort::text, s.generation, s.next_page," \
    " s.filled, s.filled_fresh_until, s.held_generation, s.held, s.total, s.exhausted,"    \
    " s.fetched_at, s.fresh_until"
#define SEARCH_TYPES \
    "yittiii"        \
    "Tiii"           \
    "bTT"

// clang-format off
static const struct db_statement FIND = {
    "search_find",
    "SELECT " SEARCH_COLUMNS " FROM metercache.search AS s WHERE s.filter_hash = $1::bytea",
    1, SEARCH_TYPES, DB_AT_MOST_ONE};

/* The generation as a value, not a join: the index gives the order, and LIMIT ends it early. */
static const struct db_statement RESULTS = {
    "search_results",
    "SELECT " CREATOR_COLUMNS " FROM metercache.search_result AS p"
    " JOIN metercache.creator AS c"
    " ON c.platform = p.platform AND c.provider_user_id = p.provider_user_id"
    CREATOR_REPORT_JOIN
    " WHERE p.filter_hash = $1::bytea AND p.generation ="
    "  (SELECT s.held_generation FROM metercache.search AS s WHERE s.filter_hash = $1::bytea)"
    " AND p.position >= $2::bigint ORDER BY p.position LIMIT $3::bigint",
    3, CREATOR_TYPES, DB_MANY};

static const struct db_statement START_FIRST = {
    "search_start_first",
    "INSERT INTO metercache.search AS s (filter_hash, platform, filters, sort, generation)"
    " VALUES ($1::bytea, $2::smallint, $3::text::jsonb, $4::text::jsonb, 1)"
    " ON CONFLICT (filter_hash) DO NOTHING RETURNING " SEARCH_COLUMNS,
    4, SEARCH_TYPES, DB_AT_MOST_ONE};

static const struct db_statement START_NEXT = {
    "search_start_next",
    "UPDATE metercache.search AS s SET generation = s.generation + 1, next_page = 0,"
    " filled = 0, filled_fetched_at = NULL, filled_fresh_until = NULL"
    " WHERE s.filter_hash = $1::bytea AND s.generation = $2::bigint"
    " RETURNING " SEARCH_COLUMNS,
    2, SEARCH_TYPES, DB_AT_MOST_ONE};

static const struct db_statement APPEND_LOCK = {
    "search_append_lock",
    "SELECT s.filled, s.held_generation, s.held FROM metercache.search AS s"
    " WHERE s.filter_hash = $1::bytea AND s.generation = $2::bigint"
    " AND s.next_page = $3::bigint FOR UPDATE",
    3, "iii", DB_AT_MOST_ONE};

/* All results but those of the generation that is held. */
static const struct db_statement DROP_OTHERS = {
    "search_drop_others",
    "DELETE FROM metercache.search_result WHERE filter_hash = $1::bytea"
    " AND generation <> $2::bigint", 2, "", DB_NONE};

/* A provider may list a creator on two pages: the first place counts. */
static const struct db_statement APPEND_RESULTS = {
    "search_append_results",
    "INSERT INTO metercache.search_result (filter_hash, generation, position, platform,"
    " provider_user_id)"
    " SELECT $1::bytea, $5::bigint, $2::integer + row_number() OVER (ORDER BY n.place) - 1,"
    "  n.platform, n.id"
    " FROM (SELECT DISTINCT ON (id) platform, id, place"
    "  FROM unnest($3::smallint[], $4::text[]) WITH ORDINALITY AS u (platform, id, place)"
    "  ORDER BY id, place) AS n"
    " WHERE NOT EXISTS (SELECT FROM metercache.search_result AS p"
    "  WHERE p.filter_hash = $1::bytea AND p.generation = $5::bigint"
    "  AND p.provider_user_id = n.id)",
    5, "", DB_NONE};

/* $7: this generation is held from now on, or was already. */
#define FETCHED_AT "CASE WHEN s.next_page = 0 THEN $5::timestamptz ELSE s.filled_fetched_at END"
#define FRESH_UNTIL "CASE WHEN s.next_page = 0 THEN $6::timestamptz ELSE s.filled_fresh_until END"

static const struct db_statement APPEND_TURN = {
    "search_append_turn",
    "UPDATE metercache.search AS s SET next_page = s.next_page + 1, filled = $2::bigint,"
    " filled_fetched_at = " FETCHED_AT ", filled_fresh_until = " FRESH_UNTIL ","
    " held_generation = CASE WHEN $7::boolean THEN s.generation ELSE s.held_generation END,"
    " held = CASE WHEN $7::boolean THEN $2::bigint ELSE s.held END,"
    " total = CASE WHEN $7::boolean THEN $3::bigint ELSE s.total END,"
    " exhausted = CASE WHEN $7::boolean THEN $4::boolean ELSE s.exhausted END,"
    " fetched_at = CASE WHEN $7::boolean THEN " FETCHED_AT " ELSE s.fetched_at END,"
    " fresh_until = CASE WHEN $7::boolean THEN " FRESH_UNTIL " ELSE s.fresh_until END"
    " WHERE s.filter_hash = $1::bytea RETURNING " SEARCH_COLUMNS,
    7, SEARCH_TYPES, DB_ONE};
// clang-format on

static void read_search(struct search *out, struct db_result *result, int row)
{
    *out = (struct search){
        .platform = (int)db_i64(result, row, 1),
        .filters = db_text(result, row, 2),
        .sort = db_text(result, row, 3),
        .generation = db_i64(result, row, 4),
        .next_page = db_i64(result, row, 5),
        .filled = db_i64(result, row, 6),
        .filled_fresh_until_us = db_time_us(result, row, 7),
        .held_generation = db_i64(result, row, 8),
        .held = db_i64(result, row, 9),
        .total = db_i64_or(result, row, 10, -1),
        .exhausted = db_bool(result, row, 11),
        .fetched_at_us = db_time_us(result, row, 12),
        .fresh_until_us = db_time_us(result, row, 13),
    };
    db_bytes(result, row, 0, out->filter_hash, sizeof(out->filter_hash));
}

/* The search in an answer of at most one row; *any says whether there is one. */
static enum status take_search(struct search *out, bool *any, struct db_result *result,
                               struct error *err)
{
    struct search search;
    bool has_row = result->rows == 1;

    if (has_row)
        read_search(&search, result, 0);
    enum status st = db_result_finish(result, err);
    if (st != ST_OK)
        return st;
    if (has_row)
        *out = search;
    *any = has_row;
    return ST_OK;
}

static void hash_param(struct db_params *params,
                       const uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE])
{
    db_params_init(params);
    db_param_bytes(params, filter_hash, SEARCHES_STORE_HASH_SIZE);
}

enum status searches_store_find(struct search *out, bool *found,
                                const struct store_call *call,
                                const uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE],
                                struct error *err)
{
    struct db_params params;
    struct db_result result;

    hash_param(&params, filter_hash);
    enum status st = store_read(&result, call, &FIND, &params, err);
    if (st != ST_OK)
        return st;
    return take_search(out, found, &result, err);
}

enum status searches_store_results(const struct creator **out, size_t *count,
                                   const struct store_call *call,
                                   const uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE],
                                   int64_t from_position, size_t limit, struct error *err)
{
    struct db_params params;
    struct db_result result;

    if (limit > SEARCHES_STORE_RESULTS_MAX)
        limit = SEARCHES_STORE_RESULTS_MAX;
    hash_param(&params, filter_hash);
    db_param_i64(&params, from_position);
    db_param_i64(&params, (int64_t)limit);
    enum status st = store_read(&result, call, &RESULTS, &params, err);
    if (st != ST_OK)
        return st;
    size_t rows = (size_t)result.rows;
    struct creator *creators = NULL;
    if (rows > 0) {
        creators = arena_alloc_array(call->arena, rows, sizeof(*creators));
        result.failed = creators == NULL;
    }
    for (int row = 0; creators != NULL && row < result.rows; row++)
        creators_rows_read(&creators[row], &result, row);
    st = db_result_finish(&result, err);
    if (st != ST_OK)
        return st;
    *out = creators;
    *count = rows;
    return ST_OK;
}

/* Leave the results of generation `kept` alone. */
static enum status drop_others(struct store_tx *tx,
                               const uint8_t filter_hash[SEARCHES_STORE_HASH_SIZE],
                               int64_t kept, struct error *err)
{
    struct db_params params;

    hash_param(&params, filter_hash);
    db_param_i64(&params, kept);
    return store_step(NULL, tx, &DROP_OTHERS, &params, err);
}

static enum status start_first(struct search *out, bool *begun,
                               const struct store_call *call,
                               const struct search_start *start, struct error *err)
{
    struct db_params params;
    struct db_result result;

    hash_param(&params, start->filter_hash);
    db_param_i16(&params, start->platform);
    db_param_text(&params, start->filters);
    db_param_text(&params, start->sort);
    enum status st = store_write(&result, call, &START_FIRST, &params, err);
    if (st != ST_OK)
        return st;
    return take_search(out, begun, &result, err);
}

/* Two statements: the second sees what an append, for which the first waited, stored. */
static enum status start_next(struct search *out, bool *begun, struct store_tx *tx,
                              const struct search_start *start, struct error *err)
{
    struct db_params params;
    struct db_result result;

    hash_param(&params, start->filter_hash);
    db_param_i64(&params, start->seen_generation);
    enum status st = store_step(&result, tx, &START_NEXT, &params, err);
    if (st == ST_OK)
        st = take_search(out, begun, &result, err);
    if (st != ST_OK || !*begun)
        return st;
    return drop_others(tx, start->filter_hash, out->held_generation, err);
}

enum status searches_store_start(struct search *out, const struct store_call *call,
                                 const struct search_start *start, struct error *err)
{
    struct search search;
    bool begun = false;
    enum status st;

    if (start->seen_generation == 0) {
        st = start_first(&search, &begun, call, start, err);
    } else {
        struct store_tx tx;

        st = store_begin(&tx, call, NULL, err);
        if (st != ST_OK)
            return st;
        st = start_next(&search, &begun, &tx, start, err);
        st = store_end(&tx, st, err);
    }
    if (st != ST_OK)
        return st;
    if (!begun)
        return error_set(err, ST_ABORTED, "another search for the same has begun");
    *out = search;
    return ST_OK;
}

/* ---- appending a page ---- */

/* A search as its append found it, locked, and what becomes of it. */
struct append {
    const struct search_page *page;
    int64_t filled;
    int64_t held_generation;
    int64_t held;
};

static enum status append_lock(struct append *append, struct store_tx *tx,
                               struct error *err)
{
    const struct search_page *page = append->page;
    struct db_params params;
    struct db_result result;

    hash_param(&params, page->filter_hash);
    db_param_i64(&params, page->generation);
    db_param_i64(&params, page->next_page);
    enum status st = store_step(&result, tx, &APPEND_LOCK, &params, err);
    if (st != ST_OK)
        return st;
    if (result.rows == 0) {
        st = error_set(err, ST_ABORTED, "another call has stored this page");
    } else {
        append->filled = db_i64(&result, 0, 0);
        append->held_generation = db_i64(&result, 0, 1);
        append->held = db_i64(&result, 0, 2);
    }
    db_result_done(&result);
    return st;
}

static enum status append_creators(struct append *append, struct store_tx *tx,
                                   struct error *err)
{
    const struct search_page *page = append->page;
    struct db_params params;
    struct db_result result;

    if (page->creator_count == 0)
        return ST_OK;
    creators_rows_upsert_params(&params, page->creators, page->creator_count);
    enum status st = store_step(NULL, tx, &CREATORS_ROWS_UPSERT, &params, err);
    if (st != ST_OK)
        return st;

    struct db_rows rows = {page->creators, page->creator_count, sizeof(*page->creators)};
    hash_param(&params, page->filter_hash);
    db_param_i32(&params, (int32_t)append->filled);
    db_param_column(&params, rows, DB_COLUMN_I16, offsetof(struct creator, platform));
    db_param_column(&params, rows, DB_COLUMN_TEXT,
                    offsetof(struct creator, provider_user_id));
    db_param_i64(&params, page->generation);
    st = store_step(&result, tx, &APPEND_RESULTS, &params, err);
    if (st != ST_OK)
        return st;
    append->filled += db_affected(&result);
    db_result_done(&result);
    return ST_OK;
}

static bool is_enough(const struct append *append)
{
    int64_t wanted = append->page->wanted;
    int64_t enough = append->held < wanted ? append->held : wanted;

    return append->held_generation == 0 || append->page->exhausted ||
           append->filled >= enough;
}

static enum status append_turn(struct search *out, const struct append *append,
                               struct store_tx *tx, struct error *err)
{
    const struct search_page *page = append->page;
    struct db_params params;
    struct db_result result;
    bool any;
    bool was_held = append->held_generation == page->generation;
    bool is_held = was_held || is_enough(append);

    if (is_held && !was_held && append->held_generation != 0) {
        enum status dropped = drop_others(tx, page->filter_hash, page->generation, err);

        if (dropped != ST_OK)
            return dropped;
    }
    hash_param(&params, page->filter_hash);
    db_param_i64(&params, append->filled);
    db_param_known_i64(&params, page->total);
    db_param_bool(&params, page->exhausted);
    db_param_time(&params, page->fetched_at_us);
    db_param_time(&params, page->fresh_until_us);
    db_param_bool(&params, is_held);
    enum status st = store_step(&result, tx, &APPEND_TURN, &params, err);
    if (st != ST_OK)
        return st;
    return take_search(out, &any, &result, err);
}

enum status searches_store_append_page(struct search *out, const struct store_call *call,
                                       const struct search_page *page, struct error *err)
{
    struct store_tx tx;
    struct search search;
    struct append append = {.page = page};

    if (page->creator_count > SEARCHES_STORE_RESULTS_MAX)
        return error_set(err, ST_INVALID, "more than %d results on a page",
                         SEARCHES_STORE_RESULTS_MAX);
    enum status st = store_begin(&tx, call, NULL, err);
    if (st != ST_OK)
        return st;
    st = append_lock(&append, &tx, err);
    if (st == ST_OK)
        st = append_creators(&append, &tx, err);
    if (st == ST_OK)
        st = append_turn(&search, &append, &tx, err);
    st = store_end(&tx, st, err);
    if (st == ST_OK)
        *out = search;
    return st;
}
