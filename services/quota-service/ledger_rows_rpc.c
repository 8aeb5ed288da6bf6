#include "ledger_rows_rpc.h"

#include <string.h>

#include "core/log.h"
#include "quota_core.h"

/* The core's numbers go over the wire as they stand. */
#define SAME(ours, theirs)                                       \
    _Static_assert((int)(ours) == (int)METERCACHE__V1__##theirs, \
                   #ours " is another on the wire")
SAME(QUOTA_RESERVE, OPERATION_KIND__OPERATION_KIND_RESERVE);
SAME(QUOTA_SETTLE, OPERATION_KIND__OPERATION_KIND_SETTLE);
SAME(QUOTA_VOID, OPERATION_KIND__OPERATION_KIND_VOID);
SAME(QUOTA_LAPSE, OPERATION_KIND__OPERATION_KIND_LAPSE);
SAME(QUOTA_CORRECT, OPERATION_KIND__OPERATION_KIND_CORRECT);
SAME(QUOTA_ADJUST, OPERATION_KIND__OPERATION_KIND_ADJUST);
SAME(QUOTA_OUTCOME_UNKNOWN, CALL_OUTCOME__CALL_OUTCOME_UNKNOWN);
SAME(LIMIT_METER, LIMIT_SCOPE__LIMIT_SCOPE_METER);
SAME(LIMIT_USER, LIMIT_SCOPE__LIMIT_SCOPE_USER);
SAME(LIMIT_ENDPOINT, LIMIT_SCOPE__LIMIT_SCOPE_ENDPOINT);
SAME(LIMIT_TENANT, LIMIT_SCOPE__LIMIT_SCOPE_TENANT);
SAME(LIMIT_SHARE, LIMIT_SCOPE__LIMIT_SCOPE_INTERACTIVE_SHARE);
SAME(LIMIT_COOLDOWN, LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN);
SAME(LIMIT_HARD, LIMIT_MODE__LIMIT_MODE_HARD);
SAME(LIMIT_SOFT, LIMIT_MODE__LIMIT_MODE_SOFT);
SAME(LIMIT_SHADOW, LIMIT_MODE__LIMIT_MODE_SHADOW);
SAME(QUOTA_ALERT_THRESHOLD, ALERT_KIND__ALERT_KIND_THRESHOLD);
SAME(QUOTA_ALERT_SOFT_LIMIT, ALERT_KIND__ALERT_KIND_SOFT_LIMIT);
SAME(QUOTA_ALERT_OVERAGE, ALERT_KIND__ALERT_KIND_OVERAGE);
SAME(QUOTA_ALERT_BURN_RATE, ALERT_KIND__ALERT_KIND_BURN_RATE);
SAME(QUOTA_OUTCOME_LAPSED, CALL_OUTCOME__CALL_OUTCOME_LAPSED);

/* ---- writing --------------------------------------------------------------------------- */

/* The arena is sized for a full batch: running out of it is a bug. */
static void *take(struct arena *arena, size_t count, size_t size)
{
    void *memory = arena_alloc_array(arena, count > 0 ? count : 1, size);

    if (memory == NULL)
        log_abort("a batch is larger than its arena", 0);
    return memory;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size,
                                 (uint8_t *)(uintptr_t)data}; /* packed, not written */
}

static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text; /* packed, not written */
}

/* The texts of a purpose, each ended by a NUL: one copy, for in it every text is followed by
 * the next one's length, which was read by then. */
static void split_purpose(char *texts[PURPOSE_TEXT_COUNT], const struct purpose *purpose,
                          struct arena *arena)
{
    uint8_t *bytes = take(arena, purpose->size + 1u, 1);
    size_t at = 1;

    memcpy(bytes, purpose->bytes, purpose->size);
    for (unsigned i = 0; i < PURPOSE_TEXT_COUNT; i++) {
        size_t size = at < purpose->size ? purpose->bytes[at] : 0;

        texts[i] = at < purpose->size ? (char *)bytes + at + 1 : borrow("");
        at += 1 + size;
        if (at <= purpose->size)
            bytes[at] = '\0';
    }
}

static Metercache__V1__CallPurpose *write_purpose(const struct quota_row *row,
                                                  char *texts[PURPOSE_TEXT_COUNT],
                                                  struct arena *arena)
{
    Metercache__V1__CallPurpose *out = take(arena, 1, sizeof(*out));

    metercache__v1__call_purpose__init(out);
    out->platform = (Metercache__V1__Platform)purpose_platform(&row->purpose);
    out->provider = texts[PURPOSE_provider];
    out->action = texts[PURPOSE_action];
    out->reason = texts[PURPOSE_reason];
    out->creator = texts[PURPOSE_creator];
    out->user = texts[PURPOSE_user];
    out->tenant = texts[PURPOSE_tenant];
    return out;
}

