/*
 * calls_rpc.h - CallLogService: the log of provider calls (C7).
 */
#ifndef CALLS_CALLS_RPC_H
#define CALLS_CALLS_RPC_H

#include "rpc/method.h"

extern const struct rpc_method calls_methods[];

#endif /* CALLS_CALLS_RPC_H */
