/*
 * Waiting for one operation. What the caller and the operation share lives on the heap: who
 * comes last frees it, for a caller whose time is over leaves, and its operation does not.
 */
#include "client/quota_batch.h"
#include "client/quota_batch_impl.h"
#include "client/quota_result.h"
#include "core/mem.h"
#include "core/thread.h"

struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool is_over;
    bool is_left; /* by its caller: what follows points nowhere */

    /* the caller's */
    struct client_quota_answer *answer;
    struct error *err;
    enum status status;
    bool executed;
};

static struct waiter *waiter_new(struct client_quota_answer *answer, struct error *err)
{
    struct waiter *waiter = mem_alloc(sizeof(*waiter));

    waiter->answer = answer;
    waiter->err = err;
    mutex_init(&waiter->mutex);
    condition_init(&waiter->over);
    return waiter;
}

static void waiter_free(struct waiter *waiter)
{
    condition_done(&waiter->over);
    mutex_done(&waiter->mutex);
    mem_free(waiter);
}

static void read_answer(struct client_quota_answer *answer,
                        const Metercache__V1__OperationResult *result)
{
    switch (result->response_case) {
    case METERCACHE__V1__OPERATION_RESULT__RESPONSE_RESERVE:
        answer->expires_at_us = result->reserve->expires_at_us;
        break;
    case METERCACHE__V1__OPERATION_RESULT__RESPONSE_SETTLE:
        answer->posted_milli = result->settle->posted_milli;
        answer->overage_milli = result->settle->overage_milli;
        answer->corrected = result->settle->corrected;
        break;
    case METERCACHE__V1__OPERATION_RESULT__RESPONSE_VOID_RESERVATION:
        answer->corrected = result->void_reservation->corrected;
        break;
    default:
        break;
    }
}

static void take_outcome(struct waiter *waiter, const struct client_quota_outcome *outcome)
{
    waiter->status = outcome->status;
    waiter->executed = outcome->executed;
    if (outcome->status == ST_OK) {
        *waiter->answer = (struct client_quota_answer){.corrected = false};
        read_answer(waiter->answer, outcome->result);
    } else if (outcome->result != NULL) {
        client_quota_result_error(waiter->err, outcome->result);
    } else {
        *waiter->err = *outcome->err;
    }
}

static void on_done(void *context, const struct client_quota_outcome *outcome)
{
    struct waiter *waiter = context;
    bool is_left;

    mutex_lock(&waiter->mutex);
    is_left = waiter->is_left;
    if (!is_left) {
        take_outcome(waiter, outcome);
        waiter->is_over = true;
        condition_signal(&waiter->over);
    }
    mutex_unlock(&waiter->mutex);
    if (is_left)
        waiter_free(waiter);
}

/* False when the deadline passed first: the caller has left, and on_done frees the waiter. */
static bool wait_for(struct waiter *waiter, uint64_t deadline_us)
{
    bool in_time = true;
    bool is_over;

    mutex_lock(&waiter->mutex);
    while (!waiter->is_over && in_time)
        in_time = condition_wait_until(&waiter->over, &waiter->mutex, deadline_us);
    is_over = waiter->is_over;
    waiter->is_left = !is_over;
    mutex_unlock(&waiter->mutex);
    return is_over;
}

static void count_caller(struct client_quota_batch *batch, int change)
{
    mutex_lock(&batch->mutex);
    batch->callers += (unsigned)change;
    if (batch->is_closing)
        condition_broadcast(&batch->changed);
    mutex_unlock(&batch->mutex);
}

enum status client_quota_batch_call(struct client_quota_batch *batch,
                                    const Metercache__V1__OperationRequest *request,
                                    const struct client_quota_call *call,
                                    struct client_quota_answer *answer, bool *executed,
                                    struct error *err)
{
    struct waiter *waiter = waiter_new(answer, err);
    struct quota_batch_op *op = quota_batch_op_new(request, call, on_done, waiter);
    uint64_t deadline_us = op->deadline_us;
    enum status st;

    count_caller(batch, 1);
    quota_batch_enter(batch, op);
    if (wait_for(waiter, deadline_us)) {
        st = waiter->status;
        *executed = waiter->executed;
        waiter_free(waiter);
    } else {
        st = error_set(err, ST_DEADLINE, "no answer to the operation in time");
        *executed = true; /* it may be on its way */
    }
    count_caller(batch, -1);
    return st;
}
