/*
 * rng.h - a small seeded generator for jitter, sampling and simulations; and the
 * kernel's random bytes for what must not be guessed.
 */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[2];
};

/* One seed, one sequence, for ever. Not for secrets. One owner at a time. */
void rng_seed(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* Even over [0, bound); bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* From getrandom(2); aborts when the kernel refuses. Any thread. */
void rng_system_bytes(void *out, size_t size);
uint64_t rng_system_u64(void);

#endif /* CORE_RNG_H */
