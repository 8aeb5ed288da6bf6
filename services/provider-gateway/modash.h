/*
 * modash.h - what the gateway asks Modash for, with what each costs.
 *
 *     search      at most 150 thousandths of a credit (15 a page x 10), 10 per creator
 *                 returned, on modash.discovery
 *     users       free, logged on modash.discovery
 *     report      1000, on modash.reports
 *     user info   free, logged on modash.reports
 *
 * Errors are those of metered_call.h, and ST_INVALID naming the request field.
 */
#ifndef GATEWAY_MODASH_H
#define GATEWAY_MODASH_H

#include <stdint.h>

#include "core/error.h"
#include "metered_call.h"
#include "modash_parse.h"
#include "modash_request.h"

struct modash {
    struct provider provider;
    const struct metered_door *door;
};

MUST_USE enum status modash_search_creators(struct modash_page *out,
                                            struct call_receipt *receipt,
                                            struct modash *modash,
                                            const struct call_context *context,
                                            const struct modash_search *search,
                                            struct error *err);

struct modash_user_query {
    enum platform platform;
    const char *query;
    uint32_t limit; /* 0: 10 */
};
MUST_USE enum status modash_find_users(struct creator_list *out,
                                       struct call_receipt *receipt, struct modash *modash,
                                       const struct call_context *context,
                                       const struct modash_user_query *query,
                                       struct error *err);

struct modash_creator_name {
    enum platform platform;
    const char *who; /* user id or handle */
};
MUST_USE enum status modash_fetch_report(struct modash_report *out,
                                         struct call_receipt *receipt,
                                         struct modash *modash,
                                         const struct call_context *context,
                                         const struct modash_creator_name *name,
                                         struct error *err);

MUST_USE enum status modash_fetch_balance(int64_t *credits_milli,
                                          struct call_receipt *receipt,
                                          struct modash *modash,
                                          const struct call_context *context,
                                          struct error *err);

#endif /* GATEWAY_MODASH_H */
