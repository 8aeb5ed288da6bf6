#include "store/creators_rows.h"

#include <stddef.h>

// clang-format off
/* Sorted by key, so that two of these at once lock rows in one order. */
const struct db_statement CREATORS_ROWS_UPSERT = {
    "creators_upsert",
    "INSERT INTO metercache.creator AS c (platform, provider_user_id, handle, full_name, url,"
    " picture_url, followers, engagements, engagement_rate_ppm, average_views, is_private,"
    " is_verified, email, email_source, updated_at)"
    " SELECT DISTINCT ON (n.platform, n.provider_user_id) n.platform, n.provider_user_id,"
    "  n.handle, n.full_name, n.url, n.picture_url, n.followers, n.engagements,"
    "  n.engagement_rate_ppm, n.average_views, n.is_private, n.is_verified, n.email,"
    "  n.email_source, coalesce(n.updated_at, now())"
    " FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    "  $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::boolean[],"
    "  $12::boolean[], $13::text[], $14::text[], $15::timestamptz[]) WITH ORDINALITY"
    "  AS n (platform, provider_user_id, handle, full_name, url, picture_url, followers,"
    "  engagements, engagement_rate_ppm, average_views, is_private, is_verified, email,"
    "  email_source, updated_at, position)"
    " ORDER BY n.platform, n.provider_user_id, n.updated_at DESC NULLS FIRST, n.position DESC"
    " ON CONFLICT (platform, provider_user_id) DO UPDATE SET"
    "  handle = coalesce(nullif(excluded.handle, ''), c.handle),"
    "  full_name = coalesce(nullif(excluded.full_name, ''), c.full_name),"
    "  url = coalesce(nullif(excluded.url, ''), c.url),"
    "  picture_url = coalesce(nullif(excluded.picture_url, ''), c.picture_url),"
    "  followers = coalesce(excluded.followers, c.followers),"
    "  engagements = coalesce(excluded.engagements, c.engagements),"
    "  engagement_rate_ppm = coalesce(excluded.engagement_rate_ppm, c.engagement_rate_ppm),"
    "  average_views = coalesce(excluded.average_views, c.average_views),"
    "  is_private = excluded.is_private,"
    "  is_verified = excluded.is_verified,"
    "  email = coalesce(nullif(excluded.email, ''), c.email),"
    "  email_source = CASE WHEN excluded.email = '' THEN c.email_source"
    "   ELSE excluded.email_source END,"
    "  updated_at = excluded.updated_at"
    " WHERE excluded.updated_at >= c.updated_at",
    15, "", DB_NONE};

static const struct {
    enum db_column kind;
    size_t offset;
} UPSERT_COLUMNS[] = {
    {DB_COLUMN_I16, offsetof(struct creator, platform)},
    {DB_COLUMN_TEXT, offsetof(struct creator, provider_user_id)},
    {DB_COLUMN_TEXT, offsetof(struct creator, handle)},
    {DB_COLUMN_TEXT, offsetof(struct creator, full_name)},
    {DB_COLUMN_TEXT, offsetof(struct creator, url)},
    {DB_COLUMN_TEXT, offsetof(struct creator, picture_url)},
    {DB_COLUMN_KNOWN_I64, offsetof(struct creator, followers)},
    {DB_COLUMN_KNOWN_I64, offsetof(struct creator, engagements)},
    {DB_COLUMN_KNOWN_I64, offsetof(struct creator, engagement_rate_ppm)},
    {DB_COLUMN_KNOWN_I64, offsetof(struct creator, average_views)},
    {DB_COLUMN_BOOL, offsetof(struct creator, is_private)},
    {DB_COLUMN_BOOL, offsetof(struct creator, is_verified)},
    {DB_COLUMN_TEXT, offsetof(struct creator, email)},
    {DB_COLUMN_TEXT, offsetof(struct creator, email_source)},
    {DB_COLUMN_TIME, offsetof(struct creator, updated_at_us)},
};
// clang-format on

void creators_rows_key_params(struct db_params *params, const struct creator_key *key)
{
    bool by_handle = key->provider_user_id == NULL;

    db_params_init(params);
    db_param_i16(params, key->platform);
    db_param_text(params, by_handle ? key->handle : key->provider_user_id);
    db_param_bool(params, by_handle);
}

void creators_rows_upsert_params(struct db_params *params, const struct creator *creators,
                                 size_t count)
{
    struct db_rows rows = {creators, count, sizeof(*creators)};

    db_params_init(params);
    for (size_t i = 0; i < COUNT_OF(UPSERT_COLUMNS); i++)
        db_param_column(params, rows, UPSERT_COLUMNS[i].kind, UPSERT_COLUMNS[i].offset);
}

void creators_rows_read(struct creator *out, struct db_result *result, int row)
{
    *out = (struct creator){
        .platform = (int)db_i64(result, row, 0),
        .provider_user_id = db_text(result, row, 1),
        .handle = db_text(result, row, 2),
        .full_name = db_text(result, row, 3),
        .url = db_text(result, row, 4),
        .picture_url = db_text(result, row, 5),
        .followers = db_i64_or(result, row, 6, -1),
        .engagements = db_i64_or(result, row, 7, -1),
        .engagement_rate_ppm = db_i64_or(result, row, 8, -1),
        .average_views = db_i64_or(result, row, 9, -1),
        .is_private = db_bool(result, row, 10),
        .is_verified = db_bool(result, row, 11),
        .email = db_text(result, row, 12),
        .email_source = db_text(result, row, 13),
        .has_report = db_bool(result, row, 14),
        .updated_at_us = db_time_us(result, row, 15),
    };
}
