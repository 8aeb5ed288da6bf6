#include "sim_recount.h"

#include "sim_view.h"

#define LATE_US (5 * SECOND_US)

/* ---- verdicts -------------------------------------------------------------------------- */

struct periods {
    size_t count;
    struct quota_counter rows[COUNTERS_METER_ROWS];
};

static const struct quota_counter *period_from(const struct periods *periods,
                                               uint32_t meter, int64_t start_us)
{
    for (size_t i = 0; i < periods->count; i++) {
        if (periods->rows[i].meter == meter && periods->rows[i].period.start_us == start_us)
            return &periods->rows[i];
    }
    return NULL;
}

static const struct quota_counter *period_until(const struct periods *periods,
                                                uint32_t meter, int64_t end_us)
{
    for (size_t i = 0; i < periods->count; i++) {
        if (periods->rows[i].meter == meter && periods->rows[i].period.end_us == end_us)
            return &periods->rows[i];
    }
    return NULL;
}

/* Our clock and the provider's may be 120 s apart. */
static const struct quota_counter *across(const struct periods *periods,
                                          const struct quota_counter *period,
                                          int64_t now_us)
{
    if (now_us >= period->period.end_us - 120 * SECOND_US)
        return period_from(periods, period->meter, period->period.end_us);
    if (now_us < period->period.start_us + 120 * SECOND_US)
        return period_until(periods, period->meter, period->period.start_us);
    return NULL;
}

/* The row that a grant adds stands last in the view: it is not counted against itself. */
static size_t rows_before(const struct sim_view *view, const struct quota_answer *answer)
{
    size_t count = view->ledger->event_count;

    for (unsigned i = 0; i < 2; i++)
        count += view->after[i] != NULL ? view->after[i]->row_count : 0;
    return answer->verdict == QUOTA_DONE ? count - 1 : count;
}

static void check_reserve(struct sim_writer *w, const struct quota_op *op,
                          const struct quota_answer *answer)
{
    struct quota_row asked = {.kind = QUOTA_RESERVE,
                              .meter = op->meter,
                              .amount_milli = op->amount_milli,
                              .purpose = op->purpose};
    struct sim_view view = sim_view_of(w);
    int64_t now_us = quota_core_now_us(w->core);
    size_t end = rows_before(&view, answer);
    struct periods periods;
    const struct quota_counter *period;
    const struct quota_counter *other;
    bool is_due;

    periods.count = quota_core_counters(w->core, periods.rows);
    period = period_from(&periods, op->meter, answer->meter.period.start_us);
    SIM_CHECK(period != NULL, "a reservation of no period");
    SIM_CHECK(quota_core_is_frozen(w->core) ||
                  (period->period.start_us <= now_us && now_us < period->period.end_us),
              "a reservation of a period that is not now");
    other = across(&periods, period, now_us);
    w->world->stats.near_boundary += other != NULL;
    is_due = sim_view_fits(&view, &asked, period, now_us, end) &&
             (other == NULL || sim_view_fits(&view, &asked, other, now_us, end)) &&
             !sim_view_cools_down(&view, &asked, now_us, end);
    SIM_CHECK(is_due == (answer->verdict == QUOTA_DONE),
              "meter %u, %lld milli: %s, but by a recount it %s", op->meter,
              (long long)op->amount_milli,
              answer->verdict == QUOTA_DONE ? "granted" : "refused",
              is_due ? "fits" : "does not fit");
}

void sim_recount_verdict(struct sim_writer *w, const struct quota_op *op,
                         const struct quota_answer *answer)
{
    struct sim_stats *stats = &w->world->stats;

    stats->verdicts[answer->verdict]++;
    stats->looked_up += answer->verdict == QUOTA_LOOK_UP;
    if (w->epoch != w->world->ledger.epoch || answer->replayed)
        return; /* what a fenced one decides comes to nothing */
    if (op->kind == QUOTA_RESERVE &&
        (answer->verdict == QUOTA_DONE || answer->verdict == QUOTA_REFUSED))
        check_reserve(w, op, answer);
}

/* ---- committed batches ----------------------------------------------------------------- */

