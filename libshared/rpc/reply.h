/*
 * reply.h - a finished job as the frame that answers it.
 *
 * The reply message is packed straight into the place it leaves from. It is packed aside
 * only when it is kept for an idempotency key or compressed.
 */
#ifndef RPC_REPLY_H
#define RPC_REPLY_H

#include "rpc/frame.h"
#include "rpc/job.h"

struct rpc_reply_options {
    const char *instance_id;
    struct rpc_server_load load;
    size_t reply_bytes; /* largest frame */
    struct rpc_idempotency *idempotency;
};

struct rpc_reply {
    struct rpc_frame frame;
    size_t size; /* of the frame */
    Metercache__V1__Response response;
    Metercache__V1__Load load;
    struct error shown; /* what the caller is told */
};

/* Fills *reply, which must not be moved. Ends job->claim. A reply that is too large becomes
 * ST_EXHAUSTED, in job->outcome too. */
void rpc_reply_make(struct rpc_reply *reply, struct rpc_job *job,
                    const struct rpc_reply_options *options, uint64_t now_us);

#endif /* RPC_REPLY_H */
