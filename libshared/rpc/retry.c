#include "rpc/retry.h"

#include "core/backoff.h"

static const struct backoff_policy POLICY = {.first_ms = 20, .max_ms = 1000};

static bool is_safe(const struct rpc_retry_question *question)
{
    switch (question->status) {
    case ST_UNAVAILABLE:
        return !question->executed || question->is_repeatable;
    case ST_EXHAUSTED:
    case ST_ABORTED:
        return !question->executed;
    default:
        return false;
    }
}

struct rpc_retry_answer rpc_retry_decide(const struct rpc_retry_question *question)
{
    struct rpc_retry_answer no = {.is_allowed = false};
    uint64_t delay_ms;

    if (question->is_forbidden || question->attempts >= RPC_RETRY_ATTEMPTS_MAX ||
        !is_safe(question))
        return no;
    delay_ms = backoff_delay_ms(&POLICY, question->attempts, question->dice);
    if (delay_ms < question->retry_after_ms)
        delay_ms = question->retry_after_ms;
    if (delay_ms >= question->left_us / 1000)
        return no; /* it could not be answered in time */
    return (struct rpc_retry_answer){.is_allowed = true, .delay_ms = delay_ms};
}
