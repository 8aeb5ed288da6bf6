#include "rpc/client.h"

#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "rpc/client_impl.h"

#define KEEPER_PERIOD_MS    1000
#define IDLE_CONTEXTS_MAX   256
#define CANCELS_PATIENCE_MS 200

/* ---- choosing ---- */

uint64_t rpc_client_dice(struct rpc_client *client)
{
    /* SplitMix64 over a shared counter: good enough to choose with, and no lock. */
    uint64_t z =
        atomic_fetch_add_explicit(&client->dice, 0x9e3779b97f4a7c15u, memory_order_relaxed);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The endpoint of the failed attempt before is the last choice among equals. */
static unsigned score(const struct rpc_endpoint *endpoint, const struct rpc_endpoint *last,
                      uint64_t now_us)
{
    unsigned load = rpc_endpoint_load(endpoint, now_us);

    return endpoint == last ? load + RPC_ENDPOINT_POOR : load;
}

struct rpc_endpoint *rpc_client_pick(struct rpc_client *client,
                                     const struct rpc_endpoint *last, uint64_t now_us)
{
    unsigned count = client->endpoint_count;
    uint64_t dice = count == 1 ? 0 : rpc_client_dice(client);
    unsigned first = (unsigned)(dice % count);
    struct rpc_endpoint *best = &client->endpoints[first];
    unsigned best_score = score(best, last, now_us);

    for (unsigned i = 1; i < count; i++) {
        struct rpc_endpoint *other =
            &client->endpoints[(first + i + (dice >> 32) % (count - 1)) % count];
        unsigned other_score = score(other, last, now_us);

        if (other_score < best_score) {
            best = other;
            best_score = other_score;
        }
        if (best_score < RPC_ENDPOINT_POOR)
            break; /* two were compared and one is good: no need to look at all */
    }
    return best;
}

/* ---- the pool of calls ---- */

enum status rpc_client_acquire(struct rpc_client *client, struct rpc_client_call **out,
                               bool is_cancel_frame, struct error *err)
{
    enum status st = ST_OK;

    mutex_lock(&client->mutex);
    if (client->is_closing) {
        st = error_set(err, ST_CANCELLED, "the client closes");
    } else if (client->idle_count > 0) {
        *out = client->idle[--client->idle_count];
    } else if (client->call_count < client->options.inflight_limit) {
        *out = rpc_client_call_new(client);
        client->calls[client->call_count++] = *out;
    } else {
        error_set(err, ST_EXHAUSTED, "%u calls are in flight already",
                  client->options.inflight_limit);
        st = error_reason(err, "CLIENT_LIMIT");
    }
    if (st == ST_OK) {
        atomic_fetch_add(&client->starting, 1);
        client->cancels += is_cancel_frame;
        (*out)->is_cancel_frame = is_cancel_frame;
    }
    mutex_unlock(&client->mutex);
    return st;
}

void rpc_client_started(struct rpc_client *client)
{
    /* Whoever closes sets is_closing and then reads `starting`; here it is the other way
     * round, so that one of the two sees the other. */
    atomic_fetch_sub(&client->starting, 1);
    if (!atomic_load(&client->is_closing))
        return;
    mutex_lock(&client->mutex);
    condition_broadcast(&client->changed);
    mutex_unlock(&client->mutex);
}

void rpc_client_release(struct rpc_client_call *call)
{
    struct rpc_client *client = call->client;

    arena_reset(&call->own_arena);
    mutex_lock(&client->mutex);
    call->state = RPC_CALL_IDLE;
    client->cancels -= call->is_cancel_frame;
    client->idle[client->idle_count++] = call;
    if (client->is_closing)
        condition_broadcast(&client->changed);
    mutex_unlock(&client->mutex);
}

/* ---- calling ---- */

void rpc_client_start(struct rpc_client *client, const struct rpc_call_options *options,
                      const ProtobufCMessage *request, rpc_done done, void *context)
{
    struct rpc_outcome nothing = {.attempts = 0};
    struct error err = ERROR_NONE;
    struct rpc_client_call *call;
    enum status st = rpc_client_acquire(client, &call, false, &err);

    if (st == ST_OK) {
        st = rpc_client_call_prepare(call, options, request, &err);
        if (st != ST_OK)
            rpc_client_release(call);
        else {
            call->arena = &call->own_arena;
            call->done = done;
            call->done_context = context;
            rpc_client_call_run(call);
        }
        rpc_client_started(client);
    }
    if (st != ST_OK)
        done(context, st, NULL, &nothing, &err);
}

static enum status wait_for(struct rpc_client_call *call, ProtobufCMessage **reply,
                            struct rpc_outcome *outcome, struct error *err)
{
    enum status st;

    mutex_lock(&call->mutex);
    while (!call->is_over)
        condition_wait(&call->over, &call->mutex);
    mutex_unlock(&call->mutex);
    st = call->error.status;
    if (outcome != NULL)
        *outcome = call->outcome;
    if (st == ST_OK)
        *reply = call->reply;
    else
        *err = call->error;
    rpc_client_release(call);
    return st;
}

enum status rpc_client_call(struct rpc_client *client,
                            const struct rpc_call_options *options,
                            const ProtobufCMessage *request, struct arena *arena,
                            ProtobufCMessage **reply, struct rpc_outcome *outcome,
                            struct error *err)
{
    struct rpc_client_call *call;
    enum status st = rpc_client_acquire(client, &call, false, err);

    if (outcome != NULL)
        *outcome = (struct rpc_outcome){.attempts = 0};
    if (st != ST_OK)
        return st;
    st = rpc_client_call_prepare(call, options, request, err);
    if (st != ST_OK) {
        rpc_client_release(call);
        rpc_client_started(client);
        return st;
    }
    call->arena = arena;
    call->done = NULL;
    rpc_client_call_run(call);
    rpc_client_started(client);
    return wait_for(call, reply, outcome, err);
}

bool rpc_client_is_connected(struct rpc_client *client)
{
    for (unsigned i = 0; i < client->endpoint_count; i++) {
        if (rpc_endpoint_is_connected(&client->endpoints[i]))
            return true;
    }
    return false;
}

/* ---- opening and closing ---- */

static void fill_defaults(struct rpc_client_options *options)
{
    if (options->fail_fast_ms == 0)
        options->fail_fast_ms = 1000;
    if (options->inflight_limit == 0)
        options->inflight_limit = 1024;
    if (options->reply_bytes == 0)
        options->reply_bytes = (size_t)4 * 1024 * 1024;
    if (options->request_bytes == 0)
        options->request_bytes = (size_t)1024 * 1024;
}

static enum status open_endpoints(struct rpc_client *client, struct error *err)
{
    struct rpc_endpoint_options options = {
        .tls = {client->options.tls_ca_file, client->options.tls_cert_file,
                client->options.tls_key_file},
        .reply_bytes = client->options.reply_bytes,
        .contexts = client->options.inflight_limit < IDLE_CONTEXTS_MAX
                        ? client->options.inflight_limit
                        : IDLE_CONTEXTS_MAX,
    };
    char *rest = client->endpoint_text;
    enum status st = ST_OK;

    while (st == ST_OK && (options.url = strsep(&rest, ",")) != NULL) {
        if (client->endpoint_count == RPC_ENDPOINTS_MAX)
            return error_set(err, ST_INVALID, "more than %d endpoints", RPC_ENDPOINTS_MAX);
        st = rpc_endpoint_open(&client->endpoints[client->endpoint_count], &options, err);
        if (st == ST_OK)
            client->endpoint_count++;
    }
    return st;
}

static void *keep(void *argument)
{
    struct rpc_client *client = argument;
    bool is_closing = false;

    while (!is_closing) {
        uint64_t until_us = clock_deadline_ms(KEEPER_PERIOD_MS);
        uint64_t now_us;

        mutex_lock(&client->mutex);
        while (!client->is_closing &&
               condition_wait_until(&client->changed, &client->mutex, until_us)) {}
        is_closing = client->is_closing;
        mutex_unlock(&client->mutex);
        now_us = clock_mono_us();
        for (unsigned i = 0; i < client->endpoint_count && !is_closing; i++)
            rpc_endpoint_tend(&client->endpoints[i], now_us);
    }
    return NULL;
}

enum status rpc_client_open(struct rpc_client **out,
                            const struct rpc_client_options *options, struct error *err)
{
    struct rpc_client *client = mem_alloc(sizeof(*client));
    enum status st;

    client->options = *options;
    fill_defaults(&client->options);
    client->endpoint_text = mem_strdup(options->endpoints);
    client->bearer = mem_strdup(options->bearer == NULL ? "" : options->bearer);
    client->bearer_size = strlen(client->bearer);
    atomic_init(&client->dice, rng_system_u64());
    mutex_init(&client->mutex);
    condition_init(&client->changed);
    client->calls =
        mem_alloc_array(client->options.inflight_limit, sizeof(struct rpc_client_call *));
    client->idle =
        mem_alloc_array(client->options.inflight_limit, sizeof(struct rpc_client_call *));
    st = open_endpoints(client, err);
    if (st != ST_OK) {
        rpc_client_close(client);
        return st;
    }
    thread_start(&client->keeper, "rpc-client", 0, keep, client);
    client->has_keeper = true;
    *out = client;
    return ST_OK;
}

static void end_calls(struct rpc_client *client)
{
    static const struct timespec settle = {.tv_nsec = 20 * 1000 * 1000};
    uint64_t until_us = clock_deadline_ms(CANCELS_PATIENCE_MS);
    bool was_busy;

    mutex_lock(&client->mutex);
    client->is_closing = true;
    condition_broadcast(&client->changed);
    while (atomic_load(&client->starting) > 0)
        condition_wait(&client->changed, &client->mutex);
    /* Answers to cancel frames are on their way: better not to meet them while closing
     * (socket_close.h says why). */
    while (client->cancels > 0 &&
           condition_wait_until(&client->changed, &client->mutex, until_us)) {}
    was_busy = client->idle_count < client->call_count;
    mutex_unlock(&client->mutex);
    /* No call starts any more, so the array stands still. */
    for (unsigned i = 0; i < client->call_count; i++) {
        nng_aio_stop(client->calls[i]->aio);
        rpc_client_call_abort(client->calls[i]);
    }
    if (was_busy)
        (void)nanosleep(&settle, NULL); /* what is on its way passes by: socket_close.h */
    mutex_lock(&client->mutex);
    while (client->idle_count < client->call_count)
        condition_wait(&client->changed, &client->mutex);
    mutex_unlock(&client->mutex);
}

void rpc_client_close(struct rpc_client *client)
{
    bool all_closed = true;

    if (client == NULL)
        return;
    end_calls(client);
    if (client->has_keeper)
        thread_join(client->keeper);
    for (unsigned i = 0; i < client->call_count; i++)
        rpc_client_call_free(client->calls[i]);
    for (unsigned i = 0; i < client->endpoint_count; i++)
        all_closed &= rpc_endpoint_close(&client->endpoints[i]);
    if (!all_closed)
        return; /* their callbacks may still come */
    mem_free(client->calls);
    mem_free(client->idle);
    condition_done(&client->changed);
    mutex_done(&client->mutex);
    mem_free_secret(client->bearer, client->bearer_size);
    mem_free(client->endpoint_text);
    mem_free(client);
}
