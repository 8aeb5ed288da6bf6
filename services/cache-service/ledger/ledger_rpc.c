/*
 *     quota-service -> CommitBatch -> read_event, read_counter -> ledger_store_commit
 *
 * What a message may hold is checked here, event by event; whether the batch may be
 * committed is decided in the database (migrations/0006_ledger_commit.sql).
 */
#include "ledger/ledger_rpc.h"

#include <stdio.h>
#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/parse.h"
#include "metercache/v1/ledger.pb-c.h"
#include "store/ledger_store.h"

#define WRITER_SUBJECT   "quota-service"
#define COUNTERS_KEPT_US (62LL * 24 * 3600 * CLOCK_US_PER_SECOND)
#define TIME_MAX_US      253402300799999999LL /* the end of the year 9999 */
#define AMOUNT_MAX       (1LL << 53)

#define KIND(name) METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_##name

/* The one place that says who may use the ledger. */
static enum status begin(struct store_call *out, const struct rpc_call *call,
                         struct error *err)
{
    if (call->caller.role != RPC_ROLE_SERVICE ||
        strcmp(call->caller.subject, WRITER_SUBJECT) != 0)
        return error_set(err, ST_DENIED, "the ledger is for '%s' alone", WRITER_SUBJECT);
    *out = cache_service_store_call(call);
    return ST_OK;
}

static enum status arena_full(struct error *err)
{
    return error_set(err, ST_EXHAUSTED, "the request is larger than its arena");
}

/* ---- from messages ---- */

static bool read_id(struct op_id *out, ProtobufCBinaryData id)
{
    return op_id_from_bytes(out, id.data, id.len);
}

static bool is_time(int64_t unix_us)
{
    return unix_us > 0 && unix_us <= TIME_MAX_US;
}

static bool is_amount(int64_t milli)
{
    return milli >= -AMOUNT_MAX && milli <= AMOUNT_MAX;
}

/* The purpose is the reservation's; an event that has none takes it from its call. */
static void read_purpose(struct ledger_purpose *out,
                         const Metercache__V1__LedgerEvent *event)
{
    const Metercache__V1__CallPurpose *purpose = event->purpose;
    const Metercache__V1__CallRecord *call = event->call;
    if (purpose != NULL)
        *out = (struct ledger_purpose){
            .provider = purpose->provider,
            .action = purpose->action,
            .reason = purpose->reason,
            .platform = (int)purpose->platform,
            .creator = purpose->creator,
            .user = purpose->user,
            .tenant = purpose->tenant,
        };
    else if (call != NULL)
        *out = (struct ledger_purpose){
            .provider = call->provider,
            .action = call->action,
            .reason = call->reason,
            .platform = (int)call->platform,
            .creator = call->creator,
            .user = call->user,
        };
}

static bool read_call(struct ledger_call *out, const Metercache__V1__CallRecord *call)
{
    if (call->latency_us > INT64_MAX || call->http_status > 999 || call->outcome < 0 ||
        call->outcome > INT16_MAX || call->started_at_us < 0 ||
        call->started_at_us > TIME_MAX_US)
        return false;
    *out = (struct ledger_call){
        .started_at_us = call->started_at_us,
        .outcome = (int)call->outcome,
        .latency_us = (int64_t)call->latency_us,
        .http_status = (int)call->http_status,
        .detail = call->detail,
    };
    return true;
}

/* What holds for every event of a kind, whatever the ledger says. */
static bool is_sound(const struct ledger_event *event)
{
    bool closes = event->kind >= KIND(SETTLE) && event->kind <= KIND(LAPSE);
    if (op_id_is_zero(&event->op_id) || event->meter[0] == '\0' || !is_time(event->at_us) ||
        !is_time(event->period_start_us) || !is_amount(event->amount_milli) ||
        !is_amount(event->released_milli) || !is_amount(event->overage_milli) ||
        event->purpose.platform < 0 || event->purpose.platform > INT16_MAX)
        return false;
    if (event->kind == KIND(RESERVE))
        return op_id_equal(&event->op_id, &event->reservation_id) &&
               is_time(event->expires_at_us) && event->amount_milli >= 0 &&
               event->released_milli == 0 && event->overage_milli == 0 && !event->has_call;
    if (event->expires_at_us != 0)
        return false;
    if (closes)
        return event->amount_milli >= 0 && event->released_milli >= 0;
    return event->released_milli == 0;
}

