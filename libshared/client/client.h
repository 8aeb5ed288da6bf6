/*
 * client.h - typed calls: what services, the CLI and other C programs use.
 *
 * One header a service (creators.h, quota.h ...), one function a method:
 *
 *     st = client_quota_reserve(&reply, client, &request, &options, arena, err);
 *
 * The reply lives in `arena`. `options` may be NULL. Errors are those of rpc_client_call
 * (rpc/client.h) and of the method (its .proto).
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "rpc/client.h"

struct client_options {
    uint64_t timeout_ms;         /* 0: 30000 */
    const char *on_behalf_of;    /* NULL: nobody */
    const void *idempotency_key; /* NULL: none */
    size_t idempotency_key_size;
    unsigned priority; /* 0: DEFAULT */
    const char *traceparent;
    bool is_dry_run;
    struct rpc_outcome *outcome; /* NULL: not wanted */
};

/* One line a method in the service's header ... */
// clang-format off
#define CLIENT_CALL_DECLARE(function, Request, Response)                                   \
    MUST_USE enum status function(                                                         \
        Metercache__V1__##Response **reply, struct rpc_client *client,                     \
        const Metercache__V1__##Request *request, const struct client_options *options,    \
        struct arena *arena, struct error *err)

/* ... and one in its .c. `response` is the Response's name in the generated functions. ONCE:
 * after doubt the call must not be made again; REPEATABLE: it may (as in the server's row). */
#define CLIENT_ONCE       false
#define CLIENT_REPEATABLE true
#define CLIENT_CALL_DEFINE(function, method, Request, Response, response, repeatable)      \
    CLIENT_CALL_DECLARE(function, Request, Response)                                       \
    {                                                                                      \
        ProtobufCMessage *message;                                                         \
        enum status st = client_call(client, "/metercache.v1." method,                     \
                                     &metercache__v1__##response##__descriptor,            \
                                     (repeatable), &request->base, options, arena,         \
                                     &message, err);                                       \
                                                                                           \
        if (st == ST_OK)                                                                   \
            *reply = (Metercache__V1__##Response *)message;                                \
        return st;                                                                         \
    }
// clang-format on

/* The untyped call beneath. */
MUST_USE enum status client_call(struct rpc_client *client, const char *method,
                                 const ProtobufCMessageDescriptor *reply_type,
                                 bool is_idempotent, const ProtobufCMessage *request,
                                 const struct client_options *options, struct arena *arena,
                                 ProtobufCMessage **reply, struct error *err);

#endif /* CLIENT_CLIENT_H */
