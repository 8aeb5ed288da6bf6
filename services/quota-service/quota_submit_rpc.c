/*
 * A message of operations:
 *
 *   quota_submit (nng's thread)   reads each; one that is invalid has its result already
 *     -> writer_submit_chain      the others, in their order
 *     -> answered (one thread)    writes one result; the last one finishes the call
 *
 * The writer answers a chain on one thread, so no message is locked. What the writer needs
 * of it is large and is kept for the next message: fresh memory for each, with its page
 * faults, was a sixth of this service's time.
 */
#include "quota_submit_rpc.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "quota_answer_rpc.h"
#include "quota_operation_rpc.h"
#include "quota_service.h"

#define OPERATIONS_MAX 256
#define IDLE_MAX       8 /* submissions kept, of 300 KiB each */

struct submission;
struct outcome;

/* One operation of a message: what is done with once it is answered ... */
struct item {
    struct writer_op op; /* first: the writer knows this part */
    struct submission *submission;
    struct outcome *outcome;
};

/* ... and what is sent; lives in the call's arena. */
struct outcome {
    Metercache__V1__OperationResult result;
    union {
        Metercache__V1__ReserveResponse reserve;
        Metercache__V1__SettleResponse settle;
        Metercache__V1__VoidResponse void_reservation;
    } response;
    Metercache__V1__MeterState meter; /* of reserve */
};

struct submission {
    struct submissions *owner;
    struct submission *next_idle;
    struct rpc_call *call;
    uint32_t count;
    uint32_t open;       /* handed over, not answered */
    uint32_t unanswered; /* got no answer from the ledger */
    struct item items[OPERATIONS_MAX];
};

struct submissions {
    pthread_mutex_t mutex;
    struct submission *idle;
    unsigned idle_count;
};

/* ---- memory ---------------------------------------------------------------------------- */

struct submissions *submissions_new(void)
{
    struct submissions *submissions = mem_alloc(sizeof(*submissions));

    mutex_init(&submissions->mutex);
    return submissions;
}

void submissions_free(struct submissions *submissions)
{
    if (submissions == NULL)
        return;
    while (submissions->idle != NULL) {
        struct submission *next = submissions->idle->next_idle;

        mem_free(submissions->idle);
        submissions->idle = next;
    }
    mutex_done(&submissions->mutex);
    mem_free(submissions);
}

static struct submission *take(struct submissions *owner)
{
    struct submission *submission;

    mutex_lock(&owner->mutex);
    submission = owner->idle;
    if (submission != NULL) {
        owner->idle = submission->next_idle;
        owner->idle_count--;
    }
    mutex_unlock(&owner->mutex);
    if (submission == NULL)
        submission = mem_alloc(sizeof(*submission));
    submission->owner = owner;
    submission->open = 0;
    submission->unanswered = 0;
    return submission;
}

static void give_back(struct submission *submission)
{
    struct submissions *owner = submission->owner;
    bool is_kept;

    mutex_lock(&owner->mutex);
    is_kept = owner->idle_count < IDLE_MAX;
    if (is_kept) {
        submission->next_idle = owner->idle;
        owner->idle = submission;
        owner->idle_count++;
    }
    mutex_unlock(&owner->mutex);
    if (!is_kept)
        mem_free(submission);
}

/* ---- results --------------------------------------------------------------------------- */

static void write_done(struct outcome *outcome, enum quota_kind kind,
                       const struct quota_answer *answer)
{
    Metercache__V1__OperationResult *result = &outcome->result;

    switch (kind) {
    case QUOTA_RESERVE:
        metercache__v1__reserve_response__init(&outcome->response.reserve);
        metercache__v1__meter_state__init(&outcome->meter);
        outcome->response.reserve.meter = &outcome->meter;
        quota_operation_reserved(&outcome->response.reserve, answer);
        result->reserve = &outcome->response.reserve;
        result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_RESERVE;
        break;
    case QUOTA_SETTLE:
        metercache__v1__settle_response__init(&outcome->response.settle);
        quota_operation_settled(&outcome->response.settle, answer);
        result->settle = &outcome->response.settle;
        result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_SETTLE;
        break;
    default:
        metercache__v1__void_response__init(&outcome->response.void_reservation);
        quota_operation_voided(&outcome->response.void_reservation, answer);
        result->void_reservation = &outcome->response.void_reservation;
        result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_VOID_RESERVATION;
        break;
    }
}

