#include "sim_ledger.h"

#include <string.h>

void sim_ledger_clear(struct sim_ledger *ledger, enum sim_plant plant)
{
    ledger->plant = plant;
    ledger->epoch = 0;
    ledger->last_batch = 0;
    ledger->last_at_us = 0;
    ledger->event_count = 0;
    ledger->first_open = 0;
    ledger->counter_count = 0;
    ledger->rule_count = 0;
    ledger->alert_count = 0;
    ledger->cell_count = 0;
}

/* ---- looking --------------------------------------------------------------------------- */

struct sim_event *sim_ledger_find(struct sim_ledger *ledger, const struct op_id *op_id)
{
    for (size_t i = 0; i < ledger->event_count; i++) {
        if (op_id_equal(&ledger->events[i].row.op_id, op_id))
            return &ledger->events[i];
    }
    return NULL;
}

static bool has_key(const struct quota_counter *row, const struct quota_counter *key)
{
    return row->meter == key->meter && row->scope == key->scope &&
           row->period.start_us == key->period.start_us &&
           row->subject_size == key->subject_size &&
           memcmp(row->subject, key->subject, key->subject_size) == 0;
}

struct sim_counter *sim_ledger_counter(struct sim_ledger *ledger,
                                       const struct quota_counter *key)
{
    for (size_t i = 0; i < ledger->counter_count; i++) {
        if (has_key(&ledger->counters[i].row, key))
            return &ledger->counters[i];
    }
    return NULL;
}

bool sim_row_is_of(const struct quota_row *row, enum limit_scope scope, const char *subject,
                   size_t subject_size)
{
    static const enum purpose_text texts[LIMIT_SCOPES] = {
        [LIMIT_USER] = PURPOSE_user,
        [LIMIT_ENDPOINT] = PURPOSE_endpoint,
        [LIMIT_TENANT] = PURPOSE_tenant,
        [LIMIT_COOLDOWN] = PURPOSE_cooldown_key,
    };
    const char *text;
    size_t size;

    if (scope == LIMIT_METER)
        return true;
    if (row->kind == QUOTA_ADJUST)
        return false;
    if (scope == LIMIT_SHARE)
        return purpose_has(&row->purpose, PURPOSE_SCHEDULED);
    size = purpose_text(&row->purpose, texts[scope], &text);
    return size == subject_size && size > 0 && memcmp(text, subject, size) == 0;
}

void sim_row_add(struct quota_counter *counter, const struct quota_row *row)
{
    if (row->kind == QUOTA_RESERVE) {
        counter->held_milli += row->amount_milli;
        return;
    }
    counter->posted_milli += row->amount_milli;
    counter->overage_milli += row->overage_milli;
    counter->held_milli -= row->released_milli;
}

static bool counts(const struct quota_counter *key, const struct quota_row *row)
{
    return row->meter == key->meter && row->period_start_us == key->period.start_us &&
           sim_row_is_of(row, key->scope, key->subject, key->subject_size);
}

void sim_ledger_sum(const struct sim_ledger *ledger, const struct quota_counter *key,
                    struct quota_counter *out)
{
    *out = *key;
    out->posted_milli = 0;
    out->held_milli = 0;
    out->overage_milli = 0;
    for (size_t i = 0; i < ledger->event_count; i++) {
        if (counts(key, &ledger->events[i].row))
            sim_row_add(out, &ledger->events[i].row);
    }
}

/* ---- writing --------------------------------------------------------------------------- */

uint64_t sim_ledger_open(struct sim_ledger *ledger)
{
    SIM_CHECK(ledger->epoch + 1 < SIM_EVENTS_MAX, "too many epochs");
    return ++ledger->epoch;
}

int64_t sim_ledger_newest_op_us(const struct sim_ledger *ledger)
{
    int64_t newest_us = 0;

    for (size_t i = 0; i < ledger->event_count; i++) {
        int64_t made_us = op_id_time_us(&ledger->events[i].row.op_id);

        if (made_us > newest_us)
            newest_us = made_us;
    }
    return newest_us;
}

