#include "ledger/ledger_messages_rpc.h"

#include <stdio.h>
#include <string.h>

#define TIME_MAX_US 253402300799999999LL /* the end of the year 9999 */
#define AMOUNT_MAX  (1LL << 53)

#define KIND(name) METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_##name

/* The numbers that migrations/0004_ledger.sql, 0006_ledger_commit.sql and the statements of
 * ledger_reads.c write out. */
_Static_assert(KIND(RESERVE) == 1 && KIND(SETTLE) == 2 && KIND(VOID) == 3 &&
                   KIND(LAPSE) == 4 && KIND(CORRECT) == 5 && KIND(ADJUST) == 6,
               "SQL knows the kinds by number");

/* ---- from messages ---- */

bool ledger_messages_read_id(struct op_id *out, ProtobufCBinaryData id)
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

/* How a call went is told by its caller: what is out of range there must not hold up the
 * ledger, and is brought into it. */
static void read_call(struct ledger_call *out, const Metercache__V1__CallRecord *call)
{
    bool has_start = is_time(call->started_at_us);
    bool has_outcome =
        protobuf_c_enum_descriptor_get_value(&metercache__v1__call_outcome__descriptor,
                                             (int)call->outcome) != NULL;

    *out = (struct ledger_call){
        .started_at_us = has_start ? call->started_at_us : 0,
        .outcome = has_outcome ? (int)call->outcome
                               : METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_UNKNOWN,
        .latency_us = call->latency_us < INT32_MAX * 1000LL ? (int64_t)call->latency_us
                                                            : INT32_MAX * 1000LL,
        .http_status = call->http_status <= 999 ? (int)call->http_status : 0,
        .detail = call->detail,
    };
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
    /* What is charged for calls is the sum of the call log. */
    bool is_logged =
        event->has_call || event->amount_milli == 0 || event->kind == KIND(ADJUST);
    if (event->expires_at_us != 0 || !is_logged)
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
                ledger_messages_read_id(&out->op_id, event->op_id) &&
                out->limit_version >= 0;
    if (good && event->reservation_id.len > 0)
        good = ledger_messages_read_id(&out->reservation_id, event->reservation_id);
    if (good && event->body_hash.len > 0) {
        good = event->body_hash.len == sizeof(out->body_hash);
        if (good)
            memcpy(out->body_hash, event->body_hash.data, sizeof(out->body_hash));
    }
    if (event->call != NULL)
        read_call(&out->call, event->call);
    if (good && is_sound(out))
        return ST_OK;
    char field[32];
    (void)snprintf(field, sizeof(field), "events[%zu]", index);
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
    (void)snprintf(field, sizeof(field), "counters[%zu]", index);
    return error_field(err, field, "counter %zu is not sound", index);
}

enum status ledger_messages_read_batch(struct ledger_batch *out, struct arena *arena,
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

    enum status st = ST_OK;
    struct ledger_event *events =
        arena_alloc_array(arena, request->n_events + 1, sizeof(*events));
    struct ledger_counter *counters =
        arena_alloc_array(arena, request->n_counters + 1, sizeof(*counters));
    if (events == NULL || counters == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < request->n_events && st == ST_OK; i++)
        st = read_event(&events[i], i, request->events[i], err);
    for (size_t i = 0; i < request->n_counters && st == ST_OK; i++)
        st = read_counter(&counters[i], i, request->counters[i], err);
    *out = (struct ledger_batch){
        .epoch = (int64_t)request->epoch,
        .batch = (int64_t)request->batch,
        .at_us = request->at_us,
        .events = events,
        .event_count = request->n_events,
        .counters = counters,
        .counter_count = request->n_counters,
    };
    return st;
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
    message->body_hash = bytes_of(event->body_hash, sizeof(event->body_hash));
    message->limit_version = (uint64_t)event->limit_version;
    message->endpoint = (char *)event->endpoint;
    message->batch = (uint64_t)event->batch;
    message->epoch = (uint64_t)event->epoch;
    write_purpose(&out->purpose, &event->purpose);
    message->purpose = &out->purpose;
    if (event->has_call) {
        write_call(&out->call, event);
        message->call = &out->call;
    }
}

/* NULL when the arena is full. The messages point into `events`. */
Metercache__V1__LedgerEvent **ledger_messages_write_events(
    struct arena *arena, const struct ledger_event *events, size_t count)
{
    struct event_message *messages = arena_alloc_array(arena, count + 1, sizeof(*messages));
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

Metercache__V1__Counter **ledger_messages_write_counters(
    struct arena *arena, const struct ledger_counter *counters, size_t count)
{
    Metercache__V1__Counter *messages =
        arena_alloc_array(arena, count + 1, sizeof(*messages));
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
