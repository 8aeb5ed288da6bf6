/*
 * writer_fixture.h - a writer whose ledger the test plays: it sees each call and answers
 * when and how the test says. The ledger_client_* functions here take the place of the real
 * ones, so one file of a program includes this.
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
static bool looked_up;
static int exit_status;

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
    mem_free(reply);
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
    (void)ledger;
    (void)page;
    note(LEDGER_LIST_OPEN, 0);
}

void ledger_client_commit(struct ledger_client *ledger, uint64_t epoch,
                          const struct quota_batch *batch)
{
    (void)ledger;
    assert_int_equal(epoch, 3);
    called_rows = batch->row_count;
    for (size_t i = 0; i < batch->row_count; i++)
        called_kinds[i] = batch->rows[i].kind;
    note(LEDGER_COMMIT, batch->number);
}

void ledger_client_get_batch(struct ledger_client *ledger, uint64_t epoch, uint64_t batch)
{
    (void)ledger;
    assert_int_equal(epoch, 3);
    note(LEDGER_GET_BATCH, batch);
}

void ledger_client_get_operations(struct ledger_client *ledger, const struct op_id *ids,
                                  size_t count)
{
    (void)ledger;
    (void)ids;
    assert_true(count > 0);
    mutex_lock(&mutex);
    looked_up = true;
    condition_broadcast(&changed);
    mutex_unlock(&mutex);
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
static struct caller callers[OPS_MAX + 2]; /* two more than may be under way */
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
    await_call(LEDGER_LIST_OPEN);
    send_reply(reply_to(LEDGER_LIST_OPEN));
}

static inline int set_up_opening(void **state)
{
    const struct writer_options options = {
        .core = {.held_limit = 1000,
                 .closed_limit = 4096,
                 .done_limit = 4096,
                 .refused_limit = 64,
                 .anchor_day = 1,
                 .meter_count = 3,
                 .limits_milli = {1400000, LIMIT, 2000000}},
        .queue_limit = OPS_MAX,
        .end = note_exit,
    };
    struct error err;

    (void)state;
    mutex_init(&mutex);
    condition_init(&changed);
    is_called = false;
    looked_up = false;
    exit_status = 0;
    caller_count = 0;
    assert_int_equal(writer_open(&writer, &options, &err), ST_OK);
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

#endif /* WRITER_FIXTURE_H */
