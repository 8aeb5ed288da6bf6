/*
 * backoff.h - exponential back-off with jitter. Pure: the caller supplies the dice.
 */
#ifndef CORE_BACKOFF_H
#define CORE_BACKOFF_H

#include <stdint.h>

struct backoff_policy {
    uint64_t first_ms; /* ceiling before the first retry; > 0 */
    uint64_t max_ms;   /* ceiling that doubling never passes; >= first_ms */
};

/* Wait before retry number `attempt` (1 = first retry): even in [ceiling / 2, ceiling]
 * where ceiling = min(max_ms, first_ms * 2^(attempt-1)); `dice` is any random number.
 * Attempt 0 counts as 1. */
uint64_t backoff_delay_ms(const struct backoff_policy *policy, unsigned attempt,
                          uint64_t dice);

#endif /* CORE_BACKOFF_H */
