/*
 * wire_check.h - looks at the bytes of a message before protobuf-c decodes them.
 *
 * protobuf-c bounds neither nesting nor the number of elements, cuts a string at a NUL and
 * does not look at its UTF-8. This walk does, and names the field at fault by its path,
 * such as "filters.influencer.handle". Pure; no allocation; linear in `size`.
 */
#ifndef RPC_WIRE_CHECK_H
#define RPC_WIRE_CHECK_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

#define RPC_WIRE_DEPTH_MAX    16    /* messages in messages */
#define RPC_WIRE_ELEMENTS_MAX 65536 /* fields and array elements in all */

/* ST_INVALID when `data` is no well-formed message of `type` within those bounds. */
MUST_USE enum status rpc_wire_check(const ProtobufCMessageDescriptor *type,
                                    const uint8_t *data, size_t size, struct error *err);

#endif /* RPC_WIRE_CHECK_H */