static void close_reservation(struct sim_ledger *ledger, const struct quota_row *row)
{
    struct sim_event *reserved = sim_ledger_find(ledger, &row->reservation_id);

    SIM_CHECK(reserved != NULL && reserved->is_open && reserved->row.meter == row->meter &&
                  reserved->row.period_start_us == row->period_start_us &&
                  reserved->row.amount_milli == row->released_milli,
              "MC004: a reservation is not open as its closing event says");
    reserved->is_open = false;
    while (ledger->first_open < ledger->event_count &&
           !ledger->events[ledger->first_open].is_open)
        ledger->first_open++;
}

static void add_event(struct sim_ledger *ledger, uint64_t epoch, uint64_t batch,
                      const struct quota_row *row)
{
    struct sim_event *event = &ledger->events[ledger->event_count];

    SIM_CHECK(ledger->event_count < SIM_EVENTS_MAX, "the ledger's array is full");
    SIM_CHECK(sim_ledger_find(ledger, &row->op_id) == NULL, "two events of one op id");
    if (row->kind >= QUOTA_SETTLE && row->kind <= QUOTA_LAPSE)
        close_reservation(ledger, row);
    event->row = *row;
    event->batch = batch;
    event->epoch = epoch;
    event->overdue_us = 0;
    event->is_open = row->kind == QUOTA_RESERVE;
    ledger->event_count++;
}

static int64_t used_milli(const struct quota_counter *row)
{
    return row->posted_milli - row->overage_milli + row->held_milli;
}

/* What may be used: the limit, or what was used when the limit was cut. */
static int64_t next_ceiling(const struct sim_counter *old, const struct quota_counter *to)
{
    int64_t former_milli;
    int64_t kept_milli;

    if (to->limit_milli < 0)
        return INT64_MAX;
    if (old == NULL && to->scope == LIMIT_METER)
        return to->limit_milli;
    former_milli = INT64_MAX;
    if (old != NULL && old->row.limit_milli >= 0) {
        former_milli = used_milli(&old->row);
        if (old->row.limit_milli > former_milli)
            former_milli = old->row.limit_milli;
    }
    kept_milli = used_milli(to) < former_milli ? used_milli(to) : former_milli;
    return to->limit_milli > kept_milli ? to->limit_milli : kept_milli;
}

/* A counter's amounts are those before the batch and its events; so the sum over all events
 * says what they must be. */
static void put_counter(struct sim_ledger *ledger, const struct quota_counter *to)
{
    struct sim_counter *counter = sim_ledger_counter(ledger, to);
    int64_t ceiling_milli = next_ceiling(counter, to);
    struct quota_counter sum;

    sim_ledger_sum(ledger, to, &sum);
    SIM_CHECK(sum.posted_milli == to->posted_milli && sum.held_milli == to->held_milli &&
                  sum.overage_milli == to->overage_milli,
              "MC003: a counter of scope %d is %lld %lld %lld, its events say %lld %lld "
              "%lld",
              (int)to->scope, (long long)to->posted_milli, (long long)to->held_milli,
              (long long)to->overage_milli, (long long)sum.posted_milli,
              (long long)sum.held_milli, (long long)sum.overage_milli);
    SIM_CHECK(to->posted_milli >= 0 && to->held_milli >= 0, "a counter is below zero");
    SIM_CHECK(used_milli(to) <= ceiling_milli,
              "overspent: scope %d uses %lld of %lld, ceiling %lld", (int)to->scope,
              (long long)used_milli(to), (long long)to->limit_milli,
              (long long)ceiling_milli);
    if (counter == NULL) {
        SIM_CHECK(ledger->counter_count < SIM_COUNTERS_MAX, "too many counters");
        counter = &ledger->counters[ledger->counter_count++];
    } else {
        SIM_CHECK(counter->row.period.end_us == to->period.end_us,
                  "MC003: a period's end has moved");
        SIM_CHECK(counter->row.crossed_percent <= to->crossed_percent,
                  "a threshold was uncrossed");
    }
    counter->row = *to;
    counter->ceiling_milli = ceiling_milli;
}

