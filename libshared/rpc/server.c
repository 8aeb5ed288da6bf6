#include "rpc/server.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/parse.h"
#include "core/rng.h"
#include "core/thread.h"
#include "rpc/nng_error.h"
#include "rpc/server_impl.h"
#include "rpc/socket_close.h"

#define KEEPER_PERIOD_MS 1000
#define DRAIN_STEP_MS    2
#define DRAIN_PAUSE_MS   250 /* replies leave; nng_close would drop them */

#define CONTEXTS_MAX 4096u

/* Contexts beyond the admission limit, so that refusals can always be answered. */
static unsigned spare_slots(unsigned contexts)
{
    return 8 + contexts / 16;
}

/* ---- options ---- */

static void fill_unsigned(unsigned *field, unsigned fallback)
{
    if (*field == 0)
        *field = fallback;
}

static void fill_size(size_t *field, size_t fallback)
{
    if (*field == 0)
        *field = fallback;
}

static void fill_ms(uint64_t *field, uint64_t fallback)
{
    if (*field == 0)
        *field = fallback;
}

static void fill_defaults(struct rpc_server_options *options)
{
    fill_unsigned(&options->contexts, 256);
    fill_unsigned(&options->workers, 16);
    fill_unsigned(&options->queue_limit, options->contexts);
    fill_unsigned(&options->inflight_per_connection, 128);
    fill_unsigned(&options->connections, 1024);
    fill_unsigned(&options->connections_per_address, 256);
    fill_size(&options->request_bytes, (size_t)1024 * 1024);
    fill_size(&options->reply_bytes, (size_t)4 * 1024 * 1024);
    fill_size(&options->arena_bytes, (size_t)16 * 1024 * 1024);
    fill_ms(&options->default_timeout_ms, 30000);
    fill_ms(&options->send_timeout_ms, 5000);
    fill_ms(&options->idle_connection_ms, 600000);
}

static enum status check_options(const struct rpc_server_options *options,
                                 struct error *err)
{
    if (options->contexts > CONTEXTS_MAX)
        return error_set(err, ST_INVALID, "%u contexts are more than %u", options->contexts,
                         CONTEXTS_MAX);
    if (options->send_timeout_ms > INT32_MAX)
        return error_set(err, ST_INVALID, "send timeout is too long");
    return ST_OK;
}

/* ---- what jobs ask their owner for ---- */

static void run_on_worker(void *context, struct rpc_job *job)
{
    struct rpc_server *server = context;

    rpc_workers_resume(&server->workers, job);
}

static bool has_service(void *context, const char *name)
{
    const struct rpc_server *server = context;

    return strcmp(name, server->options.name) == 0 ||
           rpc_registry_has_service(&server->registry, name);
}

static bool is_ready(void *context, struct error *why_not)
{
    const struct rpc_server *server = context;

    if (server->options.is_ready == NULL)
        return true;
    return server->options.is_ready(server->options.ready_context, why_not);
}

/* ---- opening ---- */

static void open_parts(struct rpc_server *server)
{
    const struct rpc_server_options *options = &server->options;
    uint8_t id[OP_ID_SIZE];

    rng_system_bytes(id, sizeof(id));
    parse_format_hex(server->instance_id, id, sizeof(id));
    server->admission.limit = options->contexts;
    server->idempotency = rpc_idempotency_new((struct rpc_idempotency_options){0});
    server->connections = rpc_connections_new((struct rpc_connections_options){
        .max = options->connections,
        .max_per_address = options->connections_per_address,
        .max_inflight = options->inflight_per_connection,
    });
    server->jobs = rpc_jobs_new(
        (struct rpc_jobs_owner){
            .context = server,
            .run = run_on_worker,
            .answer = rpc_server_answer,
            .release = rpc_server_release,
            .has_service = has_service,
            .is_ready = is_ready,
        },
        options->arena_bytes);
    server->dispatcher = (struct rpc_dispatcher){
        .registry = &server->registry,
        .admission = &server->admission,
        .idempotency = server->idempotency,
        .jobs = server->jobs,
        .service = options->service,
        .authenticate = options->authenticate,
        .authenticate_context = options->authenticate_context,
        .default_timeout_us = options->default_timeout_ms * (uint64_t)CLOCK_US_PER_MS,
        .request_bytes = options->request_bytes,
    };
    server->slot_count = options->contexts + spare_slots(options->contexts);
    rpc_workers_start(&server->workers, &(struct rpc_workers_options){
                                            .threads = options->workers,
                                            .limit = options->queue_limit,
                                            .jobs_max = server->slot_count,
                                            .run = rpc_server_work,
                                            .context = server,
                                        });
}

static enum status open_socket(struct rpc_server *server, struct error *err)
{
    const struct rpc_server_options *options = &server->options;
    struct rpc_tls_files tls = {options->tls_ca_file, options->tls_cert_file,
                                options->tls_key_file};
    unsigned slots = server->slot_count;
    enum status st;
    int number;

