#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include "rpc/client_impl.h"
#include "rpc/retry.h"

#define CANCEL_TIMEOUT_MS  1000
#define TIMER_MARGIN_US    3000 /* nng counts milliseconds */
#define PAYLOAD_KEEP_BYTES ((size_t)64 * 1024)
/* Decoded messages are larger than their bytes; this bounds what a server can make us use. */
#define ARENA_PER_REPLY 16

static void on_event(void *argument);

struct rpc_client_call *rpc_client_call_new(struct rpc_client *client)
{
    struct rpc_client_call *call = mem_alloc(sizeof(*call));

    call->client = client;
    arena_init(&call->own_arena, client->options.reply_bytes * ARENA_PER_REPLY);
    mutex_init(&call->mutex);
    condition_init(&call->over);
    if (nng_aio_alloc(&call->aio, on_event, call) != 0)
        log_abort("rpc: out of memory for a call", ENOMEM);
    return call;
}

void rpc_client_call_free(struct rpc_client_call *call)
{
    nng_aio_free(call->aio);
    if (call->ctx_owner != NULL)
        rpc_endpoint_give(call->ctx_owner, call->ctx);
    arena_done(&call->own_arena);
    condition_done(&call->over);
    mutex_done(&call->mutex);
    mem_free(call->payload);
    mem_free(call);
}

/* Tell the server that nobody waits for the call any more. Nobody waits for the answer to
 * this either. */
static void ignore(void *context, enum status status, const ProtobufCMessage *reply,
                   const struct rpc_outcome *outcome, const struct error *err)
{
    (void)context;
    (void)status;
    (void)reply;
    (void)outcome;
    (void)err;
}

static void send_cancel(const struct rpc_client_call *given_up)
{
    struct rpc_client *client = given_up->client;
    struct error ignored = ERROR_NONE;
    struct rpc_client_call *call;

    if (given_up->is_cancel_frame ||
        rpc_client_acquire(client, &call, true, &ignored) != ST_OK)
        return;
    call->call_id = given_up->call_id;
    memcpy(call->method, given_up->method, sizeof(call->method));
    call->on_behalf_of[0] = '\0';
    call->traceparent[0] = '\0';
    call->key_size = 0;
    call->payload_size = 0;
    call->no_retry = true;
    call->priority = METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL;
    call->only = given_up->endpoint;
    call->started_us = clock_mono_us();
    call->deadline_us = clock_deadline_ms(CANCEL_TIMEOUT_MS);
    call->is_timer_near = false;
    call->was_executed = false;
    call->outcome = (struct rpc_outcome){.attempts = 0};
    call->reply = NULL;
    call->arena = &call->own_arena;
    call->done = ignore;
    rpc_client_call_run(call);
    rpc_client_started(client);
}

/* ---- the end ---- */

/* The attempt is over: the endpoint has one call less to answer. */
static void leave_endpoint(struct rpc_client_call *call)
{
    if (call->is_counted)
        rpc_endpoint_leave(call->endpoint);
    call->is_counted = false;
}

static void deliver(struct rpc_client_call *call)
{
    call->outcome.executed |= call->was_executed;
    call->outcome.elapsed_us = clock_mono_us() - call->started_us;
    call->state = RPC_CALL_OVER;
    leave_endpoint(call);
    if (call->payload_room > PAYLOAD_KEEP_BYTES) {
        mem_free(call->payload);
        call->payload = NULL;
        call->payload_room = 0;
    }
    if (call->done == NULL) {
        mutex_lock(&call->mutex);
        call->is_over = true;
        condition_signal(&call->over);
        mutex_unlock(&call->mutex);
        return; /* the waiting thread releases it */
    }
    call->done(call->done_context, call->error.status, call->reply, &call->outcome,
               &call->error);
    rpc_client_release(call);
}

/*
 * call->error and call->reply hold the result.
 *
 * nng 1.5's timer thread takes an operation that is due off its list, lets go of the lock,
 * and only then cancels it. When the operation has ended by itself in between and its aio is
 * used again on the same context, the new operation is cancelled instead. So a call whose
 * last operation ended when it was due makes the timer thread come by once more, by a sleep
 * of no length, before its aio is free again.
 */
