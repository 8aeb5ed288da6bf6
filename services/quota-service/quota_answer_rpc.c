#include "quota_answer_rpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "counters.h"
#include "meters.h"

#define RETRY_AFTER_MAX_MS (24LL * 3600 * 1000)
#define NAME_SIZE          64

void quota_answer_meter_state(Metercache__V1__MeterState *out,
                              const struct quota_meter_view *view)
{
    const struct meter *meter = &METERS[view->meter];

    out->meter = (char *)(uintptr_t)meter->name; /* packed, never written to */
    out->unit = (char *)(uintptr_t)meter->unit;
    out->unit_price_milli = meter->unit_price_milli;
    out->limit_milli = view->limit_milli;
    out->soft_limit_milli = view->soft_limit_milli;
    out->posted_milli = view->posted_milli;
    out->held_milli = view->held_milli;
    out->left_milli =
        counters_left_milli(view->limit_milli, view->posted_milli, view->held_milli);
    out->overage_milli = view->overage_milli;
    out->period_start_us = view->period.start_us;
    out->period_end_us = view->period.end_us;
    out->limit_version = view->limit_version;
    out->scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER;
}

void quota_answer_forecast(Metercache__V1__Forecast *out, const struct forecast *forecast)
{
    metercache__v1__forecast__init(out);
    out->exhausted_at_p50_us = forecast->exhausted_at_p50_us;
    out->exhausted_at_p90_us = forecast->exhausted_at_p90_us;
    out->safe_daily_milli = forecast->safe_daily_milli;
    out->burn_rate_ppm = forecast->burn_rate_ppm;
}

/* ---- refusals -------------------------------------------------------------------------- */

static size_t subject_of(const struct quota_op *op, const struct quota_hit *hit,
                         const char **out)
{
    *out = "";
    switch (hit->scope) {
    case LIMIT_USER:
        return purpose_text(&op->purpose, PURPOSE_user, out);
    case LIMIT_ENDPOINT:
        return purpose_text(&op->purpose, PURPOSE_endpoint, out);
    case LIMIT_TENANT:
        return purpose_text(&op->purpose, PURPOSE_tenant, out);
    case LIMIT_COOLDOWN:
        return purpose_text(&op->purpose, PURPOSE_cooldown_key, out);
    default:
        return 0;
    }
}

/* "modash.reports", "modash.reports user 'alice'", "... (soft)" */
static void name_hit(char out[NAME_SIZE], const struct quota_op *op,
                     const struct quota_hit *hit)
{
    static const char *const scopes[] = {[LIMIT_METER] = "",
                                         [LIMIT_USER] = " user",
                                         [LIMIT_ENDPOINT] = " endpoint",
                                         [LIMIT_TENANT] = " tenant",
                                         [LIMIT_SHARE] = " scheduled",
                                         [LIMIT_COOLDOWN] = " cooldown"};
    const char *soft = hit->mode == LIMIT_SOFT ? " (soft)" : "";
    const char *meter = METERS[op->meter].name;
    const char *subject;
    size_t size = subject_of(op, hit, &subject);

    if (size == 0)
        snprintf(out, NAME_SIZE, "%s%s%s", meter, scopes[hit->scope], soft);
    else
        snprintf(out, NAME_SIZE, "%s%s '%.*s'%s", meter, scopes[hit->scope], (int)size,
                 subject, soft);
}

static uint64_t retry_after_ms(int64_t resets_at_us, int64_t now_us)
{
    int64_t wait_ms = (resets_at_us - now_us + CLOCK_US_PER_MS - 1) / CLOCK_US_PER_MS;

    if (wait_ms < 1)
        return 1;
    return (uint64_t)(wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS);
}

/* One word for programs: the meter's own end goes before all else. */
static const char *reason_of(const struct quota_answer *answer)
{
    bool only_cooldown = true;
    bool only_soft = true;

    for (unsigned i = 0; i < answer->hit_count; i++) {
        if (answer->hits[i].scope == LIMIT_METER && answer->hits[i].mode == LIMIT_HARD)
            return "METER_SPENT";
        only_cooldown &= answer->hits[i].scope == LIMIT_COOLDOWN;
        only_soft &= answer->hits[i].mode == LIMIT_SOFT;
    }
    if (only_cooldown)
        return "COOLDOWN";
    return only_soft ? "SOFT_LIMIT" : "LIMIT_REACHED";
}

static void describe(struct error *err, const char *reason, const char *name,
                     const struct quota_hit *hit)
{
    char resets_at[CLOCK_TEXT_SIZE];

    clock_format_utc(resets_at, hit->resets_at_us);
    if (strcmp(reason, "METER_SPENT") == 0)
        error_set(err, ST_EXHAUSTED,
                  "meter '%s' is spent: %" PRId64 ".%03d credits left, resets '%s'", name,
                  hit->left_milli / 1000, (int)(hit->left_milli % 1000), resets_at);
    else if (hit->scope == LIMIT_COOLDOWN)
        error_set(err, ST_EXHAUSTED, "%s: not again before '%s'", name, resets_at);
    else
        error_set(err, ST_EXHAUSTED,
                  "limit '%s' is reached: %" PRId64 ".%03d credits left, resets '%s'", name,
                  hit->left_milli / 1000, (int)(hit->left_milli % 1000), resets_at);
}

