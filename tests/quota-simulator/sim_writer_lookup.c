/*
 * What a writer reads while it serves: look-ups, as writer_lookup.c has them, and open
 * reservations page by page, as writer_load.c.
 */
#include <string.h>

#include "sim_world.h"
#include "sim_writer.h"

#define PAGE_PAUSE_US 100000

static bool has_room(const struct sim_lookup *lookup)
{
    return lookup->id_count + 2 <= SIM_LOOKUP_MAX &&
           lookup->counter_count + QUOTA_NEEDS_COUNTERS <= SIM_LOOKUP_MAX &&
           lookup->cell_count < SIM_LOOKUP_MAX;
}

static void add_needs(struct sim_lookup *lookup, const struct quota_needs *needs)
{
    for (size_t i = 0; i < needs->id_count; i++)
        lookup->ids[lookup->id_count++] = needs->ids[i];
    for (size_t i = 0; i < needs->counter_count; i++)
        lookup->counters[lookup->counter_count++] = needs->counters[i];
    if (needs->has_cooldown) {
        struct cooldown *cell = &lookup->cells[lookup->cell_count++];
        size_t size = strlen(needs->cooldown_key);

        *cell =
            (struct cooldown){.meter = (uint8_t)needs->meter, .key_size = (uint8_t)size};
        memcpy(cell->key, needs->cooldown_key, size);
    }
}

void sim_writer_look_up(struct sim_writer *w)
{
    struct sim_lookup *lookup = &w->lookup;
    struct sim_call *call;
    size_t count;

    if (w->is_looking_up)
        return;
    lookup->id_count = 0;
    lookup->counter_count = 0;
    lookup->cell_count = 0;
    while (w->to_look_up.count > 0 && has_room(lookup)) {
        struct sim_request *request = sim_queue_take(&w->to_look_up);

        quota_core_needs(w->core, &request->op, &w->needs[0]);
        add_needs(lookup, &w->needs[0]);
        sim_queue_append(&w->looking_up, request);
    }
    count = quota_core_due_needs(w->core, w->needs, COUNT_OF(w->needs));
    for (size_t i = 0; i < count && has_room(lookup); i++)
        add_needs(lookup, &w->needs[i]);
    if (w->looking_up.count == 0 && lookup->counter_count == 0)
        return;
    w->is_looking_up = true;
    call = sim_writer_new_call(w, SIM_LOOK_UP);
    call->lookup = *lookup;
    sim_world_call(w->world, call);
}

void sim_writer_load(struct sim_writer *w)
{
    struct sim_call *call;

    if (!w->is_loading || w->is_paging || w->world->now_us < w->page_at_us)
        return;
    w->is_paging = true;
    w->closed_before = quota_core_closed_total(w->core);
    call = sim_writer_new_call(w, SIM_LIST_OPEN);
    call->after = w->page;
    sim_world_call(w->world, call);
}

void sim_writer_found(struct sim_writer *w, const struct sim_call *call, bool is_lost)
{
    struct sim_queue all = w->looking_up;

    w->looking_up.count = 0;
    w->is_looking_up = false;
    if (is_lost) {
        w->failed_us = w->world->now_us;
        sim_writer_refuse(w, &all);
        return;
    }
    quota_core_recall(w->core, &(struct quota_recall){
                                   .last_batch = call->found.last_batch,
                                   .rows = call->found.rows,
                                   .row_count = call->found.row_count,
                                   .counters = call->found.counters,
                                   .counter_count = call->found.counter_count,
                                   .cooldowns = call->found.cells,
                                   .cooldown_count = call->found.cell_count,
                                   .flying = w->flying != NULL ? &w->flying->batch : NULL,
                                   .open = &w->open->batch});
    for (unsigned i = 0; i < all.count; i++) {
        all.items[i]->op.lookups++;
        sim_queue_append(&w->taken, all.items[i]);
    }
}

/* False: what is read does not fit what is known. */
static bool load_page(struct sim_writer *w, const struct sim_call *call)
{
    for (size_t i = 0; i < call->found.row_count; i++) {
        if (!quota_core_load_reservation(w->core, &call->found.rows[i]))
            return false;
    }
    if (call->found.row_count == SIM_PAGE_MAX) {
        w->page = call->found.rows[SIM_PAGE_MAX - 1].op_id;
        return true;
    }
    w->is_loading = false;
    return quota_core_loaded(w->core);
}

void sim_writer_page(struct sim_writer *w, const struct sim_call *call, bool is_lost)
{
    w->is_paging = false;
    if (is_lost) {
        w->page_at_us = w->world->now_us + PAGE_PAUSE_US;
        return;
    }
    if (quota_core_closed_total(w->core) - w->closed_before >
        quota_core_closed_safe(w->core))
        return;
    SIM_CHECK(load_page(w, call), "open reservations do not fit the counters");
}
