#include "writer.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include "quota_stats.h"
#include "writer_state.h"

#define LAPSES_PER_BATCH 256
#define SWEEP_US         (500 * CLOCK_US_PER_MS) /* how late a lapse may be noticed */
#define RETRY_AFTER_MS   250
#define RESIGN_MS        300
#define STACK_BYTES      (1024 * 1024)

/* ---- small parts ----------------------------------------------------------------------- */

void writer_append(struct op_list *list, struct writer_op *op)
{
    op->next = NULL;
    if (list->first == NULL)
        list->first = op;
    else
        list->last->next = op;
    list->last = op;
}

static struct writer_op *take_first(struct op_list *list)
{
    struct writer_op *op = list->first;

    if (op != NULL)
        list->first = op->next;
    return op;
}

static struct op_list take_all(struct op_list *list)
{
    struct op_list all = *list;

    *list = (struct op_list){NULL, NULL};
    return all;
}

struct quota_time writer_time(void)
{
    return (struct quota_time){clock_wall_us(), clock_mono_us()};
}

enum status writer_refusal(struct error *err, const char *why)
{
    error_set(err, ST_UNAVAILABLE, "%s", why);
    error_reason(err, "LEDGER_UNAVAILABLE");
    err->retry_after_ms = RETRY_AFTER_MS;
    return err->status;
}

/* The only place that changes the phase. */
void writer_enter(struct writer *w, enum writer_phase phase, const struct error *why_not)
{
    w->phase = phase;
    mutex_lock(&w->mutex);
    w->shared_phase = phase;
    if (why_not != NULL)
        writer_refusal(&w->why_not, why_not->message);
    mutex_unlock(&w->mutex);
}

/* ---- answers --------------------------------------------------------------------------- */

static void count_answer(const struct quota_answer *answer)
{
    if (answer == NULL)
        stats_add(&quota_stats[QUOTA_STAT_UNAVAILABLE], 1);
    else if (answer->replayed)
        stats_add(&quota_stats[QUOTA_STAT_REPLAYED], 1);
    else if (answer->verdict == QUOTA_REFUSED)
        stats_add(&quota_stats[QUOTA_STAT_REFUSED], 1);
}

void writer_answer(struct writer *w, struct writer_op *op,
                   const struct quota_answer *answer, const struct error *err)
{
    count_answer(answer);
    op->answered(op, answer, err); /* op may be gone now */
    atomic_fetch_sub(&w->under_way, 1);
}

void writer_refuse_all(struct writer *w, struct op_list *list, const struct error *err)
{
    struct op_list all = take_all(list);
    struct writer_op *op;

    while ((op = take_first(&all)) != NULL)
        writer_answer(w, op, NULL, err);
}

/* ---- stepping -------------------------------------------------------------------------- */

/* False when the open batch cannot take this one; it stays first. */
static bool step_one(struct writer *w, struct writer_op *op, struct quota_time now)
{
    quota_core_step(w->core, &op->op, now, &w->open->batch, &op->answer);
    if (op->answer.verdict == QUOTA_NEXT_BATCH)
        return false;
    take_first(&w->taken);
    if (op->answer.verdict == QUOTA_LOOK_UP)
        writer_append(&w->to_look_up, op);
    else if (op->answer.batch == 0)
        writer_answer(w, op, &op->answer, NULL);
    else if (op->answer.batch == w->open->batch.number)
        writer_append(&w->open->waiting, op);
    else
        writer_append(&w->flying->waiting, op);
    return true;
}

/* All that was taken arrived before this moment: one reading of the clock serves it. */
static bool step_taken(struct writer *w)
{
    struct quota_time now = writer_time();

    while (w->taken.first != NULL) {
        if (!step_one(w, w->taken.first, now))
            return false;
    }
    return true;
}

void writer_advance(struct writer *w)
{
    bool all_stepped;

    quota_core_tick(w->core, writer_time(), LAPSES_PER_BATCH, &w->open->batch);
    writer_alerts_burn(w);
    do {
        all_stepped = step_taken(w);
        if (w->flying == NULL && !quota_core_is_empty(w->core, &w->open->batch))
            writer_fly(w);
        else
            break; /* what is left waits for the commit in flight */
    } while (!all_stepped);
    writer_lookup_start(w);
    writer_load_go_on(w);
    writer_beat(w);
    stats_set(&quota_stats[QUOTA_STAT_HELD], quota_core_held_count(w->core));
    stats_set(&quota_stats[QUOTA_STAT_COUNTERS], quota_core_counter_count(w->core));
    stats_set(&quota_stats[QUOTA_STAT_FROZEN], quota_core_is_frozen(w->core));
}

