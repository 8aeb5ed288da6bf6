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

static char *text_of(const struct purpose *purpose, enum purpose_text which,
                     struct arena *arena)
{
    const char *text;
    size_t size = purpose_text(purpose, which, &text);
    char *copy = arena_strndup(arena, text, size);

    if (copy == NULL)
        log_abort("a batch is larger than its arena", 0);
    return copy;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size,
                                 (uint8_t *)(uintptr_t)data}; /* packed, not written */
}

static Metercache__V1__CallPurpose *write_purpose(const struct quota_row *row,
                                                  struct arena *arena)
{
    Metercache__V1__CallPurpose *out = take(arena, 1, sizeof(*out));

    metercache__v1__call_purpose__init(out);
    out->platform = (Metercache__V1__Platform)purpose_platform(&row->purpose);
    out->provider = text_of(&row->purpose, PURPOSE_provider, arena);
    out->action = text_of(&row->purpose, PURPOSE_action, arena);
    out->reason = text_of(&row->purpose, PURPOSE_reason, arena);
    out->creator = text_of(&row->purpose, PURPOSE_creator, arena);
    out->user = text_of(&row->purpose, PURPOSE_user, arena);
    out->tenant = text_of(&row->purpose, PURPOSE_tenant, arena);
    return out;
}

static Metercache__V1__CallRecord *write_call(const struct quota_row *row,
                                              const Metercache__V1__CallPurpose *purpose,
                                              struct arena *arena)
{
    Metercache__V1__CallRecord *out = take(arena, 1, sizeof(*out));

    metercache__v1__call_record__init(out);
    out->op_id = bytes_of(row->reservation_id.bytes, OP_ID_SIZE);
    out->provider = purpose->provider;
    out->action = purpose->action;
    out->reason = purpose->reason;
    out->platform = purpose->platform;
    out->creator = purpose->creator;
    out->user = purpose->user;
    out->started_at_us = row->call.started_at_us;
    out->outcome = (Metercache__V1__CallOutcome)row->call.outcome;
    out->credits_milli = row->amount_milli;
    out->latency_us = row->call.latency_us;
    out->http_status = row->call.http_status;
    out->meter = (char *)(uintptr_t)METERS[row->meter].name;
    out->detail = (char *)(uintptr_t)row->call.detail;
    return out;
}

static void write_row(Metercache__V1__LedgerEvent *out, const struct quota_row *row,
                      struct arena *arena)
{
    metercache__v1__ledger_event__init(out);
    out->op_id = bytes_of(row->op_id.bytes, OP_ID_SIZE);
    out->kind = (Metercache__V1__OperationKind)row->kind;
    out->reservation_id = bytes_of(row->reservation_id.bytes, OP_ID_SIZE);
    out->meter = (char *)(uintptr_t)METERS[row->meter].name;
    out->period_start_us = row->period_start_us;
    out->amount_milli = row->amount_milli;
    out->released_milli = row->released_milli;
    out->overage_milli = row->overage_milli;
    out->at_us = row->at_us;
    out->expires_at_us = row->expires_at_us;
    out->body_hash = bytes_of(row->body_hash, sizeof(row->body_hash));
    out->limit_version = row->limit_version;
    out->purpose = write_purpose(row, arena);
    out->endpoint = text_of(&row->purpose, PURPOSE_endpoint, arena);
    if (row->kind != QUOTA_RESERVE)
        out->call = write_call(row, out->purpose, arena);
}

static void write_counter(Metercache__V1__Counter *out, const struct quota_counter *counter)
{
    metercache__v1__counter__init(out);
    out->meter = (char *)(uintptr_t)METERS[counter->meter].name;
    out->period_start_us = counter->period.start_us;
    out->period_end_us = counter->period.end_us;
    out->limit_milli = counter->limit_milli;
    out->posted_milli = counter->posted_milli;
    out->held_milli = counter->held_milli;
    out->overage_milli = counter->overage_milli;
}

void ledger_rows_write(Metercache__V1__CommitBatchRequest *out,
                       const struct quota_batch *batch, struct arena *arena)
{
    Metercache__V1__LedgerEvent *events =
        take(arena, batch->row_count, sizeof(Metercache__V1__LedgerEvent));
    Metercache__V1__Counter *counters =
        take(arena, batch->counter_count, sizeof(Metercache__V1__Counter));

    out->batch = batch->number;
    out->at_us = batch->at_us;
    out->n_events = batch->row_count;
    out->events = take(arena, batch->row_count, sizeof(Metercache__V1__LedgerEvent *));
    out->n_counters = batch->counter_count;
    out->counters = take(arena, batch->counter_count, sizeof(Metercache__V1__Counter *));
    for (size_t i = 0; i < batch->row_count; i++) {
        write_row(&events[i], &batch->rows[i], arena);
        out->events[i] = &events[i];
    }
    for (size_t i = 0; i < batch->counter_count; i++) {
        write_counter(&counters[i], &batch->counters[i]);
        out->counters[i] = &counters[i];
    }
}

/* ---- reading --------------------------------------------------------------------------- */

bool ledger_rows_read_counter(struct quota_counter *out,
                              const Metercache__V1__Counter *counter)
{
    unsigned meter = meters_find(counter->meter);

    if (meter == METERS_NONE)
        return false;
    *out = (struct quota_counter){
        .meter = meter,
        .period = {counter->period_start_us, counter->period_end_us},
        .limit_milli = counter->limit_milli,
        .posted_milli = counter->posted_milli,
        .held_milli = counter->held_milli,
        .overage_milli = counter->overage_milli,
    };
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
        [PURPOSE_endpoint] = event->endpoint,
    };
    return purpose_pack(out, (uint32_t)from->platform, texts, &ignored) == ST_OK;
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
    *out = row;
    return true;
}
