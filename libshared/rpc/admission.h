/*
 * admission.h - how many requests may be inside at once, by priority.
 *
 * The fuller the server, the more important a request must be: of the limit, sheddable work
 * gets 70 %, default 90 %, high 97 %, critical all. So a flood of refreshes never keeps a
 * settlement or a health check out.
 *
 * Threads: any.
 */
#ifndef RPC_ADMISSION_H
#define RPC_ADMISSION_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/error.h"

#define RPC_ADMISSION_RETRY_MS 100 /* the hint that goes with a refusal */

struct rpc_admission {
    uint32_t limit;
    atomic_uint_least32_t inflight;
};

/* The most that may be inside when a request of this priority enters. */
uint32_t rpc_admission_share(uint32_t limit, unsigned priority);

/* ST_EXHAUSTED with reason OVERLOADED and a retry hint when there is no room. */
MUST_USE enum status rpc_admission_enter(struct rpc_admission *admission, unsigned priority,
                                         struct error *err);
void rpc_admission_leave(struct rpc_admission *admission);

#endif /* RPC_ADMISSION_H */
