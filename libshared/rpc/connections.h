/*
 * connections.h - who is connected, and what each connection may take.
 *
 * nng accepts without limit and keeps silent connections for ever. This table caps
 * connections in all and per address, requests in flight per connection, and names those
 * that have been idle too long. It knows nng pipes by their number only.
 *
 * Threads: any. Nothing here calls nng, so it may be called from pipe callbacks, which run
 * under nng's own lock.
 */
#ifndef RPC_CONNECTIONS_H
#define RPC_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "rpc/server.h"

#define RPC_ADDRESS_SIZE 64

struct rpc_connections;
struct rpc_connection;

struct rpc_connections_options {
    unsigned max;
    unsigned max_per_address;
    unsigned max_inflight; /* per connection */
};

struct rpc_connections *rpc_connections_new(struct rpc_connections_options options);
void rpc_connections_free(struct rpc_connections *table); /* accepts NULL */

/* A connection was made. False: refuse it. `address` is the host alone, `peer` what is
 * shown. */
bool rpc_connections_add(struct rpc_connections *table, uint32_t id, const char *address,
                         const char *peer, uint64_t now_us) MUST_USE;
void rpc_connections_remove(struct rpc_connections *table, uint32_t id);

/* A request arrived. Never NULL: a connection that is not known any more gets an entry for
 * as long as it has requests. Give it back with _leave. *has_room: may one more run? */
struct rpc_connection *rpc_connections_enter(struct rpc_connections *table, uint32_t id,
                                             uint64_t now_us, bool *has_room);
void rpc_connections_leave(struct rpc_connections *table,
                           struct rpc_connection *connection);
const char *rpc_connection_peer(const struct rpc_connection *connection);

/* Up to `max` numbers of connections that had no request since `before_us`. */
size_t rpc_connections_idle(struct rpc_connections *table, uint64_t before_us,
                            uint32_t *out, size_t max);
size_t rpc_connections_count(struct rpc_connections *table);
size_t rpc_connections_list(struct rpc_connections *table, struct rpc_connection_info *out,
                            size_t max);

#endif /* RPC_CONNECTIONS_H */
