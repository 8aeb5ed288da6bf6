/*
 * The writer and the ledger: opening it, committing, and what follows from each outcome.
 *
 *   STANDBY: see writer_standby.c
 *   OPENING: OpenLedger -> ListUsage by hours, by minutes -> SERVING; open reservations
 *            follow (writer_load.c)
 *   SERVING: CommitBatch -> OK -> the next batch
 *                        -> fenced, or the ledger disagrees -> ENDED
 *                        -> anything else, or nothing for a while -> DOUBTING
 *   DOUBTING: GetBatch -> committed -> SERVING
 *                      -> not committed -> CommitBatch again, the same batch
 *
 * One call at a time; failures are repeated after a pause that grows to a quarter of a second.
 */
#include <string.h>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/rng.h"
#include "daemon/daemon.h"
#include "quota_stats.h"
#include "writer_state.h"

/* A commit that takes longer is doubted: callers hear UNAVAILABLE instead of waiting. */
#define STALL_US (500 * CLOCK_US_PER_MS)

static const struct backoff_policy pauses = {.first_ms = 50, .max_ms = 250};

/* ---- phases ---------------------------------------------------------------------------- */

void writer_end(struct writer *w, const char *event, const struct error *why)
{
    struct error err = *why;

    error_wrap(&err, "the writer has ended");
    writer_enter(w, WRITER_ENDED, &err);
    w->retry_at_us = UINT64_MAX;
    log_event(LOG_ERROR, event, LOG_STR("error", why->message),
              LOG_STR("reason", why->reason), LOG_U64("epoch", w->epoch),
              LOG_U64("batch", w->flying != NULL ? w->flying->batch.number : 0));
    w->options.end(DAEMON_EXIT_INTERNAL);
}

void writer_retry_later(struct writer *w, const struct error *why, const char *event)
{
    uint64_t pause_ms = backoff_delay_ms(&pauses, ++w->failures, rng_system_u64());

    if (w->failures == 1 || w->failures % 20 == 0)
        log_event(LOG_WARN, event, LOG_STR("error", why->message),
                  LOG_STR("status", status_name(why->status)),
                  LOG_U64("failures", w->failures));
    w->retry_at_us = clock_deadline_ms(pause_ms);
}

static void doubt(struct writer *w, const struct error *why)
{
    struct error err = *why;

    if (w->phase != WRITER_DOUBTING)
        stats_add(&quota_stats[QUOTA_STAT_DOUBTS], 1);
    error_wrap(&err, "the ledger is not available");
    writer_enter(w, WRITER_DOUBTING, &err);
}

bool writer_ends_fenced(struct writer *w, const struct ledger_reply *reply)
{
    struct error err;

    if (reply->epoch == w->epoch || reply->epoch == 0) /* 0: a ledger that does not tell */
        return false;
    error_set(&err, ST_PRECONDITION, "the ledger is at epoch %llu",
              (unsigned long long)reply->epoch);
    error_reason(&err, "FENCED");
    writer_end(w, "another writer has taken over", &err);
    return true;
}

/* ---- opening --------------------------------------------------------------------------- */

void writer_ledger_open(struct writer *w)
{
    struct error err;

    error_set(&err, ST_UNAVAILABLE, "the ledger is not open yet");
    writer_enter(w, WRITER_OPENING, &err);
    w->is_calling = true;
    ledger_client_open_epoch(w->ledger);
}

void writer_disagree(struct writer *w, const char *what)
{
    struct error err;

    error_set(&err, ST_DATA_LOSS, "%s", what);
    writer_end(w, "the ledger contradicts itself", &err);
}

static bool load(struct writer *w, const struct ledger_reply *reply)
{
    quota_core_reset(w->core, reply->last_batch, reply->last_at_us, reply->newest_op_us);
    for (size_t i = 0; i < reply->limit_count; i++) {
        if (!quota_core_load_limit(w->core, &reply->limits[i]))
            return false;
    }
    for (size_t i = 0; i < reply->counter_count; i++) {
        if (!quota_core_load_counter(w->core, &reply->counters[i]))
            return false;
    }
    return true;
}

static void keep_alerts(struct writer *w, const struct ledger_reply *reply)
{
    w->untold_count =
        reply->alert_count < COUNT_OF(w->untold) ? reply->alert_count : COUNT_OF(w->untold);
    if (w->untold_count > 0)
        memcpy(w->untold, reply->alerts, w->untold_count * sizeof(w->untold[0]));
}

static void ask_usage(struct writer *w, int64_t span_us, uint32_t bucket_seconds)
{
    int64_t now_us = clock_wall_us();

    w->is_calling = true;
    ledger_client_list_usage(w->ledger, now_us - span_us, now_us + CLOCK_US_PER_SECOND,
                             bucket_seconds);
}

