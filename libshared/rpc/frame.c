#include "rpc/frame.h"

#include <string.h>

#include "rpc/wire_check.h"

/* Field numbers of rpc.proto, fixed for ever. */
enum {
    FRAME_REQUEST = 1,
    FRAME_RESPONSE = 2,
    FRAME_VERSION = 3,
    REQUEST_PAYLOAD = 12,
    RESPONSE_PAYLOAD = 14,
};

#define WIRE_BYTES   2u
#define VERSION_SIZE 2 /* its tag and its one byte */

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void forget(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

ProtobufCAllocator rpc_frame_allocator(struct arena *arena)
{
    return (ProtobufCAllocator){allocate, forget, arena};
}

enum status rpc_frame_decode(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type,
                             const uint8_t *data, size_t size, struct arena *arena,
                             struct error *err)
{
    static const uint8_t nothing[1];
    ProtobufCAllocator allocator = rpc_frame_allocator(arena);
    ProtobufCMessage *message;
    enum status st = rpc_wire_check(type, data, size, err);

    if (st != ST_OK)
        return st;
    message =
        protobuf_c_message_unpack(type, &allocator, size, data == NULL ? nothing : data);
    if (message == NULL)
        return error_set(err, ST_EXHAUSTED, "message needs more than %zu bytes of memory",
                         arena->limit_bytes);
    *out = message;
    return ST_OK;
}

static enum status read_frame(const Metercache__V1__Frame **out, const uint8_t *data,
                              size_t size, struct arena *arena, struct error *err)
{
    ProtobufCMessage *message;
    enum status st = rpc_frame_decode(&message, &metercache__v1__frame__descriptor, data,
                                      size, arena, err);

    if (st == ST_OK)
        *out = (const Metercache__V1__Frame *)message;
    return st;
}

enum status rpc_frame_read_request(const Metercache__V1__Request **out, uint32_t *version,
                                   const uint8_t *data, size_t size, struct arena *arena,
                                   struct error *err)
{
    const Metercache__V1__Frame *frame;
    enum status st = read_frame(&frame, data, size, arena, err);

    if (st != ST_OK)
        return st;
    if (frame->kind_case != METERCACHE__V1__FRAME__KIND_REQUEST)
        return error_set(err, ST_INVALID, "malformed message: a frame without a request");
    *out = frame->request;
    *version = frame->version;
    return ST_OK;
}

enum status rpc_frame_read_response(const Metercache__V1__Response **out,
                                    const uint8_t *data, size_t size, struct arena *arena,
                                    struct error *err)
{
    const Metercache__V1__Frame *frame;
    enum status st = read_frame(&frame, data, size, arena, err);

    if (st != ST_OK)
        return st;
    if (frame->kind_case != METERCACHE__V1__FRAME__KIND_RESPONSE)
        return error_set(err, ST_INVALID, "malformed message: a frame without a response");
    *out = frame->response;
    return ST_OK;
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static uint8_t *write_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Tag (both payload fields have one byte) and length in front of the payload. */
static size_t payload_head_size(const struct rpc_frame *frame)
{
    return frame->payload_size == 0 ? 0 : 1 + varint_size(frame->payload_size);
}

static size_t body_size(const struct rpc_frame *frame)
{
    return frame->envelope_size + payload_head_size(frame) + frame->payload_size;
}

size_t rpc_frame_measure(struct rpc_frame *frame)
{
    frame->envelope_size = protobuf_c_message_get_packed_size(frame->envelope);
    if (frame->message != NULL)
        frame->payload_size = protobuf_c_message_get_packed_size(frame->message);
    return 1 + varint_size(body_size(frame)) + body_size(frame) + VERSION_SIZE;
}

void rpc_frame_write(const struct rpc_frame *frame, uint8_t *out)
{
    int is_request = frame->envelope->descriptor == &metercache__v1__request__descriptor;
    unsigned kind = is_request ? FRAME_REQUEST : FRAME_RESPONSE;
    unsigned payload_field = is_request ? REQUEST_PAYLOAD : RESPONSE_PAYLOAD;

    *out++ = (uint8_t)(kind << 3 | WIRE_BYTES);
    out = write_varint(out, body_size(frame));
    out += protobuf_c_message_pack(frame->envelope, out);
    if (frame->payload_size > 0) {
        *out++ = (uint8_t)(payload_field << 3 | WIRE_BYTES);
        out = write_varint(out, frame->payload_size);
        if (frame->message != NULL)
            protobuf_c_message_pack(frame->message, out);
        else
            memcpy(out, frame->bytes, frame->payload_size);
        out += frame->payload_size;
    }
    *out++ = FRAME_VERSION << 3;
    *out = RPC_FRAME_VERSION;
}
