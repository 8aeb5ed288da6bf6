/*
 * sim.h - what all parts of the simulator share: how one fails, and which rule is left out.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base.h"
#include "core/rng.h"

#define SECOND_US 1000000LL
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)

/* Rules left out on purpose, which the checks must notice. The core's own are compiled in
 * (quota_core_state.h). */
enum sim_plant {
    SIM_PLANT_NONE,
    SIM_PLANT_FENCE,      /* the ledger takes batches of an epoch that is over */
    SIM_PLANT_TOLD_EARLY, /* answers leave before their batch is committed */
    SIM_PLANT_DOUBT,      /* a batch whose outcome is not known is taken for committed */
};

/* Ends the process with the reason, the seed and the step. */
_Noreturn void sim_fail(const char *format, ...) PRINTF_LIKE(1, 2);

#define SIM_CHECK(condition, ...)  \
    do {                           \
        if (!(condition))          \
            sim_fail(__VA_ARGS__); \
    } while (0)

static inline bool sim_one_in(struct rng *rng, unsigned n)
{
    return rng_below(rng, n) == 0;
}

/* first to last, both included. */
static inline int64_t sim_between(struct rng *rng, int64_t first, int64_t last)
{
    return first + (int64_t)rng_below(rng, (uint64_t)(last - first + 1));
}

#endif /* SIM_H */