static void opened(struct writer *w, const struct ledger_reply *reply)
{
    w->epoch = reply->epoch;
    w->failures = 0;
    w->has_hours = false;
    if (!load(w, reply)) {
        writer_disagree(w, "periods of a meter overlap, or a counter is negative");
        return;
    }
    keep_alerts(w, reply);
    ask_usage(w, USAGE_HOURS_US, 3600);
}

static void begin_serving(struct writer *w)
{
    w->open = &w->batches[0];
    w->flying = NULL;
    if (!quota_core_start(w->core, writer_time(), &w->open->batch)) {
        writer_disagree(w, "a meter has periods ahead and none at present");
        return;
    }
    w->beat_at_us = 0;
    usage_open(&w->usage, w->core);
    log_event(LOG_INFO, "ledger opened", LOG_U64("epoch", w->epoch),
              LOG_U64("batch", w->open->batch.number - 1));
    writer_enter(w, WRITER_SERVING, NULL);
    writer_alerts_opened(w);
    writer_load_begin(w);
}

/* Nobody else commits meanwhile: what is read is all there is. */
static void usage_read(struct writer *w, const struct ledger_reply *reply)
{
    if (w->has_hours) {
        usage_load_buckets(&w->usage, reply->usage, reply->usage_count);
        begin_serving(w);
        return;
    }
    w->has_hours = true;
    usage_load_hours(&w->usage, reply->usage, reply->usage_count, clock_wall_us());
    ask_usage(w, USAGE_BUCKETS_US, 300);
}

static void opening_reply(struct writer *w, const struct ledger_reply *reply)
{
    if (reply->skipped > 0)
        log_event(LOG_WARN, "the ledger holds rows of unknown meters",
                  LOG_U64("rows", reply->skipped));
    if (reply->err.status == ST_OK && reply->call == LEDGER_OPEN) {
        opened(w, reply);
    } else if (reply->err.status == ST_OK) {
        usage_read(w, reply);
    } else {
        struct error err = reply->err;

        error_wrap(&err, "the ledger cannot be opened");
        writer_enter(w, WRITER_OPENING, &err);
        writer_retry_later(w, &reply->err, "cannot open the ledger");
    }
}

/* ---- committing ------------------------------------------------------------------------ */

static void send_batch(struct writer *w)
{
    w->is_calling = true;
    ledger_client_commit(w->ledger, w->epoch, &w->flying->batch);
}

/* Seal the open batch and send it; the other one is begun. Nothing flies. */
void writer_fly(struct writer *w)
{
    struct writer_batch *next = w->open == &w->batches[0] ? &w->batches[1] : &w->batches[0];

    quota_core_seal(w->core, &w->open->batch);
    w->flying = w->open;
    w->open = next;
    quota_core_begin(w->core, &w->open->batch);
    w->flying_since_us = clock_mono_us();
    send_batch(w);
}

static void report_row(const struct quota_row *row)
{
    static const enum quota_stat counters[] = {
        [QUOTA_RESERVE] = QUOTA_STAT_RESERVED,  [QUOTA_SETTLE] = QUOTA_STAT_SETTLED,
        [QUOTA_VOID] = QUOTA_STAT_VOIDED,       [QUOTA_LAPSE] = QUOTA_STAT_LAPSED,
        [QUOTA_CORRECT] = QUOTA_STAT_CORRECTED, [QUOTA_ADJUST] = QUOTA_STAT_ADJUSTED};
    char id[OP_ID_TEXT_SIZE];

    stats_add(&quota_stats[counters[row->kind]], 1);
    stats_add(&quota_stats[QUOTA_STAT_OVERAGE_MILLI], row->overage_milli);
    if (row->kind != QUOTA_LAPSE && row->overage_milli == 0)
        return;
    op_id_format(id, &row->reservation_id);
    log_event(LOG_WARN,
              row->kind == QUOTA_LAPSE ? "reservation lapsed, presumed spent"
                                       : "call cost more than was reserved",
              LOG_STR("reservation", id), LOG_STR("meter", METERS[row->meter].name),
              LOG_I64("amount_milli", row->amount_milli),
              LOG_I64("overage_milli", row->overage_milli));
}

static void answer_waiting(struct writer *w, struct op_list *waiting)
{
    struct writer_op *op = waiting->first;

    while (op != NULL) {
        struct writer_op *next = op->next;

        writer_answer(w, op, &op->answer, NULL);
        op = next;
    }
}

