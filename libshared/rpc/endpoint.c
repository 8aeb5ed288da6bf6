#include "rpc/endpoint.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "rpc/nng_error.h"
#include "rpc/socket_close.h"

#define RECONNECT_MIN_MS 100
#define RECONNECT_MAX_MS 5000
#define TIMEOUTS_MAX     5 /* in a row: the connection is no good */
#define LONELY_MAX_US    ((uint64_t)10 * 1000 * 1000)
#define NOT_NOW          RPC_ENDPOINT_POOR
#define NOT_CONNECTED    (2 * RPC_ENDPOINT_POOR)

static enum status start_dialer(struct rpc_endpoint *endpoint, struct error *err)
{
    nng_tls_config *config;
    char host[RPC_URL_SIZE];
    nng_dialer dialer;
    enum status st = ST_OK;
    int number = nng_dialer_create(&dialer, endpoint->socket, endpoint->url);

    if (number != 0)
        return rpc_nng_error(err, number, endpoint->url);
    if (rpc_tls_is_url(endpoint->url)) {
        if (!rpc_tls_host(host, sizeof(host), endpoint->url))
            st = error_set(err, ST_INVALID, "no host in '%s'", endpoint->url);
        else
            st = rpc_tls_client(&config, &endpoint->tls, host, err);
        if (st == ST_OK) {
            (void)nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, config);
            nng_tls_config_free(config);
        }
    }
    (void)nng_dialer_set_bool(dialer, NNG_OPT_TCP_KEEPALIVE, true);
    if (st == ST_OK) {
        number = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
        if (number != 0)
            st = rpc_nng_error(err, number, endpoint->url);
    }
    if (st != ST_OK) {
        (void)nng_dialer_close(dialer);
        return st;
    }
    endpoint->dialer = dialer;
    endpoint->lonely_since_us = clock_mono_us();
    return ST_OK;
}

/* Runs under nng's socket lock. A dialer has one connection at a time. */
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
    struct rpc_endpoint *endpoint = argument;
    int id = nng_pipe_id(pipe);

    if (event == NNG_PIPE_EV_ADD_POST)
        atomic_store(&endpoint->pipe, id);
    else
        atomic_compare_exchange_strong(&endpoint->pipe, &id, 0);
}

static int set_options(struct rpc_endpoint *endpoint,
                       const struct rpc_endpoint_options *options)
{
    nng_socket socket = endpoint->socket;
    int number = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, options->reply_bytes);

    /* Never send a request twice: retries are ours to decide. */
    if (number == 0)
        number = nng_socket_set_ms(socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    if (number == 0)
        number = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (number == 0)
        number = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    if (number == 0)
        number = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, on_pipe, endpoint);
    if (number == 0)
        number = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, on_pipe, endpoint);
    return number;
}

enum status rpc_endpoint_open(struct rpc_endpoint *out,
                              const struct rpc_endpoint_options *options, struct error *err)
{
    enum status st = ST_OK;
    int number;

    if (strlen(options->url) >= sizeof(out->url) || strncmp(options->url, "ws", 2) == 0)
        return error_set(err, ST_INVALID, "'%s' is no address to call", options->url);
    *out = (struct rpc_endpoint){.tls = options->tls, .idle_room = options->contexts};
    snprintf(out->url, sizeof(out->url), "%s", options->url);
    number = nng_req0_open(&out->socket);
    if (number != 0)
        return rpc_nng_error(err, number, "client socket");
    mutex_init(&out->mutex);
    rpc_budget_init(&out->budget);
    out->idle = mem_alloc_array(options->contexts, sizeof(*out->idle));
    number = set_options(out, options);
    if (number != 0)
        st = rpc_nng_error(err, number, out->url);
    if (st == ST_OK)
        st = start_dialer(out, err);
    if (st != ST_OK)
        (void)!rpc_endpoint_close(out); /* without a connection it closes */
    return st;
}

