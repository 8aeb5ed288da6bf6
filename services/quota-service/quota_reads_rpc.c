/*
 * Each handler checks its request, asks the ledger one question (ledger_reads.h) and turns
 * the answer into QuotaService's words (quota_views_rpc.h). Nothing of the writer is needed:
 * these methods answer also while this instance is not the one that writes.
 */
#include "quota_reads_rpc.h"

#include <string.h>

#include "core/clock.h"
#include "core/parse.h"
#include "ledger_reads.h"
#include "metercache/v1/ledger.pb-c.h"
#include "meters.h"
#include "quota_service.h"
#include "quota_views_rpc.h"

#define SUBJECT_MAX      96
#define HISTORY_DAYS_MAX 400
#define DAY_SECONDS      86400
#define TIME_MAX_US      253402300799999999LL /* the end of the year 9999 */

// clang-format off
#define QUESTION(constant, method_, response) \
    static const struct ledger_question constant = { \
        "/metercache.v1.LedgerService/" method_, &metercache__v1__##response##__descriptor}
QUESTION(OPERATIONS, "GetOperations",       get_operations_response);
QUESTION(COUNTERS,   "ListCounters",        list_counters_response);
QUESTION(UNKNOWN,    "ListUnknownOutcomes", list_unknown_outcomes_response);
QUESTION(USAGE,      "ListUsage",           list_usage_response);
QUESTION(ALERTS,     "ListAlerts",          list_alerts_response);
QUESTION(VERIFY,     "Verify",              verify_response);
// clang-format on

static enum status ask(const struct rpc_call *call, const struct ledger_question *question,
                       const ProtobufCMessage *request, ProtobufCMessage **reply,
                       struct error *err)
{
    const struct quota_service *quota = call->service;

    return ledger_reads_ask(quota->reads, call, question, request, reply, err);
}

/* Empty stands for all meters. */
static enum status check_meter(const char *name, struct error *err)
{
    if (name[0] == '\0' || meters_find(name) != METERS_NONE)
        return ST_OK;
    error_set(err, ST_NOT_FOUND, "no meter '%s'", name);
    return error_reason(err, "UNKNOWN_METER");
}

/* ---- GetUsage with a scope ------------------------------------------------------------- */

static enum status check_scoped(const Metercache__V1__GetUsageRequest *request,
                                struct error *err)
{
    size_t size = strlen(request->subject);

    if (request->scope < METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER ||
        request->scope > METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_INTERACTIVE_SHARE)
        return error_field(err, "scope",
                           "must be METER, USER, ENDPOINT, TENANT or INTERACTIVE_SHARE");
    if (size > SUBJECT_MAX || !parse_is_utf8(request->subject, size))
        return error_field(err, "subject", "must be UTF-8 text of at most %d bytes",
                           SUBJECT_MAX);
    return check_meter(request->meter, err);
}

/* What blocks must not run on nng's thread, where GetUsage starts. */
static enum status run_on_worker(struct rpc_call *call)
{
    static const struct error go_on = {.status = ST_OK};
    enum status deferred = rpc_call_defer(call);

    rpc_call_resume(call, &go_on);
    return deferred;
}

enum status quota_reads_usage(struct rpc_call *call,
                              const Metercache__V1__GetUsageRequest *request,
                              Metercache__V1__GetUsageResponse *reply, struct error *err)
{
    Metercache__V1__ListCountersRequest question =
        METERCACHE__V1__LIST_COUNTERS_REQUEST__INIT;
    const Metercache__V1__ListCountersResponse *found;
    Metercache__V1__MeterState *states;
    ProtobufCMessage *answer;

    if (check_scoped(request, err) != ST_OK)
        return err->status;
    if (!call->is_resumed)
        return run_on_worker(call);
    question.meter = request->meter;
    question.scope = request->scope;
    question.subject = request->subject;
    question.at_us = clock_wall_us();
    if (ask(call, &COUNTERS, &question.base, &answer, err) != ST_OK)
        return err->status;
    found = (const Metercache__V1__ListCountersResponse *)answer;
    states = arena_alloc_array(call->arena, found->n_counters + 1, sizeof(*states));
    reply->meters =
        arena_alloc_array(call->arena, found->n_counters + 1, sizeof(*reply->meters));
    if (states == NULL || reply->meters == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < found->n_counters; i++) {
        quota_views_counter(&states[i], found->counters[i]);
        reply->meters[i] = &states[i];
    }
    reply->n_meters = found->n_counters;
    reply->as_of_us = question.at_us;
    return ST_OK;
}

/* ---- GetUsageHistory ------------------------------------------------------------------- */

static int64_t day_start(int64_t at_us)
{
    return at_us - at_us % QUOTA_VIEWS_DAY_US;
}

/* The whole days that hold the times asked for. */
static enum status read_days(Metercache__V1__ListUsageRequest *out, size_t *day_count,
                             const Metercache__V1__GetUsageHistoryRequest *request,
                             struct error *err)
{
    int64_t days;

    if (request->from_us < 0 || request->from_us > TIME_MAX_US)
        return error_field(err, "from_us", "must be a time up to the year 9999");
    if (request->until_us > TIME_MAX_US)
        return error_field(err, "until_us", "must be a time up to the year 9999");
    if (request->until_us <= request->from_us)
        return error_field(err, "until_us", "must be later than from_us");
    out->from_us = day_start(request->from_us);
    out->until_us = day_start(request->until_us - 1) + QUOTA_VIEWS_DAY_US;
    days = (out->until_us - out->from_us) / QUOTA_VIEWS_DAY_US;
    if (days > HISTORY_DAYS_MAX)
        return error_field(err, "from_us", "must be at most %d days before until_us",
                           HISTORY_DAYS_MAX);
    *day_count = (size_t)days;
    return ST_OK;
}

static enum status get_usage_history(struct rpc_call *call, const void *in, void *out,
                                     struct error *err)
{
    const Metercache__V1__GetUsageHistoryRequest *request = in;
    Metercache__V1__ListUsageRequest question = METERCACHE__V1__LIST_USAGE_REQUEST__INIT;
    ProtobufCMessage *answer;
    size_t day_count;

    if (check_meter(request->meter, err) != ST_OK ||
        read_days(&question, &day_count, request, err) != ST_OK)
        return err->status;
    question.meter = request->meter;
    question.bucket_seconds = DAY_SECONDS;
    if (ask(call, &USAGE, &question.base, &answer, err) != ST_OK)
        return err->status;
    return quota_views_days(out, question.from_us, day_count,
                            (const Metercache__V1__ListUsageResponse *)answer, call->arena,
                            err);
}

/* ---- GetOperation and ListUnknown ------------------------------------------------------ */

static enum status get_operation(struct rpc_call *call, const void *in, void *out,
                                 struct error *err)
{
    const Metercache__V1__GetOperationRequest *request = in;
    Metercache__V1__GetOperationsRequest question =
        METERCACHE__V1__GET_OPERATIONS_REQUEST__INIT;
    const Metercache__V1__GetOperationsResponse *found;
    ProtobufCBinaryData wanted = request->op_id;
    ProtobufCMessage *answer;
    struct op_id id;

    if (!op_id_from_bytes(&id, wanted.data, wanted.len))
        return error_field(err, "op_id", "must be %d bytes", OP_ID_SIZE);
    question.op_ids = &wanted;
    question.n_op_ids = 1;
    if (ask(call, &OPERATIONS, &question.base, &answer, err) != ST_OK)
        return err->status;
    found = (const Metercache__V1__GetOperationsResponse *)answer;
    return quota_views_pick(out, &id, found->events, found->n_events, call->arena, err);
}

static enum status list_unknown(struct rpc_call *call, const void *in, void *out,
                                struct error *err)
{
    const Metercache__V1__ListUnknownRequest *request = in;
    Metercache__V1__ListUnknownOutcomesRequest question =
        METERCACHE__V1__LIST_UNKNOWN_OUTCOMES_REQUEST__INIT;
    const Metercache__V1__ListUnknownOutcomesResponse *found;
    Metercache__V1__ListUnknownResponse *reply = out;
    ProtobufCMessage *answer;

    question.page = request->page;
    if (ask(call, &UNKNOWN, &question.base, &answer, err) != ST_OK)
        return err->status;
    found = (const Metercache__V1__ListUnknownOutcomesResponse *)answer;
    reply->operations = quota_views_operations(call->arena, found->events, found->n_events);
    if (reply->operations == NULL)
        return error_out_of_arena(err);
    reply->n_operations = found->n_events;
    reply->page = found->page;
    return ST_OK;
}

/* ---- ListThresholds and VerifyLedger --------------------------------------------------- */

static enum status list_thresholds(struct rpc_call *call, const void *in, void *out,
                                   struct error *err)
{
    const Metercache__V1__ListThresholdsRequest *request = in;
    Metercache__V1__ListAlertsRequest question = METERCACHE__V1__LIST_ALERTS_REQUEST__INIT;
    const Metercache__V1__ListAlertsResponse *found;
    Metercache__V1__ListThresholdsResponse *reply = out;
    ProtobufCMessage *answer;

    if (check_meter(request->meter, err) != ST_OK)
        return err->status;
    question.meter = request->meter;
    question.page = request->page;
    if (ask(call, &ALERTS, &question.base, &answer, err) != ST_OK)
        return err->status;
    found = (const Metercache__V1__ListAlertsResponse *)answer;
    reply->crossings = found->alerts;
    reply->n_crossings = found->n_alerts;
    reply->page = found->page;
    return ST_OK;
}

/* As far as the ledger gets in the time there is; the caller goes on from next_batch. */
static enum status verify_ledger(struct rpc_call *call, const void *in, void *out,
                                 struct error *err)
{
    const Metercache__V1__VerifyLedgerRequest *request = in;
    Metercache__V1__VerifyRequest question = METERCACHE__V1__VERIFY_REQUEST__INIT;
    const Metercache__V1__VerifyResponse *found;
    Metercache__V1__VerifyLedgerResponse *reply = out;
    ProtobufCMessage *answer;

    question.from_batch = request->from_batch;
    if (ask(call, &VERIFY, &question.base, &answer, err) != ST_OK)
        return err->status;
    found = (const Metercache__V1__VerifyResponse *)answer;
    reply->consistent = found->first_fault[0] == '\0';
    reply->first_fault = found->first_fault;
    reply->events = found->events;
    reply->batches = found->batches;
    reply->counters = found->counters;
    reply->next_batch = found->next_batch;
    return ST_OK;
}

// clang-format off
#define SERVICE   &metercache__v1__quota_service__descriptor
#define OPERATORS (RPC_ROLE_STAFF | RPC_ROLE_ADMIN)

const struct rpc_method QUOTA_READ_METHODS[] = {
    {SERVICE, "GetUsageHistory", RPC_ROLES_ANY,                RPC_IDEMPOTENT, get_usage_history},
    {SERVICE, "GetOperation",    OPERATORS | RPC_ROLE_SERVICE, RPC_IDEMPOTENT, get_operation},
    {SERVICE, "ListUnknown",     OPERATORS,                    RPC_IDEMPOTENT, list_unknown},
    {SERVICE, "ListThresholds",  RPC_ROLES_ANY,                RPC_IDEMPOTENT, list_thresholds},
    {SERVICE, "VerifyLedger",    OPERATORS,                    RPC_IDEMPOTENT, verify_ledger},
    {.service = NULL},
};
// clang-format on