static void check_closing(struct sim_world *world, const struct quota_row *row)
{
    const struct sim_event *reserved =
        sim_ledger_find(&world->ledger, &row->reservation_id);
    int64_t posted_milli = 0;
    int64_t overage_milli = 0;
    int64_t beyond_milli;
    unsigned endings = 0;
    unsigned corrections = 0;

    SIM_CHECK(reserved != NULL && reserved->row.kind == QUOTA_RESERVE,
              "an event of no reservation");
    SIM_CHECK(row->meter == reserved->row.meter &&
                  row->period_start_us == reserved->row.period_start_us,
              "an event is not of its reservation's period");
    SIM_CHECK(row->kind != QUOTA_LAPSE || row->at_us >= reserved->row.expires_at_us,
              "a reservation lapsed before its deadline");
    for (size_t i = 0; i < world->ledger.event_count; i++) {
        const struct quota_row *it = &world->ledger.events[i].row;

        if (!op_id_equal(&it->reservation_id, &row->reservation_id) ||
            it->kind == QUOTA_RESERVE)
            continue;
        posted_milli += it->amount_milli;
        overage_milli += it->overage_milli;
        corrections += it->kind == QUOTA_CORRECT;
        endings += it->kind != QUOTA_CORRECT;
    }
    SIM_CHECK(endings == 1 && corrections <= 1, "%u endings and %u corrections", endings,
              corrections);
    SIM_CHECK(posted_milli >= 0, "less than nothing was posted for a reservation");
    beyond_milli = posted_milli > reserved->row.amount_milli
                       ? posted_milli - reserved->row.amount_milli
                       : 0;
    /* a correction finds that others have taken what its reservation gave back */
    SIM_CHECK(overage_milli == beyond_milli ||
                  (row->kind == QUOTA_CORRECT && row->amount_milli > 0 &&
                   overage_milli > beyond_milli && row->overage_milli <= row->amount_milli),
              "overage is not what exceeds the hold");
    world->stats.lapsed += row->kind == QUOTA_LAPSE;
    world->stats.corrected += row->kind == QUOTA_CORRECT;
}

/* METER counters whose batch had room for alerts have told all they reached. */
static void check_thresholds(struct sim_world *world, const struct quota_counter *counter)
{
    const struct sim_view view = {.ledger = &world->ledger, .version = UINT64_MAX};
    const struct limit_rule *rule =
        sim_view_rule(&view, LIMIT_METER, counter->meter, LIMIT_HARD, "", 0);
    static const uint8_t settings[] = {50, 80, 95, 100};
    const uint8_t *thresholds = rule != NULL ? rule->thresholds : settings;
    unsigned count = rule != NULL ? rule->threshold_count : COUNT_OF(settings);
    int64_t used = counter->posted_milli + counter->held_milli;

    for (unsigned i = 0; i < count && counter->limit_milli > 0; i++)
        SIM_CHECK(used * 100 < counter->limit_milli * thresholds[i] ||
                      counter->crossed_percent >= thresholds[i],
                  "%u per cent were reached and not told", thresholds[i]);
    if (counter->crossed_percent == 0)
        return;
    for (size_t i = 0; i < world->ledger.alert_count; i++) {
        const struct quota_alert *alert = &world->ledger.alerts[i];

        if (alert->kind == QUOTA_ALERT_THRESHOLD && alert->meter == counter->meter &&
            alert->period.start_us == counter->period.start_us &&
            alert->percent == counter->crossed_percent)
            return;
    }
    sim_fail("a threshold counts as told and was not");
}

/* `first`: of the batch's events in the ledger. */
static void check_grants(struct sim_world *world, size_t first)
{
    for (size_t at = first; at < world->ledger.event_count; at++) {
        const struct quota_row *row = &world->ledger.events[at].row;
        const struct sim_view view = {.ledger = &world->ledger,
                                      .version = row->limit_version};

        if (row->kind != QUOTA_RESERVE)
            continue;
        world->stats.granted++;
        SIM_CHECK(!sim_view_cools_down(&view, row, row->at_us, at),
                  "a key was granted again before its cooldown was over");
    }
}

