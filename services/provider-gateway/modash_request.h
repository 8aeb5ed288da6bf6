/*
 * modash_request.h - Modash's requests as text: URLs and bodies, from checked input.
 *
 * Pure. Every function fails with ST_INVALID naming the request field at fault.
 */
#ifndef GATEWAY_MODASH_REQUEST_H
#define GATEWAY_MODASH_REQUEST_H

#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "creator.h"

#define MODASH_PAGE_MAX      665u
#define MODASH_PAGE_SIZE     15u
#define MODASH_FILTERS_BYTES ((size_t)16 * 1024)
#define MODASH_SORT_BYTES    ((size_t)1024)
#define MODASH_NAME_BYTES    ((size_t)128)
#define MODASH_LIMIT_MAX     100u
#define MODASH_BODY_BYTES    (MODASH_FILTERS_BYTES + MODASH_SORT_BYTES + 256)

struct modash_search {
    enum platform platform;
    const char *filters_json; /* "" or an object */
    const char *sort_json;    /* "" or an object */
    uint32_t page;
};

/* `url` and `body` are empty buffers of at least URL_SIZE_MAX and MODASH_BODY_BYTES. */
MUST_USE enum status modash_request_search(struct buf *url, struct buf *body,
                                           const char *base,
                                           const struct modash_search *search,
                                           struct error *err);
/* limit 0: 10 */
MUST_USE enum status modash_request_users(struct buf *url, const char *base,
                                          enum platform platform, const char *query,
                                          uint32_t limit, struct error *err);
/* `who` is the provider's user id or a handle, a leading '@' is dropped. */
MUST_USE enum status modash_request_report(struct buf *url, const char *base,
                                           enum platform platform, const char *who,
                                           struct error *err);
void modash_request_user_info(struct buf *url, const char *base);

#endif /* GATEWAY_MODASH_REQUEST_H */
