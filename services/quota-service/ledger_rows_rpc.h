/*
 * ledger_rows_rpc.h - batches and rows of the ledger to and from their messages.
 *
 * Threads: any; no state.
 */
#ifndef LEDGER_ROWS_RPC_H
#define LEDGER_ROWS_RPC_H

#include <stdbool.h>

#include "batch.h"
#include "core/arena.h"
#include "metercache/v1/ledger.pb-c.h"
#include "quota_core.h"

/* Enough for the messages of a full batch. */
#define LEDGER_ROWS_ARENA_BYTES (6 * 1024 * 1024)

/* All of the batch; the epoch is the caller's. */
void ledger_rows_write(Metercache__V1__CommitBatchRequest *out,
                       const struct quota_batch *batch, struct arena *arena);
void ledger_rows_write_key(Metercache__V1__CounterKey *out,
                           const struct quota_needed_counter *needed);
void ledger_rows_write_limit(Metercache__V1__Limit *out, const struct limit_rule *rule,
                             struct arena *arena);

/* False: malformed, or of a meter this service does not have. */
bool ledger_rows_read(struct quota_row *out,
                      const Metercache__V1__LedgerEvent *event) MUST_USE;
bool ledger_rows_read_counter(struct quota_counter *out,
                              const Metercache__V1__Counter *counter) MUST_USE;
bool ledger_rows_read_cooldown(struct cooldown *out,
                               const Metercache__V1__Cooldown *cooldown) MUST_USE;
bool ledger_rows_read_limit(struct limit_rule *out,
                            const Metercache__V1__LimitChange *change) MUST_USE;
bool ledger_rows_read_alert(struct quota_alert *out,
                            const Metercache__V1__ThresholdCrossing *alert) MUST_USE;

#endif /* LEDGER_ROWS_RPC_H */
