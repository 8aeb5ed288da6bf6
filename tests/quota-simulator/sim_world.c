#include "sim_world.h"

#include <string.h>

#include "core/mem.h"
#include "sim_recount.h"

#define LONG_HOP_US (2 * DAY_US)

struct sim_world *sim_world_new(enum sim_plant plant)
{
    struct sim_world *world = mem_alloc(sizeof(*world));

    world->plant = plant;
    sim_post_init(&world->post);
    for (unsigned i = 0; i < SIM_WRITERS; i++)
        sim_writer_init(&world->writers[i], world, i);
    return world;
}

void sim_world_free(struct sim_world *world)
{
    for (unsigned i = 0; i < SIM_WRITERS; i++)
        sim_writer_done(&world->writers[i]);
    sim_post_done(&world->post);
    mem_free(world);
}

/* FNV-1a: two histories are the same, or are not. */
void sim_world_note(struct sim_world *world, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        world->history = (world->history ^ bytes[i]) * 0x100000001b3ULL;
}

/* ---- the network ----------------------------------------------------------------------- */

/* Mostly a few milliseconds, seldom long enough for others to pass. */
static int64_t delay_us(struct sim_world *world)
{
    struct rng *rng = &world->rng;

    if (!world->is_calm && sim_one_in(rng, 30))
        return sim_between(rng, 50000, 5 * SECOND_US);
    return sim_between(rng, 100, 12000);
}

static bool fails(struct sim_world *world)
{
    return !world->is_calm && sim_one_in(&world->rng, world->fault_rate);
}

static void send_call(struct sim_world *world, struct sim_call *call,
                      enum sim_mail_kind kind, int64_t at_us)
{
    sim_post_send(&world->post,
                  &(struct sim_mail){
                      .at_us = at_us, .kind = kind, .writer = call->writer, .call = call});
}

/* It arrives; or it is lost; or it is given up, and may arrive in spite of that. The reply
 * takes its own way: see deliver_call. */
void sim_world_call(struct sim_world *world, struct sim_call *call)
{
    int64_t at_us = world->now_us + sim_between(&world->rng, 100, 8000);
    int64_t given_up_us = world->now_us + sim_between(&world->rng, 200000, SECOND_US);

    if (!fails(world)) {
        send_call(world, call, SIM_MAIL_CALL, at_us);
        return;
    }
    call->is_given_up = true;
    send_call(world, call, SIM_MAIL_LOST, given_up_us);
    if (sim_one_in(&world->rng, 3)) /* long after, perhaps */
        send_call(world, call, SIM_MAIL_CALL,
                  world->now_us + sim_between(&world->rng, 1, 3 * SECOND_US));
}

static void answer_call(struct sim_world *world, struct sim_call *call)
{
    struct sim_ledger *ledger = &world->ledger;

    switch (call->kind) {
    case SIM_OPEN:
        call->ledger_epoch = sim_ledger_open(ledger);
        break;
    case SIM_COMMIT:
        call->outcome = sim_ledger_commit(ledger, call->epoch, &call->batch);
        if (call->outcome == SIM_COMMITTED)
            sim_recount_commit(world, call->epoch, &call->batch);
        break;
    case SIM_GET_BATCH:
        call->is_committed = sim_ledger_has_batch(ledger, call->epoch, call->batch.number);
        call->ledger_epoch = ledger->epoch;
        call->last_batch = ledger->last_batch;
        break;
    case SIM_LOOK_UP:
        call->ledger_epoch = ledger->epoch;
        sim_ledger_look_up(ledger, &call->lookup, &call->found);
        break;
    case SIM_LIST_OPEN:
        call->ledger_epoch = ledger->epoch;
        call->found.row_count =
            sim_ledger_list_open(ledger, &call->after, call->found.rows);
        break;
    }
}

static void deliver_call(struct sim_world *world, struct sim_call *call)
{
    answer_call(world, call);
    if (call->is_given_up)
        return;
    if (fails(world))
        send_call(world, call, SIM_MAIL_LOST,
                  world->now_us + sim_between(&world->rng, 200000, SECOND_US));
    else
        send_call(world, call, SIM_MAIL_REPLY, world->now_us + delay_us(world) / 2);
}

void sim_world_request(struct sim_world *world, const struct quota_op *op, unsigned at_op)
{
    struct rng *rng = &world->rng;
    unsigned copies = !world->is_calm && sim_one_in(rng, 20) ? 2 : 1;

    if (fails(world))
        return;
    while (copies-- > 0) {
        struct sim_request *request = sim_post_request(&world->post);
        unsigned to = (unsigned)rng_below(rng, SIM_WRITERS);

        if (request == NULL)
            return; /* too many are under way */
        if (world->writers[to].phase != SIM_SERVING && !sim_one_in(rng, 8))
            to = 1 - to;
        request->op = *op;
        request->op.lookups = 0;
        request->at_op = at_op;
        sim_post_send(&world->post,
                      &(struct sim_mail){.at_us = world->now_us + delay_us(world),
                                         .kind = SIM_MAIL_REQUEST,
                                         .writer = to,
                                         .request = request});
    }
}

