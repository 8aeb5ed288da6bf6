/*
 * quota_operation_rpc.h - reserve, settle and void: from their requests, to their results.
 *
 * Threads: any; no state.
 */
#ifndef QUOTA_OPERATION_RPC_H
#define QUOTA_OPERATION_RPC_H

#include "config.h"
#include "core/arena.h"
#include "core/error.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_core.h"

/* What other methods check too. */
MUST_USE enum status quota_operation_read_id(struct op_id *out,
                                             const ProtobufCBinaryData *bytes,
                                             const char *field, struct error *err);
MUST_USE enum status quota_operation_read_meter(uint32_t *out, const char *name,
                                                struct error *err);
MUST_USE enum status quota_operation_check_text(const char *text, size_t min, size_t max,
                                                const char *field, struct error *err);

MUST_USE enum status quota_operation_read_reserve(
    struct quota_op *op, const Metercache__V1__ReserveRequest *request,
    const struct quota_config *config, struct error *err);
MUST_USE enum status quota_operation_read_settle(
    struct quota_op *op, const Metercache__V1__SettleRequest *request, struct error *err);
MUST_USE enum status quota_operation_read_void(struct quota_op *op,
                                               const Metercache__V1__VoidRequest *request,
                                               struct error *err);

/* The answer to a done operation. ST_EXHAUSTED: the arena is full. */
MUST_USE enum status quota_operation_write_reserve(Metercache__V1__ReserveResponse *out,
                                                   const struct quota_op *op,
                                                   const struct quota_answer *answer,
                                                   struct arena *arena, struct error *err);
void quota_operation_write_settle(Metercache__V1__SettleResponse *out,
                                  const struct quota_answer *answer);
void quota_operation_write_void(Metercache__V1__VoidResponse *out,
                                const struct quota_answer *answer);

#endif /* QUOTA_OPERATION_RPC_H */
