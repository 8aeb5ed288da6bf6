/*
 * ledger_rpc.h - LedgerService on the ledger's own listener: messages to and from
 * store/ledger_store.h. Only the credential "quota-service" of role service may call.
 */
#ifndef LEDGER_LEDGER_RPC_H
#define LEDGER_LEDGER_RPC_H

#include "rpc/method.h"

extern const struct rpc_method ledger_methods[];

#endif /* LEDGER_LEDGER_RPC_H */
