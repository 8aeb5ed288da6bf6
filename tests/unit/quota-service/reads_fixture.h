/*
 * reads_fixture.h - QuotaService's reads over a ledger that says what the test wants, both on
 * one server in this process.
 *
 * For one test program: its functions are static.
 */
#ifndef READS_FIXTURE_H
#define READS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"
#include "metercache/v1/ledger.pb-c.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_reads_rpc.h"
#include "quota_rpc.h"
#include "quota_service.h"
#include "quota_views_rpc.h"
#include "support/rpc_loopback.h"

#define DAY_US     QUOTA_VIEWS_DAY_US
#define DEC_US     1796083200000000LL
#define TIMEOUT_MS 4000

/* ---- the ledger ------------------------------------------------------------------------ */

/* What it was asked last, and what it answers. */
static struct {
    pthread_mutex_t mutex;
    unsigned asked;
    char meter[64], subject[128], page_token[64];
    int scope;
    int64_t from_us, until_us, at_us;
    uint32_t bucket_seconds, page_size;
    uint64_t from_batch, left_ms;
    struct op_id op_id;

    enum status fails;
    const char *fault;
    bool knows_operation;
} ledger;

/* The mutex is held until `answer`. */
static void begin(const struct rpc_call *call, const char *meter,
                  const Metercache__V1__PageRequest *page)
{
    mutex_lock(&ledger.mutex);
    ledger.asked++;
    ledger.left_ms = clock_left_ms(call->deadline_us);
    (void)snprintf(ledger.meter, sizeof(ledger.meter), "%s", meter);
    ledger.page_size = page != NULL ? page->page_size : 0;
    (void)snprintf(ledger.page_token, sizeof(ledger.page_token), "%s",
                   page != NULL ? page->page_token : "");
}

static enum status answer(struct error *err)
{
    enum status fails = ledger.fails;

    mutex_unlock(&ledger.mutex);
    return fails == ST_OK ? ST_OK : error_set(err, fails, "says the ledger");
}

static Metercache__V1__PageResponse *next_page(struct rpc_call *call)
{
    Metercache__V1__PageResponse *page = arena_alloc(call->arena, sizeof(*page));

    metercache__v1__page_response__init(page);
    page->next_page_token = (char *)"next";
    return page;
}

/* The one event this ledger has: an id as asked for. */
static Metercache__V1__LedgerEvent **one_event(struct rpc_call *call,
                                               ProtobufCBinaryData op_id)
{
    Metercache__V1__LedgerEvent *event = arena_alloc(call->arena, sizeof(*event));
    Metercache__V1__LedgerEvent **list = arena_alloc(call->arena, sizeof(*list));

    metercache__v1__ledger_event__init(event);
    event->op_id = op_id;
    event->kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_LAPSE;
    event->meter = (char *)"modash.reports";
    event->amount_milli = 1000;
    list[0] = event;
    return list;
}

static enum status get_operations(struct rpc_call *call, const void *in, void *out,
                                  struct error *err)
{
    const Metercache__V1__GetOperationsRequest *request = in;
    Metercache__V1__GetOperationsResponse *reply = out;

    begin(call, "", NULL);
    if (ledger.knows_operation) {
        reply->events = one_event(call, request->op_ids[0]);
        reply->n_events = 1;
    }
    return answer(err);
}

static enum status list_counters(struct rpc_call *call, const void *in, void *out,
                                 struct error *err)
{
    const Metercache__V1__ListCountersRequest *request = in;
    Metercache__V1__ListCountersResponse *reply = out;
    Metercache__V1__Counter *counter = arena_alloc(call->arena, sizeof(*counter));

    begin(call, request->meter, NULL);
    ledger.scope = (int)request->scope;
    ledger.at_us = request->at_us;
    (void)snprintf(ledger.subject, sizeof(ledger.subject), "%s", request->subject);
    metercache__v1__counter__init(counter);
    counter->meter = (char *)"modash.reports";
    counter->scope = request->scope;
    counter->subject = (char *)"alice";
    counter->posted_milli = 3000;
    reply->counters = arena_alloc(call->arena, sizeof(*reply->counters));
    reply->counters[0] = counter;
    reply->n_counters = 1;
    return answer(err);
}

static enum status list_unknown_outcomes(struct rpc_call *call, const void *in, void *out,
                                         struct error *err)
{
    const Metercache__V1__ListUnknownOutcomesRequest *request = in;
    Metercache__V1__ListUnknownOutcomesResponse *reply = out;
    static uint8_t id[OP_ID_SIZE] = {1};

    begin(call, "", request->page);
    reply->events = one_event(call, (ProtobufCBinaryData){OP_ID_SIZE, id});
    reply->n_events = 1;
    reply->page = next_page(call);
    return answer(err);
}

