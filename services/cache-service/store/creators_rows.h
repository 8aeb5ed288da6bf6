/*
 * creators_rows.h - struct creator to and from SQL, for the stores that list creators.
 */
#ifndef STORE_CREATORS_ROWS_H
#define STORE_CREATORS_ROWS_H

#include "store/creators_store.h"
#include "store/store_internal.h"

/* Of creator AS c LEFT JOIN creator_report AS r; the letters are those of CREATOR_TYPES. */
#define CREATOR_COLUMNS                                                            \
    "c.platform, c.provider_user_id, c.handle, c.full_name, c.url, c.picture_url," \
    " c.followers, c.engagements, c.engagement_rate_ppm, c.average_views,"         \
    " c.is_private, c.is_verified, c.email, c.email_source,"                       \
    " r.provider_user_id IS NOT NULL, c.updated_at"
#define CREATOR_TYPES "itttttiiiibbttbT"
#define CREATOR_REPORT_JOIN                     \
    " LEFT JOIN metercache.creator_report AS r" \
    " ON r.platform = c.platform AND r.provider_user_id = c.provider_user_id"

/*
 * The id that a key means: $1 platform, $2 id or handle, $3 whether it is a handle. A row
 * with that id, else what was answered for it; the newest claim of that handle, be it a
 * row's or an answer's.
 */
// clang-format off
#define CREATOR_KEY_ID                                                                \
    "CASE WHEN $3::boolean THEN (SELECT o.id FROM ("                                  \
    "  SELECT h.provider_user_id AS id, h.updated_at AS at FROM metercache.creator AS h" \
    "   WHERE h.platform = $1::smallint AND lower(h.handle) = lower($2::text)"        \
    "   AND h.handle <> ''"                                                           \
    "  UNION ALL SELECT a.provider_user_id, a.at FROM metercache.creator_alias AS a"  \
    "   WHERE a.platform = $1::smallint AND a.key = lower($2::text) AND a.is_handle"  \
    "  ) AS o ORDER BY o.at DESC, o.id LIMIT 1)"                                      \
    " ELSE coalesce((SELECT i.provider_user_id FROM metercache.creator AS i"          \
    "   WHERE i.platform = $1::smallint AND i.provider_user_id = $2::text),"          \
    "  (SELECT a.provider_user_id FROM metercache.creator_alias AS a"                 \
    "   WHERE a.platform = $1::smallint AND a.key = lower($2::text)"                  \
    "   AND NOT a.is_handle)) END"
// clang-format on
void creators_rows_key_params(struct db_params *params, const struct creator_key *key);

void creators_rows_read(struct creator *out, struct db_result *result, int row);

/*
 * Stores creators of any platforms in one statement. Of two with the same identity the
 * newer counts, then the later one.
 */
extern const struct db_statement CREATORS_ROWS_UPSERT;
void creators_rows_upsert_params(struct db_params *params, const struct creator *creators,
                                 size_t count);

#endif /* STORE_CREATORS_ROWS_H */