/* Told is what leaves the writer, whether the caller hears it or not. */
void sim_world_answer(struct sim_world *world, struct sim_writer *w,
                      struct sim_request *request, const struct quota_answer *answer)
{
    struct sim_stats *stats = &world->stats;

    request->is_used = false;
    if (answer == NULL)
        return;
    stats->refused += answer->verdict == QUOTA_REFUSED;
    stats->replayed += answer->replayed;
    stats->reused += answer->verdict == QUOTA_OP_ID_REUSED;
    stats->stale += answer->verdict == QUOTA_OP_ID_STALE;
    sim_callers_told(world, w, &request->op, request->at_op, answer);
}

void sim_world_told_alerts(struct sim_world *world, struct sim_writer *w,
                           const struct quota_batch *batch)
{
    struct quota_batch *open = &w->open->batch;

    /* the last ones of the ledger are this batch's: nobody else has committed since */
    if (w->epoch != world->ledger.epoch || world->ledger.last_batch != batch->number)
        return;
    for (size_t i = 0; i < batch->alert_count; i++) {
        if (open->published_count < BATCH_PUBLISHED_MAX)
            open->published[open->published_count++] =
                world->ledger.alert_count - batch->alert_count + i + 1;
    }
}

void sim_world_fenced(struct sim_world *world, struct sim_writer *w)
{
    SIM_CHECK(w->epoch != world->ledger.epoch, "the one who writes is fenced");
    world->stats.fenced++;
    sim_writer_crash(w);
}

static void deliver(struct sim_world *world, const struct sim_mail *mail)
{
    struct sim_writer *w = &world->writers[mail->writer];

    switch (mail->kind) {
    case SIM_MAIL_REQUEST:
        sim_writer_request(w, mail->request);
        return;
    case SIM_MAIL_CALL:
        deliver_call(world, mail->call);
        break;
    case SIM_MAIL_REPLY:
        sim_writer_reply(w, mail->call, false);
        break;
    case SIM_MAIL_LOST:
        sim_writer_reply(w, mail->call, true);
        break;
    }
    sim_post_release(mail->call);
}

/* ---- faults ---------------------------------------------------------------------------- */

static struct sim_writer *some_writer(struct sim_world *world)
{
    return &world->writers[rng_below(&world->rng, SIM_WRITERS)];
}

static void crash(struct sim_world *world)
{
    world->stats.crashes++;
    sim_writer_crash(some_writer(world));
}

static void start_one(struct sim_world *world)
{
    struct sim_writer *w = some_writer(world);

    if (w->phase == SIM_DOWN && w->asleep_until_us <= world->now_us)
        sim_writer_start(w);
}

static void set_clock(struct sim_world *world)
{
    struct rng *rng = &world->rng;
    struct sim_writer *w = some_writer(world);
    int64_t by_us = sim_between(rng, -20, 20) * SECOND_US;

    if (sim_one_in(rng, 4))
        by_us = sim_between(rng, -120, 120) * MINUTE_US;
    else if (sim_one_in(rng, 12))
        by_us = sim_between(rng, -3, 40) * DAY_US;
    else if (sim_one_in(rng, 3))
        by_us = -w->wall_offset_us; /* put right */
    w->wall_offset_us += by_us;
}

/* The machine stops, and its monotonic clock with it. */
static void suspend(struct sim_world *world)
{
    struct sim_writer *w = some_writer(world);
    int64_t for_us =
        sim_between(&world->rng, 1, sim_one_in(&world->rng, 3) ? 900 : 20) * SECOND_US;

    if (w->asleep_until_us > world->now_us)
        return;
    w->asleep_until_us = world->now_us + for_us;
    w->mono_offset_us -= for_us;
    sim_post_delay(&world->post, w->number, w->asleep_until_us);
}

/* After something was delivered: each step of a writer is where it may die. */
static void random_fault(struct sim_world *world)
{
    unsigned rare = world->fault_rate * 20;

    if (world->is_calm)
        return;
    switch (rng_below(&world->rng, rare)) {
    case 0:
    case 1:
    case 2:
        crash(world);
        break;
    case 3:
    case 4:
        start_one(world);
        break;
    case 5:
        set_clock(world);
        break;
    case 6:
        suspend(world);
        break;
    default:
        break;
    }
}

/* ---- time ------------------------------------------------------------------------------ */

static bool is_asleep(const struct sim_world *world, const struct sim_writer *w)
{
    return w->asleep_until_us > world->now_us;
}

static int64_t next_us(const struct sim_world *world)
{
    int64_t next = sim_post_next_us(&world->post);

    for (unsigned i = 0; i < SIM_WRITERS; i++) {
        int64_t wake_us = sim_writer_wake_us(&world->writers[i]);

        if (wake_us < next)
            next = wake_us;
    }
    return next;
}

