#include "ledger/ledger_messages_rpc.h"

#include <stdio.h>
#include <string.h>

#define TIME_MAX_US 253402300799999999LL /* the end of the year 9999 */
#define AMOUNT_MAX  (1LL << 53)

#define KIND(name) METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_##name

/* The numbers that migrations/0004_ledger.sql, 0008_ledger_commit.sql and store/ledger_*.c
 * write out. */
_Static_assert(KIND(RESERVE) == 1 && KIND(SETTLE) == 2 && KIND(VOID) == 3 &&
                   KIND(LAPSE) == 4 && KIND(CORRECT) == 5 && KIND(ADJUST) == 6,
               "SQL knows the kinds by number");
#define SCOPE(name) METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_##name
_Static_assert((int)SCOPE(METER) == LEDGER_SCOPE_METER &&
                   (int)SCOPE(USER) == LEDGER_SCOPE_USER &&
                   (int)SCOPE(ENDPOINT) == LEDGER_SCOPE_ENDPOINT &&
                   (int)SCOPE(TENANT) == LEDGER_SCOPE_TENANT &&
                   (int)SCOPE(INTERACTIVE_SHARE) == LEDGER_SCOPE_SCHEDULED,
               "SQL knows the scopes by number");

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
    if (event->has_call == (event->kind == KIND(RESERVE) || event->kind == KIND(ADJUST)))
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
        .is_scheduled = event->is_scheduled,
        .cooldown_key = event->cooldown_key,
        .actor = event->actor,
        .note = event->note,
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
        .scope = counter->scope != 0 ? (int)counter->scope : LEDGER_SCOPE_METER,
        .subject = counter->subject,
        .period_start_us = counter->period_start_us,
        .period_end_us = counter->period_end_us,
        .limit_milli = counter->limit_milli,
        .posted_milli = counter->posted_milli,
        .held_milli = counter->held_milli,
        .overage_milli = counter->overage_milli,
        .crossed_percent = (int)counter->crossed_percent,
        .soft_passed = counter->soft_passed,
    };
    if (out->scope >= LEDGER_SCOPE_METER && out->scope <= LEDGER_SCOPE_SCHEDULED &&
        counter->crossed_percent <= 100 && out->meter[0] != '\0' &&
        is_time(out->period_start_us) && is_time(out->period_end_us) &&
        is_amount(out->limit_milli) && is_amount(out->posted_milli) &&
        is_amount(out->held_milli) && is_amount(out->overage_milli))
        return ST_OK;
    char field[32];
    (void)snprintf(field, sizeof(field), "counters[%zu]", index);
    return error_field(err, field, "counter %zu is not sound", index);
}

static enum status not_sound(const char *list, size_t index, struct error *err)
{
    char field[32];

    (void)snprintf(field, sizeof(field), "%s[%zu]", list, index);
    return error_field(err, field, "%s %zu is not sound", list, index);
}

static enum status read_cooldown(struct ledger_cooldown *out, size_t index,
                                 const Metercache__V1__Cooldown *cell, struct error *err)
{
    *out = (struct ledger_cooldown){
        .meter = cell->meter, .key = cell->key, .until_us = cell->until_us};
    if (out->meter[0] != '\0' && out->key[0] != '\0' && out->until_us >= 0 &&
        out->until_us <= TIME_MAX_US &&
        ledger_messages_read_id(&out->reservation_id, cell->reservation_id))
        return ST_OK;
    return not_sound("cooldowns", index, err);
}

/* "{50,80}", as the database writes it: the digest must be the same from there. */
static char *thresholds_text(const Metercache__V1__Limit *limit, struct arena *arena)
{
    char text[8 * LEDGER_STORE_THRESHOLDS_MAX + 3] = "{";
    size_t at = 1;

    for (size_t i = 0; i < limit->n_threshold_percent; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", i > 0 ? "," : "",
                               limit->threshold_percent[i]);
    text[at] = '}';
    text[at + 1] = '\0';
    return arena_strdup(arena, text);
}

static enum status read_limit(struct ledger_limit *out, size_t index,
                              const Metercache__V1__LimitChange *change,
                              struct arena *arena, struct error *err)
{
    const Metercache__V1__Limit *limit = change->limit;

    if (limit == NULL || limit->n_threshold_percent > LEDGER_STORE_THRESHOLDS_MAX ||
        limit->scope < 1 || limit->scope > 6 || limit->mode < 1 || limit->mode > 3 ||
        limit->version == 0 || limit->version > INT64_MAX || !is_time(limit->set_at_us) ||
        !is_amount(limit->limit_milli) || limit->anchor_day > 31 ||
        limit->cooldown_ms > INT32_MAX * 1000LL)
        return not_sound("limits", index, err);
    for (size_t i = 0; i < limit->n_threshold_percent; i++)
        if (limit->threshold_percent[i] > 100)
            return not_sound("limits", index, err);
    *out = (struct ledger_limit){
        .version = (int64_t)limit->version,
        .scope = (int)limit->scope,
        .meter = limit->meter,
        .subject = limit->subject,
        .mode = (int)limit->mode,
        .limit_milli = limit->limit_milli,
        .anchor_day = (int)limit->anchor_day,
        .cooldown_ms = (int64_t)limit->cooldown_ms,
        .thresholds = thresholds_text(limit, arena),
        .removed = change->removed,
        .set_at_us = limit->set_at_us,
        .set_by = limit->set_by,
        .reason = limit->reason,
    };
    return out->thresholds != NULL ? ST_OK : error_out_of_arena(err);
}