static void end(struct rpc_client_call *call)
{
    if (!call->is_timer_near) {
        deliver(call);
        return;
    }
    call->is_timer_near = false;
    leave_endpoint(call);
    call->state = RPC_CALL_SETTLING;
    call->expires_us = UINT64_MAX;
    nng_aio_set_timeout(call->aio, NNG_DURATION_INFINITE);
    nng_sleep_aio(0, call->aio);
}

/* The attempt failed with call->error. Try again, or end. `is_unsent`: the request never
 * left, so another attempt costs no budget. */
static void fail_attempt(struct rpc_client_call *call, bool is_unsent)
{
    uint64_t now_us = clock_mono_us();
    struct rpc_retry_question question = {
        .status = call->error.status,
        .executed = call->outcome.executed,
        .is_repeatable = call->is_idempotent || call->key_size > 0,
        .is_forbidden = call->no_retry,
        .attempts = call->outcome.attempts,
        .left_us = call->deadline_us > now_us ? call->deadline_us - now_us : 0,
        .retry_after_ms = call->error.retry_after_ms,
        .dice = rpc_client_dice(call->client),
    };
    struct rpc_retry_answer answer = rpc_retry_decide(&question);

    leave_endpoint(call);
    if (!answer.is_allowed || (!is_unsent && !rpc_budget_take(&call->endpoint->budget))) {
        end(call);
        return;
    }
    call->was_executed |= call->outcome.executed;
    call->state = RPC_CALL_SLEEPING;
    call->expires_us = UINT64_MAX;
    nng_aio_set_timeout(call->aio, NNG_DURATION_INFINITE);
    nng_sleep_aio((nng_duration)answer.delay_ms, call->aio);
}

void rpc_client_call_abort(struct rpc_client_call *call)
{
    if (call->state == RPC_CALL_IDLE || call->state == RPC_CALL_OVER)
        return;
    if (call->state == RPC_CALL_SETTLING) {
        deliver(call); /* it had its answer */
        return;
    }
    /* nng refused the operation because the aio is stopped: the message is still ours. */
    if (call->state == RPC_CALL_SENDING && nng_aio_get_msg(call->aio) != NULL)
        nng_msg_free(nng_aio_get_msg(call->aio));
    nng_aio_set_msg(call->aio, NULL);
    error_set(&call->error, ST_CANCELLED, "the client closes");
    deliver(call);
}

/* ---- sending ---- */

static uint64_t left_ms(const struct rpc_client_call *call)
{
    uint64_t ms = clock_left_ms(call->deadline_us);

    return ms > INT32_MAX ? INT32_MAX : ms;
}

/* A context of the attempt's endpoint: the one at hand, or another. */
static enum status enter_endpoint(struct rpc_client_call *call, struct error *err)
{
    enum status st = ST_OK;

    if (call->ctx_owner != call->endpoint) {
        if (call->ctx_owner != NULL)
            rpc_endpoint_give(call->ctx_owner, call->ctx);
        call->ctx_owner = NULL;
        st = rpc_endpoint_take(call->endpoint, &call->ctx, err);
    }
    if (st != ST_OK)
        return st;
    call->ctx_owner = call->endpoint;
    rpc_endpoint_enter(call->endpoint);
    call->is_counted = true;
    return ST_OK;
}

/* Start an operation on the aio after this. */
static void set_timeout(struct rpc_client_call *call, uint64_t timeout_ms)
{
    call->expires_us = clock_deadline_ms(timeout_ms);
    nng_aio_set_timeout(call->aio, (nng_duration)timeout_ms);
}

static void attempt(struct rpc_client_call *call)
{
    uint64_t now_us = clock_mono_us();
    uint64_t wait_ms = left_ms(call);
    nng_msg *message = NULL;

    call->outcome.executed = false;
    if (now_us >= call->deadline_us) {
        error_set(&call->error, ST_DEADLINE, "no time left to call '%s'", call->method);
        end(call);
        return;
    }
    call->outcome.attempts++;
    call->endpoint = call->only != NULL
                         ? call->only
                         : rpc_client_pick(call->client, call->endpoint, now_us);
    if (rpc_client_call_write(&message, call, call->deadline_us - now_us, &call->error) !=
        ST_OK) {
        end(call);
        return;
    }
    if (enter_endpoint(call, &call->error) != ST_OK) {
        nng_msg_free(message);
        end(call);
        return;
    }
    if (wait_ms > call->client->options.fail_fast_ms)
        wait_ms = call->client->options.fail_fast_ms;
    call->state = RPC_CALL_SENDING;
    nng_aio_set_msg(call->aio, message);
    set_timeout(call, wait_ms);
    nng_ctx_send(call->ctx, call->aio);
}