/* Only what the event does not say already: the ledger takes the rest from there. */
static Metercache__V1__CallRecord *write_call(const struct quota_row *row,
                                              struct arena *arena)
{
    Metercache__V1__CallRecord *out = take(arena, 1, sizeof(*out));

    metercache__v1__call_record__init(out);
    out->started_at_us = row->call.started_at_us;
    out->outcome = (Metercache__V1__CallOutcome)row->call.outcome;
    out->credits_milli = row->amount_milli;
    out->latency_us = row->call.latency_us;
    out->http_status = row->call.http_status;
    out->detail = borrow(row->call.detail);
    return out;
}

static void write_row(Metercache__V1__LedgerEvent *out, const struct quota_row *row,
                      struct arena *arena)
{
    char *texts[PURPOSE_TEXT_COUNT];

    metercache__v1__ledger_event__init(out);
    split_purpose(texts, &row->purpose, arena);
    out->op_id = bytes_of(row->op_id.bytes, OP_ID_SIZE);
    out->kind = (Metercache__V1__OperationKind)row->kind;
    out->reservation_id = bytes_of(row->reservation_id.bytes, OP_ID_SIZE);
    out->meter = borrow(METERS[row->meter].name);
    out->period_start_us = row->period_start_us;
    out->amount_milli = row->amount_milli;
    out->released_milli = row->released_milli;
    out->overage_milli = row->overage_milli;
    out->at_us = row->at_us;
    out->expires_at_us = row->expires_at_us;
    out->body_hash = bytes_of(row->body_hash, sizeof(row->body_hash));
    out->limit_version = row->limit_version;
    out->purpose = write_purpose(row, texts, arena);
    out->endpoint = texts[PURPOSE_endpoint];
    out->cooldown_key = texts[PURPOSE_cooldown_key];
    out->is_scheduled = purpose_has(&row->purpose, PURPOSE_SCHEDULED);
    out->actor = borrow(row->actor);
    out->note = borrow(row->note);
    if (row->kind != QUOTA_RESERVE && row->kind != QUOTA_ADJUST)
        out->call = write_call(row, arena);
}

static void write_counter(Metercache__V1__Counter *out, const struct quota_counter *counter,
                          struct arena *arena)
{
    metercache__v1__counter__init(out);
    out->meter = borrow(METERS[counter->meter].name);
    out->period_start_us = counter->period.start_us;
    out->period_end_us = counter->period.end_us;
    out->limit_milli = counter->limit_milli;
    out->posted_milli = counter->posted_milli;
    out->held_milli = counter->held_milli;
    out->overage_milli = counter->overage_milli;
    out->scope = (Metercache__V1__LimitScope)counter->scope;
    if (counter->subject_size > 0) {
        out->subject = take(arena, counter->subject_size + 1u, 1);
        memcpy(out->subject, counter->subject, counter->subject_size);
        out->subject[counter->subject_size] = '\0';
    }
    out->crossed_percent = counter->crossed_percent;
    out->soft_passed = counter->soft_passed;
}

static void write_cooldown(Metercache__V1__Cooldown *out, const struct cooldown *cell,
                           struct arena *arena)
{
    metercache__v1__cooldown__init(out);
    out->meter = borrow(METERS[cell->meter].name);
    out->key = take(arena, cell->key_size + 1u, 1);
    memcpy(out->key, cell->key, cell->key_size);
    out->key[cell->key_size] = '\0';
    out->until_us = cell->until_us;
    out->reservation_id = bytes_of(cell->reservation_id.bytes, OP_ID_SIZE);
}

void ledger_rows_write_limit(Metercache__V1__Limit *out, const struct limit_rule *rule,
                             struct arena *arena)
{
    metercache__v1__limit__init(out);
    out->scope = (Metercache__V1__LimitScope)rule->scope;
    out->meter = borrow(METERS[rule->meter].name);
    out->subject = borrow(rule->subject);
    out->limit_milli = rule->amount_milli;
    out->mode = (Metercache__V1__LimitMode)rule->mode;
    out->anchor_day = rule->anchor_day;
    out->cooldown_ms = (uint64_t)rule->cooldown_us / 1000;
    out->n_threshold_percent = rule->threshold_count;
    out->threshold_percent = take(arena, LIMIT_THRESHOLDS_MAX, sizeof(uint32_t));
    for (unsigned i = 0; i < rule->threshold_count; i++)
        out->threshold_percent[i] = rule->thresholds[i];
    out->version = rule->version;
    out->set_at_us = rule->set_at_us;
    out->set_by = borrow(rule->set_by);
    out->reason = borrow(rule->reason);
}

