/*
 * idempotency.h - answers kept for requests that carry an idempotency key.
 *
 * A key belongs to a subject, the user it acts for, and a method. The first request with it
 * runs; while it does, others with the same key get ABORTED (KEY_IN_FLIGHT, with a retry
 * hint); afterwards the same request gets the stored answer, and another request
 * ALREADY_EXISTS (KEY_REUSED).
 * Only successful answers are kept: after a failure the key is free again, so that a retry
 * runs. Kept for 10 minutes, in this process only, at most 4,096 answers and 16 MiB together;
 * the oldest give way. What must hold across restarts is the ledger's business (op ids).
 *
 * Threads: any.
 */
#ifndef RPC_IDEMPOTENCY_H
#define RPC_IDEMPOTENCY_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"

struct rpc_idempotency;
struct rpc_idempotency_entry;

struct rpc_idempotency_options {
    size_t entries;  /* [4096] */
    size_t bytes;    /* of stored answers [16 MiB]; one takes a quarter at most */
    uint64_t ttl_us; /* [10 minutes] */
};

/* Zeros take the default in brackets. */
struct rpc_idempotency *rpc_idempotency_new(struct rpc_idempotency_options options);
void rpc_idempotency_free(struct rpc_idempotency *table); /* accepts NULL */

struct rpc_idempotency_request {
    const char *subject;
    const char *user;
    const char *method;
    const uint8_t *key; /* 1 to 64 bytes */
    size_t key_size;
    const uint8_t *payload;
    size_t payload_size;
};

struct rpc_idempotency_claim {
    struct rpc_idempotency_entry *entry; /* not NULL: run it, then store or drop */
    const uint8_t *answer;               /* else: the stored payload, in the arena */
    size_t answer_size;
};

MUST_USE enum status rpc_idempotency_begin(struct rpc_idempotency_claim *out,
                                           struct rpc_idempotency *table,
                                           const struct rpc_idempotency_request *request,
                                           uint64_t now_us, struct arena *arena,
                                           struct error *err);
/* Ends a claim with an answer, whose bytes are copied. */
void rpc_idempotency_store(struct rpc_idempotency *table,
                           struct rpc_idempotency_entry *entry, const uint8_t *answer,
                           size_t size, uint64_t now_us);
/* Ends a claim without one. */
void rpc_idempotency_drop(struct rpc_idempotency *table,
                          struct rpc_idempotency_entry *entry);

#endif /* RPC_IDEMPOTENCY_H */
