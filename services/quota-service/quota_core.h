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
 * Rules (architecture.md, "The quota ledger"): a reservation takes all of its amount from
 * every limit that applies or nothing, in the period that holds `now`; near a boundary it
 * must fit the period on the other side as well, since the provider's clock is not ours. A
 * settle posts the actual amount to the reservation's own period, records what exceeds the
 * hold as overage and gives the rest back. What nobody settles by its deadline lapses: it is
 * presumed spent, in order of deadlines, never early, and corrected once by a late settle or
 * void, or by an admin, who may also correct what was settled as unknown. A cooldown is given
 * back by a void alone. The same op id with the same body gets the same answer, refusals too.
 *
 * Memory is a cache of the ledger: what is missing (an old op id, a reservation, a user's
 * counter, a cooldown) makes QUOTA_LOOK_UP; the caller asks the ledger for what
 * quota_core_needs names, has it recalled, and presents the operation again.
 *
 * Time: ledger_clock.h. While the clock is frozen no period begins and nothing lapses.
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
#define QUOTA_CORE_OP_ID_AHEAD_US (60LL * 1000000)
#define QUOTA_CORE_AMOUNT_MAX     100000000000LL /* milli-credits in one operation */
#define QUOTA_CORE_PERIODS_AHEAD  2
#define QUOTA_CORE_BOUNDARY_US    (120LL * 1000000)

struct quota_core;

struct quota_core_options {
    uint32_t held_limit;     /* reservations open at once */
    uint32_t closed_limit;   /* closed ones remembered; more than two batches hold */
    uint32_t done_limit;     /* answers remembered; more than two batches hold */
    uint32_t refused_limit;  /* refusals remembered */
    uint32_t counter_limit;  /* counters remembered */
    uint32_t cooldown_limit; /* cooldowns remembered */
    uint32_t meter_count;
    /* What the settings say: in force for meters without a rule of their own. */
    unsigned anchor_day;
    int64_t limits_milli[METERS_MAX];
};

struct quota_op {
    enum quota_kind kind; /* LAPSE is the core's own */
    struct op_id op_id;   /* all but SET_LIMIT */
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    uint8_t lookups; /* how often the ledger was asked for it: what is absent then, is */

    uint32_t meter;         /* RESERVE, ADJUST: < meter_count */
    int64_t hold_us;        /* RESERVE: > 0 */
    int64_t amount_milli;   /* RESERVE: to hold; SETTLE, CORRECT: actual; 0 to
                               QUOTA_CORE_AMOUNT_MAX; ADJUST: signed */
    struct purpose purpose; /* RESERVE */

    struct op_id reservation_id; /* SETTLE, VOID, CORRECT */
    struct quota_call call;      /* SETTLE, VOID */

    const char *actor; /* CORRECT, ADJUST, SET_LIMIT; at most LIMIT_NAME_MAX; borrowed */
    const char *note;  /* at most LIMIT_REASON_MAX */

    const struct limit_rule *rule; /* SET_LIMIT: without version, time, actor and note;
                                      is_removed: take it away; borrowed until answered */
};

struct quota_time {
    int64_t wall_us;  /* unix */
    uint64_t mono_us; /* of the same moment, on a clock that nobody sets */
};

/* What an operation misses. */
#define QUOTA_NEEDS_COUNTERS 10

struct quota_needed_counter {
    enum limit_scope scope;
    uint32_t meter;
    struct period period;
    uint8_t subject_size;
    char subject[LIMIT_SUBJECT_MAX + 1];
};

struct quota_needs {
    size_t id_count; /* op ids, and reservations' */
    struct op_id ids[2];
    size_t counter_count;
    struct quota_needed_counter counters[QUOTA_NEEDS_COUNTERS];
    bool has_cooldown;
    uint32_t meter;
    char cooldown_key[COOLDOWN_KEY_MAX + 1];
};

/* What the ledger said, all of one snapshot. */
struct quota_recall {
    uint64_t last_batch;          /* committed when it was read */
    const struct quota_row *rows; /* events of the ids, with all of their reservations */
    size_t row_count;
    const struct quota_counter *counters;
    size_t counter_count;
    const struct cooldown *cooldowns; /* meter, key, until_us, reservation_id */
    size_t cooldown_count;
    /* Batches that may not be in it: sealed and open; NULL: none. */
    const struct quota_batch *flying;
    const struct quota_batch *open;
};