static void write_change(Metercache__V1__LimitChange *out, const struct limit_rule *rule,
                         struct arena *arena)
{
    metercache__v1__limit_change__init(out);
    out->limit = take(arena, 1, sizeof(*out->limit));
    ledger_rows_write_limit(out->limit, rule, arena);
    out->removed = rule->is_removed;
}

static void write_alert(Metercache__V1__ThresholdCrossing *out,
                        const struct quota_alert *alert, struct arena *arena)
{
    (void)arena;
    metercache__v1__threshold_crossing__init(out);
    out->kind = (Metercache__V1__AlertKind)alert->kind;
    out->meter = borrow(METERS[alert->meter].name);
    out->period_start_us = alert->period.start_us;
    out->period_end_us = alert->period.end_us;
    out->percent = alert->percent;
    out->at_us = alert->at_us;
    out->limit_milli = alert->limit_milli;
    out->posted_milli = alert->posted_milli;
    out->held_milli = alert->held_milli;
    out->amount_milli = alert->amount_milli;
    out->sequence = alert->sequence;
}

/* A repeated field: messages in one piece, and the list of pointers to them. */
#define WRITE_LIST(type, field, items, count, write)                                \
    do {                                                                            \
        Metercache__V1__##type *messages = take(arena, (count), sizeof(*messages)); \
        out->field = take(arena, (count), sizeof(*out->field));                     \
        out->n_##field = (count);                                                   \
        for (size_t i = 0; i < (count); i++) {                                      \
            write(&messages[i], &(items)[i], arena);                                \
            out->field[i] = &messages[i];                                           \
        }                                                                           \
    } while (0)

void ledger_rows_write(Metercache__V1__CommitBatchRequest *out,
                       const struct quota_batch *batch, struct arena *arena)
{
    out->batch = batch->number;
    out->at_us = batch->at_us;
    WRITE_LIST(LedgerEvent, events, batch->rows, batch->row_count, write_row);
    WRITE_LIST(Counter, counters, batch->counters, batch->counter_count, write_counter);
    WRITE_LIST(Cooldown, cooldowns, batch->cooldowns, batch->cooldown_count,
               write_cooldown);
    WRITE_LIST(LimitChange, limits, batch->limits, batch->limit_count, write_change);
    WRITE_LIST(ThresholdCrossing, alerts, batch->alerts, batch->alert_count, write_alert);
    out->n_published = batch->published_count;
    out->published = (uint64_t *)(uintptr_t)batch->published; /* packed, not written */
}

void ledger_rows_write_key(Metercache__V1__CounterKey *out,
                           const struct quota_needed_counter *needed)
{
    metercache__v1__counter_key__init(out);
    out->scope = (Metercache__V1__LimitScope)needed->scope;
    out->meter = borrow(METERS[needed->meter].name);
    out->subject = borrow(needed->subject);
    out->period_start_us = needed->period.start_us;
    out->period_end_us = needed->period.end_us;
}

/* ---- reading --------------------------------------------------------------------------- */

/* False when it is longer than the field holds. */
static bool copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size)
        return false;
    memcpy(out, text, length + 1);
    return true;
}

bool ledger_rows_read_counter(struct quota_counter *out,
                              const Metercache__V1__Counter *counter)
{
    unsigned meter = meters_find(counter->meter);
    size_t size = strlen(counter->subject);

    if (meter == METERS_NONE || size > LIMIT_SUBJECT_MAX ||
        (int)counter->scope >= LIMIT_COOLDOWN)
        return false;
    *out = (struct quota_counter){
        .meter = meter,
        .scope = counter->scope != 0 ? (enum limit_scope)counter->scope : LIMIT_METER,
        .period = {counter->period_start_us, counter->period_end_us},
        .limit_milli = counter->limit_milli,
        .posted_milli = counter->posted_milli,
        .held_milli = counter->held_milli,
        .overage_milli = counter->overage_milli,
        .crossed_percent = (uint8_t)counter->crossed_percent,
        .soft_passed = counter->soft_passed,
        .subject_size = (uint8_t)size,
    };
    memcpy(out->subject, counter->subject, size);
    return true;
}

bool ledger_rows_read_cooldown(struct cooldown *out,
                               const Metercache__V1__Cooldown *cooldown)
{
    unsigned meter = meters_find(cooldown->meter);
    size_t size = strlen(cooldown->key);
    const ProtobufCBinaryData *id = &cooldown->reservation_id;

    if (meter == METERS_NONE || size == 0 || size > COOLDOWN_KEY_MAX)
        return false;
    *out = (struct cooldown){
        .meter = (uint8_t)meter, .key_size = (uint8_t)size, .until_us = cooldown->until_us};
    memcpy(out->key, cooldown->key, size);
    return id->len == 0 || op_id_from_bytes(&out->reservation_id, id->data, id->len);
}

