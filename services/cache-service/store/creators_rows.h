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

void creators_rows_read(struct creator *out, struct db_result *result, int row);

/* The statement of creators_store_upsert_many and its parameters. */
extern const struct db_statement CREATORS_ROWS_UPSERT;
void creators_rows_upsert_params(struct db_params *params, const struct creator *creators,
                                 size_t count);

#endif /* STORE_CREATORS_ROWS_H */
