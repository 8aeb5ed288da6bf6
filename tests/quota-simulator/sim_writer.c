#include "sim_writer.h"

#include <string.h>

#include "core/mem.h"
#include "sim_recount.h"
#include "sim_world.h"

#define STALL_US         500000
#define SWEEP_US         500000
#define LAPSES_PER_BATCH 4

/* ---- small parts ----------------------------------------------------------------------- */

void sim_queue_append(struct sim_queue *queue, struct sim_request *request)
{
    queue->items[queue->count++] = request;
}

struct sim_request *sim_queue_take(struct sim_queue *queue)
{
    struct sim_request *first = queue->items[0];

    queue->count--;
    memmove(queue->items, queue->items + 1, queue->count * sizeof(queue->items[0]));
    return first;
}

void sim_writer_refuse(struct sim_writer *w, struct sim_queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++)
        sim_world_answer(w->world, w, queue->items[i], NULL);
    queue->count = 0;
}

struct quota_time sim_writer_time(const struct sim_writer *w)
{
    int64_t now_us = w->world->now_us;

    return (struct quota_time){now_us + w->wall_offset_us,
                               (uint64_t)(now_us - SIM_BEGIN_US + w->mono_offset_us)};
}

bool sim_writer_is_able(const struct sim_writer *w)
{
    int64_t now_us = w->world->now_us;

    return w->phase == SIM_SERVING && !w->is_loading && w->asleep_until_us <= now_us &&
           now_us - w->failed_us > 10 * SECOND_US && !quota_core_is_frozen(w->core);
}

/* ---- life ------------------------------------------------------------------------------ */

void sim_writer_init(struct sim_writer *w, struct sim_world *world, unsigned number)
{
    static const struct quota_core_options options = {
        .held_limit = SIM_HELD_LIMIT,
        .closed_limit = SIM_CLOSED_LIMIT,
        .done_limit = SIM_DONE_LIMIT,
        .refused_limit = SIM_REFUSED_LIMIT,
        .counter_limit = SIM_COUNTER_LIMIT,
        .cooldown_limit = SIM_COOLDOWN_LIMIT,
        .meter_count = SIM_METERS,
        .anchor_day = 1,
        .limits_milli = {1000, 300},
    };

    w->world = world;
    w->number = number;
    w->core = quota_core_new(&options);
    for (unsigned i = 0; i < 2; i++)
        w->batches[i].batch.rows =
            mem_alloc_array(BATCH_ROWS_MAX, sizeof(struct quota_row));
}

void sim_writer_done(struct sim_writer *w)
{
    for (unsigned i = 0; i < 2; i++)
        mem_free(w->batches[i].batch.rows);
    quota_core_free(w->core);
}

static void forget(struct sim_writer *w)
{
    w->phase = SIM_DOWN;
    w->incarnation++;
    w->open = &w->batches[0];
    w->flying = NULL;
    w->batches[0].waiting.count = 0;
    w->batches[1].waiting.count = 0;
    w->taken.count = 0;
    w->to_look_up.count = 0;
    w->looking_up.count = 0;
    w->is_looking_up = false;
    w->is_calling = false;
    w->retry_at_us = INT64_MAX;
    w->is_loading = false;
    w->is_paging = false;
}

void sim_writer_clear(struct sim_writer *w)
{
    forget(w);
    w->incarnation = 1;
    w->call_serial = 0;
    w->epoch = 0;
    w->failed_us = 0;
    w->wall_offset_us = 0;
    w->mono_offset_us = 0;
    w->asleep_until_us = 0;
}

static void drop_all(struct sim_queue *queue)
{
    for (unsigned i = 0; i < queue->count; i++)
        queue->items[i]->is_used = false;
}

void sim_writer_crash(struct sim_writer *w)
{
    drop_all(&w->taken);
    drop_all(&w->to_look_up);
    drop_all(&w->looking_up);
    drop_all(&w->batches[0].waiting);
    drop_all(&w->batches[1].waiting);
    forget(w);
}

/* ---- calls to the ledger --------------------------------------------------------------- */

struct sim_call *sim_writer_new_call(struct sim_writer *w, enum sim_call_kind kind)
{
    struct sim_call *call = sim_post_call(&w->world->post);

    call->kind = kind;
    call->writer = w->number;
    call->incarnation = w->incarnation;
    call->serial = 0;
    call->epoch = w->epoch;
    return call;
}

/* One of these is in flight at most, as far as the writer knows. */
static struct sim_call *new_main_call(struct sim_writer *w, enum sim_call_kind kind)
{
    struct sim_call *call = sim_writer_new_call(w, kind);

    w->is_calling = true;
    call->serial = ++w->call_serial;
    return call;
}

void sim_writer_start(struct sim_writer *w)
{
    w->phase = SIM_OPENING;
    sim_world_call(w->world, new_main_call(w, SIM_OPEN));
}

static void send_batch(struct sim_writer *w)
{
    struct sim_call *call = new_main_call(w, SIM_COMMIT);

    sim_batch_copy(&call->batch, &w->flying->batch);
    sim_world_call(w->world, call);
}

