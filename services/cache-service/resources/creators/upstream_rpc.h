/*
 * upstream_rpc.h - what creators ask of provider-gateway, in plain structs.
 *
 * Each call is reserved and settled by the gateway. Errors are those of gateway.proto;
 * results live in `arena`. Blocking: for fetcher threads.
 */
#ifndef CREATORS_UPSTREAM_RPC_H
#define CREATORS_UPSTREAM_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "engine/flights.h"
#include "store/creators_store.h"

struct rpc_client;

#define UPSTREAM_PAGE_SIZE 15  /* creators a discovery page has, fixed by the provider */
#define UPSTREAM_PAGE_LAST 665 /* last page the provider serves */

/* Who asks; adds what each call cost to *receipt. */
struct upstream {
    struct rpc_client *gateway;
    uint64_t timeout_ms;
    const char *user;
    const char *reason; /* "search", "select", "enrich" */
    struct flight_receipt *receipt;
};

struct upstream_page {
    struct creator *creators;
    size_t count;
    uint32_t returned; /* by the provider; some may not have been usable */
    int64_t total;     /* -1: unknown */
};

MUST_USE enum status upstream_search(struct upstream_page *out,
                                     const struct upstream *upstream, int platform,
                                     const char *filters, const char *sort, uint32_t page,
                                     struct arena *arena, struct error *err);

struct upstream_report {
    struct creator creator;
    const char *document; /* the provider's report as JSON */
    const char *email;    /* the first contact address; "" when there is none */
};

MUST_USE enum status upstream_fetch_report(struct upstream_report *out,
                                           const struct upstream *upstream,
                                           const struct creator_key *key,
                                           struct arena *arena, struct error *err);

struct upstream_enrichment {
    enum creator_enrichment_state state;
    const char *email;
    const char *run_id; /* with PENDING: ask after it */
};

/* Starts an enrichment of `creator`, or asks after `run_id` when that is not empty. */
MUST_USE enum status upstream_enrich(struct upstream_enrichment *out,
                                     const struct upstream *upstream,
                                     const struct creator *creator, const char *run_id,
                                     struct arena *arena, struct error *err);

#endif /* CREATORS_UPSTREAM_RPC_H */
