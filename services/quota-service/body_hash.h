/*
 * body_hash.h - whether two requests with one op id ask for the same.
 *
 * The first 16 bytes of SHA-256 over the fields in a fixed order, each of fixed size or led
 * by its length: independent of how a client's library encodes messages, and the same in
 * every version, because the ledger keeps it for 62 days.
 */
#ifndef BODY_HASH_H
#define BODY_HASH_H

#include <stdbool.h>

#include "quota_core.h"

/* What a request says beside struct quota_op. */
struct body_hash_extra {
    uint64_t hold_ms;         /* as asked for, before it was capped */
    const char *cooldown_key; /* not NULL */
    bool is_interactive;
};

/* Fills op->body_hash from op and, for a RESERVE, `extra` (else NULL). */
void body_hash_set(struct quota_op *op, const struct body_hash_extra *extra);

#endif /* BODY_HASH_H */
