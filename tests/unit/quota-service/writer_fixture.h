/*
 * writer_fixture.h - a writer whose ledger the test plays: it sees each call and answers
 * when and how the test says. Beats, pages of open reservations and GetWriter are answered
 * by themselves, as the variables say. The ledger_client_* functions here take the place of
 * the real ones, so one file of a program includes this.
 */
#ifndef WRITER_FIXTURE_H
#define WRITER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "ledger_client_rpc.h"
#include "writer.h"

#define REPORTS     1
#define LIMIT       10000
#define PATIENCE_MS 10000
#define OPS_MAX     64

/* ---- the ledger the test plays --------------------------------------------------------- */

static pthread_mutex_t mutex;
static pthread_cond_t changed;
static ledger_done reply_done;
static void *reply_context;
static bool is_called;
static enum ledger_call called;
static uint64_t called_batch;
static size_t called_rows;
static enum quota_kind called_kinds[BATCH_ROWS_MAX];
static struct quota_batch called_what; /* of the last commit; without its rows */
static bool looked_up;
static struct ledger_lookup lookup; /* the last one */
static int exit_status;

/* What GetWriter says: nobody writes, unless a test says otherwise. */
static char ledger_writer[LEDGER_NAME_MAX + 1];
static uint64_t ledger_beat;
static bool ledger_moves; /* the other one lives: its beat moves with every look */
static unsigned asked_writer;
static uint64_t resigned_epoch;
/* What a beat is told, and how many there were. */
static bool beat_is_fenced;
static unsigned beats;
/* Open reservations, on one page; the first page_failures askings fail. */
static struct quota_row open_rows[4];
static size_t open_row_count;
static unsigned page_failures;
static unsigned pages;

struct ledger_client {
    int unused;
};

static struct ledger_client the_ledger;

enum status ledger_client_open(struct ledger_client **out,
                               const struct ledger_client_options *options,
                               struct error *err)
{
    (void)err;
    reply_done = options->done;
    reply_context = options->context;
    *out = &the_ledger;
    return ST_OK;
}

void ledger_client_close(struct ledger_client *ledger)
{
    (void)ledger;
}

void ledger_reply_free(struct ledger_reply *reply)
{
    mem_free(reply->counters);
    mem_free(reply->rows);
    mem_free(reply->limits);
    mem_free(reply->alerts);
    mem_free(reply->cooldowns);
    mem_free(reply->usage);
    mem_free(reply);
}

static inline struct ledger_reply *reply_to(enum ledger_call call)
{
    struct ledger_reply *reply = mem_alloc(sizeof(*reply));

    reply->call = call;
    reply->executed = true;
    return reply;
}

static inline void send_reply(struct ledger_reply *reply)
{
    reply_done(reply_context, reply);
}

