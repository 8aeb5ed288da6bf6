/*
 * writer_state.h - the writer's state; for writer*.c alone.
 *
 * `mutex` guards the block marked so; everything else belongs to the writer's thread.
 */
#ifndef WRITER_STATE_H
#define WRITER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ledger_client_rpc.h"
#include "writer.h"

enum writer_phase {
    WRITER_OPENING, /* taking an epoch, loading */
    WRITER_SERVING,
    WRITER_DOUBTING, /* the outcome of a batch is not known */
    WRITER_ENDED,    /* never writes again */
};

struct op_list {
    struct writer_op *first;
    struct writer_op *last;
};

/* A batch and those who wait for it. */
struct writer_batch {
    struct quota_batch batch;
    struct op_list waiting;
};

#define WRITER_MAIL_MAX 4 /* a main call and a look-up in flight, doubled */

struct writer {
    struct writer_options options;
    pthread_t thread;
    struct usage usage;
    atomic_uint_least32_t under_way; /* submitted, not answered; raised under the mutex */

    /* guarded by mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum writer_phase shared_phase;
    struct error why_not; /* while not serving */
    struct op_list arrived;
    struct ledger_reply *mail[WRITER_MAIL_MAX];
    unsigned mail_count;
    bool stopping;

    /* the thread's own */
    struct ledger_client *ledger;
    struct quota_core *core;
    enum writer_phase phase;
    uint64_t epoch;
    struct writer_batch batches[2];
    struct writer_batch *open;   /* being filled */
    struct writer_batch *flying; /* sealed, not known to be committed; or NULL */
    uint64_t flying_since_us;    /* monotonic */
    struct op_list taken;        /* arrived, not stepped yet */
    struct op_list to_look_up;
    struct op_list looking_up;
    bool is_calling;      /* a call other than a look-up is in flight */
    uint64_t retry_at_us; /* monotonic; UINT64_MAX: no retry is due */
    unsigned failures;    /* in a row */
};

/* writer.c */
void writer_enter(struct writer *w, enum writer_phase phase, const struct error *why_not);
void writer_append(struct op_list *list, struct writer_op *op);
void writer_answer(struct writer *w, struct writer_op *op,
                   const struct quota_answer *answer, const struct error *err);
void writer_refuse_all(struct writer *w, struct op_list *list, const struct error *err);
/* Step what was taken, and let the open batch fly when nothing flies. */
void writer_advance(struct writer *w);

/* writer_ledger.c */
void writer_fly(struct writer *w);
void writer_ledger_start(struct writer *w);
void writer_ledger_retry(struct writer *w);
void writer_ledger_check_stall(struct writer *w);
uint64_t writer_ledger_wake_us(const struct writer *w);
void writer_ledger_reply(struct writer *w, const struct ledger_reply *reply);

/* writer_lookup.c */
void writer_lookup_start(struct writer *w);
void writer_lookup_reply(struct writer *w, const struct ledger_reply *reply);

#endif /* WRITER_STATE_H */
