/*
 * quota_views_rpc.h - what the ledger holds, as QuotaService tells it.
 *
 * Pure conversion from LedgerService's messages. What is written points into what was read:
 * both live in the call's arena.
 */
#ifndef QUOTA_VIEWS_RPC_H
#define QUOTA_VIEWS_RPC_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/op_id.h"
#include "metercache/v1/ledger.pb-c.h"
#include "metercache/v1/quota.pb-c.h"

#define QUOTA_VIEWS_DAY_US (24LL * 3600 * 1000000)

void quota_views_operation(Metercache__V1__Operation *out,
                           const Metercache__V1__LedgerEvent *event);

/* All of them, in their order. NULL when the arena is full. */
Metercache__V1__Operation **quota_views_operations(struct arena *arena,
                                                   Metercache__V1__LedgerEvent **events,
                                                   size_t count);

/* The operation with this id is `operation`, all others are `related`. ST_NOT_FOUND when it
 * is none of the events. */
MUST_USE enum status quota_views_pick(Metercache__V1__GetOperationResponse *out,
                                      const struct op_id *id,
                                      Metercache__V1__LedgerEvent **events, size_t count,
                                      struct arena *arena, struct error *err);

/* Left is what the limit leaves, and never negative. */
void quota_views_counter(Metercache__V1__MeterState *out,
                         const Metercache__V1__Counter *counter);

/*
 * Buckets of a day each as days, oldest first: those of several meters are added up, days
 * without any left out. `from_us` is the first day's start; buckets outside the `day_count`
 * days from there on do not count. ST_EXHAUSTED when the arena is full.
 */
MUST_USE enum status quota_views_days(Metercache__V1__GetUsageHistoryResponse *out,
                                      int64_t from_us, size_t day_count,
                                      const Metercache__V1__ListUsageResponse *usage,
                                      struct arena *arena, struct error *err);

#endif /* QUOTA_VIEWS_RPC_H */
