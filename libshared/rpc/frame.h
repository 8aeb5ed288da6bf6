/*
 * frame.h - the envelope (rpc.proto) to bytes and back.
 *
 * Writing puts the payload behind the envelope's other fields, straight into the place it
 * is sent from: no message is copied on its way out. Reading checks the bytes
 * (wire_check.h) and then decodes into an arena, whose limit bounds what a peer can make
 * us allocate.
 */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "metercache/v1/rpc.pb-c.h"

#define RPC_FRAME_VERSION 1

/* An allocator for protobuf-c on top of an arena; free does nothing. */
ProtobufCAllocator rpc_frame_allocator(struct arena *arena);

/* Check and decode one message. ST_INVALID: malformed, names the field; ST_EXHAUSTED: it
 * does not fit into the arena. */
MUST_USE enum status rpc_frame_decode(ProtobufCMessage **out,
                                      const ProtobufCMessageDescriptor *type,
                                      const uint8_t *data, size_t size, struct arena *arena,
                                      struct error *err);

/* Decode a frame of that kind; ST_INVALID when it is another one. */
MUST_USE enum status rpc_frame_read_request(const Metercache__V1__Request **out,
                                            uint32_t *version, const uint8_t *data,
                                            size_t size, struct arena *arena,
                                            struct error *err);
MUST_USE enum status rpc_frame_read_response(const Metercache__V1__Response **out,
                                             const uint8_t *data, size_t size,
                                             struct arena *arena, struct error *err);

/* A frame about to be written. The envelope's own payload field stays empty; the payload
 * is `message` (packed on writing) or, when that is NULL, `bytes`. */
struct rpc_frame {
    const ProtobufCMessage *envelope; /* a Request or a Response */
    const ProtobufCMessage *message;
    const uint8_t *bytes;
    size_t payload_size;  /* of `bytes`; set by rpc_frame_measure for `message` */
    size_t envelope_size; /* set by rpc_frame_measure */
};

/* Size of the whole frame in bytes. */
size_t rpc_frame_measure(struct rpc_frame *frame);
/* `out` holds what rpc_frame_measure said. */
void rpc_frame_write(const struct rpc_frame *frame, uint8_t *out);

#endif /* RPC_FRAME_H */