/* The flying batch is in the ledger: the next one leaves first, then answers go out. */
static void complete(struct writer *w, const struct ledger_reply *reply)
{
    struct writer_batch *done = w->flying;
    struct op_list waiting = done->waiting;

    stats_add(&quota_stats[QUOTA_STAT_BATCHES], 1);
    stats_observe_us(&quota_stats[QUOTA_STAT_COMMIT_SECONDS],
                     clock_mono_us() - w->flying_since_us);
    done->waiting = (struct op_list){NULL, NULL};
    quota_core_committed(w->core, done->batch.number);
    usage_commit(&w->usage, w->core, &done->batch);
    writer_alerts_committed(w, &done->batch, reply);
    for (size_t i = 0; i < done->batch.row_count; i++)
        report_row(&done->batch.rows[i]);
    w->flying = NULL;
    w->failures = 0;
    if (w->phase == WRITER_DOUBTING) {
        log_event(LOG_INFO, "the ledger is back", LOG_U64("batch", done->batch.number));
        writer_enter(w, WRITER_SERVING, NULL);
    }
    /* `done` is filled again from here on */
    if (!quota_core_is_empty(w->core, &w->open->batch))
        writer_fly(w);
    answer_waiting(w, &waiting);
}

static bool is_reason(const struct error *err, const char *reason)
{
    return strcmp(err->reason, reason) == 0;
}

/* Nothing was written, and sending it again would end the same way. */
static bool is_final(const struct error *err)
{
    switch (err->status) {
    case ST_INVALID:
    case ST_NOT_FOUND:
    case ST_EXISTS:
    case ST_RANGE:
    case ST_DATA_LOSS:
        return true;
    case ST_PRECONDITION: /* the batch may have been taken the first time it was sent */
        return !is_reason(err, "WRONG_BATCH");
    default:
        return false;
    }
}

static void commit_reply(struct writer *w, const struct ledger_reply *reply)
{
    if (reply->err.status == ST_OK) {
        complete(w, reply);
    } else if (is_reason(&reply->err, "FENCED")) {
        writer_end(w, "another writer has taken over", &reply->err);
    } else if (is_final(&reply->err)) {
        writer_end(w, "the ledger refuses what was decided", &reply->err);
    } else {
        doubt(w, &reply->err);
        writer_retry_later(w, &reply->err, "outcome of a batch is not known");
    }
}

static void get_batch_reply(struct writer *w, const struct ledger_reply *reply)
{
    if (reply->err.status != ST_OK) {
        doubt(w, &reply->err);
        writer_retry_later(w, &reply->err, "the ledger does not answer");
    } else if (reply->committed) {
        complete(w, reply);
    } else if (writer_ends_fenced(w, reply)) {
        return;
    } else if (reply->last_batch != w->flying->batch.number - 1) {
        writer_disagree(w, "the ledger is at another batch");
    } else {
        send_batch(w);
    }
}

/* ---- what the thread asks -------------------------------------------------------------- */

void writer_ledger_reply(struct writer *w, const struct ledger_reply *reply)
{
    w->is_calling = false;
    if (w->phase == WRITER_ENDED)
        return;
    if (reply->call == LEDGER_COMMIT)
        commit_reply(w, reply);
    else if (reply->call == LEDGER_GET_BATCH)
        get_batch_reply(w, reply);
    else if (reply->call == LEDGER_OPEN || reply->call == LEDGER_LIST_USAGE)
        opening_reply(w, reply);
    else if (reply->call == LEDGER_GET_WRITER)
        writer_standby_reply(w, reply);
}

void writer_ledger_retry(struct writer *w)
{
    if (w->is_calling || clock_mono_us() < w->retry_at_us)
        return;
    w->retry_at_us = UINT64_MAX;
    if (w->phase == WRITER_STANDBY) {
        writer_standby_ask(w);
    } else if (w->phase == WRITER_OPENING) {
        writer_ledger_open(w);
    } else if (w->phase == WRITER_DOUBTING) {
        w->is_calling = true;
        ledger_client_get_batch(w->ledger, w->epoch, w->flying->batch.number);
    }
}

void writer_ledger_check_stall(struct writer *w)
{
    struct error err;

    if (w->phase != WRITER_SERVING || w->flying == NULL ||
        clock_mono_us() - w->flying_since_us < STALL_US)
        return;
    error_set(&err, ST_UNAVAILABLE, "a commit takes too long");
    log_event(LOG_WARN, "a commit takes too long",
              LOG_U64("batch", w->flying->batch.number));
    doubt(w, &err);
}

uint64_t writer_ledger_wake_us(const struct writer *w)
{
    if (w->phase == WRITER_SERVING && w->flying != NULL)
        return w->flying_since_us + STALL_US;
    return w->is_calling ? UINT64_MAX : w->retry_at_us;
}
