/*
 * message_json.h - protobuf messages as JSON text, both ways, driven by their descriptors.
 *
 * Read: original_names and lowerCamelCase; integers as numbers or strings; enums by name, in
 * any case and with or without the enum's prefix ("instagram"), or by number; bytes as
 * message_bytes.h says; null as left out. An unknown field, a field given twice, two
 * members of a oneof, or a value of the wrong kind or range is an error whose `field` is
 * the path, such as "creators[3].platform".
 *
 * Printed: original_names in the order of the .proto; integers as numbers, beyond 2^53 as
 * strings; enums by full name. Bytes that are no UTF-8 in a string become U+FFFD. Unset
 * messages and oneofs are left out, all else is printed, zeros too.
 *
 * Bounds: the text's size, the types' depth, the arena, the buffer's limit. Any thread.
 */
#ifndef CLIENT_MESSAGE_JSON_H
#define CLIENT_MESSAGE_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

#define MESSAGE_JSON_TEXT_MAX (4u << 20) /* bytes of input */
#define MESSAGE_JSON_DEPTH    16         /* messages within messages */

/*
 * One JSON object as a message of `type` in `arena`. ST_INVALID names path and cause;
 * ST_EXHAUSTED when the arena is full. Empty text (size 0) is an empty object.
 */
MUST_USE enum status message_json_parse(ProtobufCMessage **out,
                                        const ProtobufCMessageDescriptor *type,
                                        const char *text, size_t size, struct arena *arena,
                                        struct error *err);

/*
 * Appends the message, without a line end; indented by two spaces from `depth` levels on,
 * so that a caller can put it inside an object of its own. buf->overflowed tells of its
 * limit.
 */
void message_json_print(struct buf *out, const ProtobufCMessage *message, unsigned depth);

#endif /* CLIENT_MESSAGE_JSON_H */