static inline void note(enum ledger_call call, uint64_t batch)
{
    mutex_lock(&mutex);
    is_called = true;
    called = call;
    called_batch = batch;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

void ledger_client_open_epoch(struct ledger_client *ledger)
{
    (void)ledger;
    note(LEDGER_OPEN, 0);
}

void ledger_client_list_open(struct ledger_client *ledger, const char *page)
{
    struct ledger_reply *reply = reply_to(LEDGER_LIST_OPEN);

    (void)ledger;
    (void)page;
    mutex_lock(&mutex);
    pages++;
    if (pages <= page_failures)
        error_set(&reply->err, ST_UNAVAILABLE, "the test says so");
    reply->rows = mem_alloc_array(COUNT_OF(open_rows), sizeof(open_rows[0]));
    memcpy(reply->rows, open_rows, sizeof(open_rows));
    reply->row_count = open_row_count;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
    send_reply(reply);
}

void ledger_client_commit(struct ledger_client *ledger, uint64_t epoch,
                          const struct quota_batch *batch)
{
    (void)ledger;
    assert_int_equal(epoch, 3);
    called_rows = batch->row_count;
    for (size_t i = 0; i < batch->row_count; i++)
        called_kinds[i] = batch->rows[i].kind;
    called_what = *batch;
    note(LEDGER_COMMIT, batch->number);
}

void ledger_client_get_batch(struct ledger_client *ledger, uint64_t epoch, uint64_t batch)
{
    (void)ledger;
    assert_int_equal(epoch, 3);
    note(LEDGER_GET_BATCH, batch);
}

void ledger_client_get_operations(struct ledger_client *ledger,
                                  const struct ledger_lookup *asked)
{
    (void)ledger;
    assert_true(asked->id_count + asked->counter_count + asked->cooldown_count > 0);
    mutex_lock(&mutex);
    looked_up = true;
    lookup = *asked;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

void ledger_client_beat(struct ledger_client *ledger, uint64_t epoch)
{
    struct ledger_reply *reply = reply_to(LEDGER_BEAT);

    (void)ledger;
    assert_int_equal(epoch, 3);
    mutex_lock(&mutex);
    beats++;
    if (beat_is_fenced) {
        error_set(&reply->err, ST_PRECONDITION, "the test says so");
        error_reason(&reply->err, "FENCED");
    }
    mutex_unlock(&mutex);
    send_reply(reply);
}

void ledger_client_get_writer(struct ledger_client *ledger, uint64_t resign_epoch)
{
    struct ledger_reply *reply = reply_to(LEDGER_GET_WRITER);

    (void)ledger;
    mutex_lock(&mutex);
    asked_writer++;
    if (resign_epoch != 0)
        resigned_epoch = resign_epoch;
    if (ledger_moves)
        ledger_beat++;
    reply->epoch = 2;
    reply->beat = ledger_beat;
    (void)snprintf(reply->writer, sizeof(reply->writer), "%s", ledger_writer);
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
    send_reply(reply);
}

void ledger_client_list_usage(struct ledger_client *ledger, int64_t from_us,
                              int64_t until_us, uint32_t bucket_seconds)
{
    (void)ledger;
    (void)from_us;
    (void)until_us;
    (void)bucket_seconds;
    send_reply(reply_to(LEDGER_LIST_USAGE));
}

/* ---- the words of the tests ------------------------------------------------------------ */

struct caller {
    struct writer_op op; /* first */
    bool is_answered;
    bool has_answer;
    struct quota_answer answer;
    struct error err;
};

static struct writer *writer;
static struct caller callers[OPS_MAX];
static size_t caller_count;

static inline void await(const bool *flag)
{
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);

    mutex_lock(&mutex);
    while (!*flag) {
        if (!condition_wait_until(&changed, &mutex, deadline_us)) {
            mutex_unlock(&mutex);
            fail_msg("nothing came in time");
        }
    }
    mutex_unlock(&mutex);
}

static inline void await_call(enum ledger_call call)
{
    await(&is_called);
    mutex_lock(&mutex);
    is_called = false;
    mutex_unlock(&mutex);
    assert_int_equal(called, call);
}

static inline void ledger_fails(enum ledger_call call, enum status status,
                                const char *reason)
{
    struct ledger_reply *reply = reply_to(call);

    error_set(&reply->err, status, "the test says so");
    error_reason(&reply->err, reason);
    send_reply(reply);
}

static inline void ledger_commits(void)
{
    send_reply(reply_to(LEDGER_COMMIT));
}

static inline void ledger_says_batch(bool committed, uint64_t epoch, uint64_t last_batch)
{
    struct ledger_reply *reply = reply_to(LEDGER_GET_BATCH);

    reply->committed = committed;
    reply->epoch = epoch;
    reply->last_batch = last_batch;
    send_reply(reply);
}

static inline void note_exit(int status)
{
    mutex_lock(&mutex);
    exit_status = status;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

static inline void answered(struct writer_op *op, const struct quota_answer *answer,
                            const struct error *err)
{
    struct caller *caller = (struct caller *)(void *)op;

    mutex_lock(&mutex);
    caller->has_answer = answer != NULL;
    if (answer != NULL)
        caller->answer = *answer;
    else
        caller->err = *err;
    assert_false(caller->is_answered); /* exactly once */
    caller->is_answered = true;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
}

static inline struct caller *submit(struct quota_op op)
{
    struct caller *caller = &callers[caller_count++];

    *caller = (struct caller){.op = {.op = op, .answered = answered}};
    writer_submit(writer, &caller->op);
    return caller;
}

static inline struct quota_op reserve_op(int64_t amount_milli)
{
    return (struct quota_op){.kind = QUOTA_RESERVE,
                             .op_id = op_id_new(),
                             .meter = REPORTS,
                             .hold_us = 60000000,
                             .amount_milli = amount_milli};
}

static inline struct quota_op settle_op(struct op_id reservation_id, int64_t actual_milli)
{
    return (struct quota_op){.kind = QUOTA_SETTLE,
                             .op_id = op_id_new(),
                             .reservation_id = reservation_id,
                             .amount_milli = actual_milli};
}

static inline bool is_answered(struct caller *caller)
{
    bool answered_now;

    mutex_lock(&mutex);
    answered_now = caller->is_answered;
    mutex_unlock(&mutex);
    return answered_now;
}

static inline void assert_answer(struct caller *caller, enum quota_verdict verdict)
{
    await(&caller->is_answered);
    assert_true(caller->has_answer);
    assert_int_equal(caller->answer.verdict, verdict);
}

static inline void assert_unavailable(struct caller *caller)
{
    await(&caller->is_answered);
    assert_false(caller->has_answer);
    assert_int_equal(caller->err.status, ST_UNAVAILABLE);
    assert_true(caller->err.retry_after_ms > 0);
}

static inline void await_ready(void)
{
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);
    struct error err;

    while (!writer_is_ready(writer, &err))
        assert_true(clock_mono_us() < deadline_us);
}

static inline void ledger_opens(int64_t last_at_us)
{
    struct ledger_reply *reply = reply_to(LEDGER_OPEN);

    reply->epoch = 3;
    reply->last_batch = 10;
    reply->last_at_us = last_at_us;
    send_reply(reply);
}

/* Alerts that the writer told. */
static struct quota_alert told_alerts[64];
static size_t told_count;

static inline void note_alert(void *context, const struct quota_alert *alert)
{
    (void)context;
    mutex_lock(&mutex);
    if (told_count < COUNT_OF(told_alerts))
        told_alerts[told_count++] = *alert;
    mutex_unlock(&mutex);
}

static inline void reset_ledger(void)
{
    is_called = false;
    looked_up = false;
    exit_status = 0;
    caller_count = 0;
    ledger_writer[0] = '\0';
    ledger_beat = 0;
    ledger_moves = false;
    asked_writer = 0;
    resigned_epoch = 0;
    beat_is_fenced = false;
    beats = 0;
    open_row_count = 0;
    page_failures = 0;
    pages = 0;
    told_count = 0;
}

static inline void open_writer(void)
{
    const struct writer_options options = {
        .core = {.held_limit = 1000,
                 .closed_limit = 4096,
                 .done_limit = 4096,
                 .refused_limit = 64,
                 .counter_limit = 1024,
                 .cooldown_limit = 512,
                 .anchor_day = 1,
                 .meter_count = 3,
                 .limits_milli = {1400000, LIMIT, 2000000}},
        .ledger = {.writer_name = "me"},
        .queue_limit = OPS_MAX,
        .alert = note_alert,
        .end = note_exit,
    };
    struct error err;

    assert_int_equal(writer_open(&writer, &options, &err), ST_OK);
}

static inline int set_up_ledger(void **state)
{
    (void)state;
    mutex_init(&mutex);
    condition_init(&changed);
    reset_ledger();
    return 0;
}

static inline int set_up_opening(void **state)
{
    set_up_ledger(state);
    open_writer();
    await_call(LEDGER_OPEN);
    return 0;
}

/* Serving, the periods made ahead are committed as batch 11. */
static inline int set_up(void **state)
{
    set_up_opening(state);
    ledger_opens(0);
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_batch, 11);
    assert_int_equal(called_rows, 0);
    ledger_commits();
    await_ready();
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    writer_close(writer);
    condition_done(&changed);
    mutex_done(&mutex);
    return 0;
}

static inline void assert_ends(void)
{
    static bool ended;
    struct error err;
    uint64_t deadline_us = clock_deadline_ms(PATIENCE_MS);

    do {
        mutex_lock(&mutex);
        ended = exit_status == 70;
        mutex_unlock(&mutex);
        assert_true(clock_mono_us() < deadline_us);
    } while (!ended);
    assert_false(writer_is_ready(writer, &err));
    assert_unavailable(submit(reserve_op(1)));
    mutex_lock(&mutex);
    assert_false(is_called); /* nothing was written after */
    mutex_unlock(&mutex);
}

#endif /* WRITER_FIXTURE_H */
