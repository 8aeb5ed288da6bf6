#include "quota_answer_rpc.h"

#include <inttypes.h>

#include "core/clock.h"
#include "meters.h"

#define RETRY_AFTER_MAX_MS (24LL * 3600 * 1000)

void quota_answer_meter_state(Metercache__V1__MeterState *out,
                              const struct quota_counter *counter)
{
    const struct meter *meter = &METERS[counter->meter];

    out->meter = (char *)(uintptr_t)meter->name; /* packed, never written to */
    out->unit = (char *)(uintptr_t)meter->unit;
    out->unit_price_milli = meter->unit_price_milli;
    out->limit_milli = counter->limit_milli;
    out->posted_milli = counter->posted_milli;
    out->held_milli = counter->held_milli;
    out->left_milli = counters_left_milli(counter);
    out->overage_milli = counter->overage_milli;
    out->period_start_us = counter->period.start_us;
    out->period_end_us = counter->period.end_us;
}

static uint64_t retry_after_ms(int64_t resets_at_us, int64_t now_us)
{
    int64_t wait_ms = (resets_at_us - now_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS;

    if (wait_ms < 1)
        return 1;
    return (uint64_t)(wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS);
}

static enum status meter_spent(const struct quota_counter *counter, int64_t now_us,
                               struct error *err)
{
    int64_t left_milli = counters_left_milli(counter);
    const char *name = METERS[counter->meter].name;
    char resets_at[CLOCK_TEXT_SIZE];

    clock_format_utc(resets_at, counter->period.end_us);
    error_set(err, ST_EXHAUSTED,
              "meter '%s' is spent: %" PRId64 ".%03d credits left, resets '%s'", name,
              left_milli / 1000, (int)(left_milli % 1000), resets_at);
    error_add_violation(err, name, left_milli, counter->period.end_us);
    err->retry_after_ms = retry_after_ms(counter->period.end_us, now_us);
    return error_reason(err, "METER_SPENT");
}

enum status quota_answer_status(const struct quota_answer *answer, int64_t now_us,
                                struct error *err)
{
    switch (answer->verdict) {
    case QUOTA_DONE:
        return ST_OK;
    case QUOTA_METER_SPENT:
        return meter_spent(&answer->counter, now_us, err);
    case QUOTA_OP_ID_REUSED:
        error_set(err, ST_EXISTS, "the op id was used for another request");
        return error_reason(err, "OP_ID_REUSED");
    case QUOTA_OP_ID_TIME:
        return error_field(err, "op_id",
                           "must be a UUID of version 7 made within the last 62 days");
    case QUOTA_ALREADY_SETTLED:
        error_set(err, ST_EXISTS, "the reservation was settled by another operation");
        return error_reason(err, "ALREADY_SETTLED");
    case QUOTA_NO_RESERVATION:
        error_set(err, ST_NOT_FOUND, "no such reservation");
        return error_reason(err, "NO_RESERVATION");
    case QUOTA_TOO_MANY_OPEN:
        error_set(err, ST_EXHAUSTED, "too many reservations are open");
        err->retry_after_ms = 1000;
        return error_reason(err, "TOO_MANY_OPEN");
    case QUOTA_LOOK_UP:
    case QUOTA_NEXT_BATCH:
        break;
    }
    return error_set(err, ST_INTERNAL, "verdict %d is no answer", (int)answer->verdict);
}