static enum status list_usage(struct rpc_call *call, const void *in, void *out,
                              struct error *err)
{
    const Metercache__V1__ListUsageRequest *request = in;
    Metercache__V1__ListUsageResponse *reply = out;
    Metercache__V1__UsageBucket *bucket = arena_alloc(call->arena, sizeof(*bucket));

    begin(call, request->meter, NULL);
    ledger.from_us = request->from_us;
    ledger.until_us = request->until_us;
    ledger.bucket_seconds = request->bucket_seconds;
    metercache__v1__usage_bucket__init(bucket);
    bucket->start_us = request->from_us;
    bucket->posted_milli = 1500;
    bucket->calls = 10;
    reply->buckets = arena_alloc(call->arena, sizeof(*reply->buckets));
    reply->buckets[0] = bucket;
    reply->n_buckets = 1;
    return answer(err);
}

static enum status list_alerts(struct rpc_call *call, const void *in, void *out,
                               struct error *err)
{
    const Metercache__V1__ListAlertsRequest *request = in;
    Metercache__V1__ListAlertsResponse *reply = out;
    Metercache__V1__ThresholdCrossing *alert = arena_alloc(call->arena, sizeof(*alert));

    begin(call, request->meter, request->page);
    metercache__v1__threshold_crossing__init(alert);
    alert->percent = 80;
    reply->alerts = arena_alloc(call->arena, sizeof(*reply->alerts));
    reply->alerts[0] = alert;
    reply->n_alerts = 1;
    reply->page = next_page(call);
    return answer(err);
}

static enum status verify(struct rpc_call *call, const void *in, void *out,
                          struct error *err)
{
    const Metercache__V1__VerifyRequest *request = in;
    Metercache__V1__VerifyResponse *reply = out;

    begin(call, "", NULL);
    ledger.from_batch = request->from_batch;
    reply->events = 5;
    reply->batches = 3;
    reply->counters = 2;
    reply->first_fault = (char *)ledger.fault;
    reply->next_batch = request->from_batch + 3;
    return answer(err);
}

// clang-format off
#define LEDGER &metercache__v1__ledger_service__descriptor
static const struct rpc_method LEDGER_METHODS[] = {
    {LEDGER, "GetOperations",       RPC_ROLE_SERVICE, RPC_IDEMPOTENT, get_operations},
    {LEDGER, "ListCounters",        RPC_ROLE_SERVICE, RPC_IDEMPOTENT, list_counters},
    {LEDGER, "ListUnknownOutcomes", RPC_ROLE_SERVICE, RPC_IDEMPOTENT, list_unknown_outcomes},
    {LEDGER, "ListUsage",           RPC_ROLE_SERVICE, RPC_IDEMPOTENT, list_usage},
    {LEDGER, "ListAlerts",          RPC_ROLE_SERVICE, RPC_IDEMPOTENT, list_alerts},
    {LEDGER, "Verify",              RPC_ROLE_SERVICE, RPC_IDEMPOTENT, verify},
    {.service = NULL},
};
// clang-format on

/* ---- the fixture ----------------------------------------------------------------------- */

static struct loopback loopback;
static struct quota_service quota; /* has no writer: none of these reads needs one */

static void connect_to_ledger(const char *token)
{
    const struct ledger_reads_options options = {.url = rpc_server_url(loopback.server),
                                                 .token = token};
    struct error err;

    ledger_reads_close(quota.reads);
    assert_int_equal(ledger_reads_open(&quota.reads, &options, &err), ST_OK);
}

static int set_up(void **state)
{
    static const struct rpc_method *const tables[] = {LEDGER_METHODS, QUOTA_METHODS,
                                                      QUOTA_READ_METHODS};
    struct rpc_server_options options;

    (void)state;
    memset(&ledger, 0, sizeof(ledger));
    mutex_init(&ledger.mutex);
    ledger.fault = "";
    quota = (struct quota_service){NULL};
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.tables = tables;
    options.table_count = COUNT_OF(tables);
    options.service = &quota;
    loopback_open(&loopback, &options, "staff:sue");
    connect_to_ledger("service:quota-service");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ledger_reads_close(quota.reads);
    loopback_close(&loopback);
    mutex_done(&ledger.mutex);
    return 0;
}

static enum status ask(const char *method, const ProtobufCMessageDescriptor *reply_type,
                       const ProtobufCMessage *request, void *reply)
{
    char name[96];
    struct rpc_call_options options = {
        .method = name, .reply_type = reply_type, .timeout_ms = TIMEOUT_MS};
    ProtobufCMessage *message = NULL;
    enum status st;

    (void)snprintf(name, sizeof(name), "/metercache.v1.QuotaService/%s", method);
    st = loopback_call(&loopback, &options, request, &message);
    *(ProtobufCMessage **)reply = message;
    return st;
}

#define ASK(method, type, request, reply) \
    ask(method, &metercache__v1__##type##__descriptor, &(request)->base, (reply))

#endif /* READS_FIXTURE_H */
