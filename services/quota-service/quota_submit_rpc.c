/*
 * A message of operations:
 *
 *   quota_submit (nng's thread)   reads each; one that is invalid has its result already
 *     -> writer_submit_chain      the others, in their order
 *     -> answered (one thread)    writes one result; the last one finishes the call
 *
 * The writer answers a chain on one thread, so nothing here is locked or atomic.
 */
#include "quota_submit_rpc.h"

#include "core/clock.h"
#include "quota_answer_rpc.h"
#include "quota_operation_rpc.h"
#include "quota_service.h"

#define OPERATIONS_MAX 256

struct submission;

/* One operation of a message. */
struct item {
    struct writer_op op; /* first: the writer knows this part */
    struct submission *submission;
    Metercache__V1__OperationResult result;
    union {
        Metercache__V1__ReserveResponse reserve;
        Metercache__V1__SettleResponse settle;
        Metercache__V1__VoidResponse void_reservation;
    } response;
    Metercache__V1__MeterState meter; /* of reserve */
};

/* The message; lives in its call's arena. */
struct submission {
    struct rpc_call *call;
    struct item *items;
    uint32_t item_count;
    uint32_t open;       /* handed over, not answered */
    uint32_t unanswered; /* got no answer from the ledger */
};

/* ---- results --------------------------------------------------------------------------- */

static void write_done(struct item *item, const struct quota_answer *answer)
{
    Metercache__V1__OperationResult *result = &item->result;

    switch (item->op.op.kind) {
    case QUOTA_RESERVE:
        metercache__v1__reserve_response__init(&item->response.reserve);
        metercache__v1__meter_state__init(&item->meter);
        item->response.reserve.meter = &item->meter;
        quota_operation_reserved(&item->response.reserve, answer);
        result->reserve = &item->response.reserve;
        result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_RESERVE;
        break;
    case QUOTA_SETTLE:
        metercache__v1__settle_response__init(&item->response.settle);
        quota_operation_settled(&item->response.settle, answer);
        result->settle = &item->response.settle;
        result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_SETTLE;
        break;
    default:
        metercache__v1__void_response__init(&item->response.void_reservation);
        quota_operation_voided(&item->response.void_reservation, answer);
        result->void_reservation = &item->response.void_reservation;
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
    quota_operation_refused(&item->result, &refused, item->submission->call->arena);
}

static void answered(struct writer_op *op, const struct quota_answer *answer,
                     const struct error *err)
{
    struct item *item = (struct item *)(void *)op; /* its first member */
    struct submission *submission = item->submission;
    bool is_decided;

    if (answer == NULL) {
        submission->unanswered++;
        quota_operation_refused(&item->result, err, submission->call->arena);
    } else if (answer->verdict == QUOTA_DONE) {
        write_done(item, answer);
    } else {
        write_refused(item, answer);
    }
    if (--submission->open > 0)
        return;
    /* Nothing was decided at all: as from Reserve, and clients know when to ask again. */
    is_decided = submission->unanswered < submission->item_count;
    rpc_call_finish(submission->call, is_decided ? ST_OK : err->status,
                    is_decided ? NULL : err);
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

/* The items and their results; NULL when the arena has no room for them. */
static struct submission *new_submission(struct rpc_call *call,
                                         Metercache__V1__SubmitResponse *reply,
                                         size_t count)
{
    struct submission *submission = arena_alloc(call->arena, sizeof(*submission));
    struct item *items = arena_alloc_array(call->arena, count, sizeof(*items));

    reply->results = arena_alloc_array(call->arena, count, sizeof(*reply->results));
    if (submission == NULL || items == NULL || reply->results == NULL)
        return NULL;
    submission->call = call;
    submission->items = items;
    submission->item_count = (uint32_t)count;
    reply->n_results = count;
    for (size_t i = 0; i < count; i++) {
        items[i].submission = submission;
        items[i].op.answered = answered;
        metercache__v1__operation_result__init(&items[i].result);
        reply->results[i] = &items[i].result;
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

    for (uint32_t i = 0; i < submission->item_count; i++) {
        struct item *item = &submission->items[i];

        if (quota_operation_read(&item->op.op, request->operations[i], quota->config,
                                 &err) != ST_OK) {
            quota_operation_refused(&item->result, &err, submission->call->arena);
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
    if (last == NULL)
        return ST_OK; /* not one is valid */
    st = rpc_call_defer(call);
    /* May answer before this returns: nothing of the submission is touched after it. */
    writer_submit_chain(quota->writer, first, last, submission->open);
    return st;
}
