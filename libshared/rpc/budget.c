#include "rpc/budget.h"

#define TOKEN      10
#define FULL       (10 * TOKEN)
#define PER_ANSWER 1

void rpc_budget_init(struct rpc_budget *budget)
{
    atomic_init(&budget->tenths, FULL);
}

bool rpc_budget_take(struct rpc_budget *budget)
{
    int tenths = atomic_load_explicit(&budget->tenths, memory_order_relaxed);

    while (tenths >= TOKEN) {
        if (atomic_compare_exchange_weak_explicit(&budget->tenths, &tenths, tenths - TOKEN,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
    return false;
}

void rpc_budget_give(struct rpc_budget *budget)
{
    int tenths = atomic_load_explicit(&budget->tenths, memory_order_relaxed);

    while (tenths < FULL) {
        if (atomic_compare_exchange_weak_explicit(&budget->tenths, &tenths,
                                                  tenths + PER_ANSWER, memory_order_relaxed,
                                                  memory_order_relaxed))
            return;
    }
}