struct quota_core *quota_core_new(const struct quota_core_options *options);
void quota_core_free(struct quota_core *core); /* accepts NULL */

/* ---- opening ---- */

/* Forget everything; the ledger's last batch had this number and time, and it has no op id
 * of a later time than newest_op_us. */
void quota_core_reset(struct quota_core *core, uint64_t last_batch, int64_t last_at_us,
                      int64_t newest_op_us);
/* One row of the ledger. False: it contradicts what was loaded, or there is no room. Limits
 * before start; counters (METER) before start. */
bool quota_core_load_limit(struct quota_core *core, const struct limit_rule *rule) MUST_USE;
bool quota_core_load_counter(struct quota_core *core,
                             const struct quota_counter *counter) MUST_USE;
/* Put the limits in force, make periods ahead and begin the first batch. Operations may be
 * stepped from here on. False: what was loaded contradicts itself. */
bool quota_core_start(struct quota_core *core, struct quota_time time,
                      struct quota_batch *batch) MUST_USE;
/* One open reservation, before or after start; one that is known already is passed over. */
bool quota_core_load_reservation(struct quota_core *core,
                                 const struct quota_row *row) MUST_USE;
/* All open reservations were loaded: from now on they are known here or closed, and lapse.
 * False: they do not add up to what the counters hold. */
bool quota_core_loaded(struct quota_core *core) MUST_USE;
/* Grows with every reservation that is closed. When it grew by more than
 * quota_core_closed_safe between asking for a page of open reservations and loading it, one
 * of them may have been closed and forgotten: ask again. */
uint64_t quota_core_closed_total(const struct quota_core *core);
uint64_t quota_core_closed_safe(const struct quota_core *core);

/* ---- running; `batch` is the one begun last ---- */

/* Begin the next batch, once the former one is sealed. */
void quota_core_begin(struct quota_core *core, struct quota_batch *batch);
/* Judge one operation. QUOTA_LOOK_UP and QUOTA_NEXT_BATCH changed nothing. */
void quota_core_step(struct quota_core *core, const struct quota_op *op,
                     struct quota_time time, struct quota_batch *batch,
                     struct quota_answer *answer);
/* What to ask the ledger for after QUOTA_LOOK_UP. */
void quota_core_needs(struct quota_core *core, const struct quota_op *op,
                      struct quota_needs *out);
/* Lapse up to `limit` due reservations and make periods ahead; returns how many lapsed. */
size_t quota_core_tick(struct quota_core *core, struct quota_time time, size_t limit,
                       struct quota_batch *batch);
/* What due reservations miss to lapse; returns how many were filled in. */
size_t quota_core_due_needs(struct quota_core *core, struct quota_needs *out, size_t max);
/* What the ledger said to quota_core_needs. Counters and cooldowns are passed over when a
 * batch was committed since they were read. */
void quota_core_recall(struct quota_core *core, const struct quota_recall *recall);
/* Put an alert into the batch that is not the core's own (BURN_RATE). False: no room. */
bool quota_core_alert(struct quota_core *core, struct quota_batch *batch, uint32_t meter,
                      enum quota_alert_kind kind, int64_t amount_milli) MUST_USE;

/* Nothing to commit? */
bool quota_core_is_empty(const struct quota_core *core, const struct quota_batch *batch);
/* Complete the batch: its time and what it touched. Nothing is added after. */
void quota_core_seal(struct quota_core *core, struct quota_batch *batch);
/* The batch with this number, and all before it, are in the ledger. */
void quota_core_committed(struct quota_core *core, uint64_t number);

/* ---- reading ---- */

/* When quota_core_tick has something to do, on the ledger's clock; INT64_MAX: never. */
int64_t quota_core_next_due_us(const struct quota_core *core);
int64_t quota_core_now_us(const struct quota_core *core);
bool quota_core_is_frozen(const struct quota_core *core);
uint32_t quota_core_held_count(const struct quota_core *core);
uint32_t quota_core_counter_count(const struct quota_core *core);
const struct limits *quota_core_limits(const struct quota_core *core);
/* The meters' counters. */
size_t quota_core_counters(const struct quota_core *core,
                           struct quota_counter out[COUNTERS_METER_ROWS]);

#endif /* QUOTA_CORE_H */
