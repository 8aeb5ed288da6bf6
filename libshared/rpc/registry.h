/*
 * registry.h - every method a server knows, by full name.
 *
 * All methods of all services that the tables mention are known, also those without a row:
 * they answer ST_UNIMPLEMENTED. Immutable once built, so any thread may look up.
 */
#ifndef RPC_REGISTRY_H
#define RPC_REGISTRY_H

#include <stddef.h>

#include "core/error.h"
#include "core/map.h"
#include "core/stats.h"
#include "rpc/method.h"
#include "rpc/server.h"

struct rpc_registry_entry {
    const char *full_name;        /* "/metercache.v1.QuotaService/Reserve" */
    const struct rpc_method *row; /* NULL: declared, not built */
    const ProtobufCMethodDescriptor *method;
    struct stats_metric *latency; /* NULL without a row */
};

struct rpc_registry {
    struct rpc_registry_entry *entries;
    struct rpc_method_info *infos; /* the same order, as server.h shows them */
    struct stats_metric *latencies;
    char **labels;
    size_t count;
    size_t latency_count;
    struct map by_name;
};

/* ST_INVALID: a row names no method of its service, or a method has two rows.
 * `server_name` labels the latency metrics. */
MUST_USE enum status rpc_registry_init(struct rpc_registry *registry,
                                       const char *server_name,
                                       const struct rpc_method *const *tables,
                                       size_t table_count, struct error *err);
void rpc_registry_done(struct rpc_registry *registry);

/* NULL when no table's service declares it. */
const struct rpc_registry_entry *rpc_registry_find(const struct rpc_registry *registry,
                                                   const char *full_name);
/* Is "metercache.v1.QuotaService" one of the services? */
bool rpc_registry_has_service(const struct rpc_registry *registry, const char *name);

#endif /* RPC_REGISTRY_H */
