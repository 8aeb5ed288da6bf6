#include <errno.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "rpc/nng_error.h"
#include "rpc/reply.h"
#include "rpc/server_impl.h"

/* A request's message larger than this is freed before the handler runs; a smaller one is
 * kept to carry the answer. */
#define KEEP_MESSAGE_BYTES ((size_t)16 * 1024)

#define TIMER_MARGIN_US 3000 /* nng counts milliseconds */

static void post_receive(struct rpc_slot *slot)
{
    nng_ctx_recv(slot->ctx, slot->receive);
}

/* ---- answering ---- */

void rpc_server_release(void *context, struct rpc_job *job)
{
    struct rpc_server *server = context;

    if (job->claim != NULL)
        rpc_idempotency_drop(server->idempotency, job->claim);
    job->claim = NULL;
    if (job->is_admitted)
        rpc_admission_leave(&server->admission);
    job->is_admitted = false;
    if (job->connection != NULL)
        rpc_connections_leave(server->connections, job->connection);
    job->connection = NULL;
}

/* The message to answer with: the request's own, or a new one. */
static nng_msg *take_message(struct rpc_slot *slot, size_t size)
{
    nng_msg *message = slot->message;

    slot->message = NULL;
    if (message != NULL) {
        nng_msg_clear(message);
        if (nng_msg_realloc(message, size) == 0)
            return message;
        nng_msg_free(message);
    }
    if (nng_msg_alloc(&message, size) != 0)
        log_abort("rpc: out of memory for a reply", ENOMEM);
    return message;
}

void rpc_server_answer(void *context, struct rpc_job *job)
{
    struct rpc_server *server = context;
    struct rpc_slot *slot = job->slot;
    struct rpc_reply_options options = {
        .instance_id = server->instance_id,
        .reply_bytes = server->options.reply_bytes,
        .idempotency = server->idempotency,
    };
    uint64_t now_us = clock_mono_us();
    struct rpc_reply reply;
    nng_msg *message;

    if (job->is_tracked)
        rpc_jobs_untrack(job);
    slot->job = job; /* not the one that received, when that was abandoned */
    rpc_server_load(server, &options.load);
    rpc_reply_make(&reply, job, &options, now_us);
    message = take_message(slot, reply.size);
    rpc_frame_write(&reply.frame, nng_msg_body(message));
    rpc_server_note(server, job, now_us);
    rpc_server_release(server, job);
    nng_aio_set_msg(slot->send, message);
    slot->send_due_us =
        now_us + server->options.send_timeout_ms * (uint64_t)CLOCK_US_PER_MS;
    nng_ctx_send(slot->ctx, slot->send);
}

static void on_sent(void *argument)
{
    struct rpc_slot *slot = argument;
    int number = nng_aio_result(slot->send);
    bool was_settling = slot->is_settling;
    nng_msg *unsent = nng_aio_get_msg(slot->send);

    slot->is_settling = false;
    /* After a sleep nng 1.5 reports a time-out as success; the message tells. */
    if (unsent != NULL) {
        nng_msg_free(unsent);
        nng_aio_set_msg(slot->send, NULL);
        stats_add(&slot->server->metrics[RPC_METRIC_LOST_REPLIES], 1);
    }
    if (atomic_load_explicit(&slot->server->is_stopping, memory_order_acquire))
        return;
    /* The timer thread may still have the send in its hand: client_call.c says at end(). */
    if (!was_settling && number == 0 &&
        clock_mono_us() + TIMER_MARGIN_US >= slot->send_due_us) {
        slot->is_settling = true;
        nng_sleep_aio(0, slot->send);
        return;
    }
    post_receive(slot);
}

/* ---- receiving ---- */

static void run(struct rpc_server *server, struct rpc_job *job)
{
    if (rpc_dispatch_run(job))
        rpc_server_answer(server, job);
}

void rpc_server_work(void *context, struct rpc_job *job)
{
    run(context, job);
}

