/*
 * client_impl.h - what the files of the client share (internal to rpc).
 *
 *     client.c       opening, closing, the pool of calls, picking an endpoint
 *     client_call.c  one call: attempt -> send -> receive -> answer or another attempt
 *     client_message.c  a call's question and answer as bytes
 */
#ifndef RPC_CLIENT_IMPL_H
#define RPC_CLIENT_IMPL_H

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/arena.h"
#include "metercache/v1/rpc.pb-c.h"
#include "rpc/client.h"
#include "rpc/endpoint.h"
#include "rpc/identity.h"

#define RPC_ENDPOINTS_MAX    16
#define RPC_KEY_MAX          64
#define RPC_METHOD_SIZE      256
#define RPC_TRACEPARENT_SIZE 129
#define RPC_AVOID_US         ((uint64_t)1000 * 1000) /* an endpoint that failed or drains */

/*
 *     IDLE -> SENDING -> RECEIVING -> OVER -> IDLE
 *                 ^  \        |
 *                 |   \       v      an attempt failed and another is allowed
 *                 +--- SLEEPING                            (SETTLING: see end)
 *
 * One aio drives it all, so nothing of a call ever runs twice at once: the thread that
 * starts it, then nng's callbacks one after another, then whoever ends it.
 */
enum rpc_client_call_state {
    RPC_CALL_IDLE,
    RPC_CALL_SENDING,
    RPC_CALL_RECEIVING,
    RPC_CALL_SLEEPING,
    RPC_CALL_SETTLING,
    RPC_CALL_OVER,
};

struct rpc_client_call {
    struct rpc_client *client;
    nng_aio *aio;
    uint64_t expires_us; /* monotonic: when the operation on it is due */
    bool is_timer_near;  /* the last operation ended when it was due: see end */
    enum rpc_client_call_state state;
    struct arena own_arena; /* the answer's envelope, and an asynchronous reply */
    struct arena *arena;    /* where the reply goes */

    /* the question */
    struct op_id call_id;
    char method[RPC_METHOD_SIZE];
    char on_behalf_of[RPC_SUBJECT_SIZE];
    char traceparent[RPC_TRACEPARENT_SIZE];
    uint8_t key[RPC_KEY_MAX];
    size_t key_size;
    const ProtobufCMessageDescriptor *reply_type;
    bool is_idempotent;
    bool is_cancel_frame;
    bool is_dry_run;
    bool no_retry;
    Metercache__V1__Priority priority;
    uint8_t *payload; /* packed request; the memory is kept between calls */
    size_t payload_size;
    size_t payload_room;
    uint64_t started_us;
    uint64_t deadline_us;

    /* the attempt */
    struct rpc_endpoint *endpoint; /* of the attempt; kept after it as the last one */
    struct rpc_endpoint *only;     /* NULL: any endpoint will do */
    /* The context of the last attempt is kept for the next one at the same endpoint. */
    nng_ctx ctx;
    struct rpc_endpoint *ctx_owner; /* NULL: has none */
    bool is_counted;                /* in the endpoint's load */
    bool was_executed;              /* perhaps, by an earlier attempt */

    /* the answer */
    struct error error;
    struct rpc_outcome outcome;
    ProtobufCMessage *reply;
    rpc_done done; /* NULL: a thread waits on `over` */
    void *done_context;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool is_over; /* under the mutex */
};

struct rpc_client {
    struct rpc_client_options options; /* defaults filled in */
    char *endpoint_text;               /* the option, cut at its commas */
    char *bearer;
    size_t bearer_size;
    struct rpc_endpoint endpoints[RPC_ENDPOINTS_MAX];
    unsigned endpoint_count;
    atomic_uint_least64_t dice;

    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    struct rpc_client_call **calls; /* all there are */
    struct rpc_client_call **idle;
    unsigned call_count;
    unsigned idle_count;
    unsigned cancels; /* cancel frames in flight */

    atomic_uint starting;   /* threads inside the first attempt of a call */
    atomic_bool is_closing; /* set under the mutex */

    pthread_t keeper;
    bool has_keeper;
};

/* client.c */
uint64_t rpc_client_dice(struct rpc_client *client);
/* The less loaded of two random endpoints; not `last` when there are others. */
struct rpc_endpoint *rpc_client_pick(struct rpc_client *client,
                                     const struct rpc_endpoint *last, uint64_t now_us);
/* A call from the pool; ST_EXHAUSTED at the limit, ST_CANCELLED when the client closes.
 * Until rpc_client_started the client does not close. */
MUST_USE enum status rpc_client_acquire(struct rpc_client *client,
                                        struct rpc_client_call **out, bool is_cancel_frame,
                                        struct error *err);
void rpc_client_started(struct rpc_client *client);
void rpc_client_release(struct rpc_client_call *call);

/* client_call.c */
struct rpc_client_call *rpc_client_call_new(struct rpc_client *client);
void rpc_client_call_free(struct rpc_client_call *call);
/* Make the first attempt; the call then goes on by itself. */
void rpc_client_call_run(struct rpc_client_call *call);
/* After nng_aio_stop: end it as cancelled if it has not ended by itself. */
void rpc_client_call_abort(struct rpc_client_call *call);

/* client_message.c */
/* Checks and copies the question; nothing is sent yet. */
MUST_USE enum status rpc_client_call_prepare(struct rpc_client_call *call,
                                             const struct rpc_call_options *options,
                                             const ProtobufCMessage *request,
                                             struct error *err);
/* The frame of an attempt; ST_EXHAUSTED when it is larger than the server takes. */
MUST_USE enum status rpc_client_call_write(nng_msg **out, struct rpc_client_call *call,
                                           uint64_t left_us, struct error *err);
/* An answer, good or bad, into call->error, ->outcome and ->reply. */
void rpc_client_call_read(struct rpc_client_call *call, const uint8_t *bytes, size_t size);

#endif /* RPC_CLIENT_IMPL_H */
