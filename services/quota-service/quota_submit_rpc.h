/*
 * quota_submit_rpc.h - QuotaService.Submit: many operations in one message.
 */
#ifndef QUOTA_SUBMIT_RPC_H
#define QUOTA_SUBMIT_RPC_H

#include "rpc/method.h"

/* Messages under way, and memory kept for the next ones. */
struct submissions;

struct submissions *submissions_new(void);
void submissions_free(
    struct submissions *submissions); /* none is under way; accepts NULL */

/* A handler: inline, defers; the answer of the last operation finishes the call. */
enum status quota_submit(struct rpc_call *call, const void *request, void *reply,
                         struct error *err);

#endif /* QUOTA_SUBMIT_RPC_H */