void rpc_client_call_run(struct rpc_client_call *call)
{
    attempt(call);
}

static void on_sent(struct rpc_client_call *call, int number)
{
    if (number == 0) {
        /* Now, and never before the send has ended: nng 1.5 crashes on the one and loses
         * early answers on the other. */
        call->state = RPC_CALL_RECEIVING;
        call->outcome.executed = true; /* unless the answer says no */
        nng_aio_set_msg(call->aio, NULL);
        set_timeout(call, left_ms(call));
        nng_ctx_recv(call->ctx, call->aio);
        return;
    }
    if (nng_aio_get_msg(call->aio) != NULL)
        nng_msg_free(nng_aio_get_msg(call->aio));
    nng_aio_set_msg(call->aio, NULL);
    if (number == NNG_ECANCELED) {
        error_set(&call->error, ST_CANCELLED, "the client closes");
        end(call);
        return;
    }
    if (clock_mono_us() >= call->deadline_us)
        error_set(&call->error, ST_DEADLINE, "no connection to '%s' in time",
                  call->endpoint->url);
    else
        error_set(&call->error, ST_UNAVAILABLE, "no connection to '%s' within %u ms",
                  call->endpoint->url, (unsigned)call->client->options.fail_fast_ms);
    rpc_endpoint_avoid(call->endpoint, clock_mono_us() + RPC_AVOID_US);
    fail_attempt(call, true);
}

/* ---- receiving ---- */

static void on_lost(struct rpc_client_call *call, int number)
{
    if (number == NNG_ECANCELED) {
        error_set(&call->error, ST_CANCELLED, "the client closes");
        end(call);
        return;
    }
    if (number == NNG_ETIMEDOUT) {
        error_set(&call->error, ST_DEADLINE, "no answer from '%s' in time",
                  call->endpoint->url);
        rpc_endpoint_note_timeout(call->endpoint);
        send_cancel(call);
        end(call);
        return;
    }
    error_set(&call->error, ST_UNAVAILABLE, "connection to '%s' lost: %s",
              call->endpoint->url, nng_strerror(number));
    rpc_endpoint_avoid(call->endpoint, clock_mono_us() + RPC_AVOID_US);
    fail_attempt(call, false);
}

static void on_received(struct rpc_client_call *call, int number)
{
    nng_msg *message;

    if (number != 0) {
        on_lost(call, number);
        return;
    }
    message = nng_aio_get_msg(call->aio);
    nng_aio_set_msg(call->aio, NULL);
    rpc_client_call_read(call, nng_msg_body(message), nng_msg_len(message));
    nng_msg_free(message);
    if (call->error.status == ST_OK)
        end(call);
    else
        fail_attempt(call, false);
}

static void on_event(void *argument)
{
    struct rpc_client_call *call = argument;
    int number = nng_aio_result(call->aio);
    bool has_message = nng_aio_get_msg(call->aio) != NULL;

    /* nng 1.5: once an aio has slept, its later time-outs report success. A send that went
     * well has taken the message, a receive has brought one. */
    if (number == 0 && ((call->state == RPC_CALL_SENDING && has_message) ||
                        (call->state == RPC_CALL_RECEIVING && !has_message)))
        number = NNG_ETIMEDOUT;
    /* A stopped aio ends operations with this or that error, depending on the moment. */
    if (number != 0 && atomic_load(&call->client->is_closing))
        number = NNG_ECANCELED;
    call->is_timer_near =
        number != NNG_ETIMEDOUT && clock_mono_us() + TIMER_MARGIN_US >= call->expires_us;
    switch (call->state) {
    case RPC_CALL_SENDING:
        on_sent(call, number);
        break;
    case RPC_CALL_RECEIVING:
        on_received(call, number);
        break;
    case RPC_CALL_SLEEPING:
        if (number == NNG_ECANCELED) {
            error_set(&call->error, ST_CANCELLED, "the client closes");
            end(call);
        } else {
            attempt(call);
        }
        break;
    case RPC_CALL_SETTLING:
        deliver(call);
        break;
    default:
        break;
    }
}
