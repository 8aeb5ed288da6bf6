/*
 * Alerts leave the ledger's outbox: they are told once their batch is committed, and the next
 * batch marks them as told. What a crash left between the two is told again on opening.
 */
#include "core/clock.h"
#include "core/log.h"
#include "quota_stats.h"
#include "writer_state.h"

static const char *kind_name(enum quota_alert_kind kind)
{
    switch (kind) {
    case QUOTA_ALERT_THRESHOLD:
        return "threshold crossed";
    case QUOTA_ALERT_SOFT_LIMIT:
        return "soft limit passed";
    case QUOTA_ALERT_OVERAGE:
        return "calls cost more than was reserved";
    case QUOTA_ALERT_BURN_RATE:
        return "budget burns too fast";
    }
    return "alert";
}

static void tell(struct writer *w, const struct quota_alert *alert)
{
    struct quota_batch *open = &w->open->batch;

    stats_add(&quota_stats[QUOTA_STAT_ALERTS], 1);
    log_event(LOG_WARN, kind_name(alert->kind), LOG_STR("meter", METERS[alert->meter].name),
              LOG_U64("percent", alert->percent),
              LOG_I64("limit_milli", alert->limit_milli),
              LOG_I64("posted_milli", alert->posted_milli),
              LOG_I64("held_milli", alert->held_milli),
              LOG_I64("amount_milli", alert->amount_milli));
    if (w->options.alert != NULL)
        w->options.alert(w->options.alert_context, alert);
    /* Without room it stays in the outbox, and is told again when the ledger is opened. */
    if (alert->sequence != 0 && open->published_count < BATCH_PUBLISHED_MAX)
        open->published[open->published_count++] = alert->sequence;
}

void writer_alerts_opened(struct writer *w)
{
    for (size_t i = 0; i < w->untold_count; i++)
        tell(w, &w->untold[i]);
    w->untold_count = 0;
}

/* Once a second is enough: the windows are of minutes. */
void writer_alerts_burn(struct writer *w)
{
    uint64_t now_us = clock_mono_us();

    if (now_us < w->burn_at_us)
        return;
    w->burn_at_us = now_us + CLOCK_US_PER_SECOND;
    for (uint32_t meter = 0; meter < METER_COUNT; meter++) {
        int64_t hour_milli;

        if (usage_began_to_burn(&w->usage, meter, quota_core_now_us(w->core),
                                &hour_milli) &&
            !quota_core_alert(w->core, &w->open->batch, meter, QUOTA_ALERT_BURN_RATE,
                              hour_milli))
            w->usage.is_burning[meter] = false; /* no room: told by the next batch */
    }
}

void writer_alerts_committed(struct writer *w, const struct quota_batch *batch,
                             const struct ledger_reply *reply)
{
    for (size_t i = 0; i < batch->alert_count; i++) {
        struct quota_alert alert = batch->alerts[i];

        alert.sequence = i < reply->sequence_count ? reply->sequences[i] : 0;
        tell(w, &alert);
    }
}
