/*
 * clay.h - e-mail enrichment through a Clay routine: start a run of one item, ask after it.
 *
 * A run costs 1000 thousandths of a credit on clay.enrichment; asking after it is free, and
 * logged on the same meter. Where a run that finds nothing is free too, its reservation is
 * not settled at the start but when somebody asks and learns how the run ended; run ids that
 * we give then carry its id ("RUN~32 hex digits"), since nothing is stored here. When that
 * takes longer than quota-service holds a reservation (QUOTA_HOLD_MAX), the run is presumed
 * spent meanwhile and the ending corrects it; a run that nobody asks after, or that failed
 * or was lost, stays presumed spent. Clay has no idempotency key, so a run whose answer was
 * lost is never started again from here.
 *
 * Errors are those of metered_call.h, ST_INVALID naming the request field, and
 * ST_PRECONDITION (PROVIDER_NOT_CONFIGURED) without key or routine.
 */
#ifndef GATEWAY_CLAY_H
#define GATEWAY_CLAY_H

#include "clay_parse.h"
#include "clay_request.h"
#include "core/error.h"
#include "creator.h"
#include "metered_call.h"

struct clay {
    struct provider provider;
    const struct metered_door *door;
    const char *routine_id; /* "": not configured */
    const char *email_key;  /* where a result has the address */
    bool charges_not_found; /* a run costs the same whatever it finds */
};

struct clay_enrichment {
    enum platform platform;
    const char *item_id; /* ours */
    const char *run_id;  /* "": start a run; else ask after this one */
    struct clay_person person;
};

MUST_USE enum status clay_enrich_email(struct clay_result *out,
                                       struct call_receipt *receipt, struct clay *clay,
                                       const struct call_context *context,
                                       const struct clay_enrichment *enrichment,
                                       struct error *err);

#endif /* GATEWAY_CLAY_H */
