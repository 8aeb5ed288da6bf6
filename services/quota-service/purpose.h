/*
 * purpose.h - what a call is for, in one flat piece of bounded size.
 *
 * A reservation keeps it until the call-log row is written. Each text is stored as one
 * length byte and its bytes, so the same purpose is always the same bytes: they are also
 * what a request's hash covers.
 */
#ifndef PURPOSE_H
#define PURPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "core/error.h"

/* name, longest text in bytes */
// clang-format off
#define PURPOSE_TEXTS(X)  \
    X(provider,       32) \
    X(action,         32) \
    X(reason,         64) \
    X(creator,       128) \
    X(user,           64) \
    X(tenant,         64) \
    X(endpoint,       96) \
    X(cooldown_key,  128)
// clang-format on

enum purpose_text {
#define PURPOSE_ENUM(name, limit) PURPOSE_##name,
    PURPOSE_TEXTS(PURPOSE_ENUM)
#undef PURPOSE_ENUM
        PURPOSE_TEXT_COUNT
};

#define PURPOSE_ADD(name, limit) +1 + (limit)
#define PURPOSE_SIZE_MAX \
    (1 PURPOSE_TEXTS(PURPOSE_ADD)) /* the first byte: platform and flags */

struct purpose {
    uint16_t size;
    uint8_t bytes[PURPOSE_SIZE_MAX];
};

enum purpose_flag {
    PURPOSE_SCHEDULED = 0x80, /* not interactive: may not touch the share kept for that */
    PURPOSE_SHEDDABLE = 0x40, /* refused beyond a soft limit */
};

/* The eight texts, none NULL, in the order of enum purpose_text. ST_INVALID names the field
 * when one is too long or no UTF-8, or the platform is out of range. */
MUST_USE enum status purpose_pack(struct purpose *out, uint32_t platform, unsigned flags,
                                  const char *const texts[PURPOSE_TEXT_COUNT],
                                  struct error *err);

/* One text, not NUL-terminated, borrowed from `purpose`; returns its length. */
size_t purpose_text(const struct purpose *purpose, enum purpose_text which,
                    const char **out);
uint32_t purpose_platform(const struct purpose *purpose);
bool purpose_has(const struct purpose *purpose, enum purpose_flag flag);

#endif /* PURPOSE_H */