/* All must have reset before it can be granted: the last one says when. */
static enum status refused(const struct quota_op *op, const struct quota_answer *answer,
                           int64_t now_us, struct error *err)
{
    const char *reason = reason_of(answer);
    int64_t resets_at_us = 0;

    for (unsigned i = 0; i < answer->hit_count; i++) {
        const struct quota_hit *hit = &answer->hits[i];
        char name[NAME_SIZE];

        name_hit(name, op, hit);
        if (i == 0)
            describe(err, reason, name, hit);
        error_add_violation(err, name, hit->left_milli, hit->resets_at_us);
        if (hit->resets_at_us > resets_at_us)
            resets_at_us = hit->resets_at_us;
    }
    err->retry_after_ms = retry_after_ms(resets_at_us, now_us);
    return error_reason(err, reason);
}

/* ---- everything ------------------------------------------------------------------------ */

static enum status no_room(struct error *err, const char *reason, const char *what)
{
    error_set(err, ST_EXHAUSTED, "too many %s", what);
    err->retry_after_ms = 1000;
    return error_reason(err, reason);
}

static enum status failed(struct error *err, enum status status, const char *reason,
                          const char *message)
{
    error_set(err, status, "%s", message);
    return error_reason(err, reason);
}

enum status quota_answer_status(const struct quota_op *op,
                                const struct quota_answer *answer, int64_t now_us,
                                struct error *err)
{
    switch (answer->verdict) {
    case QUOTA_DONE:
        return ST_OK;
    case QUOTA_REFUSED:
        return refused(op, answer, now_us, err);
    case QUOTA_OP_ID_REUSED:
        return failed(err, ST_EXISTS, "OP_ID_REUSED",
                      "the op id was used for another request");
    case QUOTA_OP_ID_TIME:
        return error_field(err, "op_id",
                           "must be a UUID of version 7 made within the last 62 days");
    case QUOTA_OP_ID_STALE:
        return failed(err, ST_ABORTED, "OP_ID_STALE",
                      "nothing was reserved under this op id, and it may have been refused "
                      "earlier: make a new one");
    case QUOTA_ALREADY_SETTLED:
        return failed(err, ST_EXISTS, "ALREADY_SETTLED",
                      "the reservation was settled by another operation");
    case QUOTA_OUTCOME_KNOWN:
        return failed(err, ST_PRECONDITION, "OUTCOME_KNOWN",
                      "nothing was presumed of this call, there is nothing to correct");
    case QUOTA_NO_RESERVATION:
        return failed(err, ST_NOT_FOUND, "NO_RESERVATION", "no such reservation");
    case QUOTA_BELOW_ZERO:
        if (op->kind == QUOTA_ADJUST)
            return error_field(err, "amount_milli", "takes off more than was posted");
        return failed(err, ST_PRECONDITION, "BELOW_ZERO",
                      "takes off more than is posted: an adjustment took it off already");
    case QUOTA_TOO_MANY_OPEN:
        return no_room(err, "TOO_MANY_OPEN", "reservations are open");
    case QUOTA_TOO_MANY_COUNTERS:
        return no_room(err, "TOO_MANY_COUNTERS", "counters and cooldowns are in use");
    case QUOTA_TOO_MANY_LIMITS:
        return no_room(err, "TOO_MANY_LIMITS", "limits are set");
    case QUOTA_LOOK_UP:
    case QUOTA_NEXT_BATCH:
        break; /* the writer acts on them */
    }
    return error_set(err, ST_INTERNAL, "unexpected verdict %d", (int)answer->verdict);
}

static char *copy_text(struct arena *arena, const char *text, size_t size)
{
    return arena_strndup(arena, text, size);
}

Metercache__V1__LimitHit **quota_answer_hits(const struct quota_op *op,
                                             const struct quota_answer *answer,
                                             struct arena *arena)
{
    Metercache__V1__LimitHit **list =
        arena_alloc_array(arena, QUOTA_HITS_MAX, sizeof(Metercache__V1__LimitHit *));
    Metercache__V1__LimitHit *hits =
        arena_alloc_array(arena, QUOTA_HITS_MAX, sizeof(*hits));

    if (list == NULL || hits == NULL)
        return NULL;
    for (unsigned i = 0; i < answer->hit_count; i++) {
        const struct quota_hit *hit = &answer->hits[i];
        const char *subject;
        size_t size = subject_of(op, hit, &subject);
        char name[NAME_SIZE];

        name_hit(name, op, hit);
        metercache__v1__limit_hit__init(&hits[i]);
        hits[i].name = arena_strdup(arena, name);
        hits[i].scope = (Metercache__V1__LimitScope)hit->scope;
        hits[i].mode = (Metercache__V1__LimitMode)hit->mode;
        hits[i].subject = copy_text(arena, subject, size);
        hits[i].limit_milli = hit->limit_milli;
        hits[i].left_milli = hit->left_milli;
        hits[i].resets_at_us = hit->resets_at_us;
        if (hits[i].subject == NULL || hits[i].name == NULL)
            return NULL;
        list[i] = &hits[i];
    }
    return list;
}
