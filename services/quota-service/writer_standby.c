/*
 * Who writes. An instance that finds another one's name in the ledger stands by, and watches
 * its beat, which moves with every batch and every sign of life. When it has not moved for
 * SILENCE_US, by our own clock and while the ledger answered, we take over: opening the
 * ledger fences the other, should it live after all. Our own name there is that of our former
 * process; none is of a writer that resigned: no waiting.
 */
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "writer_state.h"

#define ASK_US     (300 * CLOCK_US_PER_MS)
#define SILENCE_US (3 * CLOCK_US_PER_SECOND)
#define BEAT_US    (1 * CLOCK_US_PER_SECOND)

void writer_standby_ask(struct writer *w)
{
    w->is_calling = true;
    ledger_client_get_writer(w->ledger, 0);
}

static bool is_ours_to_take(const struct writer *w, const struct ledger_reply *reply)
{
    return reply->writer[0] == '\0' ||
           strcmp(reply->writer, w->options.ledger.writer_name) == 0;
}

static bool is_silent(struct writer_watch *watch, const struct ledger_reply *reply)
{
    uint64_t now_us = clock_mono_us();
    bool has_moved =
        !watch->has_seen || watch->epoch != reply->epoch || watch->beat != reply->beat;

    if (has_moved)
        *watch = (struct writer_watch){true, reply->epoch, reply->beat, now_us};
    return now_us - watch->moved_us >= (uint64_t)SILENCE_US;
}

static void stand_by(struct writer *w, const struct ledger_reply *reply)
{
    struct error err;

    if (w->watch.moved_us == 0 || w->failures > 0)
        log_event(LOG_INFO, "standing by", LOG_STR("writer", reply->writer),
                  LOG_U64("epoch", reply->epoch));
    w->failures = 0;
    if (is_silent(&w->watch, reply)) {
        log_event(LOG_WARN, "the writer is silent, taking over",
                  LOG_STR("writer", reply->writer), LOG_U64("epoch", reply->epoch));
        writer_ledger_open(w);
        return;
    }
    error_set(&err, ST_UNAVAILABLE, "standing by: '%s' writes", reply->writer);
    writer_enter(w, WRITER_STANDBY, &err);
    w->retry_at_us = clock_mono_us() + ASK_US;
}

void writer_standby_reply(struct writer *w, const struct ledger_reply *reply)
{
    if (reply->err.status != ST_OK) {
        struct error err = reply->err;

        w->watch.has_seen = false; /* silence counts only while the ledger answers */
        error_wrap(&err, "the ledger cannot be opened");
        writer_enter(w, WRITER_STANDBY, &err);
        writer_retry_later(w, &reply->err, "cannot ask who writes");
    } else if (is_ours_to_take(w, reply)) {
        writer_ledger_open(w);
    } else {
        stand_by(w, reply);
    }
}

/* ---- our own sign of life -------------------------------------------------------------- */

void writer_beat(struct writer *w)
{
    if (w->phase != WRITER_SERVING || w->is_beating || clock_mono_us() < w->beat_at_us)
        return;
    w->is_beating = true;
    ledger_client_beat(w->ledger, w->epoch);
}

void writer_beat_reply(struct writer *w, const struct ledger_reply *reply)
{
    w->is_beating = false;
    w->beat_at_us = clock_mono_us() + BEAT_US;
    if (w->phase == WRITER_ENDED || strcmp(reply->err.reason, "FENCED") != 0)
        return; /* a ledger that does not answer shows at the next batch */
    writer_end(w, "another writer has taken over", &reply->err);
}
