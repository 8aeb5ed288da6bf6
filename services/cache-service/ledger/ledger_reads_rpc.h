/*
 * ledger_reads_rpc.h - the methods of LedgerService that only read: handlers for the table in
 * ledger_rpc.c.
 */
#ifndef LEDGER_LEDGER_READS_RPC_H
#define LEDGER_LEDGER_READS_RPC_H

#include "rpc/method.h"
#include "store/store.h"

/* ledger_rpc.c: ST_DENIED unless the caller may use the ledger. */
MUST_USE enum status ledger_rpc_begin(struct store_call *out, const struct rpc_call *call,
                                      struct error *err);

enum status ledger_list_counters(struct rpc_call *call, const void *request, void *reply,
                                 struct error *err);
enum status ledger_list_unknown_outcomes(struct rpc_call *call, const void *request,
                                         void *reply, struct error *err);
enum status ledger_list_usage(struct rpc_call *call, const void *request, void *reply,
                              struct error *err);
enum status ledger_list_alerts(struct rpc_call *call, const void *request, void *reply,
                               struct error *err);
enum status ledger_verify_all(struct rpc_call *call, const void *request, void *reply,
                              struct error *err);

#endif /* LEDGER_LEDGER_READS_RPC_H */