static void hop(struct sim_world *world, int64_t to_us)
{
    int64_t passed_us = to_us - world->now_us;

    if (passed_us <= 0)
        return;
    sim_recount_overdue(world, passed_us);
    world->now_us = to_us;
}

/* Everything until then happens, in order. */
static void pass(struct sim_world *world, int64_t until_us)
{
    for (;;) {
        int64_t at_us = next_us(world);
        struct sim_mail mail;

        hop(world, at_us < until_us ? at_us : until_us);
        if (at_us > until_us)
            return;
        while (sim_post_take(&world->post, world->now_us, &mail)) {
            if (mail.kind != SIM_MAIL_CALL &&
                is_asleep(world, &world->writers[mail.writer])) {
                mail.at_us = world->writers[mail.writer].asleep_until_us;
                sim_post_send(&world->post, &mail);
                if (mail.call != NULL)
                    mail.call->refs--;
                continue;
            }
            deliver(world, &mail);
            random_fault(world);
        }
        for (unsigned i = 0; i < SIM_WRITERS; i++) {
            if (!is_asleep(world, &world->writers[i]))
                sim_writer_wake(&world->writers[i]);
        }
    }
}

/* To shortly before or after the end of a period, or for days. */
static int64_t far_us(struct sim_world *world)
{
    const struct sim_ledger *ledger = &world->ledger;
    int64_t to_us = world->now_us + sim_between(&world->rng, 0, 20 * DAY_US);

    for (size_t i = 0; i < ledger->counter_count && !sim_one_in(&world->rng, 4); i++) {
        const struct quota_counter *row = &ledger->counters[i].row;
        int64_t end_us = row->period.end_us;

        if (row->scope == LIMIT_METER && end_us > world->now_us &&
            end_us < world->now_us + 40 * DAY_US)
            return end_us + sim_between(&world->rng, -200, 100) * SECOND_US;
    }
    return to_us;
}

static void pass_some(struct sim_world *world)
{
    struct rng *rng = &world->rng;
    int64_t until_us = world->now_us + sim_between(rng, 0, 30000);

    if (sim_one_in(rng, 40))
        until_us = far_us(world);
    else if (sim_one_in(rng, 5))
        until_us = world->now_us + sim_between(rng, 0, 20 * SECOND_US);
    if (until_us > world->now_us)
        pass(world, until_us);
}

/* ---- a world --------------------------------------------------------------------------- */

static void clear(struct sim_world *world, uint64_t seed)
{
    rng_seed(&world->rng, seed);
    world->is_calm = false;
    world->fault_rate = (unsigned)sim_between(&world->rng, 6, 60);
    world->history = 0xcbf29ce484222325ULL;
    world->now_us = SIM_BEGIN_US + sim_between(&world->rng, 90, 800) * DAY_US +
                    sim_between(&world->rng, 0, DAY_US);
    sim_ledger_clear(&world->ledger, world->plant);
    sim_post_clear(&world->post);
    for (unsigned i = 0; i < SIM_WRITERS; i++) {
        sim_writer_clear(&world->writers[i]);
        world->writers[i].wall_offset_us = sim_between(&world->rng, -50000, 50000);
    }
    sim_callers_clear(world);
}

static bool is_anyone_up(const struct sim_world *world)
{
    for (unsigned i = 0; i < SIM_WRITERS; i++) {
        const struct sim_writer *w = &world->writers[i];

        if (w->phase != SIM_DOWN && (w->epoch == world->ledger.epoch || w->epoch == 0))
            return true;
    }
    return false;
}

static void step(struct sim_world *world)
{
    if (!is_anyone_up(world) && sim_one_in(&world->rng, 4))
        start_one(world);
    sim_callers_step(world);
    pass_some(world);
}

/* Nothing fails any more: what was done is there, and what is due is closed. */
static void end(struct sim_world *world)
{
    struct sim_writer *w = &world->writers[0];

    world->is_calm = true;
    pass(world, world->now_us + 10 * SECOND_US);
    sim_writer_crash(&world->writers[1]);
    sim_writer_crash(w);
    pass(world, world->now_us + 1000 * SECOND_US);
    sim_writer_start(w);
    pass(world, world->now_us + 30 * SECOND_US);
    SIM_CHECK(w->phase == SIM_SERVING && !w->is_loading, "nobody serves in the end");
    for (unsigned i = 0; i < world->callers.count; i++) {
        if (world->callers.ops[i].op.kind == QUOTA_SET_LIMIT)
            continue;
        sim_callers_repeat(world, i);
        pass(world, world->now_us + 5000);
    }
    pass(world, world->now_us + 1000 * SECOND_US);
    sim_recount_all(world);
}

uint64_t sim_world_run(struct sim_world *world, uint64_t seed)
{
    clear(world, seed);
    sim_writer_start(&world->writers[0]);
    for (unsigned i = 0; i < SIM_STEPS; i++)
        step(world);
    end(world);
    return world->history;
}
