/*
 * budget.h - a retry budget: retries are paid for by successes.
 *
 * Ten tokens to begin with and at most; a retry takes one, a success gives a tenth back. So
 * an endpoint in trouble sees at most a tenth more calls than it answers.
 *
 * Threads: any.
 */
#ifndef RPC_BUDGET_H
#define RPC_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/base.h"

struct rpc_budget {
    atomic_int tenths; /* of a token */
};

void rpc_budget_init(struct rpc_budget *budget);
bool rpc_budget_take(struct rpc_budget *budget) MUST_USE; /* false: spent */
void rpc_budget_give(struct rpc_budget *budget);

#endif /* RPC_BUDGET_H */