/* Alerts of overage are of the period that has it. */
static void check_overage_alerts(const struct quota_batch *batch)
{
    for (size_t i = 0; i < batch->alert_count; i++) {
        const struct quota_alert *alert = &batch->alerts[i];
        bool is_true = alert->kind != QUOTA_ALERT_OVERAGE;

        for (size_t at = 0; at < batch->row_count; at++)
            is_true |= batch->rows[at].meter == alert->meter &&
                       batch->rows[at].period_start_us == alert->period.start_us &&
                       batch->rows[at].overage_milli > 0;
        SIM_CHECK(is_true, "an alert of overage where there is none");
    }
}

void sim_recount_commit(struct sim_world *world, uint64_t epoch,
                        const struct quota_batch *batch)
{
    size_t first = world->ledger.event_count - batch->row_count;

    world->stats.commits++;
    SIM_CHECK(epoch == world->ledger.epoch, "a batch of a fenced writer is in the ledger");
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct quota_row *row = &batch->rows[i];

        sim_world_note(world, &row->op_id, sizeof(row->op_id));
        sim_world_note(world, &row->amount_milli, sizeof(row->amount_milli));
        sim_world_note(world, &row->at_us, sizeof(row->at_us));
        if (row->kind != QUOTA_RESERVE && row->kind != QUOTA_ADJUST)
            check_closing(world, row);
    }
    check_grants(world, first);
    check_overage_alerts(batch);
    for (size_t i = 0; i < batch->counter_count; i++) {
        const struct quota_counter *counter = &batch->counters[i];

        /* new thresholds are not looked for in periods that are over */
        if (counter->scope == LIMIT_METER && batch->alert_count < BATCH_ALERTS_MAX &&
            (batch->limit_count == 0 || counter->period.end_us > batch->at_us))
            check_thresholds(world, counter);
    }
}

/* ---- deadlines ------------------------------------------------------------------------- */

void sim_recount_overdue(struct sim_world *world, int64_t passed_us)
{
    const struct sim_writer *serving = NULL;
    int64_t now_us;

    for (unsigned i = 0; i < SIM_WRITERS; i++) {
        const struct sim_writer *w = &world->writers[i];

        if (w->epoch == world->ledger.epoch && sim_writer_is_able(w))
            serving = w;
    }
    if (serving == NULL)
        return;
    now_us = quota_core_now_us(serving->core);
    for (size_t i = world->ledger.first_open; i < world->ledger.event_count; i++) {
        struct sim_event *event = &world->ledger.events[i];
        int64_t late_us = now_us - event->row.expires_at_us;

        if (!event->is_open || late_us <= 0)
            continue;
        event->overdue_us += late_us < passed_us ? late_us : passed_us;
        SIM_CHECK(event->overdue_us <= LATE_US,
                  "a reservation is open %lld ms after its deadline",
                  (long long)(late_us / 1000));
    }
}

/* ---- everything ------------------------------------------------------------------------ */

void sim_recount_all(struct sim_world *world)
{
    struct sim_ledger *ledger = &world->ledger;

    for (size_t i = 0; i < ledger->counter_count; i++) {
        const struct quota_counter *counter = &ledger->counters[i].row;
        struct quota_counter sum;

        sim_ledger_sum(ledger, counter, &sum);
        SIM_CHECK(sum.posted_milli == counter->posted_milli &&
                      sum.held_milli == counter->held_milli &&
                      sum.overage_milli == counter->overage_milli,
                  "a counter of scope %d is not what its events add up to",
                  (int)counter->scope);
        SIM_CHECK(counter->overage_milli >= 0 &&
                      counter->overage_milli <= counter->posted_milli,
                  "overage is no part of what was posted");
        for (size_t at = 0; at < i; at++) {
            const struct quota_counter *other = &ledger->counters[at].row;

            SIM_CHECK(counter->scope != LIMIT_METER || other->scope != LIMIT_METER ||
                          counter->meter != other->meter ||
                          counter->period.end_us <= other->period.start_us ||
                          other->period.end_us <= counter->period.start_us,
                      "periods of a meter overlap");
        }
    }
    for (size_t i = 1; i < ledger->event_count; i++)
        SIM_CHECK(ledger->events[i].epoch >= ledger->events[i - 1].epoch &&
                      ledger->events[i].row.at_us >= ledger->events[i - 1].row.at_us,
                  "epochs or times of the ledger go back");
}
