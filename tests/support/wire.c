#include "support/wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/op_id.h"
#include "rpc/details.h"
#include "support/connect.h"

#define TIMEOUT_MS   10000
#define ARENA_BYTES  (16u << 20)
#define MESSAGE_MAX  (8u << 20)
#define REQ_PROTOCOL 0x30
#define REP_PROTOCOL 0x31
#define REQUEST_BIT  0x80000000u

static void put_be(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static uint64_t get_be(const uint8_t *in, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | in[i];
    return value;
}

bool wire_open(struct wire *wire, const char *url)
{
    static const uint8_t HELLO[8] = {0, 'S', 'P', 0, 0, REQ_PROTOCOL, 0, 0};
    static const uint8_t ANSWER[8] = {0, 'S', 'P', 0, 0, REP_PROTOCOL, 0, 0};
    struct connect_address address;
    uint8_t got[8];

    *wire = (struct wire){.fd = -1};
    arena_init(&wire->arena, ARENA_BYTES);
    if (!connect_parse(&address, url, "tcp://"))
        return false;
    wire->fd = connect_open(&address, TIMEOUT_MS);
    return wire->fd >= 0 && connect_send(wire->fd, HELLO, sizeof(HELLO)) &&
           connect_receive_all(wire->fd, got, sizeof(got)) &&
           memcmp(got, ANSWER, sizeof(got)) == 0;
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        connect_close(wire->fd);
    wire->fd = -1;
    arena_done(&wire->arena);
}

bool wire_send(struct wire *wire, const void *data, size_t size)
{
    uint8_t head[12];

    put_be(head, size + 4, 8);
    put_be(head + 8, REQUEST_BIT | ++wire->last_id, 4);
    return connect_send(wire->fd, head, sizeof(head)) && connect_send(wire->fd, data, size);
}

static uint8_t *receive_message(struct wire *wire, size_t *size)
{
    uint8_t head[8];
    uint64_t length;
    uint8_t *data;

    if (!connect_receive_all(wire->fd, head, sizeof(head)))
        return NULL;
    length = get_be(head, sizeof(head));
    if (length < 4 || length > MESSAGE_MAX)
        return NULL;
    data = arena_alloc(&wire->arena, length);
    if (data == NULL || !connect_receive_all(wire->fd, data, length))
        return NULL;
    *size = length;
    return data;
}

static void *arena_allocate(void *context, size_t size)
{
    return arena_alloc(context, size);
}

static void arena_forget(void *context, void *data)
{
    (void)context;
    (void)data;
}

const Metercache__V1__Response *wire_receive(struct wire *wire)
{
    ProtobufCAllocator allocator = {arena_allocate, arena_forget, &wire->arena};
    Metercache__V1__Frame *frame;
    uint8_t *data;
    size_t size;

    do {
        data = receive_message(wire, &size);
        if (data == NULL)
            return NULL;
    } while (get_be(data, 4) != (REQUEST_BIT | wire->last_id));
    frame = metercache__v1__frame__unpack(&allocator, size - 4, data + 4);
    if (frame == NULL || frame->kind_case != METERCACHE__V1__FRAME__KIND_RESPONSE)
        return NULL;
    return frame->response;
}

const Metercache__V1__Response *wire_call(struct wire *wire,
                                          const struct wire_request *request,
                                          struct error *err)
{
    Metercache__V1__Request message = METERCACHE__V1__REQUEST__INIT;
    Metercache__V1__Frame frame = METERCACHE__V1__FRAME__INIT;
    Metercache__V1__Auth auth = METERCACHE__V1__AUTH__INIT;
    const Metercache__V1__Response *response = NULL;
    struct op_id id = op_id_new();
    uint8_t *data;
    size_t size;

    message.call_id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    message.attempt = 1;
    message.method = (char *)request->method;
    message.timeout_us = request->timeout_us;
    message.payload =
        (ProtobufCBinaryData){request->payload_size, (uint8_t *)request->payload};
    if (request->bearer != NULL) {
        auth.bearer =
            (ProtobufCBinaryData){strlen(request->bearer), (uint8_t *)request->bearer};
        message.auth = &auth;
    }
    frame.kind_case = METERCACHE__V1__FRAME__KIND_REQUEST;
    frame.request = &message;
    frame.version = request->version == 0 ? 1 : request->version;
    size = metercache__v1__frame__get_packed_size(&frame);
    data = mem_alloc(size);
    (void)metercache__v1__frame__pack(&frame, data);
    if (wire_send(wire, data, size))
        response = wire_receive(wire);
    mem_free(data);
    *err = ERROR_NONE;
    if (response != NULL)
        rpc_details_read(err, response, &wire->arena);
    return response;
}

static void put_varint(struct buf *out, uint64_t value)
{
    uint8_t byte;

    for (; value >= 0x80; value >>= 7) {
        byte = (uint8_t)(value | 0x80);
        buf_append(out, &byte, 1);
    }
    byte = (uint8_t)value;
    buf_append(out, &byte, 1);
}

void wire_put_number(struct buf *out, unsigned field, uint64_t value)
{
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

void wire_put_bytes(struct buf *out, unsigned field, const void *data, size_t size)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, size);
    buf_append(out, data, size);
}