static enum status read_event(struct ledger_event *out, size_t index,
                              const Metercache__V1__LedgerEvent *event, struct error *err)
{
    *out = (struct ledger_event){
        .kind = (int)event->kind,
        .meter = event->meter,
        .period_start_us = event->period_start_us,
        .amount_milli = event->amount_milli,
        .released_milli = event->released_milli,
        .overage_milli = event->overage_milli,
        .at_us = event->at_us,
        .expires_at_us = event->expires_at_us,
        .limit_version = (int64_t)event->limit_version,
        .endpoint = event->endpoint,
        .has_call = event->call != NULL,
    };
    read_purpose(&out->purpose, event);
    bool good = out->kind >= KIND(RESERVE) && out->kind <= KIND(ADJUST) &&
                read_id(&out->op_id, event->op_id) && out->limit_version >= 0;
    if (good && event->reservation_id.len > 0)
        good = read_id(&out->reservation_id, event->reservation_id);
    if (good && event->body_hash.len > 0) {
        good = event->body_hash.len == sizeof out->body_hash;
        if (good)
            memcpy(out->body_hash, event->body_hash.data, sizeof out->body_hash);
    }
    if (good && event->call != NULL)
        good = read_call(&out->call, event->call);
    if (good && is_sound(out))
        return ST_OK;
    char field[32];
    (void)snprintf(field, sizeof field, "events[%zu]", index);
    return error_field(err, field, "event %zu of kind %d is not sound", index, out->kind);
}

static enum status read_counter(struct ledger_counter *out, size_t index,
                                const Metercache__V1__Counter *counter, struct error *err)
{
    *out = (struct ledger_counter){
        .meter = counter->meter,
        .period_start_us = counter->period_start_us,
        .period_end_us = counter->period_end_us,
        .limit_milli = counter->limit_milli,
        .posted_milli = counter->posted_milli,
        .held_milli = counter->held_milli,
        .overage_milli = counter->overage_milli,
    };
    if (out->meter[0] != '\0' && is_time(out->period_start_us) &&
        is_time(out->period_end_us) && is_amount(out->limit_milli) &&
        is_amount(out->posted_milli) && is_amount(out->held_milli) &&
        is_amount(out->overage_milli))
        return ST_OK;
    char field[32];
    (void)snprintf(field, sizeof field, "counters[%zu]", index);
    return error_field(err, field, "counter %zu is not sound", index);
}

static enum status read_batch(struct ledger_batch *out, struct arena *arena,
                              const Metercache__V1__CommitBatchRequest *request,
                              struct error *err)
{
    if (request->n_events > LEDGER_STORE_EVENTS_MAX)
        return error_field(err, "events", "more than %d events", LEDGER_STORE_EVENTS_MAX);
    if (request->n_counters > LEDGER_STORE_COUNTERS_MAX)
        return error_field(err, "counters", "more than %d counters",
                           LEDGER_STORE_COUNTERS_MAX);
    if (!is_time(request->at_us))
        return error_field(err, "at_us", "a batch has a time");
    if (request->epoch > INT64_MAX || request->batch == 0 || request->batch > INT64_MAX)
        return error_field(err, "batch", "epoch or batch is out of range");

    enum status status = ST_OK;
    struct ledger_event *events =
        arena_alloc_array(arena, request->n_events + 1, sizeof *events);
    struct ledger_counter *counters =
        arena_alloc_array(arena, request->n_counters + 1, sizeof *counters);
    if (events == NULL || counters == NULL)
        return arena_full(err);
    for (size_t i = 0; i < request->n_events && status == ST_OK; i++)
        status = read_event(&events[i], i, request->events[i], err);
    for (size_t i = 0; i < request->n_counters && status == ST_OK; i++)
        status = read_counter(&counters[i], i, request->counters[i], err);
    *out = (struct ledger_batch){
        .epoch = (int64_t)request->epoch,
        .batch = (int64_t)request->batch,
        .at_us = request->at_us,
        .events = events,
        .event_count = request->n_events,
        .counters = counters,
        .counter_count = request->n_counters,
    };
    return status;
}

/* ---- to messages ---- */

