/*
 * dice.h - seeded, repeatable pseudo-random numbers.
 *
 * A dice is a splitmix64 stream: the same seed gives the same numbers on every machine.
 * Integers only, so that no libm or FPU difference can change the population.
 *
 * Threads: values only.
 */
#ifndef SIMULATOR_DICE_H
#define SIMULATOR_DICE_H

#include <stdint.h>

struct dice {
    uint64_t state;
};

/* One well-mixed word from another. */
static inline uint64_t dice_mix(uint64_t word)
{
    word += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t word = dice_mix(dice->state);

    dice->state += UINT64_C(0x9e3779b97f4a7c15);
    return word;
}

/* A number in [0, bound); bound must not be 0. */
static inline uint32_t dice_below(struct dice *dice, uint32_t bound)
{
    return (uint32_t)(((dice_next(dice) >> 32) * bound) >> 32);
}

/* A number in [low, high]. */
static inline uint32_t dice_between(struct dice *dice, uint32_t low, uint32_t high)
{
    return low + dice_below(dice, high - low + 1);
}

/* FNV-1a, for hashing text into a seed. */
static inline uint64_t dice_hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return dice_mix(hash);
}

#endif