static void put_cell(struct sim_ledger *ledger, const struct cooldown *cell)
{
    size_t at = 0;

    while (at < ledger->cell_count &&
           !(ledger->cells[at].meter == cell->meter &&
             ledger->cells[at].key_size == cell->key_size &&
             memcmp(ledger->cells[at].key, cell->key, cell->key_size) == 0))
        at++;
    SIM_CHECK(at < SIM_CELLS_MAX, "too many cooldowns");
    if (at == ledger->cell_count)
        ledger->cell_count++;
    ledger->cells[at] = *cell;
}

static void add_rule(struct sim_ledger *ledger, const struct limit_rule *rule)
{
    SIM_CHECK(ledger->rule_count < SIM_RULES_MAX, "too many rules");
    SIM_CHECK(ledger->rule_count == 0 ||
                  ledger->rules[ledger->rule_count - 1].version < rule->version,
              "two changes of the limits have one version");
    ledger->rules[ledger->rule_count++] = *rule;
}

/* Thresholds and soft limits once a period. */
static void add_alert(struct sim_ledger *ledger, const struct quota_alert *alert)
{
    for (size_t i = 0; i < ledger->alert_count; i++) {
        const struct quota_alert *it = &ledger->alerts[i];

        SIM_CHECK(alert->kind > QUOTA_ALERT_SOFT_LIMIT || it->kind != alert->kind ||
                      it->meter != alert->meter ||
                      it->period.start_us != alert->period.start_us ||
                      it->percent != alert->percent,
                  "an alert of %u per cent told twice", alert->percent);
    }
    SIM_CHECK(ledger->alert_count < SIM_ALERTS_MAX, "too many alerts");
    ledger->alerts[ledger->alert_count] = *alert;
    ledger->alert_count++;
    ledger->alerts[ledger->alert_count - 1].sequence = 0; /* not published */
}

static void apply(struct sim_ledger *ledger, uint64_t epoch,
                  const struct quota_batch *batch)
{
    for (size_t i = 0; i < batch->limit_count; i++)
        add_rule(ledger, &batch->limits[i]);
    for (size_t i = 0; i < batch->row_count; i++)
        add_event(ledger, epoch, batch->number, &batch->rows[i]);
    for (size_t i = 0; i < batch->counter_count; i++)
        put_counter(ledger, &batch->counters[i]);
    for (size_t i = 0; i < batch->cooldown_count; i++)
        put_cell(ledger, &batch->cooldowns[i]);
    for (size_t i = 0; i < batch->alert_count; i++)
        add_alert(ledger, &batch->alerts[i]);
    for (size_t i = 0; i < batch->published_count; i++)
        ledger->alerts[batch->published[i] - 1].sequence = batch->published[i];
}

enum sim_commit sim_ledger_commit(struct sim_ledger *ledger, uint64_t epoch,
                                  const struct quota_batch *batch)
{
    if (epoch != ledger->epoch && ledger->plant != SIM_PLANT_FENCE)
        return SIM_FENCED;
    if (batch->number != ledger->last_batch + 1)
        return SIM_WRONG_BATCH;
    SIM_CHECK(batch->number < SIM_EVENTS_MAX, "too many batches");
    ledger->last_batch = batch->number;
    if (batch->at_us > ledger->last_at_us)
        ledger->last_at_us = batch->at_us;
    ledger->heads[batch->number] = (struct sim_batch_head){epoch, batch->at_us};
    apply(ledger, epoch, batch);
    return SIM_COMMITTED;
}

