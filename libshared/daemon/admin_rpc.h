/*
 * admin_rpc.h - AdminService: what an operator asks a running daemon.
 *
 * The rows serve one process, so what they show is set up once for the process.
 */
#ifndef DAEMON_ADMIN_RPC_H
#define DAEMON_ADMIN_RPC_H

#include "daemon/configuration.h"
#include "rpc/method.h"
#include "rpc/server.h"

extern const struct rpc_method admin_rpc_methods[];

/* Before the first server opens. Both are kept, not copied. */
void admin_rpc_setup(const char *service_name, const struct configuration *configuration);

/* Show this server too; the first one is the main one, whose methods are listed. Until then
 * methods that need a server answer ST_UNAVAILABLE. */
void admin_rpc_add_server(struct rpc_server *server);

/* Forget the servers: before they are closed. */
void admin_rpc_remove_servers(void);

#endif /* DAEMON_ADMIN_RPC_H */
