/*
 * ledger_messages_rpc.h - the ledger's messages to and from the structs of
 * store/ledger_store.h; prefix `ledger_messages_`.
 *
 * Nothing is copied: structs and messages borrow each other's texts.
 */
#ifndef LEDGER_LEDGER_MESSAGES_RPC_H
#define LEDGER_LEDGER_MESSAGES_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/op_id.h"
#include "metercache/v1/ledger.pb-c.h"
#include "store/ledger_store.h"

/* ST_INVALID names the entry that no sound writer makes. The digest is not set. */
MUST_USE enum status ledger_messages_read_batch(
    struct ledger_batch *out, struct arena *arena,
    const Metercache__V1__CommitBatchRequest *request, struct error *err);

/* False unless 16 bytes. */
bool ledger_messages_read_id(struct op_id *out, ProtobufCBinaryData id) MUST_USE;

/* Arrays of `count` messages in `arena`; NULL when it is full. */
Metercache__V1__LedgerEvent **ledger_messages_write_events(
    struct arena *arena, const struct ledger_event *events, size_t count);
Metercache__V1__Counter **ledger_messages_write_counters(
    struct arena *arena, const struct ledger_counter *counters, size_t count);

Metercache__V1__LimitChange **ledger_messages_write_limits(
    struct arena *arena, const struct ledger_limit *limits, size_t count);
Metercache__V1__ThresholdCrossing **ledger_messages_write_alerts(
    struct arena *arena, const struct ledger_alert *alerts, size_t count);
Metercache__V1__Cooldown **ledger_messages_write_cooldowns(
    struct arena *arena, const struct ledger_cooldown *cells, size_t count);

#endif /* LEDGER_LEDGER_MESSAGES_RPC_H */
