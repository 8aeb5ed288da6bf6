#include "client/client.h"

enum status client_call(struct rpc_client *client, const char *method,
                        const ProtobufCMessageDescriptor *reply_type, bool is_idempotent,
                        const ProtobufCMessage *request,
                        const struct client_options *options, struct arena *arena,
                        ProtobufCMessage **reply, struct error *err)
{
    static const struct client_options defaults = {.timeout_ms = 0};
    struct rpc_call_options call = {
        .method = method,
        .reply_type = reply_type,
        .is_idempotent = is_idempotent,
    };

    if (options == NULL)
        options = &defaults;
    call.timeout_ms = options->timeout_ms;
    call.on_behalf_of = options->on_behalf_of;
    call.idempotency_key = options->idempotency_key;
    call.idempotency_key_size = options->idempotency_key_size;
    call.priority = options->priority;
    call.traceparent = options->traceparent;
    call.is_dry_run = options->is_dry_run;
    return rpc_client_call(client, &call, request, arena, reply, options->outcome, err);
}
