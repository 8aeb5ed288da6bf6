/*
 * payload.h - zstd around payloads, bounded on both sides.
 */
#ifndef RPC_PAYLOAD_H
#define RPC_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "metercache/v1/rpc.pb-c.h"

#define RPC_PAYLOAD_COMPRESS_MIN 1024 /* smaller ones are not worth it */

/* The message bytes of a payload: `data` itself, or what it decompresses to, which must not
 * be larger than `limit` (ST_EXHAUSTED). */
MUST_USE enum status rpc_payload_open(const uint8_t **out, size_t *out_size,
                                      Metercache__V1__Encoding encoding,
                                      const uint8_t *data, size_t size, size_t limit,
                                      struct arena *arena, struct error *err);

/* Compress; false when it does not get smaller or does not fit into the arena. */
bool rpc_payload_compress(const uint8_t **out, size_t *out_size, const uint8_t *data,
                          size_t size, struct arena *arena) MUST_USE;

#endif /* RPC_PAYLOAD_H */