static enum status read_alert(struct ledger_alert *out, size_t index,
                              const Metercache__V1__ThresholdCrossing *alert,
                              struct error *err)
{
    if (alert->kind < 1 || alert->kind > 4 || alert->meter[0] == '\0' ||
        !is_time(alert->period_start_us) || !is_time(alert->period_end_us) ||
        !is_time(alert->at_us) || alert->percent > 100)
        return not_sound("alerts", index, err);
    *out = (struct ledger_alert){
        .kind = (int)alert->kind,
        .meter = alert->meter,
        .period_start_us = alert->period_start_us,
        .period_end_us = alert->period_end_us,
        .percent = (int)alert->percent,
        .at_us = alert->at_us,
        .limit_milli = alert->limit_milli,
        .posted_milli = alert->posted_milli,
        .held_milli = alert->held_milli,
        .amount_milli = alert->amount_milli,
    };
    return ST_OK;
}

static enum status check_sizes(const Metercache__V1__CommitBatchRequest *request,
                               struct error *err)
{
    if (request->n_events > LEDGER_STORE_EVENTS_MAX)
        return error_field(err, "events", "more than %d events", LEDGER_STORE_EVENTS_MAX);
    if (request->n_counters > LEDGER_STORE_COUNTERS_MAX)
        return error_field(err, "counters", "more than %d counters",
                           LEDGER_STORE_COUNTERS_MAX);
    if (request->n_cooldowns > LEDGER_STORE_COOLDOWNS_MAX)
        return error_field(err, "cooldowns", "more than %d cooldowns",
                           LEDGER_STORE_COOLDOWNS_MAX);
    if (request->n_limits > LEDGER_STORE_LIMITS_MAX)
        return error_field(err, "limits", "more than %d limits", LEDGER_STORE_LIMITS_MAX);
    if (request->n_alerts > LEDGER_STORE_ALERTS_MAX ||
        request->n_published > LEDGER_STORE_ALERTS_MAX)
        return error_field(err, "alerts", "more than %d alerts", LEDGER_STORE_ALERTS_MAX);
    if (!is_time(request->at_us))
        return error_field(err, "at_us", "a batch has a time");
    if (request->epoch > INT64_MAX || request->batch == 0 || request->batch > INT64_MAX)
        return error_field(err, "batch", "epoch or batch is out of range");
    return ST_OK;
}

/* Room for everything, in one piece a list. */
struct lists {
    struct ledger_event *events;
    struct ledger_counter *counters;
    struct ledger_cooldown *cooldowns;
    struct ledger_limit *limits;
    struct ledger_alert *alerts;
    int64_t *published;
};

static bool make_lists(struct lists *out, const Metercache__V1__CommitBatchRequest *request,
                       struct arena *arena)
{
#define MAKE(name) \
    out->name = arena_alloc_array(arena, request->n_##name + 1, sizeof(*out->name))
    MAKE(events);
    MAKE(counters);
    MAKE(cooldowns);
    MAKE(limits);
    MAKE(alerts);
    MAKE(published);
#undef MAKE
    return out->events != NULL && out->counters != NULL && out->cooldowns != NULL &&
           out->limits != NULL && out->alerts != NULL && out->published != NULL;
}

enum status ledger_messages_read_batch(struct ledger_batch *out, struct arena *arena,
                                       const Metercache__V1__CommitBatchRequest *request,
                                       struct error *err)
{
    struct lists lists;
    enum status st = check_sizes(request, err);

    if (st != ST_OK)
        return st;
    if (!make_lists(&lists, request, arena))
        return error_out_of_arena(err);
    for (size_t i = 0; i < request->n_events && st == ST_OK; i++)
        st = read_event(&lists.events[i], i, request->events[i], err);
    for (size_t i = 0; i < request->n_counters && st == ST_OK; i++)
        st = read_counter(&lists.counters[i], i, request->counters[i], err);
    for (size_t i = 0; i < request->n_cooldowns && st == ST_OK; i++)
        st = read_cooldown(&lists.cooldowns[i], i, request->cooldowns[i], err);
    for (size_t i = 0; i < request->n_limits && st == ST_OK; i++)
        st = read_limit(&lists.limits[i], i, request->limits[i], arena, err);
    for (size_t i = 0; i < request->n_alerts && st == ST_OK; i++)
        st = read_alert(&lists.alerts[i], i, request->alerts[i], err);
    for (size_t i = 0; i < request->n_published; i++)
        lists.published[i] = (int64_t)request->published[i];
    *out = (struct ledger_batch){
        .epoch = (int64_t)request->epoch,
        .batch = (int64_t)request->batch,
        .at_us = request->at_us,
        .events = lists.events,
        .event_count = request->n_events,
        .counters = lists.counters,
        .counter_count = request->n_counters,
        .cooldowns = lists.cooldowns,
        .cooldown_count = request->n_cooldowns,
        .limits = lists.limits,
        .limit_count = request->n_limits,
        .alerts = lists.alerts,
        .alert_count = request->n_alerts,
        .published = lists.published,
        .published_count = request->n_published,
    };
    return st;
}
