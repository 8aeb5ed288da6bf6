/*
 * retry_after.h - reads an HTTP Retry-After value (RFC 9110, 10.2.3): seconds, or a date in
 * any of the three forms HTTP knows. Pure.
 */
#ifndef GATEWAY_RETRY_AFTER_H
#define GATEWAY_RETRY_AFTER_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_AFTER_MAX_MS (3600u * 1000u)

/*
 * Milliseconds to wait from now_s (unix seconds): 0 for a date that has passed, at most
 * RETRY_AFTER_MAX_MS. False when the text is neither form; then *out_ms stays.
 */
bool retry_after_parse(uint64_t *out_ms, const char *text, int64_t now_s);

#endif /* GATEWAY_RETRY_AFTER_H */
