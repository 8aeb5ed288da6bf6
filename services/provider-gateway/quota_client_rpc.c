#include "quota_client_rpc.h"

#include <string.h>

#include "client/quota_batch.h"
#include "core/mem.h"
#include "metercache/v1/rpc.pb-c.h"
#include "rpc/client.h"

#define FAIL_FAST_MS       300
#define OPERATIONS_AT_ONCE 4096

/* The outcomes go over the wire as they stand; gateway_rpc.c holds the platforms to it. */
#define SAME(ours, theirs)                                       \
    _Static_assert((int)(ours) == (int)METERCACHE__V1__##theirs, \
                   #ours " is another on the wire")
SAME(CALL_UNSPECIFIED, CALL_OUTCOME__CALL_OUTCOME_UNSPECIFIED);
SAME(CALL_OK, CALL_OUTCOME__CALL_OUTCOME_OK);
SAME(CALL_EMPTY, CALL_OUTCOME__CALL_OUTCOME_EMPTY);
SAME(CALL_NOT_FOUND, CALL_OUTCOME__CALL_OUTCOME_NOT_FOUND);
SAME(CALL_THROTTLED, CALL_OUTCOME__CALL_OUTCOME_THROTTLED);
SAME(CALL_PENDING, CALL_OUTCOME__CALL_OUTCOME_PENDING);
SAME(CALL_REJECTED, CALL_OUTCOME__CALL_OUTCOME_REJECTED);
SAME(CALL_AUTH_FAILED, CALL_OUTCOME__CALL_OUTCOME_AUTH_FAILED);
SAME(CALL_NO_CREDIT, CALL_OUTCOME__CALL_OUTCOME_NO_CREDIT);
SAME(CALL_PROVIDER_ERROR, CALL_OUTCOME__CALL_OUTCOME_PROVIDER_ERROR);
SAME(CALL_NOT_SENT, CALL_OUTCOME__CALL_OUTCOME_NOT_SENT);
SAME(CALL_UNKNOWN, CALL_OUTCOME__CALL_OUTCOME_UNKNOWN);

struct quota_client {
    struct rpc_client *client;
    struct client_quota_batch *batch; /* many calls at once share a round trip */
    struct budget budget;
};

static ProtobufCBinaryData bytes_of(const struct op_id *id)
{
    return (ProtobufCBinaryData){.len = OP_ID_SIZE, .data = (uint8_t *)id->bytes};
}

/* Limits refused: the same op id would get the same answer again, so nothing is held. */
static bool is_refusal(const struct error *err)
{
    static const char *const reasons[] = {"METER_SPENT", "LIMIT_REACHED", "COOLDOWN",
                                          "SOFT_LIMIT"};

    for (size_t i = 0; err->status == ST_EXHAUSTED && i < COUNT_OF(reasons); i++) {
        if (strcmp(err->reason, reasons[i]) == 0)
            return true;
    }
    return false;
}

/*
 * What a failed Reserve means. Refusals are answers of their own; so is an op id that is too
 * old to be judged, under which nothing is held and never will be. All else (no such meter,
 * no permission, overload, no connection) is "cannot decide", lest quota-service's NOT_FOUND
 * be taken for the provider's; and it is in doubt as soon as any attempt may have run.
 */
static enum status reserve_failed(bool executed, bool *in_doubt, struct error *err)
{
    if (is_refusal(err) ||
        (err->status == ST_ABORTED && strcmp(err->reason, "OP_ID_STALE") == 0))
        return err->status;
    *in_doubt = executed;
    err->status = ST_UNAVAILABLE;
    err->field[0] = '\0';
    (void)error_reason(err, "QUOTA_UNAVAILABLE");
    return error_wrap(err, "quota-service");
}

static enum status reserve(void *context, const struct budget_reservation *reservation,
                           uint64_t timeout_ms, struct budget_hold *hold, struct error *err)
{
    struct quota_client *quota = context;
    const struct client_quota_call call = {
        .timeout_ms = timeout_ms,
        .priority = reservation->is_interactive
                        ? METERCACHE__V1__PRIORITY__PRIORITY_HIGH
                        : METERCACHE__V1__PRIORITY__PRIORITY_DEFAULT};
    Metercache__V1__OperationRequest operation = METERCACHE__V1__OPERATION_REQUEST__INIT;
    Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    Metercache__V1__ReserveRequest request = METERCACHE__V1__RESERVE_REQUEST__INIT;
    struct client_quota_answer answer;
    bool executed;
    enum status st;

    purpose.provider = (char *)reservation->provider;
    purpose.action = (char *)reservation->action;
    purpose.reason = (char *)reservation->reason;
    purpose.platform = (Metercache__V1__Platform)reservation->platform;
    purpose.creator = (char *)reservation->creator;
    purpose.user = (char *)reservation->user;
    purpose.tenant = (char *)reservation->tenant;
    request.op_id = bytes_of(&reservation->id);
    request.meter = (char *)reservation->meter;
    request.amount_milli = reservation->amount_milli;
    request.hold_ms = reservation->hold_ms;
    request.purpose = &purpose;
    request.endpoint = (char *)reservation->endpoint;
    request.cooldown_key = (char *)reservation->cooldown_key;
    request.is_interactive = reservation->is_interactive;
    operation.operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_RESERVE;
    operation.reserve = &request;
    st = client_quota_batch_call(quota->batch, &operation, &call, &answer, &executed, err);
    if (st != ST_OK)
        return reserve_failed(executed, &hold->in_doubt, err);
    hold->expires_at_us = answer.expires_at_us;
    return ST_OK;
}

static enum status end_reservation(struct quota_client *quota,
                                   const Metercache__V1__OperationRequest *operation,
                                   uint64_t timeout_ms, struct error *err)
{
    const struct client_quota_call call = {
        .timeout_ms = timeout_ms, .priority = METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL};
    struct client_quota_answer answer;
    bool executed;

    return client_quota_batch_call(quota->batch, operation, &call, &answer, &executed, err);
}

static enum status settle_actual(struct quota_client *quota,
                                 const struct budget_settlement *settlement,
                                 uint64_t timeout_ms, struct error *err)
{
    Metercache__V1__OperationRequest operation = METERCACHE__V1__OPERATION_REQUEST__INIT;
    Metercache__V1__SettleRequest request = METERCACHE__V1__SETTLE_REQUEST__INIT;

    request.op_id = bytes_of(&settlement->id);
    request.reservation_id = bytes_of(&settlement->reservation_id);
    request.actual_milli = settlement->actual_milli;
    request.outcome = (Metercache__V1__CallOutcome)settlement->outcome;
    request.started_at_us = settlement->started_at_us;
    request.latency_us = settlement->latency_us;
    request.http_status = settlement->http_status;
    request.detail = (char *)settlement->detail;
    operation.operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_SETTLE;
    operation.settle = &request;
    return end_reservation(quota, &operation, timeout_ms, err);
}

static enum status settle_void(struct quota_client *quota,
                               const struct budget_settlement *settlement,
                               uint64_t timeout_ms, struct error *err)
{
    Metercache__V1__OperationRequest operation = METERCACHE__V1__OPERATION_REQUEST__INIT;
    Metercache__V1__VoidRequest request = METERCACHE__V1__VOID_REQUEST__INIT;

    request.op_id = bytes_of(&settlement->id);
    request.reservation_id = bytes_of(&settlement->reservation_id);
    request.outcome = (Metercache__V1__CallOutcome)settlement->outcome;
    request.started_at_us = settlement->started_at_us;
    request.latency_us = settlement->latency_us;
    request.http_status = settlement->http_status;
    request.detail = (char *)settlement->detail;
    operation.operation_case =
        METERCACHE__V1__OPERATION_REQUEST__OPERATION_VOID_RESERVATION;
    operation.void_reservation = &request;
    return end_reservation(quota, &operation, timeout_ms, err);
}

static enum status settle(void *context, const struct budget_settlement *settlement,
                          uint64_t timeout_ms, struct error *err)
{
    struct quota_client *quota = context;

    return settlement->is_void ? settle_void(quota, settlement, timeout_ms, err)
                               : settle_actual(quota, settlement, timeout_ms, err);
}

static const char *file_or_null(const char *path)
{
    return path != NULL && path[0] != '\0' ? path : NULL;
}

enum status quota_client_open(struct quota_client **out,
                              const struct quota_client_options *options, struct error *err)
{
    struct quota_client *quota;
    struct rpc_client *client;
    const struct rpc_client_options link = {
        .endpoints = options->url,
        .bearer = options->token,
        .tls_ca_file = file_or_null(options->tls_ca_file),
        .tls_cert_file = file_or_null(options->tls_cert_file),
        .tls_key_file = file_or_null(options->tls_key_file),
        .fail_fast_ms = FAIL_FAST_MS,
    };
    enum status st = rpc_client_open(&client, &link, err);

    if (st != ST_OK)
        return st;
    quota = mem_alloc(sizeof(*quota));
    quota->client = client;
    quota->batch = client_quota_batch_open(&(struct client_quota_batch_options){
        .client = client, .queue_limit = OPERATIONS_AT_ONCE});
    quota->budget = (struct budget){.context = quota, .reserve = reserve, .settle = settle};
    *out = quota;
    return ST_OK;
}

void quota_client_close(struct quota_client *quota)
{
    if (quota == NULL)
        return;
    rpc_client_close(quota->client); /* first: it ends what is in flight */
    client_quota_batch_close(quota->batch);
    mem_free(quota);
}

const struct budget *quota_client_budget(const struct quota_client *quota)
{
    return &quota->budget;
}

bool quota_client_is_connected(struct quota_client *quota)
{
    return rpc_client_is_connected(quota->client);
}
