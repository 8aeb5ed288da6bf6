/*
 * quota_operation_rpc.h - one operation of QuotaService: its request read and checked, its
 * answer written. What the methods of their own and Submit have in common.
 */
#ifndef QUOTA_OPERATION_RPC_H
#define QUOTA_OPERATION_RPC_H

#include "config.h"
#include "core/arena.h"
#include "core/error.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_core.h"

/* ST_NOT_FOUND when there is none of that name. */
MUST_USE enum status quota_operation_meter(uint32_t *out, const char *name,
                                           struct error *err);

/* Check and copy; `op` is zero before. ST_INVALID names the field of the request. */
MUST_USE enum status quota_operation_read_reserve(
    struct quota_op *op, const Metercache__V1__ReserveRequest *request,
    const struct quota_config *config, struct error *err);
MUST_USE enum status quota_operation_read_settle(
    struct quota_op *op, const Metercache__V1__SettleRequest *request, struct error *err);
MUST_USE enum status quota_operation_read_void(struct quota_op *op,
                                               const Metercache__V1__VoidRequest *request,
                                               struct error *err);
/* Whichever of the three it is. */
MUST_USE enum status quota_operation_read(struct quota_op *op,
                                          const Metercache__V1__OperationRequest *request,
                                          const struct quota_config *config,
                                          struct error *err);

/* The answer of an operation that was done; reply->meter is initialised before. */
void quota_operation_reserved(Metercache__V1__ReserveResponse *reply,
                              const struct quota_answer *answer);
void quota_operation_settled(Metercache__V1__SettleResponse *reply,
                             const struct quota_answer *answer);
void quota_operation_voided(Metercache__V1__VoidResponse *reply,
                            const struct quota_answer *answer);

/* An error as one operation's result. What does not fit into the arena is left out. */
void quota_operation_refused(Metercache__V1__OperationResult *result,
                             const struct error *err, struct arena *arena);

#endif /* QUOTA_OPERATION_RPC_H */
