/*
 * An operation's way:
 *
 *   start: packed -> `waiting` -> pump (whoever has a free message) -> rpc_client_start
 *     -> on_message: its result to its `done` -> the message is filled again, or is free
 *
 * A message stays taken while its callbacks run: what they start waits for the last of them
 * and leaves together. The bytes of an operation are packed by who starts it, so the thread
 * that sends only copies them.
 */
#include "client/quota_batch.h"

#include "client/quota_batch_impl.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "metercache/v1/rpc.pb-c.h"

#define TIMEOUT_DEFAULT_MS    30000
#define MESSAGES_DEFAULT      1
#define QUEUE_DEFAULT         8192
#define MESSAGE_BYTES_DEFAULT ((size_t)512 * 1024)
#define OP_HEAD_BYTES         4 /* tag and length of an operation in a message */

/* A message that this thread is starting. rpc_client_start may fail on the spot; then
 * on_message leaves what comes next to the loop in pump, instead of recursing. */
struct start {
    const struct quota_batch_message *message;
    bool is_over;
};

static _Thread_local struct start *starting_here;

/* ---- lists ----------------------------------------------------------------------------- */

static void append(struct quota_batch_list *list, struct quota_batch_op *op)
{
    op->next = NULL;
    if (list->first == NULL)
        list->first = op;
    else
        list->last->next = op;
    list->last = op;
}

static struct quota_batch_op *take_first(struct quota_batch_list *list)
{
    struct quota_batch_op *op = list->first;

    list->first = op->next;
    return op;
}

/* ---- the end of operations ------------------------------------------------------------- */

static void end_op(struct quota_batch_op *op, const struct client_quota_outcome *outcome)
{
    op->done(op->context, outcome);
    mem_free(op);
}

static void end_list(struct quota_batch_op *op, bool executed, const struct error *err)
{
    const struct client_quota_outcome outcome = {
        .status = err->status, .executed = executed, .err = err};

    while (op != NULL) {
        struct quota_batch_op *next = op->next;

        end_op(op, &outcome);
        op = next;
    }
}

static void end_answered(struct quota_batch_op *op,
                         const Metercache__V1__SubmitResponse *reply)
{
    for (size_t i = 0; i < reply->n_results; i++) {
        const Metercache__V1__OperationResult *result = reply->results[i];
        const struct client_quota_outcome outcome = {
            .status =
                result->code > INT32_MAX ? ST_UNKNOWN : status_from_wire((int)result->code),
            .executed = true,
            .result = result};
        struct quota_batch_op *next = op->next;

        end_op(op, &outcome);
        op = next;
    }
}

static void end_late(struct quota_batch_op *late)
{
    struct error err;

    error_set(&err, ST_DEADLINE, "the operation waited for its turn until it was too late");
    end_list(late, false, &err);
}

/* ---- messages -------------------------------------------------------------------------- */

/* Fill a message from what waits; what is too late goes on `late`. Under the mutex. */
static void fill(struct quota_batch_message *message, struct rpc_call_options *call,
                 struct quota_batch_list *late)
{
    struct client_quota_batch *batch = message->batch;
    struct quota_batch_list ops = {NULL, NULL};
    uint64_t now_us = clock_mono_us();
    uint64_t deadline_us = now_us;
    size_t left = batch->options.message_bytes;

    message->count = 0;
    while (batch->waiting.first != NULL &&
           message->count < CLIENT_QUOTA_BATCH_OPERATIONS_MAX) {
        struct quota_batch_op *op = batch->waiting.first;

        if (op->deadline_us <= now_us) {
            append(late, take_first(&batch->waiting));
            batch->under_way--;
            continue;
        }
        if (op->size + OP_HEAD_BYTES > left)
            break;
        left -= op->size + OP_HEAD_BYTES;
        append(&ops, take_first(&batch->waiting));
        message->bytes[message->count++] = (ProtobufCBinaryData){op->size, op->bytes};
        deadline_us = op->deadline_us > deadline_us ? op->deadline_us : deadline_us;
        call->priority = op->priority > call->priority ? op->priority : call->priority;
    }
    message->ops = ops.first;
    call->timeout_ms = clock_left_ms(deadline_us);
}

static void release(struct quota_batch_message *message)
{
    struct client_quota_batch *batch = message->batch;

    message->next_free = batch->free;
    batch->free = message;
    batch->free_count++;
    if (batch->is_closing)
        condition_broadcast(&batch->changed);
}

static void on_message(void *context, enum status status, const ProtobufCMessage *reply,
                       const struct rpc_outcome *outcome, const struct error *err);

/* True: it was over before this returned, and its operations have ended. */
static bool start_message(struct quota_batch_message *message,
                          const struct rpc_call_options *call)
{
    Metercache__V1__PackedSubmitRequest request =
        METERCACHE__V1__PACKED_SUBMIT_REQUEST__INIT;
    struct start start = {.message = message};
    struct start *outer = starting_here;

    request.n_operations = message->count;
    request.operations = message->bytes;
    starting_here = &start;
    rpc_client_start(message->batch->options.client, call, &request.base, on_message,
                     message);
    starting_here = outer;
    return start.is_over;
}

/* The message is this thread's: send what waits with it, or give it back. */
static void pump(struct quota_batch_message *message)
{
    struct client_quota_batch *batch = message->batch;
    bool go_on = true;

    while (go_on) {
        struct rpc_call_options call = {
            .method = "/metercache.v1.QuotaService/Submit",
            .reply_type = &metercache__v1__submit_response__descriptor,
            .is_idempotent = true, /* by the op ids */
        };
        struct quota_batch_list late = {NULL, NULL};
        size_t count;

        mutex_lock(&batch->mutex);
        fill(message, &call, &late);
        count = message->count;
        if (count == 0 && late.first == NULL)
            release(message); /* no longer this thread's */
        mutex_unlock(&batch->mutex);
        if (late.first != NULL)
            end_late(late.first);
        go_on = count > 0 ? start_message(message, &call) : late.first != NULL;
    }
}