static void fly(struct sim_writer *w)
{
    struct sim_batch *next = w->open == &w->batches[0] ? &w->batches[1] : &w->batches[0];

    quota_core_seal(w->core, &w->open->batch);
    w->flying = w->open;
    w->open = next;
    quota_core_begin(w->core, &w->open->batch);
    w->flying_since_us = w->world->now_us;
    send_batch(w);
}

/* ---- stepping -------------------------------------------------------------------------- */

static bool step_one(struct sim_writer *w, struct sim_request *request,
                     struct quota_time now)
{
    size_t row_count = w->open->batch.row_count;
    size_t limit_count = w->open->batch.limit_count;
    size_t alert_count = w->open->batch.alert_count;

    quota_core_step(w->core, &request->op, now, &w->open->batch, &request->answer);
    if (request->answer.verdict != QUOTA_DONE || request->answer.replayed)
        SIM_CHECK(w->open->batch.row_count == row_count &&
                      w->open->batch.limit_count == limit_count &&
                      w->open->batch.alert_count == alert_count,
                  "what was not granted changed the batch");
    if (request->answer.verdict == QUOTA_NEXT_BATCH)
        return false;
    sim_recount_verdict(w, &request->op, &request->answer);
    sim_queue_take(&w->taken);
    if (request->answer.verdict == QUOTA_LOOK_UP)
        sim_queue_append(&w->to_look_up, request);
    else if (request->answer.batch == 0 || w->world->plant == SIM_PLANT_TOLD_EARLY)
        sim_world_answer(w->world, w, request, &request->answer);
    else if (request->answer.batch == w->open->batch.number)
        sim_queue_append(&w->open->waiting, request);
    else
        sim_queue_append(&w->flying->waiting, request);
    return true;
}

static bool step_taken(struct sim_writer *w)
{
    struct quota_time now = sim_writer_time(w);

    while (w->taken.count > 0) {
        if (!step_one(w, w->taken.items[0], now))
            return false;
    }
    return true;
}

static void advance(struct sim_writer *w)
{
    bool all_stepped;

    quota_core_tick(w->core, sim_writer_time(w), LAPSES_PER_BATCH, &w->open->batch);
    do {
        all_stepped = step_taken(w);
        if (w->flying != NULL || quota_core_is_empty(w->core, &w->open->batch))
            break;
        fly(w);
    } while (!all_stepped);
    sim_writer_look_up(w);
    sim_writer_load(w);
}

/* ---- replies --------------------------------------------------------------------------- */

static void begin_serving(struct sim_writer *w, const struct sim_call *call)
{
    const struct sim_ledger *ledger = &w->world->ledger;

    w->epoch = call->ledger_epoch;
    quota_core_reset(w->core, ledger->last_batch, ledger->last_at_us,
                     sim_ledger_newest_op_us(ledger));
    for (size_t i = 0; i < ledger->rule_count; i++)
        SIM_CHECK(quota_core_load_limit(w->core, &ledger->rules[i]), "no room for a rule");
    for (size_t i = 0; i < ledger->counter_count; i++) {
        const struct quota_counter *row = &ledger->counters[i].row;

        if (row->scope != LIMIT_METER ||
            (row->held_milli == 0 &&
             row->period.end_us <= w->world->now_us - QUOTA_CORE_OP_ID_AGE_US))
            continue;
        SIM_CHECK(quota_core_load_counter(w->core, row), "a counter cannot be loaded");
    }
    w->open = &w->batches[0];
    w->flying = NULL;
    SIM_CHECK(quota_core_start(w->core, sim_writer_time(w), &w->open->batch),
              "a meter has periods ahead and none at present");
    w->world->ledger.opened_wall_us[w->epoch] = sim_writer_time(w).wall_us;
    w->phase = SIM_SERVING;
    w->is_loading = true;
    w->page = (struct op_id){{0}};
    w->page_at_us = 0;
}

static void complete(struct sim_writer *w)
{
    struct sim_batch *done = w->flying;
    struct sim_queue waiting = done->waiting;

    done->waiting.count = 0;
    quota_core_committed(w->core, done->batch.number);
    w->flying = NULL;
    w->phase = SIM_SERVING;
    sim_world_told_alerts(w->world, w, &done->batch);
    if (!quota_core_is_empty(w->core, &w->open->batch))
        fly(w);
    for (unsigned i = 0; i < waiting.count; i++)
        sim_world_answer(w->world, w, waiting.items[i], &waiting.items[i]->answer);
}

static void doubt(struct sim_writer *w)
{
    if (w->world->plant == SIM_PLANT_DOUBT && w->flying != NULL) {
        complete(w);
        return;
    }
    w->phase = SIM_DOUBTING;
    w->failed_us = w->world->now_us;
    w->retry_at_us = w->world->now_us + sim_between(&w->world->rng, 25000, 250000);
}

