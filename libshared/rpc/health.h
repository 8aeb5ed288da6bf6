/*
 * health.h - HealthService.Check for any server: put rpc_health_methods into its tables.
 *
 * Readiness is rpc_server_options.is_ready. A service that the server does not have is
 * answered with UNKNOWN_SERVICE, as grpc.health.v1 does in a Watch.
 */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include "rpc/method.h"

extern const struct rpc_method rpc_health_methods[];

#endif /* RPC_HEALTH_H */
