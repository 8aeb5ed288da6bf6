/*
 * failures.h - which keys failed lately, and how long to leave them alone.
 *
 * A fetch that failed may have cost money all the same (sent, and no answer). So a key is
 * not fetched again before a pause has passed that doubles with each failure; meanwhile
 * callers get the remembered error at once. Bounded: the oldest entry gives way.
 *
 * Pure but for memory: the caller supplies the time. Not locked.
 */
#ifndef ENGINE_FAILURES_H
#define ENGINE_FAILURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct failures;

/* Pauses from first_ms (0: none), doubling up to max_ms; at most `limit` keys remembered. */
struct failures *failures_new(uint64_t first_ms, uint64_t max_ms, size_t limit);
void failures_free(struct failures *failures); /* accepts NULL */

/* The key has just failed so. `now_us` is monotonic. */
void failures_note(struct failures *failures, const char *key, const struct error *error,
                   uint64_t now_us);
/* The key has just succeeded. */
void failures_forget(struct failures *failures, const char *key);

/* Must the key be left alone at `now_us`? Then *error is why, with the time left as
 * retry_after_ms. */
bool failures_find(struct error *error, const struct failures *failures, const char *key,
                   uint64_t now_us);

#endif /* ENGINE_FAILURES_H */
