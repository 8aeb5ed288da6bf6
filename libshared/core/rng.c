#include "core/rng.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#include "core/log.h"

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* splitmix64: spreads near seeds far apart and never yields an all-zero state twice. */
static uint64_t spread(uint64_t *seed)
{
    uint64_t value = *seed += 0x9e3779b97f4a7c15ULL;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
    return value ^ value >> 31;
}

void rng_seed(struct rng *rng, uint64_t seed)
{
    rng->state[0] = spread(&seed);
    rng->state[1] = spread(&seed);
}

/* xoroshiro128++ */
uint64_t rng_next(struct rng *rng)
{
    uint64_t first = rng->state[0];
    uint64_t second = rng->state[1];
    uint64_t result = rotate(first + second, 17) + first;

    second ^= first;
    rng->state[0] = rotate(first, 49) ^ second ^ second << 21;
    rng->state[1] = rotate(second, 28);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    uint64_t surplus;
    uint64_t value;

    assert(bound > 0);
    /* 2^64 modulo bound: values below it would make small results likelier. */
    surplus = (UINT64_MAX - bound + 1) % bound;
    do
        value = rng_next(rng);
    while (value < surplus);
    return value % bound;
}

void rng_system_bytes(void *out, size_t size)
{
    unsigned char *at = out;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            log_abort("getrandom failed", errno);
        at += got;
        size -= (size_t)got;
    }
}

uint64_t rng_system_u64(void)
{
    uint64_t value;

    rng_system_bytes(&value, sizeof(value));
    return value;
}
