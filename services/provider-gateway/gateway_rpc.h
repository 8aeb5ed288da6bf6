/*
 * gateway_rpc.h - GatewayService over RPC: the method table, and messages to values.
 *
 * call->service is a struct gateway (gateway.h).
 */
#ifndef GATEWAY_GATEWAY_RPC_H
#define GATEWAY_GATEWAY_RPC_H

#include "rpc/method.h"

extern const struct rpc_method GATEWAY_METHODS[];

#endif /* GATEWAY_GATEWAY_RPC_H */