    server->slot_count = 0; /* none is open yet */
    number = nng_rep0_open(&server->socket);
    if (number != 0)
        return rpc_nng_error(err, number, "server socket");
    server->has_socket = true;
    /* Before the listener: later it would not reach connections. */
    number = nng_socket_set_size(server->socket, NNG_OPT_RECVMAXSZ, options->request_bytes);
    if (number != 0)
        return rpc_nng_error(err, number, "largest request");
    st = rpc_server_watch_pipes(server, err);
    if (st != ST_OK)
        return st;
    server->slot_count = slots;
    st = rpc_server_open_slots(server, err);
    if (st != ST_OK)
        return st;
    return rpc_listener_open(&server->listener, server->socket, options->listen_url, &tls,
                             err);
}

static void *keep(void *argument)
{
    struct rpc_server *server = argument;

    while (!atomic_load_explicit(&server->is_stopping, memory_order_acquire)) {
        uint64_t now_us = clock_mono_us();
        uint64_t until_us = rpc_jobs_sweep(server->jobs, now_us);
        uint64_t period_us = clock_deadline_ms(KEEPER_PERIOD_MS);
        struct rpc_server_load load;

        rpc_server_close_idle(server, now_us);
        rpc_server_load(server, &load);
        stats_set(&server->metrics[RPC_METRIC_INFLIGHT], load.inflight);
        stats_set(&server->metrics[RPC_METRIC_QUEUE], load.queued);
        rpc_jobs_wait(server->jobs, until_us < period_us ? until_us : period_us);
    }
    return NULL;
}

static void start_threads(struct rpc_server *server)
{
    thread_start(&server->keeper, "rpc-keeper", 0, keep, server);
    server->has_keeper = true;
    if (!server->options.guard)
        return;
    server->guard = rpc_guard_start(&(struct rpc_guard_options){
        .name = server->options.name,
        .probe = rpc_server_probe,
        .restart = rpc_server_restart,
        .on_failure = server->options.on_guard_failure,
        .context = server,
        .failure_context = server->options.guard_context,
        .restarts = &server->metrics[RPC_METRIC_GUARD_RESTARTS],
    });
}

enum status rpc_server_open(struct rpc_server **out,
                            const struct rpc_server_options *options, struct error *err)
{
    struct rpc_server *server = mem_alloc(sizeof(*server));
    enum status st;

    server->options = *options;
    server->listener.lock_fd = -1;
    fill_defaults(&server->options);
    st = check_options(&server->options, err);
    if (st == ST_OK)
        st = rpc_registry_init(&server->registry, options->name, options->tables,
                               options->table_count, err);
    if (st != ST_OK) {
        mem_free(server);
        return st;
    }
    server->options.name = mem_strdup(options->name);
    rpc_server_open_metrics(server);
    open_parts(server);
    st = open_socket(server, err);
    if (st != ST_OK) {
        rpc_server_close(server);
        return st;
    }
    start_threads(server);
    *out = server;
    return ST_OK;
}

/* ---- while it runs ---- */

const char *rpc_server_url(const struct rpc_server *server)
{
    return server->listener.url;
}

const char *rpc_server_instance_id(const struct rpc_server *server)
{
    return server->instance_id;
}

void rpc_server_load(const struct rpc_server *server, struct rpc_server_load *out)
{
    out->inflight = atomic_load_explicit(&server->admission.inflight, memory_order_relaxed);
    out->limit = server->admission.limit;
    out->queued = rpc_workers_waiting(&server->workers);
    out->draining =
        atomic_load_explicit(&server->dispatcher.is_draining, memory_order_relaxed);
}

size_t rpc_server_methods(const struct rpc_server *server,
                          const struct rpc_method_info **out)
{
    *out = server->registry.infos;
    return server->registry.count;
}

size_t rpc_server_connections(struct rpc_server *server, struct rpc_connection_info *out,
                              size_t max)
{
    return rpc_connections_list(server->connections, out, max);
}

/* ---- the end ---- */

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&pause, NULL);
}

static bool has_work(const struct rpc_server *server)
{
    uint32_t inflight =
        atomic_load_explicit(&server->admission.inflight, memory_order_relaxed);

    /* Orphans have had their answer; they only wait for a holder to let go. */
    return inflight > rpc_jobs_orphans(server->jobs);
}

bool rpc_server_drain(struct rpc_server *server, uint64_t deadline_us)
{
    atomic_store_explicit(&server->dispatcher.is_draining, true, memory_order_release);
    while (has_work(server) && clock_mono_us() < deadline_us)
        pause_ms(DRAIN_STEP_MS);
    pause_ms(DRAIN_PAUSE_MS);
    return !has_work(server);
}

static void close_name(struct rpc_server *server)
{
    union {
        const char *in;
        char *out;
    } name = {.in = server->options.name};

    mem_free(name.out);
}

void rpc_server_close(struct rpc_server *server)
{
    if (server == NULL)
        return;
    rpc_guard_stop(server->guard);
    rpc_server_stop_receiving(server);
    rpc_jobs_wake(server->jobs);
    if (server->has_keeper)
        thread_join(server->keeper);
    rpc_jobs_close(server->jobs);
    rpc_workers_stop(&server->workers);
    rpc_server_close_slots(server);
    rpc_listener_done(&server->listener);
    rpc_server_close_metrics(server);
    if (server->has_socket && !rpc_socket_close(server->socket))
        return; /* its callbacks may still come */
    rpc_jobs_release(server->jobs);
    rpc_connections_free(server->connections);
    rpc_idempotency_free(server->idempotency);
    rpc_registry_done(&server->registry);
    close_name(server);
    mem_free(server);
}