bool rpc_endpoint_close(struct rpc_endpoint *endpoint)
{
    for (unsigned i = 0; i < endpoint->idle_count; i++)
        (void)nng_ctx_close(endpoint->idle[i]);
    endpoint->idle_count = 0;
    if (!rpc_socket_close(endpoint->socket))
        return false;
    mem_free(endpoint->idle);
    mutex_done(&endpoint->mutex);
    return true;
}

void rpc_endpoint_enter(struct rpc_endpoint *endpoint)
{
    atomic_fetch_add_explicit(&endpoint->inflight, 1, memory_order_relaxed);
}

void rpc_endpoint_leave(struct rpc_endpoint *endpoint)
{
    atomic_fetch_sub_explicit(&endpoint->inflight, 1, memory_order_relaxed);
}

enum status rpc_endpoint_take(struct rpc_endpoint *endpoint, nng_ctx *out,
                              struct error *err)
{
    bool has_one;
    int number = 0;

    mutex_lock(&endpoint->mutex);
    has_one = endpoint->idle_count > 0;
    if (has_one)
        *out = endpoint->idle[--endpoint->idle_count];
    mutex_unlock(&endpoint->mutex);
    if (!has_one)
        number = nng_ctx_open(out, endpoint->socket);
    if (number != 0)
        return rpc_nng_error(err, number, endpoint->url);
    return ST_OK;
}

void rpc_endpoint_give(struct rpc_endpoint *endpoint, nng_ctx ctx)
{
    bool is_kept;

    mutex_lock(&endpoint->mutex);
    is_kept = endpoint->idle_count < endpoint->idle_room;
    if (is_kept)
        endpoint->idle[endpoint->idle_count++] = ctx;
    mutex_unlock(&endpoint->mutex);
    if (!is_kept)
        (void)nng_ctx_close(ctx);
}

bool rpc_endpoint_is_connected(const struct rpc_endpoint *endpoint)
{
    return atomic_load(&endpoint->pipe) != 0;
}

unsigned rpc_endpoint_load(const struct rpc_endpoint *endpoint, uint64_t now_us)
{
    unsigned load = atomic_load_explicit(&endpoint->inflight, memory_order_relaxed);

    if (atomic_load_explicit(&endpoint->avoid_until_us, memory_order_relaxed) > now_us)
        load += NOT_NOW;
    if (!rpc_endpoint_is_connected(endpoint))
        load += NOT_CONNECTED;
    return load;
}

void rpc_endpoint_avoid(struct rpc_endpoint *endpoint, uint64_t until_us)
{
    atomic_store_explicit(&endpoint->avoid_until_us, until_us, memory_order_relaxed);
}

void rpc_endpoint_note_answer(struct rpc_endpoint *endpoint)
{
    atomic_store_explicit(&endpoint->timeouts, 0, memory_order_relaxed);
}

void rpc_endpoint_note_timeout(struct rpc_endpoint *endpoint)
{
    atomic_fetch_add_explicit(&endpoint->timeouts, 1, memory_order_relaxed);
}

void rpc_endpoint_tend(struct rpc_endpoint *endpoint, uint64_t now_us)
{
    struct error ignored = ERROR_NONE;
    nng_pipe pipe = {.id = (uint32_t)atomic_load(&endpoint->pipe)};

    if (pipe.id != 0) {
        endpoint->lonely_since_us = now_us;
        if (atomic_load(&endpoint->timeouts) < TIMEOUTS_MAX)
            return;
        /* Half-open, or a server that accepts and never answers: connect anew. */
        atomic_store(&endpoint->timeouts, 0);
        (void)nng_pipe_close(pipe);
        return;
    }
    if (now_us - endpoint->lonely_since_us < LONELY_MAX_US)
        return;
    /* nng before 1.10 can stop dialling for ever when a server leaves at a bad moment. */
    (void)nng_dialer_close(endpoint->dialer);
    if (start_dialer(endpoint, &ignored) != ST_OK)
        endpoint->lonely_since_us = now_us; /* tried again after the next wait */
}
