#include "ledger/ledger_reads_rpc.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/parse.h"
#include "ledger/ledger_messages_rpc.h"
#include "ledger/ledger_verify.h"
#include "metercache/v1/ledger.pb-c.h"
#include "resources/page_rpc.h"
#include "store/ledger_store.h"

#define PAGE_DEFAULT    50
#define PAGE_MAX        500
#define USAGE_ROWS_MAX  12000
#define VERIFY_SLICE_US (5 * CLOCK_US_PER_SECOND) /* of one call, within its deadline */
#define VERIFY_LEFT_US  (1 * CLOCK_US_PER_SECOND) /* kept for the answer */

enum status ledger_list_counters(struct rpc_call *call, const void *request_message,
                                 void *reply_message, struct error *err)
{
    const Metercache__V1__ListCountersRequest *request = request_message;
    Metercache__V1__ListCountersResponse *reply = reply_message;
    const struct ledger_counter *counters;
    struct store_call store;
    size_t count;
    enum status st = ledger_rpc_begin(&store, call, err);

    if (st == ST_OK)
        st = ledger_store_list_counters(&counters, &count, &store, request->meter,
                                        (int)request->scope, request->subject,
                                        request->at_us, err);
    if (st != ST_OK)
        return st;
    reply->counters = ledger_messages_write_counters(call->arena, counters, count);
    if (reply->counters == NULL)
        return error_out_of_arena(err);
    reply->n_counters = count;
    return ST_OK;
}

/* ---- presumed outcomes ---- */

/* A page token is the op id of the last event of the page before, in hex. */
static enum status read_token(struct op_id *out, const char *token, struct error *err)
{
    *out = (struct op_id){{0}};
    if (token[0] != '\0' && !parse_hex(out->bytes, OP_ID_SIZE, token))
        return error_field(err, "page.page_token", "not a page token");
    return ST_OK;
}

enum status ledger_list_unknown_outcomes(struct rpc_call *call, const void *request_message,
                                         void *reply_message, struct error *err)
{
    const Metercache__V1__ListUnknownOutcomesRequest *request = request_message;
    Metercache__V1__ListUnknownOutcomesResponse *reply = reply_message;
    size_t limit = page_size(request->page, PAGE_DEFAULT, PAGE_MAX);
    char token[2 * OP_ID_SIZE + 1] = "";
    const struct ledger_event *events;
    struct op_id behind;
    struct store_call store;
    size_t count;
    enum status st = ledger_rpc_begin(&store, call, err);

    if (st == ST_OK)
        st = read_token(&behind, page_token(request->page), err);
    if (st == ST_OK)
        st = ledger_store_list_unknown(&events, &count, &store, &behind, limit, err);
    if (st != ST_OK)
        return st;
    if (count == limit)
        parse_format_hex(token, events[count - 1].op_id.bytes, OP_ID_SIZE);
    reply->page = page_response(arena_strdup(call->arena, token), call->arena);
    reply->events = ledger_messages_write_events(call->arena, events, count);
    if (reply->page == NULL || reply->events == NULL)
        return error_out_of_arena(err);
    reply->n_events = count;
    return ST_OK;
}

/* ---- usage ---- */

static enum status write_usage(Metercache__V1__ListUsageResponse *reply,
                               const struct ledger_usage *usage, size_t count,
                               struct arena *arena, struct error *err)
{
    Metercache__V1__UsageBucket *buckets =
        arena_alloc_array(arena, count + 1, sizeof(*buckets));

    reply->buckets = arena_alloc_array(arena, count + 1, sizeof(*reply->buckets));
    if (buckets == NULL || reply->buckets == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < count; i++) {
        metercache__v1__usage_bucket__init(&buckets[i]);
        buckets[i].meter = (char *)usage[i].meter;
        buckets[i].start_us = usage[i].start_us;
        buckets[i].posted_milli = usage[i].posted_milli;
        buckets[i].calls = (uint64_t)usage[i].calls;
        reply->buckets[i] = &buckets[i];
    }
    reply->n_buckets = count;
    return ST_OK;
}

