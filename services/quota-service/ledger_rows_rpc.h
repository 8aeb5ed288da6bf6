/*
 * ledger_rows_rpc.h - ledger rows and counters as messages, and back.
 *
 * Pure conversion. What is written points into the batch and the arena.
 */
#ifndef LEDGER_ROWS_RPC_H
#define LEDGER_ROWS_RPC_H

#include <stdbool.h>

#include "batch.h"
#include "core/arena.h"
#include "metercache/v1/ledger.pb-c.h"

/* Enough for the messages of a full batch. */
#define LEDGER_ROWS_ARENA_BYTES (4 * 1024 * 1024)

/* Batch number, time, events and counters; the epoch is the caller's. */
void ledger_rows_write(Metercache__V1__CommitBatchRequest *out,
                       const struct quota_batch *batch, struct arena *arena);

/* False: malformed, or of a meter this service does not have. */
bool ledger_rows_read(struct quota_row *out,
                      const Metercache__V1__LedgerEvent *event) MUST_USE;
bool ledger_rows_read_counter(struct quota_counter *out,
                              const Metercache__V1__Counter *counter) MUST_USE;

#endif /* LEDGER_ROWS_RPC_H */
