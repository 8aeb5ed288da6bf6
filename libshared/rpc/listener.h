/*
 * listener.h - one nng listener: its address, TLS, file lock, and starting it anew.
 *
 * tcp://host:port, tls+tcp://host:port, or ipc:///path in a folder of mode 0700. An ipc
 * address is guarded by a lock on "<path>.lock": nng probes a socket file by connecting to
 * it, which kills a live listener of nng before 1.10.
 */
#ifndef RPC_LISTENER_H
#define RPC_LISTENER_H

#include <nng/nng.h>
#include <stdint.h>

#include "core/error.h"
#include "rpc/tls.h"

#define RPC_URL_SIZE 256

struct rpc_listener {
    nng_socket socket;
    nng_listener listener;
    struct rpc_tls_files tls;
    char url[RPC_URL_SIZE];      /* as bound: a port 0 is resolved */
    char dial_url[RPC_URL_SIZE]; /* where this process reaches it */
    int lock_fd;                 /* -1: none */
};

MUST_USE enum status rpc_listener_open(struct rpc_listener *out, nng_socket socket,
                                       const char *url, const struct rpc_tls_files *tls,
                                       struct error *err);
/* Close the nng listener and start a new one on the same socket and address. Contexts and
 * pending receives stay; connections made through the old one are reset. */
MUST_USE enum status rpc_listener_restart(struct rpc_listener *listener, struct error *err);
/* Connect as a plain subscriber (no TLS) and wait until something is published: does the
 * listener still accept? */
bool rpc_listener_hears(const struct rpc_listener *listener, uint64_t timeout_ms);
/* Gives the file lock back; nng_close ends the listener itself. */
void rpc_listener_done(struct rpc_listener *listener);

#endif /* RPC_LISTENER_H */