bool ledger_rows_read_limit(struct limit_rule *out,
                            const Metercache__V1__LimitChange *change)
{
    const Metercache__V1__Limit *limit = change->limit;
    unsigned meter = limit != NULL ? meters_find(limit->meter) : METERS_NONE;

    if (meter == METERS_NONE || (int)limit->scope < LIMIT_METER ||
        (int)limit->scope > LIMIT_COOLDOWN || (int)limit->mode < LIMIT_HARD ||
        (int)limit->mode > LIMIT_SHADOW ||
        limit->n_threshold_percent > LIMIT_THRESHOLDS_MAX)
        return false;
    *out = (struct limit_rule){.scope = (enum limit_scope)limit->scope,
                               .mode = (enum limit_mode)limit->mode,
                               .meter = meter,
                               .amount_milli = limit->limit_milli,
                               .cooldown_us = (int64_t)limit->cooldown_ms * 1000,
                               .anchor_day = (uint8_t)limit->anchor_day,
                               .threshold_count = (uint8_t)limit->n_threshold_percent,
                               .is_removed = change->removed,
                               .version = limit->version,
                               .set_at_us = limit->set_at_us,
                               .subject_size = (uint16_t)strlen(limit->subject)};
    for (size_t i = 0; i < limit->n_threshold_percent; i++)
        out->thresholds[i] = (uint8_t)limit->threshold_percent[i];
    return copy_text(out->subject, sizeof(out->subject), limit->subject) &&
           copy_text(out->set_by, sizeof(out->set_by), limit->set_by) &&
           copy_text(out->reason, sizeof(out->reason), limit->reason);
}

bool ledger_rows_read_alert(struct quota_alert *out,
                            const Metercache__V1__ThresholdCrossing *alert)
{
    unsigned meter = meters_find(alert->meter);

    if (meter == METERS_NONE)
        return false;
    *out = (struct quota_alert){.kind = (enum quota_alert_kind)alert->kind,
                                .meter = meter,
                                .period = {alert->period_start_us, alert->period_end_us},
                                .percent = alert->percent,
                                .at_us = alert->at_us,
                                .limit_milli = alert->limit_milli,
                                .posted_milli = alert->posted_milli,
                                .held_milli = alert->held_milli,
                                .amount_milli = alert->amount_milli,
                                .sequence = alert->sequence};
    return true;
}

static bool read_purpose(struct purpose *out, const Metercache__V1__LedgerEvent *event)
{
    const Metercache__V1__CallPurpose *from = event->purpose;
    struct error ignored;

    if (from == NULL) {
        out->size = 0;
        return true;
    }
    const char *texts[PURPOSE_TEXT_COUNT] = {
        [PURPOSE_provider] = from->provider,  [PURPOSE_action] = from->action,
        [PURPOSE_reason] = from->reason,      [PURPOSE_creator] = from->creator,
        [PURPOSE_user] = from->user,          [PURPOSE_tenant] = from->tenant,
        [PURPOSE_endpoint] = event->endpoint, [PURPOSE_cooldown_key] = event->cooldown_key,
    };
    return purpose_pack(out, (uint32_t)from->platform,
                        event->is_scheduled ? PURPOSE_SCHEDULED : 0, texts,
                        &ignored) == ST_OK;
}

bool ledger_rows_read(struct quota_row *out, const Metercache__V1__LedgerEvent *event)
{
    struct quota_row row = {
        .kind = (enum quota_kind)event->kind,
        .meter = meters_find(event->meter),
        .period_start_us = event->period_start_us,
        .amount_milli = event->amount_milli,
        .released_milli = event->released_milli,
        .overage_milli = event->overage_milli,
        .at_us = event->at_us,
        .expires_at_us = event->expires_at_us,
        .limit_version = event->limit_version,
    };

    if (row.meter == METERS_NONE || row.kind < QUOTA_RESERVE || row.kind > QUOTA_ADJUST ||
        !op_id_from_bytes(&row.op_id, event->op_id.data, event->op_id.len) ||
        !op_id_from_bytes(&row.reservation_id, event->reservation_id.data,
                          event->reservation_id.len) ||
        !read_purpose(&row.purpose, event))
        return false;
    if (event->body_hash.len == sizeof(row.body_hash))
        memcpy(row.body_hash, event->body_hash.data, sizeof(row.body_hash));
    if (event->call != NULL)
        row.call.outcome = (uint32_t)event->call->outcome;
    *out = row;
    return true;
}
