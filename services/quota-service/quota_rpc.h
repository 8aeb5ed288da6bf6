/*
 * quota_rpc.h - QuotaService on the wire: one row a method that is built.
 */
#ifndef QUOTA_RPC_H
#define QUOTA_RPC_H

#include "rpc/method.h"

extern const struct rpc_method QUOTA_METHODS[];

#endif /* QUOTA_RPC_H */