/* ---- the thread ------------------------------------------------------------------------ */

/* When the thread has to look again though nobody woke it. */
static uint64_t wake_us(const struct writer *w)
{
    uint64_t now_us = clock_mono_us();
    uint64_t at_us = writer_ledger_wake_us(w);

    if (w->phase == WRITER_SERVING) {
        int64_t wait_us = quota_core_next_due_us(w->core) - quota_core_now_us(w->core);
        uint64_t due_us;

        /* Due, but held up by the commit in flight: its outcome wakes us. */
        if (wait_us < 0 || wait_us > SWEEP_US)
            wait_us = SWEEP_US;
        due_us = now_us + (uint64_t)wait_us;
        at_us = at_us < due_us ? at_us : due_us;
        due_us = writer_load_wake_us(w);
        at_us = at_us < due_us ? at_us : due_us;
    }
    return at_us;
}

/* Waits for something to do and takes it. False: stop. */
static bool take_work(struct writer *w, struct ledger_reply *mail[WRITER_MAIL_MAX],
                      unsigned *mail_count)
{
    uint64_t until_us = wake_us(w);
    bool in_time = true;
    bool go_on;

    mutex_lock(&w->mutex);
    while (!w->stopping && w->arrived.first == NULL && w->mail_count == 0 && in_time)
        in_time = condition_wait_until(&w->changed, &w->mutex, until_us);
    if (w->arrived.first != NULL) {
        struct op_list arrived = take_all(&w->arrived);

        if (w->taken.first == NULL)
            w->taken = arrived;
        else {
            w->taken.last->next = arrived.first;
            w->taken.last = arrived.last;
        }
    }
    *mail_count = w->mail_count;
    memcpy(mail, w->mail, w->mail_count * sizeof(mail[0]));
    w->mail_count = 0;
    go_on = !w->stopping;
    mutex_unlock(&w->mutex);
    return go_on;
}

static void read_one(struct writer *w, const struct ledger_reply *reply)
{
    switch (reply->call) {
    case LEDGER_GET_OPERATIONS:
        writer_lookup_reply(w, reply);
        break;
    case LEDGER_LIST_OPEN:
        writer_load_reply(w, reply);
        break;
    case LEDGER_BEAT:
        writer_beat_reply(w, reply);
        break;
    default:
        writer_ledger_reply(w, reply);
    }
}

static void read_mail(struct writer *w, struct ledger_reply *mail[], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        read_one(w, mail[i]);
        ledger_reply_free(mail[i]);
    }
}

static void refuse_everybody(struct writer *w, const struct error *err)
{
    writer_refuse_all(w, &w->taken, err);
    writer_refuse_all(w, &w->to_look_up, err);
    for (unsigned i = 0; i < COUNT_OF(w->batches); i++)
        writer_refuse_all(w, &w->batches[i].waiting, err);
}

/* So that a standby need not wait until we are silent; its answer says that it got there. */
static void resign(struct writer *w)
{
    uint64_t until_us = clock_deadline_ms(RESIGN_MS);
    bool is_done = w->phase != WRITER_SERVING && w->phase != WRITER_DOUBTING;

    if (is_done)
        return;
    ledger_client_get_writer(w->ledger, w->epoch);
    mutex_lock(&w->mutex);
    do {
        for (unsigned i = 0; i < w->mail_count; i++)
            is_done |= w->mail[i]->call == LEDGER_GET_WRITER;
    } while (!is_done && condition_wait_until(&w->changed, &w->mutex, until_us));
    mutex_unlock(&w->mutex);
}

static void *run(void *argument)
{
    struct writer *w = argument;
    struct ledger_reply *mail[WRITER_MAIL_MAX];
    unsigned mail_count = 0;
    struct error err;
    bool go_on;

    writer_standby_ask(w);
    do {
        go_on = take_work(w, mail, &mail_count);
        read_mail(w, mail, mail_count);
        writer_ledger_check_stall(w);
        writer_ledger_retry(w);
        if (w->phase == WRITER_SERVING)
            writer_advance(w);
        else if (!writer_is_ready(w, &err))
            refuse_everybody(w, &err);
    } while (go_on);
    writer_refusal(&err, "the service is stopping");
    refuse_everybody(w, &err);
    writer_refuse_all(w, &w->looking_up, &err);
    resign(w);
    return NULL;
}

