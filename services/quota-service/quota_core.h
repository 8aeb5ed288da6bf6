/*
 * quota_core.h - decides who may spend what. The whole of it: no clock, no I/O, no lock.
 *
 *     reset, load what the ledger holds, start
 *       -> tick | step | recall ... -> seal -> (the batch is committed) -> committed
 *            └── begin: the next batch is filled while the sealed one is on its way ──┘
 *
 * An operation takes effect in memory the moment it is stepped, and so the next one is
 * judged by it, but its answer may be told only when its batch is committed. Refusals
 * change nothing and may be told at once.
 *
 * Rules (architecture.md, "The quota ledger"): a reservation takes all of its amount or
 * nothing, from the period that holds `now`; a settle posts the actual amount to the
 * reservation's own period, records what exceeds the hold as overage and gives the rest
 * back; what nobody settles by its deadline lapses: it is presumed spent, in order of
 * deadlines, never early, and corrected once by a late settle or void. The same op id with
 * the same body gets the same answer, refusals too.
 *
 * Time is what the caller says, made monotonic: the largest `now_us` heard so far, and never
 * before the ledger's last commit.
 *
 * Nothing is allocated after quota_core_new. Threads: one owner.
 */
#ifndef QUOTA_CORE_H
#define QUOTA_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "batch.h"

#define QUOTA_CORE_OP_ID_AGE_US   (62LL * 86400 * 1000000)
#define QUOTA_CORE_OP_ID_AHEAD_US (300LL * 1000000)
#define QUOTA_CORE_AMOUNT_MAX     100000000000LL /* milli-credits in one operation */
#define QUOTA_CORE_PERIODS_AHEAD  2

struct quota_core;

struct quota_core_options {
    uint32_t held_limit;    /* reservations open at once */
    uint32_t closed_limit;  /* closed ones remembered; more than two batches hold */
    uint32_t done_limit;    /* answers remembered; more than two batches hold */
    uint32_t refused_limit; /* refusals remembered */
    unsigned anchor_day;
    uint32_t meter_count;
    int64_t limits_milli[METERS_MAX];
    uint64_t limit_version; /* of these limits; every event carries it */
};

struct quota_op {
    enum quota_kind kind; /* RESERVE, SETTLE or VOID */
    struct op_id op_id;
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    bool looked_up; /* the ledger was asked and recalled: what is absent does not exist */

    uint32_t meter;       /* RESERVE: < meter_count */
    int64_t hold_us;      /* RESERVE: > 0 */
    int64_t amount_milli; /* RESERVE: to hold; SETTLE: actual; 0 to QUOTA_CORE_AMOUNT_MAX */
    struct purpose purpose; /* RESERVE */

    struct op_id reservation_id; /* SETTLE, VOID */
    struct quota_call call;      /* SETTLE, VOID */
};

struct quota_core *quota_core_new(const struct quota_core_options *options);
void quota_core_free(struct quota_core *core); /* accepts NULL */

/* ---- opening ---- */

/* Forget everything; the ledger's last batch had this number and time, and it has no op id
 * of a later time than newest_op_us. */
void quota_core_reset(struct quota_core *core, uint64_t last_batch, int64_t last_at_us,
                      int64_t newest_op_us);
/* One row of the ledger. False: it contradicts what was loaded, or there is no room. */
bool quota_core_load_counter(struct quota_core *core,
                             const struct quota_counter *counter) MUST_USE;
bool quota_core_load_reservation(struct quota_core *core,
                                 const struct quota_row *row) MUST_USE;
/* All is loaded: put the limits in force, make periods ahead and begin the first batch.
 * False: what was loaded contradicts itself. */
bool quota_core_start(struct quota_core *core, int64_t now_us,
                      struct quota_batch *batch) MUST_USE;

/* ---- running; `batch` is the one begun last ---- */

/* Begin the next batch, once the former one is sealed. */
void quota_core_begin(struct quota_core *core, struct quota_batch *batch);
/* Judge one operation. QUOTA_LOOK_UP and QUOTA_NEXT_BATCH changed nothing. */
void quota_core_step(struct quota_core *core, const struct quota_op *op, int64_t now_us,
                     struct quota_batch *batch, struct quota_answer *answer);
/* Lapse up to `limit` due reservations and make periods ahead; returns how many lapsed. */
size_t quota_core_tick(struct quota_core *core, int64_t now_us, size_t limit,
                       struct quota_batch *batch);
/* Nothing to commit? */
bool quota_core_is_empty(const struct quota_core *core, const struct quota_batch *batch);
/* Complete the batch: its time and the counters it touched. Nothing is added after. */
void quota_core_seal(struct quota_core *core, struct quota_batch *batch);
/* The batch with this number, and all before it, are in the ledger. */
void quota_core_committed(struct quota_core *core, uint64_t number);

/* What the ledger said to QUOTA_LOOK_UP: all events of the reservations concerned. */
void quota_core_recall(struct quota_core *core, const struct quota_row *rows, size_t count);

/* ---- reading ---- */

/* When quota_core_tick has something to do; INT64_MAX: never. */
int64_t quota_core_next_due_us(const struct quota_core *core);
uint32_t quota_core_held_count(const struct quota_core *core);
size_t quota_core_counters(const struct quota_core *core,
                           struct quota_counter out[COUNTERS_MAX]);

#endif /* QUOTA_CORE_H */
