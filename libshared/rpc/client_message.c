#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "rpc/client_impl.h"
#include "rpc/details.h"
#include "rpc/frame.h"
#include "rpc/payload.h"

#define TIMEOUT_DEFAULT_MS 30000

/* ---- the question ---- */

static enum status copy_text(char *out, size_t size, const char *text, const char *what,
                             struct error *err)
{
    if (text == NULL)
        text = "";
    if (strlen(text) >= size)
        return error_field(err, what, "%s is longer than %zu bytes", what, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return ST_OK;
}

static void pack_payload(struct rpc_client_call *call, const ProtobufCMessage *request)
{
    size_t size = protobuf_c_message_get_packed_size(request);

    if (size > call->payload_room) {
        mem_free(call->payload);
        call->payload = mem_realloc_array(NULL, size, 1);
        call->payload_room = size;
    }
    call->payload_size = size;
    if (size > 0)
        protobuf_c_message_pack(request, call->payload);
}

enum status rpc_client_call_prepare(struct rpc_client_call *call,
                                    const struct rpc_call_options *options,
                                    const ProtobufCMessage *request, struct error *err)
{
    uint64_t timeout_ms = options->timeout_ms;
    enum status st;

    if (timeout_ms == 0)
        timeout_ms = TIMEOUT_DEFAULT_MS;
    st = copy_text(call->method, sizeof(call->method), options->method, "method", err);
    if (st == ST_OK)
        st = copy_text(call->on_behalf_of, sizeof(call->on_behalf_of),
                       options->on_behalf_of, "on_behalf_of", err);
    if (st == ST_OK)
        st = copy_text(call->traceparent, sizeof(call->traceparent), options->traceparent,
                       "traceparent", err);
    if (st != ST_OK)
        return st;
    if (options->idempotency_key_size > sizeof(call->key))
        return error_field(err, "idempotency_key",
                           "idempotency key is longer than %d bytes", RPC_KEY_MAX);
    call->key_size = options->idempotency_key_size;
    if (call->key_size > 0)
        memcpy(call->key, options->idempotency_key, call->key_size);
    /* Unique is enough, and a call less into the kernel: only the same token may cancel. */
    call->call_id = op_id_make(clock_wall_us(), rpc_client_dice(call->client),
                               rpc_client_dice(call->client));
    call->reply_type = options->reply_type;
    call->is_idempotent = options->is_idempotent;
    call->is_dry_run = options->is_dry_run;
    call->no_retry = options->no_retry;
    call->priority = (Metercache__V1__Priority)options->priority;
    call->only = NULL;
    call->endpoint = NULL;
    call->started_us = clock_mono_us();
    call->deadline_us = clock_deadline_ms(timeout_ms);
    call->outcome = (struct rpc_outcome){.attempts = 0};
    call->is_timer_near = false;
    call->was_executed = false;
    call->error.status = ST_OK;
    call->reply = NULL;
    call->is_over = false;
    pack_payload(call, request);
    return ST_OK;
}

/* ---- the attempt ---- */

static void fill_request(Metercache__V1__Request *request, Metercache__V1__Auth *auth,
                         struct rpc_client_call *call, uint64_t left_us)
{
    const struct rpc_client *client = call->client;

    metercache__v1__request__init(request);
    metercache__v1__auth__init(auth);
    request->call_id = (ProtobufCBinaryData){OP_ID_SIZE, call->call_id.bytes};
    request->attempt = call->outcome.attempts;
    request->method = call->method;
    request->timeout_us = left_us;
    request->idempotency_key = (ProtobufCBinaryData){call->key_size, call->key};
    request->traceparent = call->traceparent;
    request->priority = call->priority;
    request->cancel = call->is_cancel_frame;
    if (call->is_dry_run)
        request->flags |= 1u << METERCACHE__V1__REQUEST_FLAG__REQUEST_FLAG_DRY_RUN;
    if (call->no_retry)
        request->flags |= 1u << METERCACHE__V1__REQUEST_FLAG__REQUEST_FLAG_NO_RETRY;
    if (client->options.accept_compressed)
        request->accept_encoding = METERCACHE__V1__ENCODING__ENCODING_ZSTD;
    if (client->bearer_size > 0) {
        auth->bearer =
            (ProtobufCBinaryData){client->bearer_size, (uint8_t *)client->bearer};
        auth->on_behalf_of = call->on_behalf_of;
        request->auth = auth;
    }
}

enum status rpc_client_call_write(nng_msg **out, struct rpc_client_call *call,
                                  uint64_t left_us, struct error *err)
{
    Metercache__V1__Request request;
    Metercache__V1__Auth auth;
    struct rpc_frame frame = {
        .envelope = &request.base,
        .bytes = call->payload,
        .payload_size = call->payload_size,
    };
    size_t size;

    fill_request(&request, &auth, call, left_us);
    size = rpc_frame_measure(&frame);
    if (size > call->client->options.request_bytes) {
        error_set(err, ST_EXHAUSTED, "the request of %zu bytes is larger than %zu", size,
                  call->client->options.request_bytes);
        return error_reason(err, "REQUEST_TOO_LARGE");
    }
    if (nng_msg_alloc(out, size) != 0)
        log_abort("rpc: out of memory for a request", ENOMEM);
    rpc_frame_write(&frame, nng_msg_body(*out));
    return ST_OK;
}

/* ---- the answer ---- */

static enum status decode_reply(struct rpc_client_call *call,
                                const Metercache__V1__Response *response, struct error *err)
{
    const uint8_t *payload;
    size_t size;
    enum status st = rpc_payload_open(
        &payload, &size, response->encoding, response->payload.data, response->payload.len,
        call->client->options.reply_bytes, &call->own_arena, err);

    if (st == ST_OK)
        st = rpc_frame_decode(&call->reply, call->reply_type, payload, size, call->arena,
                              err);
    if (st != ST_OK && st != ST_EXHAUSTED)
        st = error_set(err, ST_INTERNAL, "malformed answer from '%s'", call->endpoint->url);
    return st;
}

static void take_outcome(struct rpc_client_call *call,
                         const Metercache__V1__Response *response)
{
    call->outcome.executed = response->executed;
    call->outcome.replayed = response->replayed;
    call->outcome.server_us = response->server_us;
    call->outcome.queue_us = response->queue_us;
    snprintf(call->outcome.instance_id, sizeof(call->outcome.instance_id), "%s",
             response->instance_id);
    if (response->load != NULL && response->load->draining)
        rpc_endpoint_avoid(call->endpoint, clock_mono_us() + RPC_AVOID_US);
    rpc_endpoint_note_answer(call->endpoint);
    rpc_budget_give(&call->endpoint->budget);
}

void rpc_client_call_read(struct rpc_client_call *call, const uint8_t *bytes, size_t size)
{
    const Metercache__V1__Response *response;
    struct error ignored = ERROR_NONE;

    arena_reset(&call->own_arena);
    if (rpc_frame_read_response(&response, bytes, size, &call->own_arena, &ignored) !=
        ST_OK) {
        error_set(&call->error, ST_INTERNAL, "malformed answer from '%s'",
                  call->endpoint->url);
        return;
    }
    take_outcome(call, response);
    rpc_details_read(&call->error, response, &call->own_arena);
    if (call->error.status == ST_OK && !call->is_cancel_frame)
        (void)decode_reply(call, response, &call->error);
}
