#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "rpc/nng_error.h"
#include "rpc/server_impl.h"

#define IDLE_AT_ONCE 64

static void format_peer(char address[RPC_ADDRESS_SIZE], char peer[RPC_ADDRESS_SIZE],
                        nng_pipe pipe)
{
    nng_sockaddr remote;
    uint64_t process = 0;

    snprintf(address, RPC_ADDRESS_SIZE, "local");
    snprintf(peer, RPC_ADDRESS_SIZE, "local");
    if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &remote) != 0)
        return;
    if (remote.s_family == NNG_AF_INET) {
        inet_ntop(AF_INET, &remote.s_in.sa_addr, address, RPC_ADDRESS_SIZE);
        snprintf(peer, RPC_ADDRESS_SIZE, "%.40s:%u", address,
                 (unsigned)ntohs(remote.s_in.sa_port));
    } else if (remote.s_family == NNG_AF_INET6) {
        inet_ntop(AF_INET6, remote.s_in6.sa_addr, address, RPC_ADDRESS_SIZE);
        snprintf(peer, RPC_ADDRESS_SIZE, "[%.46s]:%u", address,
                 (unsigned)ntohs(remote.s_in6.sa_port));
    } else if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &process) == 0) {
        snprintf(peer, RPC_ADDRESS_SIZE, "pid %" PRIu64, process);
    }
}

/* Runs under nng's socket lock: nothing but nng_pipe_ functions may be called. */
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
    struct rpc_server *server = argument;
    uint32_t id = (uint32_t)nng_pipe_id(pipe);
    char address[RPC_ADDRESS_SIZE];
    char peer[RPC_ADDRESS_SIZE];

    if (event == NNG_PIPE_EV_ADD_PRE) {
        format_peer(address, peer, pipe);
        if (!rpc_connections_add(server->connections, id, address, peer, clock_mono_us())) {
            stats_add(&server->metrics[RPC_METRIC_CONNECTIONS_REFUSED], 1);
            (void)nng_pipe_close(pipe);
        }
    } else {
        rpc_jobs_disconnect(server->jobs, id);
        rpc_connections_remove(server->connections, id);
    }
    stats_set(&server->metrics[RPC_METRIC_CONNECTIONS],
              (int64_t)rpc_connections_count(server->connections));
}

enum status rpc_server_watch_pipes(struct rpc_server *server, struct error *err)
{
    int number = nng_pipe_notify(server->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, server);

    if (number == 0)
        number = nng_pipe_notify(server->socket, NNG_PIPE_EV_REM_POST, on_pipe, server);
    return number == 0 ? ST_OK : rpc_nng_error(err, number, "watching connections");
}

void rpc_server_close_idle(struct rpc_server *server, uint64_t now_us)
{
    uint64_t idle_us = server->options.idle_connection_ms * (uint64_t)CLOCK_US_PER_MS;
    uint32_t ids[IDLE_AT_ONCE];
    size_t count;

    if (now_us < idle_us)
        return;
    count = rpc_connections_idle(server->connections, now_us - idle_us, ids, COUNT_OF(ids));
    for (size_t i = 0; i < count; i++) {
        nng_pipe pipe = {.id = ids[i]};

        stats_add(&server->metrics[RPC_METRIC_CONNECTIONS_IDLE], 1);
        (void)nng_pipe_close(pipe);
    }
}