static ProtobufCBinaryData bytes_of(const uint8_t *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

/* An event message with the messages it points to. */
struct event_message {
    Metercache__V1__LedgerEvent event;
    Metercache__V1__CallPurpose purpose;
    Metercache__V1__CallRecord call;
};

static void write_purpose(Metercache__V1__CallPurpose *out,
                          const struct ledger_purpose *purpose)
{
    metercache__v1__call_purpose__init(out);
    out->provider = (char *)purpose->provider;
    out->action = (char *)purpose->action;
    out->reason = (char *)purpose->reason;
    out->platform = (Metercache__V1__Platform)purpose->platform;
    out->creator = (char *)purpose->creator;
    out->user = (char *)purpose->user;
    out->tenant = (char *)purpose->tenant;
}

static void write_call(Metercache__V1__CallRecord *out, const struct ledger_event *event)
{
    metercache__v1__call_record__init(out);
    out->op_id = bytes_of(event->reservation_id.bytes, OP_ID_SIZE);
    out->provider = (char *)event->purpose.provider;
    out->action = (char *)event->purpose.action;
    out->reason = (char *)event->purpose.reason;
    out->platform = (Metercache__V1__Platform)event->purpose.platform;
    out->creator = (char *)event->purpose.creator;
    out->user = (char *)event->purpose.user;
    out->started_at_us = event->call.started_at_us;
    out->outcome = (Metercache__V1__CallOutcome)event->call.outcome;
    out->credits_milli = event->amount_milli;
    out->latency_us = (uint64_t)event->call.latency_us;
    out->http_status = (uint32_t)event->call.http_status;
    out->meter = (char *)event->meter;
    out->detail = (char *)event->call.detail;
}

static void write_event(struct event_message *out, const struct ledger_event *event)
{
    Metercache__V1__LedgerEvent *message = &out->event;
    metercache__v1__ledger_event__init(message);
    message->op_id = bytes_of(event->op_id.bytes, OP_ID_SIZE);
    message->kind = (Metercache__V1__OperationKind)event->kind;
    message->reservation_id = bytes_of(event->reservation_id.bytes, OP_ID_SIZE);
    message->meter = (char *)event->meter;
    message->period_start_us = event->period_start_us;
    message->amount_milli = event->amount_milli;
    message->released_milli = event->released_milli;
    message->overage_milli = event->overage_milli;
    message->at_us = event->at_us;
    message->expires_at_us = event->expires_at_us;
    message->body_hash = bytes_of(event->body_hash, sizeof event->body_hash);
    message->limit_version = (uint64_t)event->limit_version;
    message->endpoint = (char *)event->endpoint;
    write_purpose(&out->purpose, &event->purpose);
    message->purpose = &out->purpose;
    if (event->has_call) {
        write_call(&out->call, event);
        message->call = &out->call;
    }
}

/* NULL when the arena is full. The messages point into `events`. */
static Metercache__V1__LedgerEvent **write_events(struct arena *arena,
                                                  const struct ledger_event *events,
                                                  size_t count)
{
    struct event_message *messages = arena_alloc_array(arena, count + 1, sizeof *messages);
    Metercache__V1__LedgerEvent **list =
        arena_alloc_array(arena, count + 1, sizeof(Metercache__V1__LedgerEvent *));
    if (messages == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        write_event(&messages[i], &events[i]);
        list[i] = &messages[i].event;
    }
    return list;
}

static Metercache__V1__Counter **write_counters(struct arena *arena,
                                                const struct ledger_counter *counters,
                                                size_t count)
{
    Metercache__V1__Counter *messages =
        arena_alloc_array(arena, count + 1, sizeof *messages);
    Metercache__V1__Counter **list =
        arena_alloc_array(arena, count + 1, sizeof(Metercache__V1__Counter *));
    if (messages == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        metercache__v1__counter__init(&messages[i]);
        messages[i].meter = (char *)counters[i].meter;
        messages[i].period_start_us = counters[i].period_start_us;
        messages[i].period_end_us = counters[i].period_end_us;
        messages[i].limit_milli = counters[i].limit_milli;
        messages[i].posted_milli = counters[i].posted_milli;
        messages[i].held_milli = counters[i].held_milli;
        messages[i].overage_milli = counters[i].overage_milli;
        list[i] = &messages[i];
    }
    return list;
}

/* ---- handlers ---- */

static enum status open_ledger(struct rpc_call *call, const void *request_message,
                               void *reply_message, struct error *err)
{
    const Metercache__V1__OpenLedgerRequest *request = request_message;
    Metercache__V1__OpenLedgerResponse *reply = reply_message;
    struct store_call store;
    struct ledger_state state;
    enum status status = begin(&store, call, err);
    if (status == ST_OK)
        status = ledger_store_open(&state, &store, request->writer,
                                   clock_wall_us() - COUNTERS_KEPT_US, err);
    if (status != ST_OK)
        return status;
    reply->counters = write_counters(call->arena, state.counters, state.counter_count);
    if (reply->counters == NULL)
        return arena_full(err);
    reply->n_counters = state.counter_count;
    reply->epoch = (uint64_t)state.epoch;
    reply->last_batch = (uint64_t)state.last_batch;
    reply->last_at_us = state.last_at_us;
    return ST_OK;
}

static enum status commit_batch(struct rpc_call *call, const void *request_message,
                                void *reply_message, struct error *err)
{
    const Metercache__V1__CommitBatchRequest *request = request_message;
    Metercache__V1__CommitBatchResponse *reply = reply_message;
    struct store_call store;
    struct ledger_batch batch;
    enum status status = begin(&store, call, err);
    if (status == ST_OK)
        status = read_batch(&batch, call->arena, request, err);
    if (status == ST_OK)
        status = ledger_store_commit(&store, &batch, err);
    if (status == ST_OK)
        reply->batch = request->batch;
    return status;
}

static enum status get_batch(struct rpc_call *call, const void *request_message,
                             void *reply_message, struct error *err)
{
    const Metercache__V1__GetBatchRequest *request = request_message;
    Metercache__V1__GetBatchResponse *reply = reply_message;
    struct store_call store;
    struct ledger_batch_state state;
    enum status status = begin(&store, call, err);
    if (status == ST_OK && (request->epoch > INT64_MAX || request->batch > INT64_MAX))
        status = error_field(err, "batch", "epoch or batch is out of range");
    if (status == ST_OK)
        status = ledger_store_find_batch(&state, &store, (int64_t)request->epoch,
                                         (int64_t)request->batch, err);
    if (status != ST_OK)
        return status;
    reply->committed = state.committed;
    reply->current_epoch = (uint64_t)state.current_epoch;
    reply->last_batch = (uint64_t)state.last_batch;
    return ST_OK;
}

/* A page token is the id of the last reservation of the page before, in hex. */
static enum status read_page(struct op_id *after, size_t *limit,
                             const Metercache__V1__PageRequest *page, struct error *err)
{
    *after = (struct op_id){{0}};
    *limit = LEDGER_STORE_RESERVATIONS_MAX;
    if (page == NULL)
        return ST_OK;
    if (page->page_size > 0 && page->page_size < *limit)
        *limit = page->page_size;
    if (page->page_token[0] != '\0' &&
        !parse_hex(after->bytes, OP_ID_SIZE, page->page_token))
        return error_field(err, "page.page_token", "not a page token");
    return ST_OK;
}

static enum status list_open_reservations(struct rpc_call *call,
                                          const void *request_message, void *reply_message,
                                          struct error *err)
{
    const Metercache__V1__ListOpenReservationsRequest *request = request_message;
    Metercache__V1__ListOpenReservationsResponse *reply = reply_message;
    struct store_call store;
    struct op_id after;
    const struct ledger_event *events;
    size_t count, limit;
    enum status status = begin(&store, call, err);
    if (status == ST_OK)
        status = read_page(&after, &limit, request->page, err);
    if (status == ST_OK)
        status =
            ledger_store_list_reservations(&events, &count, &store, &after, limit, err);
    if (status != ST_OK)
        return status;

    Metercache__V1__PageResponse *page = arena_alloc(call->arena, sizeof *page);
    char *token = arena_alloc(call->arena, 2 * OP_ID_SIZE + 1);
    reply->reservations = write_events(call->arena, events, count);
    if (page == NULL || token == NULL || reply->reservations == NULL)
        return arena_full(err);
    reply->n_reservations = count;
    metercache__v1__page_response__init(page);
    if (count == limit) {
        parse_format_hex(token, events[count - 1].op_id.bytes, OP_ID_SIZE);
        page->next_page_token = token;
    }
    reply->page = page;
    return ST_OK;
}

static enum status get_operations(struct rpc_call *call, const void *request_message,
                                  void *reply_message, struct error *err)
{
    const Metercache__V1__GetOperationsRequest *request = request_message;
    Metercache__V1__GetOperationsResponse *reply = reply_message;
    struct op_id ids[LEDGER_STORE_OPERATIONS_MAX];
    struct store_call store;
    const struct ledger_event *events;
    size_t count;
    enum status status = begin(&store, call, err);
    if (status == ST_OK && request->n_op_ids > COUNT_OF(ids))
        status = error_field(err, "op_ids", "more than %zu op ids", COUNT_OF(ids));
    for (size_t i = 0; status == ST_OK && i < request->n_op_ids; i++)
        if (!read_id(&ids[i], request->op_ids[i]))
            status = error_field(err, "op_ids", "op id %zu has not 16 bytes", i);
    if (status == ST_OK)
        status =
            ledger_store_operations(&events, &count, &store, ids, request->n_op_ids, err);
    if (status != ST_OK)
        return status;
    reply->events = write_events(call->arena, events, count);
    if (reply->events == NULL)
        return arena_full(err);
    reply->n_events = count;
    return ST_OK;
}

#define ROW(name_, flags_, handler_)                                             \
    {                                                                            \
        .service = &metercache__v1__ledger_service__descriptor, .name = (name_), \
        .roles = RPC_ROLE_SERVICE, .flags = (flags_), .handler = (handler_)      \
    }

/* A commit repeated is no commit: the writer looks its batch up instead. */
// clang-format off
const struct rpc_method ledger_methods[] = {
    ROW("OpenLedger",           0,              open_ledger),
    ROW("CommitBatch",          0,              commit_batch),
    ROW("GetBatch",             RPC_IDEMPOTENT, get_batch),
    ROW("ListOpenReservations", RPC_IDEMPOTENT, list_open_reservations),
    ROW("GetOperations",        RPC_IDEMPOTENT, get_operations),
    {.service = NULL},
};
// clang-format on
