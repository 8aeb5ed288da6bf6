/*
 * parse.h - text to values, whole strings only, no locale, no silent overflow.
 *
 * Every function returns false and leaves *out alone when the text is not exactly one
 * value in range. NULL is no value. Numbers are decimal digits, after a '-' where negative
 * ones are allowed; no '+', no spaces.
 */
#ifndef CORE_PARSE_H
#define CORE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"

bool parse_u64(uint64_t *out, const char *text, uint64_t min, uint64_t max) MUST_USE;
bool parse_i64(int64_t *out, const char *text, int64_t min, int64_t max) MUST_USE;
/* yes, no, true, false, on, off, 1 or 0, in any case. */
bool parse_bool(bool *out, const char *text) MUST_USE;
/* "1500", "250ms", "30s", "5m", "3h", "28d" to milliseconds; bare numbers are ms. */
bool parse_duration_ms(uint64_t *out, const char *text, uint64_t min,
                       uint64_t max) MUST_USE;
/* "4096", "64KiB", "1MiB", "2GiB" to bytes. */
bool parse_size_bytes(uint64_t *out, const char *text, uint64_t min, uint64_t max) MUST_USE;
/* A decimal such as "0.25" in thousandths (250); more than three decimals is an error. */
bool parse_milli(int64_t *out, const char *text) MUST_USE;
/* Lower-case or upper-case hex; false unless exactly 2 * size digits. */
bool parse_hex(uint8_t *out, size_t size, const char *text) MUST_USE;
/* `out` holds 2 * size + 1 bytes. */
void parse_format_hex(char *out, const uint8_t *data, size_t size);

/* Length in bytes (1 to 4) of the well-formed UTF-8 character `data` starts with; 0 when
 * it starts with none. */
size_t parse_utf8_next(const char *data, size_t size);
/* Well-formed UTF-8 (RFC 3629), no NUL inside, within `size` bytes. */
bool parse_is_utf8(const char *data, size_t size);

/*
 * JSON text whose brackets nest at most `depth_max` deep: asked before a recursive parser
 * sees what a peer sent, because its stack is ours. Says nothing about validity.
 */
bool parse_json_is_shallow(const char *text, size_t size, unsigned depth_max);

#endif /* CORE_PARSE_H */
