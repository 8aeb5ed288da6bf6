#include "rpc/admission.h"

#include "metercache/v1/rpc.pb-c.h"

static uint32_t share_percent(unsigned priority)
{
    switch (priority) {
    case METERCACHE__V1__PRIORITY__PRIORITY_SHEDDABLE:
        return 70;
    case METERCACHE__V1__PRIORITY__PRIORITY_HIGH:
        return 97;
    case METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL:
        return 100;
    default:
        return 90;
    }
}

uint32_t rpc_admission_share(uint32_t limit, unsigned priority)
{
    uint64_t share = (uint64_t)limit * share_percent(priority) / 100;

    return share == 0 ? 1 : (uint32_t)share;
}

enum status rpc_admission_enter(struct rpc_admission *admission, unsigned priority,
                                struct error *err)
{
    uint32_t before =
        atomic_fetch_add_explicit(&admission->inflight, 1, memory_order_relaxed);

    if (before < rpc_admission_share(admission->limit, priority))
        return ST_OK;
    rpc_admission_leave(admission);
    error_set(err, ST_EXHAUSTED, "overloaded: %u of %u requests in flight",
              (unsigned)before, (unsigned)admission->limit);
    err->retry_after_ms = RPC_ADMISSION_RETRY_MS;
    return error_reason(err, "OVERLOADED");
}

void rpc_admission_leave(struct rpc_admission *admission)
{
    atomic_fetch_sub_explicit(&admission->inflight, 1, memory_order_relaxed);
}
