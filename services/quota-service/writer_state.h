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
    WRITER_STANDBY, /* asking whether another one lives */
    WRITER_OPENING, /* taking an epoch, loading the meters */
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

/* One of each kind is in flight at most: a main call, a look-up, a page, a beat, usage. */
#define WRITER_MAIL_MAX 16

/* What a standby saw of the one who writes. */
struct writer_watch {
    bool has_seen;
    uint64_t epoch;
    uint64_t beat;
    uint64_t moved_us; /* monotonic: when it was last seen to live */
};

struct writer {
    struct writer_options options;
    char *name; /* options.ledger.writer_name */
    pthread_t thread;
    struct usage usage;
    atomic_uint under_way; /* submitted, not answered */

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
    bool is_looking_up;
    struct ledger_lookup lookup; /* being built */
    bool is_calling;             /* a main call is in flight: epoch, batch, writer */
    uint64_t retry_at_us;        /* monotonic; UINT64_MAX: no retry is due */
    unsigned failures;           /* in a row */

    bool has_hours;      /* opening: usage by hours was read */
    size_t untold_count; /* alerts that nobody is known to have been told of */
    struct quota_alert untold[BATCH_PUBLISHED_MAX];
    uint64_t burn_at_us; /* monotonic: when burn rates are judged next */

    /* writer_standby.c */
    struct writer_watch watch;
    bool is_beating;
    uint64_t beat_at_us; /* monotonic: when the next sign of life is due */

    /* writer_load.c: open reservations, page by page while serving */
    bool is_loading;
    bool is_paging; /* a page is on its way */
    char page[LEDGER_PAGE_MAX];
    uint64_t closed_before; /* quota_core_closed_total when it was asked for */
    uint64_t page_at_us;    /* monotonic: when it may be asked for again */
    uint64_t opened_at_us;  /* monotonic, of the log line */
};

/* writer.c */
void writer_enter(struct writer *w, enum writer_phase phase, const struct error *why_not);
void writer_append(struct op_list *list, struct writer_op *op);
void writer_answer(struct writer *w, struct writer_op *op,
                   const struct quota_answer *answer, const struct error *err);
void writer_refuse_all(struct writer *w, struct op_list *list, const struct error *err);
/* Step what was taken, and let the open batch fly when nothing flies. */
void writer_advance(struct writer *w);

struct quota_time writer_time(void);
enum status writer_refusal(struct error *err, const char *why);

/* writer_ledger.c */
void writer_fly(struct writer *w);
void writer_ledger_open(struct writer *w);
void writer_end(struct writer *w, const char *event, const struct error *why);
void writer_disagree(struct writer *w, const char *what);
/* Were these rows read from a ledger that another one writes by now? Then we end. */
bool writer_ends_fenced(struct writer *w, const struct ledger_reply *reply);
void writer_retry_later(struct writer *w, const struct error *why, const char *event);
void writer_ledger_retry(struct writer *w);
void writer_ledger_check_stall(struct writer *w);
uint64_t writer_ledger_wake_us(const struct writer *w);
void writer_ledger_reply(struct writer *w, const struct ledger_reply *reply);

/* writer_lookup.c */
void writer_lookup_start(struct writer *w);
void writer_lookup_reply(struct writer *w, const struct ledger_reply *reply);

/* writer_load.c */
void writer_load_begin(struct writer *w);
void writer_load_go_on(struct writer *w);
void writer_load_reply(struct writer *w, const struct ledger_reply *reply);
uint64_t writer_load_wake_us(const struct writer *w);

/* writer_alerts.c */
void writer_alerts_opened(struct writer *w);
void writer_alerts_burn(struct writer *w);
void writer_alerts_committed(struct writer *w, const struct quota_batch *batch,
                             const struct ledger_reply *reply);

/* writer_standby.c */
void writer_standby_ask(struct writer *w);
void writer_standby_reply(struct writer *w, const struct ledger_reply *reply);
void writer_beat(struct writer *w);
void writer_beat_reply(struct writer *w, const struct ledger_reply *reply);

#endif /* WRITER_STATE_H */
