/*
 * quota_batch.h - quota operations of many threads, sent together (QuotaService.Submit).
 *
 *     callers ──start──> waiting ──up to 256──> a message in flight ──> done, one a caller
 *
 * No timer: an operation leaves at once while fewer messages are in flight than allowed;
 * else it waits and goes with the next one. So one caller alone waits for nobody, and many
 * share round trips and commits. Order of operations is order of arrival.
 * One message at a time is most often the best: quota-service commits in groups, and callers
 * in two messages wait for two commits each.
 *
 * Every operation has an op id, so a message is repeated when that may help (rpc/client.h),
 * and an operation whose outcome is not known is asked again with the same op id.
 *
 * Threads: any number may start and call at once.
 */
#ifndef CLIENT_QUOTA_BATCH_H
#define CLIENT_QUOTA_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "metercache/v1/quota.pb-c.h"
#include "rpc/client.h"

#define CLIENT_QUOTA_BATCH_OPERATIONS_MAX 256 /* in one message: Submit's bound */

struct client_quota_batch;

struct client_quota_batch_options {
    struct rpc_client *client; /* borrowed; closed after the batch or before it */
    unsigned messages;         /* in flight at once, at most 16; 0: 1 */
    unsigned queue_limit;      /* operations under way; beyond: ST_EXHAUSTED; 0: 8192 */
    size_t message_bytes;      /* of operations in a message; 0: 512 KiB */
};

struct client_quota_batch *client_quota_batch_open(
    const struct client_quota_batch_options *options);
/*
 * What waits ends with ST_CANCELLED; what is in flight ends as it ends (at once when the
 * rpc client was closed before). Returns after the last `done`. Accepts NULL.
 */
void client_quota_batch_close(struct client_quota_batch *batch);

struct client_quota_call {
    uint64_t timeout_ms; /* 0: 30000 */
    unsigned priority;   /* of the message: the highest of its operations'; 0: DEFAULT */
};

/* How one operation ended; valid while `done` runs. */
struct client_quota_outcome {
    enum status status;
    bool executed; /* false: it certainly never reached a handler */
    /* Its own answer, good or bad (quota_result.h makes an error of a bad one) ... */
    const Metercache__V1__OperationResult *result;
    /* ... or NULL, and why there is none. */
    const struct error *err;
};

/* Runs exactly once, maybe before start returns; must not block. May start another one. */
typedef void (*client_quota_done)(void *context,
                                  const struct client_quota_outcome *outcome);

/* The request is packed before this returns. An operation that has left when its time is
 * over ends with its message, which lives as long as the most patient in it. */
void client_quota_batch_start(struct client_quota_batch *batch,
                              const Metercache__V1__OperationRequest *request,
                              const struct client_quota_call *call, client_quota_done done,
                              void *context);

/* What the three responses say, in one. */
struct client_quota_answer {
    int64_t expires_at_us; /* reserve */
    int64_t posted_milli;  /* settle */
    int64_t overage_milli; /* settle */
    bool corrected;        /* settle, void */
};

/*
 * Start and wait, no longer than call->timeout_ms. `answer` is filled on ST_OK; *executed
 * always: true says that it may have been done, whatever the status. Not from a callback.
 */
MUST_USE enum status client_quota_batch_call(
    struct client_quota_batch *batch, const Metercache__V1__OperationRequest *request,
    const struct client_quota_call *call, struct client_quota_answer *answer,
    bool *executed, struct error *err);

#endif /* CLIENT_QUOTA_BATCH_H */
