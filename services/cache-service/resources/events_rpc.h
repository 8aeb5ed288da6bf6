/*
 * events_rpc.h - says on pub/sub what the cache has just filled (topic "filled.KIND").
 *
 * Hints alone: a subscriber that misses one finds the same by asking.
 *
 * Threads: any; never blocks.
 */
#ifndef RESOURCES_EVENTS_RPC_H
#define RESOURCES_EVENTS_RPC_H

#include <stdint.h>

struct rpc_publisher;

#define EVENTS_KIND_REPORT "creator_report"
#define EVENTS_KIND_SEARCH "creator_search"
#define EVENTS_KIND_EMAIL  "creator_email"

/* `key` names the entry within its kind. A NULL publisher publishes nothing. */
void events_filled(struct rpc_publisher *publisher, const char *kind, const char *key,
                   int64_t fetched_at_us);

#endif /* RESOURCES_EVENTS_RPC_H */
