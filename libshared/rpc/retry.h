/*
 * retry.h - may a failed call be tried again, and when? Pure.
 *
 *     code                  retried when
 *     UNAVAILABLE           not executed, or the call is repeatable
 *     RESOURCE_EXHAUSTED    not executed (a busy server; a spent meter is final)
 *     ABORTED               not executed (the first call with this key still runs)
 *     all others            never
 *
 * Repeatable: the method is idempotent, or the call carries an idempotency key.
 */
#ifndef RPC_RETRY_H
#define RPC_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

#define RPC_RETRY_ATTEMPTS_MAX 5

struct rpc_retry_question {
    enum status status;
    bool executed;
    bool is_repeatable;
    bool is_forbidden;       /* the caller said no */
    unsigned attempts;       /* made so far */
    uint64_t left_us;        /* of the deadline */
    uint64_t retry_after_ms; /* the server's hint; 0: none */
    uint64_t dice;           /* any random number */
};

struct rpc_retry_answer {
    bool is_allowed; /* as far as the call goes; the endpoint's budget has a say too */
    uint64_t delay_ms;
};

struct rpc_retry_answer rpc_retry_decide(const struct rpc_retry_question *question);

#endif /* RPC_RETRY_H */
