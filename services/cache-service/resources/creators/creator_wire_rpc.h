/*
 * creator_wire_rpc.h - creators between the wire and plain structs.
 *
 * Texts are borrowed both ways: they live as long as what they came from.
 */
#ifndef CREATORS_CREATOR_WIRE_RPC_H
#define CREATORS_CREATOR_WIRE_RPC_H

#include "core/arena.h"
#include "core/error.h"
#include "engine/policy.h"
#include "metercache/v1/common.pb-c.h"
#include "store/creators_store.h"

#define CREATOR_NAME_MAX 128

void creator_from_wire(struct creator *out, const Metercache__V1__Creator *wire,
                       int64_t updated_at_us);
/* NULL at the arena's limit. */
Metercache__V1__Creator *creator_to_wire(const struct creator *creator,
                                         struct arena *arena);

/* Checks a caller's reference: platform known, id or handle of 1 to 128 bytes without
 * control characters; drops one leading '@'. ST_INVALID names the field below `path`. */
MUST_USE enum status creator_key_from_wire(struct creator_key *out,
                                           const Metercache__V1__CreatorRef *wire,
                                           struct error *err);
/* The reference for a key, all in `out` (no allocation). */
void creator_key_to_wire(Metercache__V1__CreatorRef *out, const struct creator_key *key);

/* ST_INVALID naming `field` unless it is one of the platforms. */
MUST_USE enum status creator_check_platform(int platform, const char *field,
                                            struct error *err);
const char *creator_platform_name(int platform); /* "instagram" */

Metercache__V1__Freshness *creator_freshness_to_wire(const struct policy_freshness *from,
                                                     struct arena *arena);
Metercache__V1__Cost *creator_cost_to_wire(uint32_t provider_calls, int64_t credits_milli,
                                           struct arena *arena);

#endif /* CREATORS_CREATOR_WIRE_RPC_H */