/* On a thread of the rpc client. */
static void deliver(void *context, struct ledger_reply *reply)
{
    struct writer *w = context;

    mutex_lock(&w->mutex);
    if (w->mail_count == WRITER_MAIL_MAX)
        log_abort("more ledger replies than calls", 0);
    w->mail[w->mail_count++] = reply;
    condition_signal(&w->changed);
    mutex_unlock(&w->mutex);
}

/* ---- what others call ------------------------------------------------------------------ */

static void init_batches(struct writer *w)
{
    for (unsigned i = 0; i < COUNT_OF(w->batches); i++)
        w->batches[i].batch.rows =
            mem_alloc_array(BATCH_ROWS_MAX, sizeof(*w->batches[i].batch.rows));
    w->open = &w->batches[0];
}

static void free_writer(struct writer *w)
{
    for (unsigned i = 0; i < w->mail_count; i++)
        ledger_reply_free(w->mail[i]);
    for (unsigned i = 0; i < COUNT_OF(w->batches); i++)
        mem_free(w->batches[i].batch.rows);
    quota_core_free(w->core);
    usage_done(&w->usage);
    condition_done(&w->changed);
    mutex_done(&w->mutex);
    mem_free(w->name);
    mem_free(w);
}

enum status writer_open(struct writer **out, const struct writer_options *options,
                        struct error *err)
{
    struct writer *w = mem_alloc(sizeof(*w));
    struct ledger_client_options ledger = options->ledger;

    ledger.done = deliver;
    ledger.context = w;
    w->options = *options;
    w->name = mem_strdup(options->ledger.writer_name);
    w->options.ledger.writer_name = w->name;
    mutex_init(&w->mutex);
    condition_init(&w->changed);
    usage_init(&w->usage);
    writer_refusal(&w->why_not, "the ledger is not open yet");
    w->core = quota_core_new(&options->core);
    w->retry_at_us = UINT64_MAX;
    init_batches(w);
    if (ledger_client_open(&w->ledger, &ledger, err) != ST_OK) {
        free_writer(w);
        return err->status;
    }
    thread_start(&w->thread, "quota-writer", STACK_BYTES, run, w);
    *out = w;
    return ST_OK;
}

void writer_close(struct writer *w)
{
    if (w == NULL)
        return;
    mutex_lock(&w->mutex);
    w->stopping = true;
    condition_signal(&w->changed);
    mutex_unlock(&w->mutex);
    thread_join(w->thread);
    ledger_client_close(w->ledger);
    free_writer(w);
}

void writer_list_add(struct writer_list *list, struct writer_op *op)
{
    op->next = NULL;
    if (list->first == NULL)
        list->first = op;
    else
        list->last->next = op;
    list->last = op;
    list->count++;
}

/* All of a list or none: its operations may share memory that has one user at a time. */
static enum status accept(struct writer *w, struct writer_list *list, struct error *err)
{
    if (w->stopping)
        return writer_refusal(err, "the service is stopping");
    if (w->shared_phase != WRITER_SERVING) {
        *err = w->why_not;
        return err->status;
    }
    if (atomic_load(&w->under_way) + list->count > w->options.queue_limit)
        return writer_refusal(err, "too many operations are under way");
    atomic_fetch_add(&w->under_way, list->count);
    if (w->arrived.first == NULL) {
        w->arrived.first = list->first;
        condition_signal(&w->changed);
    } else {
        w->arrived.last->next = list->first;
    }
    w->arrived.last = list->last;
    return ST_OK;
}

void writer_submit_list(struct writer *w, struct writer_list *list)
{
    struct error err = ERROR_NONE;
    struct writer_op *op = list->first;
    enum status status;

    if (op == NULL)
        return;
    mutex_lock(&w->mutex);
    status = accept(w, list, &err);
    mutex_unlock(&w->mutex);
    while (status != ST_OK && op != NULL) {
        struct writer_op *next = op->next;

        count_answer(NULL);
        op->answered(op, NULL, &err); /* op may be gone now */
        op = next;
    }
}

void writer_submit(struct writer *w, struct writer_op *op)
{
    struct writer_list list = {.first = NULL};

    writer_list_add(&list, op);
    writer_submit_list(w, &list);
}

bool writer_is_ready(struct writer *w, struct error *err)
{
    bool is_ready;

    mutex_lock(&w->mutex);
    is_ready = w->shared_phase == WRITER_SERVING && !w->stopping;
    if (!is_ready)
        *err = w->why_not;
    mutex_unlock(&w->mutex);
    return is_ready;
}

struct usage *writer_usage(struct writer *w)
{
    return &w->usage;
}
