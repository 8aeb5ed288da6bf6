/*
 * client.h - calls to one service at one or more endpoints.
 *
 * One REQ socket per endpoint (resending off), contexts pooled. The endpoint is the less
 * loaded of two random ones; draining and failing ones are avoided. A call is retried only
 * when that is safe: the server says the handler never started, or the code is retryable
 * and the method is idempotent or carries a key. At most 5 attempts within the deadline,
 * with jitter, a retry budget per endpoint, and the server's retry_after obeyed.
 *
 * Failures seen from here: no connection within fail_fast_ms -> ST_UNAVAILABLE (not
 * executed); no answer in time -> ST_DEADLINE, and the server is told; connection lost ->
 * ST_UNAVAILABLE, perhaps executed (struct rpc_outcome says).
 *
 * Threads: any number may call at once.
 */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/op_id.h"

struct rpc_client;

struct rpc_client_options {
    const char *endpoints;   /* comma-separated URLs, at most 16 */
    const char *bearer;      /* token text; copied; NULL or "": none */
    const char *tls_ca_file; /* with tls+tcp:// */
    const char *tls_cert_file;
    const char *tls_key_file;
    uint64_t fail_fast_ms;   /* how long to wait for a connection; 0: 1000 */
    unsigned inflight_limit; /* calls at once; beyond: ST_EXHAUSTED; 0: 1024 */
    size_t reply_bytes;      /* largest frame accepted; 0: 4 MiB */
    size_t request_bytes;    /* largest frame sent, as the server takes it; 0: 1 MiB */
    bool accept_compressed;  /* ask for zstd replies: for slow links, not for loopback */
};

MUST_USE enum status rpc_client_open(struct rpc_client **out,
                                     const struct rpc_client_options *options,
                                     struct error *err);
/* Ends calls in flight with ST_CANCELLED and waits for their callbacks. Accepts NULL. */
void rpc_client_close(struct rpc_client *client);

struct rpc_call_options {
    const char *method; /* "/metercache.v1.QuotaService/Reserve" */
    const ProtobufCMessageDescriptor *reply_type;
    bool is_idempotent;       /* of the method: may be retried after doubt */
    uint64_t timeout_ms;      /* 0: 30000 */
    const char *on_behalf_of; /* NULL: nobody */
    const void *idempotency_key;
    size_t idempotency_key_size; /* at most 64 */
    unsigned priority;           /* Metercache__V1__Priority; 0: DEFAULT */
    bool is_dry_run;
    bool no_retry;
    const char *traceparent; /* NULL: none */
};

/* What is known beside the status. */
struct rpc_outcome {
    bool executed; /* false: the handler certainly never started */
    bool replayed;
    unsigned attempts;
    uint64_t server_us;
    uint64_t queue_us;
    uint64_t elapsed_us;
    char instance_id[40];
};

/*
 * Call and wait. On ST_OK *reply is a message of reply_type in `arena`. `outcome` may be
 * NULL. Not from an nng callback or an inline handler.
 */
MUST_USE enum status rpc_client_call(struct rpc_client *client,
                                     const struct rpc_call_options *options,
                                     const ProtobufCMessage *request, struct arena *arena,
                                     ProtobufCMessage **reply, struct rpc_outcome *outcome,
                                     struct error *err);

/*
 * The same without waiting. `done` runs exactly once, on a thread that must not be
 * blocked; `reply` is NULL unless status is ST_OK and dies when `done` returns. The
 * request is packed before this returns.
 */
typedef void (*rpc_done)(void *context, enum status status, const ProtobufCMessage *reply,
                         const struct rpc_outcome *outcome, const struct error *err);
void rpc_client_start(struct rpc_client *client, const struct rpc_call_options *options,
                      const ProtobufCMessage *request, rpc_done done, void *context);

/* True when an endpoint is connected, as far as is known. */
bool rpc_client_is_connected(struct rpc_client *client);

#endif /* RPC_CLIENT_H */
