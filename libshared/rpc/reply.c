#include "rpc/reply.h"

#include "rpc/details.h"
#include "rpc/payload.h"

/* The reply message's bytes, aside. NULL when the arena has no room for them. */
static const uint8_t *pack_aside(struct rpc_job *job, size_t *size)
{
    uint8_t *bytes;

    *size = protobuf_c_message_get_packed_size(job->output);
    bytes = arena_alloc(&job->arena, *size);
    if (bytes != NULL)
        protobuf_c_message_pack(job->output, bytes);
    return bytes;
}

static void end_claim(struct rpc_reply *reply, struct rpc_job *job,
                      const struct rpc_reply_options *options, uint64_t now_us)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;

    if (job->outcome.status == ST_OK && job->output != NULL)
        bytes = pack_aside(job, &size);
    if (bytes == NULL) {
        rpc_idempotency_drop(options->idempotency, job->claim);
    } else {
        rpc_idempotency_store(options->idempotency, job->claim, bytes, size, now_us);
        reply->frame.bytes = bytes;
        reply->frame.payload_size = size;
        reply->frame.message = NULL;
    }
    job->claim = NULL;
}

static void compress(struct rpc_reply *reply, struct rpc_job *job)
{
    const uint8_t *bytes = reply->frame.bytes;
    size_t size = reply->frame.payload_size;

    if (reply->frame.message != NULL) {
        size = protobuf_c_message_get_packed_size(reply->frame.message);
        if (size <= RPC_PAYLOAD_COMPRESS_MIN)
            return;
        bytes = pack_aside(job, &size);
    }
    if (bytes == NULL || size <= RPC_PAYLOAD_COMPRESS_MIN)
        return;
    if (!rpc_payload_compress(&bytes, &size, bytes, size, &job->arena))
        return;
    reply->frame.message = NULL;
    reply->frame.bytes = bytes;
    reply->frame.payload_size = size;
    reply->response.encoding = METERCACHE__V1__ENCODING__ENCODING_ZSTD;
}

/* What went wrong inside is for the log; the caller gets the means to find it there. */
static const struct error *shown_error(struct rpc_reply *reply, const struct rpc_job *job)
{
    char id[OP_ID_TEXT_SIZE];

    if (job->outcome.status != ST_INTERNAL)
        return &job->outcome;
    op_id_format(id, &job->call.call_id);
    error_set(&reply->shown, ST_INTERNAL, "internal error, see the log, call id %s", id);
    return &reply->shown;
}

static void fill_response(struct rpc_reply *reply, struct rpc_job *job,
                          const struct rpc_reply_options *options, uint64_t now_us)
{
    Metercache__V1__Response *response = &reply->response;
    union {
        const char *in;
        char *out;
    } instance_id = {.in = options->instance_id};

    metercache__v1__response__init(response);
    metercache__v1__load__init(&reply->load);
    reply->load.inflight = options->load.inflight;
    reply->load.limit = options->load.limit;
    reply->load.queue = options->load.queued;
    reply->load.draining = options->load.draining;
    response->load = &reply->load;
    response->call_id = (ProtobufCBinaryData){OP_ID_SIZE, job->call.call_id.bytes};
    response->instance_id = instance_id.out;
    response->executed = job->executed;
    response->replayed = job->replayed;
    if (job->started_us != 0) {
        response->queue_us = job->started_us - job->received_us;
        response->server_us = now_us - job->started_us;
    }
    if (job->outcome.status != ST_OK)
        rpc_details_write(response, shown_error(reply, job), &job->arena);
}

static void fill(struct rpc_reply *reply, struct rpc_job *job,
                 const struct rpc_reply_options *options, uint64_t now_us)
{
    reply->frame = (struct rpc_frame){.envelope = &reply->response.base};
    fill_response(reply, job, options, now_us);
    if (job->outcome.status == ST_OK && job->replayed) {
        reply->frame.bytes = job->stored;
        reply->frame.payload_size = job->stored_size;
    } else if (job->outcome.status == ST_OK) {
        reply->frame.message = job->output; /* NULL for a cancel frame */
    }
    if (job->claim != NULL)
        end_claim(reply, job, options, now_us);
    if (job->outcome.status == ST_OK &&
        job->request->accept_encoding == METERCACHE__V1__ENCODING__ENCODING_ZSTD)
        compress(reply, job);
    reply->size = rpc_frame_measure(&reply->frame);
}

void rpc_reply_make(struct rpc_reply *reply, struct rpc_job *job,
                    const struct rpc_reply_options *options, uint64_t now_us)
{
    fill(reply, job, options, now_us);
    if (reply->size <= options->reply_bytes)
        return;
    error_set(&job->outcome, ST_EXHAUSTED,
              "the reply of %zu bytes is larger than %zu: ask for less at a time",
              reply->size, options->reply_bytes);
    error_reason(&job->outcome, "REPLY_TOO_LARGE");
    fill(reply, job, options, now_us);
}