bool sim_ledger_has_batch(const struct sim_ledger *ledger, uint64_t epoch, uint64_t batch)
{
    return batch <= ledger->last_batch && ledger->heads[batch].epoch == epoch;
}

/* ---- look-ups -------------------------------------------------------------------------- */

static bool holds(const struct op_id *ids, size_t count, const struct op_id *id)
{
    for (size_t i = 0; i < count; i++) {
        if (op_id_equal(&ids[i], id))
            return true;
    }
    return false;
}

/* Events of the ids, and all of the reservations they have to do with. */
static void find_rows(const struct sim_ledger *ledger, const struct sim_lookup *lookup,
                      struct sim_found *out)
{
    struct op_id reservations[SIM_LOOKUP_MAX];
    size_t count = 0;

    out->row_count = 0;
    if (lookup->id_count == 0)
        return;
    for (size_t i = 0; i < ledger->event_count; i++) {
        const struct quota_row *row = &ledger->events[i].row;

        if (holds(lookup->ids, lookup->id_count, &row->op_id) &&
            !holds(reservations, count, &row->reservation_id))
            reservations[count++] = row->reservation_id;
    }
    for (size_t i = 0; i < ledger->event_count && count > 0; i++) {
        const struct quota_row *row = &ledger->events[i].row;

        if (!holds(reservations, count, &row->reservation_id))
            continue;
        SIM_CHECK(out->row_count < SIM_FOUND_MAX, "a look-up finds too much");
        out->rows[out->row_count++] = *row;
    }
}

static void find_counter(const struct sim_ledger *ledger,
                         const struct quota_needed_counter *needed,
                         struct quota_counter *out)
{
    struct quota_counter key = {.meter = needed->meter,
                                .scope = needed->scope,
                                .period = needed->period,
                                .limit_milli = LIMIT_NONE,
                                .subject_size = needed->subject_size};

    memcpy(key.subject, needed->subject, needed->subject_size);
    for (size_t i = 0; i < ledger->counter_count; i++) {
        if (has_key(&ledger->counters[i].row, &key)) {
            *out = ledger->counters[i].row;
            return;
        }
    }
    sim_ledger_sum(ledger, &key, out);
}

static void find_cell(const struct sim_ledger *ledger, const struct cooldown *needed,
                      struct cooldown *out)
{
    *out = *needed;
    for (size_t i = 0; i < ledger->cell_count; i++) {
        const struct cooldown *cell = &ledger->cells[i];

        if (cell->meter == needed->meter && cell->key_size == needed->key_size &&
            memcmp(cell->key, needed->key, needed->key_size) == 0)
            *out = *cell;
    }
}

void sim_ledger_look_up(const struct sim_ledger *ledger, const struct sim_lookup *lookup,
                        struct sim_found *out)
{
    out->last_batch = ledger->last_batch;
    out->counter_count = lookup->counter_count;
    out->cell_count = lookup->cell_count;
    find_rows(ledger, lookup, out);
    for (size_t i = 0; i < lookup->counter_count; i++)
        find_counter(ledger, &lookup->counters[i], &out->counters[i]);
    for (size_t i = 0; i < lookup->cell_count; i++)
        find_cell(ledger, &lookup->cells[i], &out->cells[i]);
}

size_t sim_ledger_list_open(const struct sim_ledger *ledger, const struct op_id *after,
                            struct quota_row *out)
{
    struct op_id behind = *after;
    size_t count = 0;

    while (count < SIM_PAGE_MAX) {
        const struct quota_row *next = NULL;

        for (size_t i = 0; i < ledger->event_count; i++) {
            const struct sim_event *event = &ledger->events[i];

            if (event->is_open && op_id_compare(&event->row.op_id, &behind) > 0 &&
                (next == NULL || op_id_compare(&event->row.op_id, &next->op_id) < 0))
                next = &event->row;
        }
        if (next == NULL)
            break;
        behind = next->op_id;
        out[count++] = *next;
    }
    return count;
}