enum status ledger_list_usage(struct rpc_call *call, const void *request_message,
                              void *reply_message, struct error *err)
{
    const Metercache__V1__ListUsageRequest *request = request_message;
    const struct ledger_usage *usage = NULL;
    struct store_call store;
    size_t count = 0;
    enum status st = ledger_rpc_begin(&store, call, err);

    if (st == ST_OK && request->bucket_seconds != 300 && request->bucket_seconds != 3600 &&
        request->bucket_seconds != 86400)
        st = error_field(err, "bucket_seconds", "must be 300, 3600 or 86400");
    if (st == ST_OK && (request->from_us <= 0 || request->until_us <= request->from_us))
        st = error_field(err, "until_us", "must be after from_us");
    if (st == ST_OK)
        st = ledger_store_list_usage(&usage, &count, &store, request->meter,
                                     request->from_us, request->until_us,
                                     request->bucket_seconds, USAGE_ROWS_MAX, err);
    return st == ST_OK ? write_usage(reply_message, usage, count, call->arena, err) : st;
}

/* ---- alerts ---- */

enum status ledger_list_alerts(struct rpc_call *call, const void *request_message,
                               void *reply_message, struct error *err)
{
    const Metercache__V1__ListAlertsRequest *request = request_message;
    Metercache__V1__ListAlertsResponse *reply = reply_message;
    size_t limit = page_size(request->page, PAGE_DEFAULT, PAGE_MAX);
    const char *asked = page_token(request->page);
    char token[24] = "";
    const struct ledger_alert *alerts;
    struct store_call store;
    uint64_t before = 0;
    size_t count;
    enum status st = ledger_rpc_begin(&store, call, err);

    if (st == ST_OK && asked[0] != '\0' && !parse_u64(&before, asked, 1, INT64_MAX))
        st = error_field(err, "page.page_token", "not a page token");
    if (st == ST_OK)
        st = ledger_store_list_alerts(&alerts, &count, &store, request->meter,
                                      (int64_t)before, limit, err);
    if (st != ST_OK)
        return st;
    if (count == limit)
        (void)snprintf(token, sizeof(token), "%lld", (long long)alerts[count - 1].sequence);
    reply->page = page_response(arena_strdup(call->arena, token), call->arena);
    reply->alerts = ledger_messages_write_alerts(call->arena, alerts, count);
    if (reply->page == NULL || reply->alerts == NULL)
        return error_out_of_arena(err);
    reply->n_alerts = count;
    return ST_OK;
}

/* ---- verification ---- */

enum status ledger_verify_all(struct rpc_call *call, const void *request_message,
                              void *reply_message, struct error *err)
{
    const Metercache__V1__VerifyRequest *request = request_message;
    Metercache__V1__VerifyResponse *reply = reply_message;
    uint64_t until_us = clock_mono_us() + VERIFY_SLICE_US;
    struct ledger_verdict verdict;
    struct store_call store;
    enum status st = ledger_rpc_begin(&store, call, err);

    if (st == ST_OK && request->from_batch > INT64_MAX)
        st = error_field(err, "from_batch", "is out of range");
    if (until_us + VERIFY_LEFT_US > call->deadline_us)
        until_us = call->deadline_us - VERIFY_LEFT_US;
    if (st == ST_OK)
        st = ledger_verify(&verdict, &store, (int64_t)request->from_batch, until_us, err);
    if (st != ST_OK)
        return st;
    reply->events = verdict.events;
    reply->batches = verdict.batches;
    reply->counters = verdict.counters;
    reply->next_batch = (uint64_t)verdict.next_batch;
    reply->first_fault = arena_strdup(call->arena, verdict.fault);
    return reply->first_fault != NULL ? ST_OK : error_out_of_arena(err);
}
