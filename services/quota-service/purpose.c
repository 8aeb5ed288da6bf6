#include "purpose.h"

#include <stdio.h>
#include <string.h>

#include "core/parse.h"

#define PLATFORM_MAX  3
#define PLATFORM_BITS 0x0f

static const struct {
    const char *field;
    size_t limit;
} rows[] = {
#define PURPOSE_ROW(name, limit) {#name, limit},
    PURPOSE_TEXTS(PURPOSE_ROW)
#undef PURPOSE_ROW
};

static enum status check_text(enum purpose_text which, const char *text, size_t size,
                              struct error *err)
{
    char field[32];

    if (size <= rows[which].limit && parse_is_utf8(text, size))
        return ST_OK;
    /* the last two are the request's own fields */
    snprintf(field, sizeof(field), "%s%s", which >= PURPOSE_endpoint ? "" : "purpose.",
             rows[which].field);
    if (size > rows[which].limit)
        return error_field(err, field, "'%s' is longer than %zu bytes", field,
                           rows[which].limit);
    return error_field(err, field, "'%s' is no UTF-8 text", field);
}

enum status purpose_pack(struct purpose *out, uint32_t platform, unsigned flags,
                         const char *const texts[PURPOSE_TEXT_COUNT], struct error *err)
{
    struct purpose packed = {.size = 1};

    if (platform > PLATFORM_MAX)
        return error_field(err, "purpose.platform", "unknown platform %u", platform);
    packed.bytes[0] = (uint8_t)(platform | flags);
    for (unsigned i = 0; i < PURPOSE_TEXT_COUNT; i++) {
        size_t size = strlen(texts[i]);
        enum status status = check_text((enum purpose_text)i, texts[i], size, err);

        if (status != ST_OK)
            return status;
        packed.bytes[packed.size++] = (uint8_t)size;
        memcpy(packed.bytes + packed.size, texts[i], size);
        packed.size = (uint16_t)(packed.size + size);
    }
    *out = packed;
    return ST_OK;
}

size_t purpose_text(const struct purpose *purpose, enum purpose_text which,
                    const char **out)
{
    size_t at = 1;

    for (unsigned i = 0; i < (unsigned)which && at < purpose->size; i++)
        at += 1u + purpose->bytes[at];
    if (at >= purpose->size) { /* an empty purpose has no texts */
        *out = "";
        return 0;
    }
    *out = (const char *)purpose->bytes + at + 1;
    return purpose->bytes[at];
}

uint32_t purpose_platform(const struct purpose *purpose)
{
    return purpose->size > 0 ? purpose->bytes[0] & PLATFORM_BITS : 0;
}

bool purpose_has(const struct purpose *purpose, enum purpose_flag flag)
{
    return purpose->size > 0 && (purpose->bytes[0] & flag) != 0;
}
