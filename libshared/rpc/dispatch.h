/*
 * dispatch.h - the order of checks between a request's bytes and its handler.
 *
 *     read envelope -> version -> shape -> authenticate -> method -> authorise -> deadline
 *     -> admission -> payload -> idempotency -> run
 *
 * No socket in here: bytes in, a verdict out. Whatever fails before the handler starts is
 * answered with executed = false.
 *
 * Threads: any; the dispatcher is constant while requests are served, `draining` apart.
 */
#ifndef RPC_DISPATCH_H
#define RPC_DISPATCH_H

#include "rpc/admission.h"
#include "rpc/job.h"

struct rpc_dispatcher {
    const struct rpc_registry *registry;
    struct rpc_admission *admission;
    struct rpc_idempotency *idempotency;
    struct rpc_jobs *jobs;
    void *service;
    rpc_authenticate authenticate; /* NULL: nobody is known */
    void *authenticate_context;
    uint64_t default_timeout_us;
    size_t request_bytes; /* of a payload once decompressed */
    atomic_bool is_draining;
};

enum rpc_verdict {
    RPC_VERDICT_ANSWER, /* job->outcome, or the stored answer, is to be sent */
    RPC_VERDICT_INLINE, /* run it here */
    RPC_VERDICT_QUEUE,  /* run it on a worker */
};

/* `job` was reset; connection, connection_has_room and received_us are set. */
enum rpc_verdict rpc_dispatch_request(struct rpc_dispatcher *dispatcher,
                                      struct rpc_job *job, const uint8_t *bytes,
                                      size_t size);

/*
 * Run the handler, unless the call is late or cancelled. True: answer the job now. False:
 * it is parked or was handed on, and not ours any more.
 */
bool rpc_dispatch_run(struct rpc_job *job);

#endif /* RPC_DISPATCH_H */
