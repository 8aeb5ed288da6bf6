/*
 * ledger_digest.h - what the hash chain covers of a batch: SHA-256 over all of it in one
 * canonical form. Numbers are 8 bytes, most significant first; texts are led by their length;
 * lists by their count. Never changed: old digests must stay computable.
 *
 * Pure.
 */
#ifndef LEDGER_LEDGER_DIGEST_H
#define LEDGER_LEDGER_DIGEST_H

#include "store/ledger_store.h"

/* Of time, events in their order, and limit changes. Counters, cooldowns and alerts follow
 * from those. */
void ledger_digest(uint8_t out[LEDGER_STORE_DIGEST_SIZE], int64_t at_us,
                   const struct ledger_event *events, size_t event_count,
                   const struct ledger_limit *limits, size_t limit_count);

/* hash = sha256(former || epoch || batch || digest), as metercache.ledger_advance makes it. */
void ledger_digest_chain(uint8_t out[LEDGER_STORE_DIGEST_SIZE], const uint8_t *former,
                         size_t former_size, int64_t epoch, int64_t batch,
                         const uint8_t digest[LEDGER_STORE_DIGEST_SIZE]);

#endif /* LEDGER_LEDGER_DIGEST_H */
