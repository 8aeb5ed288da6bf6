/*
 * message_bytes.h - `bytes` fields as text.
 *
 * A field named *_id or *_ids of 16 bytes is a UUID, one named *hash of 32 bytes is lower-case
 * hex, anything else is base64 (RFC 4648, padded). Read: the same, and also base64 in those
 * two, without padding, or in the URL alphabet. Pure.
 */
#ifndef CLIENT_MESSAGE_BYTES_H
#define CLIENT_MESSAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "core/buf.h"

/* Appends the text, without quotes. */
void message_bytes_print(struct buf *out, const char *field, const uint8_t *data,
                         size_t size);

/* Room that message_bytes_parse may need for a text of this length. */
size_t message_bytes_room(size_t text_size);

/* False when the text is none of these; *size is what was written to `out`. */
bool message_bytes_parse(uint8_t *out, size_t *size, const char *field, const char *text,
                         size_t text_size) MUST_USE;

#endif /* CLIENT_MESSAGE_BYTES_H */
