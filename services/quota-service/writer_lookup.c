/*
 * Look-ups: operations that need what memory does not have wait here, one call for all that
 * came while the former was on its way. Then they take their turn again. Reservations that
 * are due and miss a counter ask along with them.
 */
#include <stdio.h>

#include "core/log.h"
#include "quota_stats.h"
#include "writer_state.h"

#define DUE_MAX 16

static bool has_room(const struct ledger_lookup *lookup)
{
    return lookup->id_count + 2 <= LEDGER_LOOKUP_MAX &&
           lookup->counter_count + QUOTA_NEEDS_COUNTERS <= LEDGER_LOOKUP_MAX &&
           lookup->cooldown_count < LEDGER_LOOKUP_MAX;
}

static void add(struct ledger_lookup *lookup, const struct quota_needs *needs)
{
    for (size_t i = 0; i < needs->id_count; i++)
        lookup->ids[lookup->id_count++] = needs->ids[i];
    for (size_t i = 0; i < needs->counter_count; i++)
        lookup->counters[lookup->counter_count++] = needs->counters[i];
    if (needs->has_cooldown) {
        size_t at = lookup->cooldown_count++;

        lookup->cooldowns[at].meter = needs->meter;
        snprintf(lookup->cooldowns[at].key, sizeof(lookup->cooldowns[at].key), "%s",
                 needs->cooldown_key);
    }
}

static void add_due(struct writer *w)
{
    struct quota_needs needs[DUE_MAX];
    size_t count = quota_core_due_needs(w->core, needs, DUE_MAX);

    for (size_t i = 0; i < count && has_room(&w->lookup); i++)
        add(&w->lookup, &needs[i]);
}

void writer_lookup_start(struct writer *w)
{
    struct ledger_lookup *lookup = &w->lookup;

    if (w->is_looking_up)
        return;
    lookup->id_count = 0;
    lookup->counter_count = 0;
    lookup->cooldown_count = 0;
    while (w->to_look_up.first != NULL && has_room(lookup)) {
        struct writer_op *op = w->to_look_up.first;
        struct quota_needs needs;

        w->to_look_up.first = op->next;
        quota_core_needs(w->core, &op->op, &needs);
        add(lookup, &needs);
        writer_append(&w->looking_up, op);
        stats_add(&quota_stats[QUOTA_STAT_LOOKED_UP], 1);
    }
    add_due(w);
    if (w->looking_up.first == NULL && lookup->counter_count == 0)
        return;
    w->is_looking_up = true;
    ledger_client_get_operations(w->ledger, lookup);
}

static void recall(struct writer *w, const struct ledger_reply *reply)
{
    const struct quota_recall found = {
        .last_batch = reply->last_batch,
        .rows = reply->rows,
        .row_count = reply->row_count,
        .counters = reply->counters,
        .counter_count = reply->counter_count,
        .cooldowns = reply->cooldowns,
        .cooldown_count = reply->cooldown_count,
        .flying = w->flying != NULL ? &w->flying->batch : NULL,
        .open = &w->open->batch,
    };

    quota_core_recall(w->core, &found);
}

void writer_lookup_reply(struct writer *w, const struct ledger_reply *reply)
{
    struct op_list all = w->looking_up;

    w->looking_up = (struct op_list){NULL, NULL};
    w->is_looking_up = false;
    if (reply->err.status != ST_OK) {
        struct error err;
        char why[256];

        snprintf(why, sizeof(why), "the ledger did not answer a look-up: %.180s",
                 reply->err.message);
        writer_refusal(&err, why);
        log_event(LOG_WARN, "look-up failed", LOG_STR("error", reply->err.message));
        writer_refuse_all(w, &all, &err);
        return;
    }
    if ((w->phase == WRITER_SERVING || w->phase == WRITER_DOUBTING) &&
        !writer_ends_fenced(w, reply))
        recall(w, reply);
    while (all.first != NULL) {
        struct writer_op *op = all.first;

        all.first = op->next;
        op->op.lookups++;
        writer_append(&w->taken, op); /* behind what came meanwhile */
    }
}