static void on_message(void *context, enum status status, const ProtobufCMessage *reply,
                       const struct rpc_outcome *outcome, const struct error *err)
{
    struct quota_batch_message *message = context;
    struct client_quota_batch *batch = message->batch;
    const Metercache__V1__SubmitResponse *answer = (const void *)reply;

    mutex_lock(&batch->mutex);
    batch->under_way -= (unsigned)message->count;
    mutex_unlock(&batch->mutex);
    if (status == ST_OK && answer->n_results == message->count) {
        end_answered(message->ops, answer);
    } else if (status == ST_OK) {
        struct error wrong;

        error_set(&wrong, ST_INTERNAL, "quota-service gave %zu results for %zu operations",
                  answer->n_results, message->count);
        end_list(message->ops, true, &wrong);
    } else {
        end_list(message->ops, outcome->executed, err);
    }
    if (starting_here != NULL && starting_here->message == message)
        starting_here->is_over = true;
    else
        pump(message);
}

/* ---- what others call ------------------------------------------------------------------ */

struct quota_batch_op *quota_batch_op_new(const Metercache__V1__OperationRequest *request,
                                          const struct client_quota_call *call,
                                          client_quota_done done, void *context)
{
    size_t size = metercache__v1__operation_request__get_packed_size(request);
    struct quota_batch_op *op = mem_realloc_array(NULL, 1, sizeof(*op) + size);
    uint64_t timeout_ms = call->timeout_ms == 0 ? TIMEOUT_DEFAULT_MS : call->timeout_ms;

    *op = (struct quota_batch_op){
        .done = done,
        .context = context,
        .deadline_us = clock_deadline_ms(timeout_ms),
        .priority = call->priority == 0 ? METERCACHE__V1__PRIORITY__PRIORITY_DEFAULT
                                        : call->priority,
        .size = size,
    };
    metercache__v1__operation_request__pack(request, op->bytes);
    return op;
}

/* Under the mutex. */
static enum status check(const struct client_quota_batch *batch,
                         const struct quota_batch_op *op, struct error *err)
{
    if (batch->is_closing)
        return error_set(err, ST_CANCELLED, "the client closes");
    if (op->size + OP_HEAD_BYTES > batch->options.message_bytes)
        return error_set(err, ST_INVALID, "the operation of %zu bytes is too large",
                         op->size);
    if (batch->under_way >= batch->options.queue_limit) {
        error_set(err, ST_EXHAUSTED, "%u operations are under way already",
                  batch->options.queue_limit);
        return error_reason(err, "CLIENT_LIMIT");
    }
    return ST_OK;
}

void quota_batch_enter(struct client_quota_batch *batch, struct quota_batch_op *op)
{
    struct quota_batch_message *message = NULL;
    struct error err;
    enum status st;

    mutex_lock(&batch->mutex);
    st = check(batch, op, &err);
    if (st == ST_OK) {
        batch->under_way++;
        append(&batch->waiting, op);
        message = batch->free;
        if (message != NULL) {
            batch->free = message->next_free;
            batch->free_count--;
        }
    }
    mutex_unlock(&batch->mutex);
    if (st != ST_OK)
        end_list(op, false, &err);
    else if (message != NULL)
        pump(message);
}

void client_quota_batch_start(struct client_quota_batch *batch,
                              const Metercache__V1__OperationRequest *request,
                              const struct client_quota_call *call, client_quota_done done,
                              void *context)
{
    quota_batch_enter(batch, quota_batch_op_new(request, call, done, context));
}

struct client_quota_batch *client_quota_batch_open(
    const struct client_quota_batch_options *options)
{
    struct client_quota_batch *batch = mem_alloc(sizeof(*batch));
    unsigned count = options->messages == 0 ? MESSAGES_DEFAULT : options->messages;

    batch->options = *options;
    batch->options.messages =
        count > QUOTA_BATCH_MESSAGES_MAX ? QUOTA_BATCH_MESSAGES_MAX : count;
    if (options->queue_limit == 0)
        batch->options.queue_limit = QUEUE_DEFAULT;
    if (options->message_bytes == 0)
        batch->options.message_bytes = MESSAGE_BYTES_DEFAULT;
    mutex_init(&batch->mutex);
    condition_init(&batch->changed);
    batch->messages = mem_alloc_array(batch->options.messages, sizeof(*batch->messages));
    for (unsigned i = 0; i < batch->options.messages; i++) {
        batch->messages[i].batch = batch;
        release(&batch->messages[i]);
    }
    return batch;
}

void client_quota_batch_close(struct client_quota_batch *batch)
{
    struct quota_batch_list waiting;
    struct error err;

    if (batch == NULL)
        return;
    mutex_lock(&batch->mutex);
    batch->is_closing = true;
    waiting = batch->waiting;
    batch->waiting = (struct quota_batch_list){NULL, NULL};
    mutex_unlock(&batch->mutex);
    error_set(&err, ST_CANCELLED, "the client closes");
    end_list(waiting.first, false, &err);
    mutex_lock(&batch->mutex);
    while (batch->free_count < batch->options.messages || batch->callers > 0)
        condition_wait(&batch->changed, &batch->mutex);
    mutex_unlock(&batch->mutex);
    condition_done(&batch->changed);
    mutex_done(&batch->mutex);
    mem_free(batch->messages);
    mem_free(batch);
}