static void queue_job(struct rpc_server *server, struct rpc_job *job)
{
    rpc_jobs_track(job);
    if (rpc_workers_offer(&server->workers, job))
        return;
    error_set(&job->outcome, ST_EXHAUSTED, "overloaded: %u requests wait for a worker",
              (unsigned)server->workers.limit);
    job->outcome.retry_after_ms = RPC_ADMISSION_RETRY_MS;
    error_reason(&job->outcome, "QUEUE_FULL");
    rpc_server_answer(server, job);
}

static enum rpc_verdict take_request(struct rpc_slot *slot)
{
    struct rpc_server *server = slot->server;
    struct rpc_job *job = slot->job;
    enum rpc_verdict verdict;

    rpc_job_reset(job);
    job->received_us = clock_mono_us();
    job->connection_id = nng_msg_get_pipe(slot->message).id;
    job->connection = rpc_connections_enter(server->connections, job->connection_id,
                                            job->received_us, &job->connection_has_room);
    verdict = rpc_dispatch_request(&server->dispatcher, job, nng_msg_body(slot->message),
                                   nng_msg_len(slot->message));
    if (nng_msg_len(slot->message) > KEEP_MESSAGE_BYTES) {
        nng_msg_free(slot->message);
        slot->message = NULL;
    }
    return verdict;
}

static void on_received(void *argument)
{
    struct rpc_slot *slot = argument;
    int number = nng_aio_result(slot->receive);

    if (number == NNG_ECLOSED || number == NNG_ECANCELED)
        return; /* the server closes */
    if (number != 0) {
        post_receive(slot);
        return;
    }
    slot->message = nng_aio_get_msg(slot->receive);
    nng_aio_set_msg(slot->receive, NULL);
    switch (take_request(slot)) {
    case RPC_VERDICT_ANSWER:
        rpc_server_answer(slot->server, slot->job);
        break;
    case RPC_VERDICT_INLINE:
        run(slot->server, slot->job);
        break;
    case RPC_VERDICT_QUEUE:
        queue_job(slot->server, slot->job);
        break;
    }
}

/* ---- opening and closing ---- */

static enum status open_slot(struct rpc_server *server, struct rpc_slot *slot,
                             struct error *err)
{
    int number = nng_ctx_open(&slot->ctx, server->socket);

    if (number != 0)
        return rpc_nng_error(err, number, "request context");
    slot->server = server;
    if (nng_aio_alloc(&slot->receive, on_received, slot) != 0 ||
        nng_aio_alloc(&slot->send, on_sent, slot) != 0)
        log_abort("rpc: out of memory for a request context", ENOMEM);
    nng_aio_set_timeout(slot->receive, NNG_DURATION_INFINITE);
    nng_aio_set_timeout(slot->send, (nng_duration)server->options.send_timeout_ms);
    slot->job = rpc_job_new(server->jobs);
    slot->job->slot = slot;
    return ST_OK;
}

enum status rpc_server_open_slots(struct rpc_server *server, struct error *err)
{
    unsigned count = server->slot_count;
    enum status st = ST_OK;

    server->slots = mem_alloc_array(count, sizeof(*server->slots));
    server->slot_count = 0;
    while (st == ST_OK && server->slot_count < count) {
        st = open_slot(server, &server->slots[server->slot_count], err);
        if (st == ST_OK)
            server->slot_count++;
    }
    for (unsigned i = 0; st == ST_OK && i < count; i++)
        post_receive(&server->slots[i]);
    return st;
}

void rpc_server_stop_receiving(struct rpc_server *server)
{
    atomic_store_explicit(&server->is_stopping, true, memory_order_release);
    for (unsigned i = 0; i < server->slot_count; i++)
        nng_aio_stop(server->slots[i].receive);
}

void rpc_server_close_slots(struct rpc_server *server)
{
    for (unsigned i = 0; i < server->slot_count; i++)
        nng_aio_stop(server->slots[i].send);
    for (unsigned i = 0; i < server->slot_count; i++) {
        struct rpc_slot *slot = &server->slots[i];

        (void)nng_ctx_close(slot->ctx);
        nng_aio_free(slot->receive);
        nng_aio_free(slot->send);
        if (slot->message != NULL)
            nng_msg_free(slot->message);
        rpc_job_free(slot->job);
    }
    mem_free(server->slots);
    server->slots = NULL;
    server->slot_count = 0;
}
