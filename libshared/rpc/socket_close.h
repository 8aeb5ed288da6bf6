/*
 * socket_close.h - nng_close with an end.
 *
 * When a message arrives in the instant a connection is closed from this side, nng 1.5 can
 * forget to finish the receive, and its reaper waits for that for ever; so does nng_close.
 * Nothing in the process cures it, and processes close sockets when they end. So the wait is
 * bounded, and what the socket's callbacks use is then left as it is.
 */
#ifndef RPC_SOCKET_CLOSE_H
#define RPC_SOCKET_CLOSE_H

#include <nng/nng.h>
#include <stdbool.h>

#include "core/base.h"

/* False: not closed within two seconds (logged). Memory that pipe callbacks of the socket
 * use must not be freed then. */
bool rpc_socket_close(nng_socket socket) MUST_USE;

#endif /* RPC_SOCKET_CLOSE_H */