static void commit_reply(struct sim_writer *w, const struct sim_call *call, bool is_lost)
{
    if (is_lost || call->outcome == SIM_WRONG_BATCH)
        doubt(w);
    else if (call->outcome == SIM_FENCED)
        sim_world_fenced(w->world, w);
    else
        complete(w);
}

static void get_batch_reply(struct sim_writer *w, const struct sim_call *call, bool is_lost)
{
    if (is_lost) {
        doubt(w);
    } else if (call->is_committed) {
        complete(w);
    } else if (call->ledger_epoch != w->epoch) {
        sim_world_fenced(w->world, w);
    } else {
        SIM_CHECK(call->last_batch == w->flying->batch.number - 1,
                  "the ledger is at another batch");
        send_batch(w);
    }
}

static void main_reply(struct sim_writer *w, const struct sim_call *call, bool is_lost)
{
    if (call->serial != w->call_serial)
        return; /* given up before */
    w->is_calling = false;
    if (call->kind == SIM_COMMIT) {
        commit_reply(w, call, is_lost);
    } else if (call->kind == SIM_GET_BATCH) {
        get_batch_reply(w, call, is_lost);
    } else if (is_lost) {
        w->retry_at_us = w->world->now_us + 100000;
    } else {
        begin_serving(w, call);
    }
}

/* ---- what reaches it ------------------------------------------------------------------- */

/* As the thread's loop: after whatever came. */
static void look(struct sim_writer *w)
{
    if (w->phase == SIM_SERVING && w->flying != NULL &&
        w->world->now_us - w->flying_since_us >= STALL_US)
        w->phase = SIM_DOUBTING;
    if (!w->is_calling && w->world->now_us >= w->retry_at_us) {
        w->retry_at_us = INT64_MAX;
        if (w->phase == SIM_OPENING) {
            sim_writer_start(w);
        } else if (w->phase == SIM_DOUBTING) {
            struct sim_call *call = new_main_call(w, SIM_GET_BATCH);

            call->batch.number = w->flying->batch.number;
            sim_world_call(w->world, call);
        }
    }
    if (w->phase == SIM_SERVING) {
        advance(w);
        return;
    }
    sim_writer_refuse(w, &w->taken);
    sim_writer_refuse(w, &w->to_look_up);
    sim_writer_refuse(w, &w->batches[0].waiting);
    sim_writer_refuse(w, &w->batches[1].waiting);
}

static unsigned under_way(const struct sim_writer *w)
{
    return w->taken.count + w->to_look_up.count + w->looking_up.count +
           w->batches[0].waiting.count + w->batches[1].waiting.count;
}

void sim_writer_request(struct sim_writer *w, struct sim_request *request)
{
    if (w->phase != SIM_SERVING || under_way(w) >= SIM_QUEUE_LIMIT) {
        sim_world_answer(w->world, w, request, NULL);
        return;
    }
    sim_queue_append(&w->taken, request);
    /* as often as not more comes before the thread looks */
    if (sim_one_in(&w->world->rng, 2))
        look(w);
}

void sim_writer_reply(struct sim_writer *w, const struct sim_call *call, bool is_lost)
{
    if (w->phase == SIM_DOWN || call->incarnation != w->incarnation)
        return;
    if (!is_lost && call->kind >= SIM_LOOK_UP && call->ledger_epoch != w->epoch)
        sim_world_fenced(w->world, w); /* it reads what another one writes by now */
    else if (call->kind == SIM_LOOK_UP)
        sim_writer_found(w, call, is_lost);
    else if (call->kind == SIM_LIST_OPEN)
        sim_writer_page(w, call, is_lost);
    else
        main_reply(w, call, is_lost);
    if (w->phase != SIM_DOWN)
        look(w);
}

void sim_writer_wake(struct sim_writer *w)
{
    if (w->phase != SIM_DOWN)
        look(w);
}

int64_t sim_writer_wake_us(const struct sim_writer *w)
{
    int64_t now_us = w->world->now_us;
    int64_t at_us = INT64_MAX;
    int64_t due_us;

    if (w->phase == SIM_DOWN)
        return INT64_MAX;
    if (!w->is_calling)
        at_us = w->retry_at_us;
    if (w->phase == SIM_SERVING) {
        if (w->flying != NULL)
            at_us = w->flying_since_us + STALL_US;
        due_us = quota_core_next_due_us(w->core) - quota_core_now_us(w->core);
        if (quota_core_is_frozen(w->core) || due_us < 0)
            due_us = SWEEP_US;
        else if (due_us < 1000)
            due_us = 1000;
        if (due_us < INT64_MAX - now_us && now_us + due_us < at_us)
            at_us = now_us + due_us;
        if (w->taken.count > 0 && now_us + 20000 < at_us)
            at_us = now_us + 20000;
        if (w->is_loading && !w->is_paging && w->page_at_us < at_us)
            at_us = w->page_at_us;
    }
    if (at_us < w->asleep_until_us)
        at_us = w->asleep_until_us;
    return at_us > now_us ? at_us : now_us + 1;
}
