#include "rpc/payload.h"

#include <zstd.h>

#define LEVEL 1 /* speed: providers' JSON shrinks to a quarter already */

static enum status decompress(const uint8_t **out, size_t *out_size, const uint8_t *data,
                              size_t size, size_t limit, struct arena *arena,
                              struct error *err)
{
    unsigned long long content = ZSTD_getFrameContentSize(data, size);
    uint8_t *opened;
    size_t got;

    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN)
        return error_field(err, "payload", "payload is no zstd frame with its size");
    if (content > limit)
        return error_set(err, ST_EXHAUSTED, "payload is larger than %zu bytes", limit);
    opened = arena_alloc(arena, (size_t)content);
    if (opened == NULL)
        return error_set(err, ST_EXHAUSTED, "payload does not fit into memory");
    got = ZSTD_decompress(opened, (size_t)content, data, size);
    if (ZSTD_isError(got) || got != content)
        return error_field(err, "payload", "payload is damaged: %s",
                           ZSTD_isError(got) ? ZSTD_getErrorName(got) : "wrong size");
    *out = opened;
    *out_size = got;
    return ST_OK;
}

enum status rpc_payload_open(const uint8_t **out, size_t *out_size,
                             Metercache__V1__Encoding encoding, const uint8_t *data,
                             size_t size, size_t limit, struct arena *arena,
                             struct error *err)
{
    switch (encoding) {
    case METERCACHE__V1__ENCODING__ENCODING_UNSPECIFIED:
        *out = data;
        *out_size = size;
        return ST_OK;
    case METERCACHE__V1__ENCODING__ENCODING_ZSTD:
        return decompress(out, out_size, data, size, limit, arena, err);
    default:
        return error_field(err, "encoding", "encoding %d is not known", (int)encoding);
    }
}

bool rpc_payload_compress(const uint8_t **out, size_t *out_size, const uint8_t *data,
                          size_t size, struct arena *arena)
{
    size_t room = size - size / 16; /* a gain below that is none */
    uint8_t *packed = arena_alloc(arena, room);
    size_t got;

    if (packed == NULL)
        return false;
    got = ZSTD_compress(packed, room, data, size, LEVEL);
    if (ZSTD_isError(got))
        return false;
    *out = packed;
    *out_size = got;
    return true;
}
