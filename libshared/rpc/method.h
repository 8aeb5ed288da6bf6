/*
 * method.h - methods as rows, and the call a handler gets.
 *
 * Only the dispatcher decodes, bounds, authorises, times, counts and replies; a handler is
 * domain code. It reads a decoded request, fills the reply (initialised by the dispatcher,
 * everything it points to from call->arena or static) and returns a status.
 *
 * A handler that has to wait for something other than its own work (a flight that another
 * call leads) defers: it hands `call` to whoever will wake it, and returns what
 * rpc_call_defer returned. The call is then resumed (the handler runs again on a worker,
 * with call->wake set) or finished with an error, exactly once, by whoever holds it. The
 * server ends the wait itself when the caller's deadline passes, so a holder must accept
 * that rpc_call_resume on such a call does nothing.
 */
#ifndef RPC_METHOD_H
#define RPC_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/op_id.h"
#include "rpc/identity.h"

struct rpc_call {
    struct arena *arena; /* of this request; dies with the reply */
    void *service;       /* rpc_server_options.service */
    struct rpc_identity caller;
    struct op_id call_id;
    const char *method;   /* full name */
    uint64_t deadline_us; /* monotonic; never 0 */
    uint32_t attempt;
    unsigned priority; /* Metercache__V1__Priority, never UNSPECIFIED */
    bool is_dry_run;
    const char *traceparent; /* "" when none */

    void *state; /* the handler's own, from call->arena; kept while the call is deferred */

    /* Set when a deferred call runs again: what the waker said. */
    bool is_resumed;
    struct error wake; /* wake.status == ST_OK: look again, it should be there */
};

typedef enum status (*rpc_handler)(struct rpc_call *call, const void *request, void *reply,
                                   struct error *err);

enum rpc_method_flags {
    RPC_INLINE = 1 << 0,     /* never blocks: runs on nng's thread */
    RPC_IDEMPOTENT = 1 << 1, /* repeating it is harmless: clients may retry */
};

/* One row of a service's method table. */
struct rpc_method {
    const ProtobufCServiceDescriptor *service;
    const char *name; /* "Search" */
    uint32_t roles;   /* RPC_ROLE_ bits, or RPC_ROLES_PUBLIC; default deny */
    unsigned flags;
    rpc_handler handler;
};

/* Returned by rpc_call_defer and passed on by the handler; never goes over the wire. */
#define RPC_DEFERRED ((enum status) - 1)

/* Park the call; the handler must return the result. Only from a handler. */
enum status rpc_call_defer(struct rpc_call *call) MUST_USE;

/*
 * Run a deferred call's handler again on a worker, with call->wake = *wake. Consumes the
 * caller's hold. Any thread, also before the handler that deferred has returned.
 */
void rpc_call_resume(struct rpc_call *call, const struct error *wake);

/*
 * Answer a deferred call from here: on ST_OK the reply message the handler was given (which
 * the holder filled from call->arena) is packed and sent, else *err. Consumes the hold.
 * Any thread. A deferred call's memory stays until its holder resumes or finishes it, also
 * when the server has answered DEADLINE_EXCEEDED meanwhile.
 */
void rpc_call_finish(struct rpc_call *call, enum status status, const struct error *err);

/* Has the caller given up (a cancel frame, or its connection gone)? Long handlers may ask. */
bool rpc_call_is_cancelled(const struct rpc_call *call);

/* The caller's user for rows it owns: on-behalf-of, else its subject. Never NULL. */
const char *rpc_call_user(const struct rpc_call *call);

#endif /* RPC_METHOD_H */
