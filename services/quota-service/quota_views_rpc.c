#include "quota_views_rpc.h"

#include <stdbool.h>
#include <string.h>

#include "meters.h"

#define NO_SOFT_LIMIT (-1)

/* ---- operations ------------------------------------------------------------------------ */

/* An adjustment has no reservation; zeros in its stand would look like one. */
static ProtobufCBinaryData id_or_empty(ProtobufCBinaryData bytes)
{
    static const ProtobufCBinaryData none = {0, NULL};
    struct op_id id;

    if (!op_id_from_bytes(&id, bytes.data, bytes.len) || op_id_is_zero(&id))
        return none;
    return bytes;
}

void quota_views_operation(Metercache__V1__Operation *out,
                           const Metercache__V1__LedgerEvent *event)
{
    metercache__v1__operation__init(out);
    out->op_id = event->op_id;
    out->kind = event->kind;
    out->reservation_id = id_or_empty(event->reservation_id);
    out->meter = event->meter;
    out->period_start_us = event->period_start_us;
    out->amount_milli = event->amount_milli;
    out->released_milli = event->released_milli;
    out->overage_milli = event->overage_milli;
    out->at_us = event->at_us;
    out->expires_at_us = event->expires_at_us;
    out->batch = event->batch;
    out->epoch = event->epoch;
    out->limit_version = event->limit_version;
    out->purpose = event->purpose;
    out->call = event->call;
    out->endpoint = event->endpoint;
    out->cooldown_key = event->cooldown_key;
    out->actor = event->actor;
    out->reason = event->note;
}

Metercache__V1__Operation **quota_views_operations(struct arena *arena,
                                                   Metercache__V1__LedgerEvent **events,
                                                   size_t count)
{
    Metercache__V1__Operation *operations =
        arena_alloc_array(arena, count + 1, sizeof(*operations));
    Metercache__V1__Operation **list = arena_alloc_array(arena, count + 1, sizeof(*list));

    if (operations == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        quota_views_operation(&operations[i], events[i]);
        list[i] = &operations[i];
    }
    return list;
}

static bool is_of(const Metercache__V1__Operation *operation, const struct op_id *id)
{
    return operation->op_id.len == OP_ID_SIZE &&
           memcmp(operation->op_id.data, id->bytes, OP_ID_SIZE) == 0;
}

enum status quota_views_pick(Metercache__V1__GetOperationResponse *out,
                             const struct op_id *id, Metercache__V1__LedgerEvent **events,
                             size_t count, struct arena *arena, struct error *err)
{
    Metercache__V1__Operation **all = quota_views_operations(arena, events, count);
    Metercache__V1__Operation *found = NULL;
    size_t related = 0;

    if (all == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < count; i++) {
        if (is_of(all[i], id))
            found = all[i];
        else
            all[related++] = all[i];
    }
    if (found == NULL)
        return error_set(err, ST_NOT_FOUND, "the ledger has no operation of this id");
    out->operation = found;
    out->related = all;
    out->n_related = related;
    return ST_OK;
}

/* ---- counters -------------------------------------------------------------------------- */

void quota_views_counter(Metercache__V1__MeterState *out,
                         const Metercache__V1__Counter *counter)
{
    unsigned meter = meters_find(counter->meter);
    int64_t left_milli = counter->limit_milli - counter->posted_milli - counter->held_milli;

    metercache__v1__meter_state__init(out);
    out->meter = counter->meter;
    out->scope = counter->scope;
    out->subject = counter->subject;
    out->limit_milli = counter->limit_milli;
    out->posted_milli = counter->posted_milli;
    out->held_milli = counter->held_milli;
    out->left_milli = left_milli > 0 ? left_milli : 0;
    out->overage_milli = counter->overage_milli;
    out->period_start_us = counter->period_start_us;
    out->period_end_us = counter->period_end_us;
    out->soft_limit_milli = NO_SOFT_LIMIT;
    if (meter != METERS_NONE) {
        out->unit = (char *)(uintptr_t)METERS[meter].unit; /* packed, never written to */
        out->unit_price_milli = METERS[meter].unit_price_milli;
    }
}

/* ---- days ------------------------------------------------------------------------------ */

/* Adds it to its day, if that is one of them. */
static void add_bucket(Metercache__V1__UsageDay *days, size_t day_count, int64_t from_us,
                       const Metercache__V1__UsageBucket *bucket)
{
    Metercache__V1__UsageDay *day;

    if (bucket->start_us < from_us ||
        (uint64_t)(bucket->start_us - from_us) / QUOTA_VIEWS_DAY_US >= day_count)
        return;
    day = &days[(bucket->start_us - from_us) / QUOTA_VIEWS_DAY_US];
    day->day_at_us = bucket->start_us;
    day->posted_milli += bucket->posted_milli;
    day->calls += bucket->calls;
}

enum status quota_views_days(Metercache__V1__GetUsageHistoryResponse *out, int64_t from_us,
                             size_t day_count,
                             const Metercache__V1__ListUsageResponse *usage,
                             struct arena *arena, struct error *err)
{
    Metercache__V1__UsageDay *days = arena_alloc_array(arena, day_count, sizeof(*days));

    out->days = arena_alloc_array(arena, day_count, sizeof(*out->days));
    if (days == NULL || out->days == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < day_count; i++)
        metercache__v1__usage_day__init(&days[i]);
    for (size_t i = 0; i < usage->n_buckets; i++)
        add_bucket(days, day_count, from_us, usage->buckets[i]);
    for (size_t i = 0; i < day_count; i++) {
        if (days[i].day_at_us != 0)
            out->days[out->n_days++] = &days[i];
    }
    return ST_OK;
}