/* Apart, lest every operation pays for the room of an error. */
static __attribute__((noinline)) void write_refused(struct item *item,
                                                    const struct quota_answer *answer)
{
    struct error refused;

    (void)quota_answer_status(answer, clock_wall_us(), &refused);
    quota_operation_refused(&item->outcome->result, &refused,
                            item->submission->call->arena);
}

static void answered(struct writer_op *op, const struct quota_answer *answer,
                     const struct error *err)
{
    struct item *item = (struct item *)(void *)op; /* its first member */
    struct submission *submission = item->submission;
    struct rpc_call *call = submission->call;
    bool is_decided;

    if (answer == NULL) {
        submission->unanswered++;
        quota_operation_refused(&item->outcome->result, err, submission->call->arena);
    } else if (answer->verdict == QUOTA_DONE) {
        write_done(item->outcome, op->op.kind, answer);
    } else {
        write_refused(item, answer);
    }
    if (--submission->open > 0)
        return;
    /* Nothing was decided at all: as from Reserve, and clients know when to ask again. */
    is_decided = submission->unanswered < submission->count;
    give_back(submission);
    rpc_call_finish(call, is_decided ? ST_OK : err->status, is_decided ? NULL : err);
}

/* ---- requests -------------------------------------------------------------------------- */

static enum status check(const struct rpc_call *call,
                         const Metercache__V1__SubmitRequest *request, struct error *err)
{
    if (call->is_dry_run)
        return error_set(err, ST_UNIMPLEMENTED, "quota operations have no dry run");
    if (request->n_operations == 0 || request->n_operations > OPERATIONS_MAX)
        return error_field(err, "operations", "must be 1 to %d operations", OPERATIONS_MAX);
    return ST_OK;
}

/* NULL when the arena has no room for the results. */
static struct submission *new_submission(struct rpc_call *call,
                                         Metercache__V1__SubmitResponse *reply,
                                         size_t count)
{
    const struct quota_service *quota = call->service;
    struct outcome *outcomes = arena_alloc_array(call->arena, count, sizeof(*outcomes));
    struct submission *submission;

    reply->results = arena_alloc_array(call->arena, count, sizeof(*reply->results));
    if (outcomes == NULL || reply->results == NULL)
        return NULL;
    submission = take(quota->submissions);
    submission->call = call;
    submission->count = (uint32_t)count;
    reply->n_results = count;
    for (size_t i = 0; i < count; i++) {
        submission->items[i] = (struct item){.op = {.answered = answered},
                                             .submission = submission,
                                             .outcome = &outcomes[i]};
        metercache__v1__operation_result__init(&outcomes[i].result);
        reply->results[i] = &outcomes[i].result;
    }
    return submission;
}

/* Chains the valid ones; the others get their results. Returns the last, or NULL. */
static struct writer_op *read_items(struct submission *submission,
                                    const Metercache__V1__SubmitRequest *request,
                                    struct writer_op **first)
{
    const struct quota_service *quota = submission->call->service;
    struct writer_op *last = NULL;
    struct error err;

    for (uint32_t i = 0; i < submission->count; i++) {
        struct item *item = &submission->items[i];

        if (quota_operation_read(&item->op.op, request->operations[i], quota->config,
                                 &err) != ST_OK) {
            quota_operation_refused(&item->outcome->result, &err, submission->call->arena);
            continue;
        }
        *(last == NULL ? first : &last->next) = &item->op;
        last = &item->op;
        submission->open++;
    }
    return last;
}

enum status quota_submit(struct rpc_call *call, const void *in, void *out,
                         struct error *err)
{
    const struct quota_service *quota = call->service;
    const Metercache__V1__SubmitRequest *request = in;
    struct submission *submission;
    struct writer_op *first = NULL;
    struct writer_op *last;
    enum status st;

    if (check(call, request, err) != ST_OK)
        return err->status;
    submission = new_submission(call, out, request->n_operations);
    if (submission == NULL)
        return error_out_of_arena(err);
    last = read_items(submission, request, &first);
    if (last == NULL) { /* not one is valid */
        give_back(submission);
        return ST_OK;
    }
    st = rpc_call_defer(call);
    /* May answer before this returns: nothing of the submission is touched after it. */
    writer_submit_chain(quota->writer, first, last, submission->open);
    return st;
}
