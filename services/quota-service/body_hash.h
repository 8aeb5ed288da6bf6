/*
 * body_hash.h - whether two requests with one op id ask for the same.
 *
 * The first 16 bytes of SHA-256 over the fields in a fixed order, each of fixed size or led
 * by its length: independent of how a client's library encodes messages, and the same in
 * every version, because the ledger keeps it for 62 days.
 */
#ifndef BODY_HASH_H
#define BODY_HASH_H

#include "quota_core.h"

/* Fills op->body_hash. `asked_hold_ms`, of a RESERVE: as asked for, before it was capped. */
void body_hash_set(struct quota_op *op, uint64_t asked_hold_ms);

#endif /* BODY_HASH_H */
