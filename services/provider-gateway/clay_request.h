/*
 * clay_request.h - Clay's routine requests as text, from checked input.
 *
 * Pure. Fails with ST_INVALID naming the request field at fault.
 */
#ifndef GATEWAY_CLAY_REQUEST_H
#define GATEWAY_CLAY_REQUEST_H

#include "core/buf.h"
#include "core/error.h"

#define CLAY_ITEM_ID_CHARS 64u
#define CLAY_RUN_ID_BYTES  ((size_t)128)
#define CLAY_INPUT_BYTES   ((size_t)512) /* of one input */
#define CLAY_BODY_BYTES    ((size_t)32 * 1024)

/* What is known of the person; "" is unknown, but not everything may be. */
struct clay_person {
    const char *full_name;
    const char *handle;
    const char *profile_url;
    const char *company_name;
    const char *company_domain;
};

/* Start a run of one item; `body` is an empty buffer of CLAY_BODY_BYTES. */
MUST_USE enum status clay_request_run(struct buf *url, struct buf *body, const char *base,
                                      const char *routine_id, const char *item_id,
                                      const struct clay_person *person, struct error *err);

MUST_USE enum status clay_request_results(struct buf *url, const char *base,
                                          const char *run_id, struct error *err);

#endif /* GATEWAY_CLAY_REQUEST_H */
