/*
 * quota_reads_rpc.h - the methods of QuotaService that only read what the ledger holds.
 */
#ifndef QUOTA_READS_RPC_H
#define QUOTA_READS_RPC_H

#include "metercache/v1/quota.pb-c.h"
#include "rpc/method.h"

extern const struct rpc_method QUOTA_READ_METHODS[];

/* GetUsage with a scope or a subject. May be called on nng's thread: the call then runs
 * again on a worker, and comes here once more. */
MUST_USE enum status quota_reads_usage(struct rpc_call *call,
                                       const Metercache__V1__GetUsageRequest *request,
                                       Metercache__V1__GetUsageResponse *reply,
                                       struct error *err);

#endif /* QUOTA_READS_RPC_H */
