/*
 * The ledger's rows as messages; the other way is in ledger_messages_rpc.c.
 */
#include <string.h>

#include "ledger/ledger_messages_rpc.h"

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
    message->is_scheduled = event->is_scheduled;
    message->cooldown_key = (char *)event->cooldown_key;
    message->actor = (char *)event->actor;
    message->note = (char *)event->note;
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
        messages[i].scope = (Metercache__V1__LimitScope)counters[i].scope;
        messages[i].subject = (char *)counters[i].subject;
        messages[i].crossed_percent = (uint32_t)counters[i].crossed_percent;
        messages[i].soft_passed = counters[i].soft_passed;
        list[i] = &messages[i];
    }
    return list;
}

/* "{50,80}" */
static size_t read_thresholds(uint32_t out[LEDGER_STORE_THRESHOLDS_MAX], const char *text)
{
    size_t count = 0;
    uint32_t value = 0;

    if (strcmp(text, "{}") == 0)
        return 0;
    for (; *text != '\0' && count < LEDGER_STORE_THRESHOLDS_MAX; text++) {
        if (*text >= '0' && *text <= '9')
            value = value * 10 + (uint32_t)(*text - '0');
        else if (*text != '{') {
            out[count++] = value;
            value = 0;
        }
    }
    return count;
}

/* A change with the messages it points to. */
struct change_message {
    Metercache__V1__LimitChange change;
    Metercache__V1__Limit limit;
    uint32_t thresholds[LEDGER_STORE_THRESHOLDS_MAX];
};

static void write_change(struct change_message *out, const struct ledger_limit *limit)
{
    metercache__v1__limit_change__init(&out->change);
    metercache__v1__limit__init(&out->limit);
    out->change.limit = &out->limit;
    out->change.removed = limit->removed;
    out->limit.scope = (Metercache__V1__LimitScope)limit->scope;
    out->limit.meter = (char *)limit->meter;
    out->limit.subject = (char *)limit->subject;
    out->limit.limit_milli = limit->limit_milli;
    out->limit.mode = (Metercache__V1__LimitMode)limit->mode;
    out->limit.anchor_day = (uint32_t)limit->anchor_day;
    out->limit.cooldown_ms = (uint64_t)limit->cooldown_ms;
    out->limit.threshold_percent = out->thresholds;
    out->limit.n_threshold_percent = read_thresholds(out->thresholds, limit->thresholds);
    out->limit.version = (uint64_t)limit->version;
    out->limit.set_at_us = limit->set_at_us;
    out->limit.set_by = (char *)limit->set_by;
    out->limit.reason = (char *)limit->reason;
}

Metercache__V1__LimitChange **ledger_messages_write_limits(
    struct arena *arena, const struct ledger_limit *limits, size_t count)
{
    struct change_message *messages =
        arena_alloc_array(arena, count + 1, sizeof(*messages));
    Metercache__V1__LimitChange **list =
        arena_alloc_array(arena, count + 1, sizeof(Metercache__V1__LimitChange *));

    if (messages == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        write_change(&messages[i], &limits[i]);
        list[i] = &messages[i].change;
    }
    return list;
}

Metercache__V1__ThresholdCrossing **ledger_messages_write_alerts(
    struct arena *arena, const struct ledger_alert *alerts, size_t count)
{
    Metercache__V1__ThresholdCrossing *messages =
        arena_alloc_array(arena, count + 1, sizeof(*messages));
    Metercache__V1__ThresholdCrossing **list =
        arena_alloc_array(arena, count + 1, sizeof(Metercache__V1__ThresholdCrossing *));

    if (messages == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        metercache__v1__threshold_crossing__init(&messages[i]);
        messages[i].sequence = (uint64_t)alerts[i].sequence;
        messages[i].kind = (Metercache__V1__AlertKind)alerts[i].kind;
        messages[i].meter = (char *)alerts[i].meter;
        messages[i].period_start_us = alerts[i].period_start_us;
        messages[i].period_end_us = alerts[i].period_end_us;
        messages[i].percent = (uint32_t)alerts[i].percent;
        messages[i].at_us = alerts[i].at_us;
        messages[i].limit_milli = alerts[i].limit_milli;
        messages[i].posted_milli = alerts[i].posted_milli;
        messages[i].held_milli = alerts[i].held_milli;
        messages[i].amount_milli = alerts[i].amount_milli;
        list[i] = &messages[i];
    }
    return list;
}

Metercache__V1__Cooldown **ledger_messages_write_cooldowns(
    struct arena *arena, const struct ledger_cooldown *cells, size_t count)
{
    Metercache__V1__Cooldown *messages =
        arena_alloc_array(arena, count + 1, sizeof(*messages));
    Metercache__V1__Cooldown **list =
        arena_alloc_array(arena, count + 1, sizeof(Metercache__V1__Cooldown *));

    if (messages == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        metercache__v1__cooldown__init(&messages[i]);
        messages[i].meter = (char *)cells[i].meter;
        messages[i].key = (char *)cells[i].key;
        messages[i].until_us = cells[i].until_us;
        messages[i].reservation_id = bytes_of(cells[i].reservation_id.bytes, OP_ID_SIZE);
        list[i] = &messages[i];
    }
    return list;
}
