#include "core/backoff.h"

static uint64_t ceiling_ms(const struct backoff_policy *policy, unsigned attempt)
{
    uint64_t ceiling = policy->first_ms;

    for (unsigned i = 1; i < attempt; i++) {
        if (ceiling >= policy->max_ms / 2 + 1)
            return policy->max_ms;
        ceiling *= 2;
    }
    return ceiling < policy->max_ms ? ceiling : policy->max_ms;
}

uint64_t backoff_delay_ms(const struct backoff_policy *policy, unsigned attempt,
                          uint64_t dice)
{
    uint64_t ceiling = ceiling_ms(policy, attempt);
    uint64_t least = ceiling / 2;

    return least + dice % (ceiling - least + 1);
}
