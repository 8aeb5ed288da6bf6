/*
 * counters.h - what was counted, by meter, period and whom: one row for each, in a pool.
 *
 * Rows of scope METER are the meters themselves. A period is a row of METER with
 * [start, end); those of a meter never overlap. Nothing is ever reset: a new month is a new
 * row, made ahead. Rows of other scopes (a user, an endpoint, a tenant, scheduled work) are
 * of one of the meter's periods. They are a cache of the ledger's: one that is missing here
 * is asked for there, and one that was not used for a while may be dropped when its last
 * change is committed. METER rows stay until they are retired.
 *
 * Rows changed since counters_begin are listed, for the batch that carries the change.
 *
 * Invariant: 0 <= held, 0 <= posted, 0 <= overage <= posted. No allocation after
 * counters_init. Not locked.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "meters.h"
#include "periods.h"
#include "quota_limits.h"
#include "slot_index.h"
#include "texts.h"

#ifndef COUNTERS_TOUCHED_MAX      /* the simulator's are smaller */
#define COUNTERS_TOUCHED_MAX 1024 /* in one batch: the ledger takes no more */
#define COUNTERS_METER_ROWS  256  /* of scope METER: what a look at all meters returns */
#endif
#define COUNTERS_NONE UINT32_MAX

/* Names a counter. The subject is borrowed; "" for METER and SHARE. */
struct counter_key {
    enum limit_scope scope;
    uint32_t meter;
    int64_t period_start_us;
    const char *subject;
    size_t subject_size;
};

/* A counter as batches, the ledger and readers have it. */
struct quota_counter {
    uint32_t meter;
    enum limit_scope scope;
    struct period period;
    int64_t limit_milli;     /* hard; LIMIT_NONE: none */
    int64_t posted_milli;    /* overage included */
    int64_t held_milli;      /* of open reservations */
    int64_t overage_milli;   /* posted beyond what was reserved */
    uint8_t crossed_percent; /* METER: the highest threshold that was told */
    bool soft_passed;        /* METER: passing the soft limit was told */
    uint8_t subject_size;
    char subject[LIMIT_SUBJECT_MAX];
};

/* The same in the pool. */
struct counter {
    struct period period;
    int64_t limit_milli;
    int64_t posted_milli;
    int64_t held_milli;
    int64_t overage_milli;
    uint64_t batch; /* that carries its last change */
    uint32_t text;  /* its subject */
    uint32_t next;  /* METER: the older one of its meter; free: the next free slot */
    uint32_t hash;
    uint8_t meter;
    uint8_t scope; /* 0: free */
    uint8_t subject_size;
    uint8_t crossed_percent;
    bool soft_passed;
    bool is_touched;
    bool was_used; /* since the eviction's hand passed */
};

struct counters {
    struct counter *slots;
    uint32_t limit;
    uint32_t untouched; /* slots from here on were never used */
    uint32_t first_free;
    uint32_t used;
    uint32_t hand;               /* of the eviction */
    struct slot_index index;     /* of all scopes but METER */
    struct texts texts;          /* subjects */
    uint32_t newest[METERS_MAX]; /* METER row of each meter */
    uint32_t touched[COUNTERS_TOUCHED_MAX];
    uint32_t touched_count;
    uint64_t batch; /* the open one */
};

void counters_init(struct counters *counters, uint32_t limit);
void counters_done(struct counters *counters);
void counters_clear(struct counters *counters);

/* What can still be taken of `limit_milli`: never negative, also after a cut. */
int64_t counters_left_milli(int64_t limit_milli, int64_t posted_milli, int64_t held_milli);

/* NULL when it is not here. Pointers stay valid until the next counters_add. */
struct counter *counters_find(struct counters *counters, const struct counter_key *key);
/* The METER row whose period begins at start_us, or holds at_us, or ends last, or is the one
 * before; NULL: none. */
struct counter *counters_of_period(struct counters *counters, uint32_t meter,
                                   int64_t start_us);
struct counter *counters_at(struct counters *counters, uint32_t meter, int64_t at_us);
struct counter *counters_newest(struct counters *counters, uint32_t meter);
struct counter *counters_ended_at(struct counters *counters, uint32_t meter,
                                  int64_t end_us);

/* Insert a row that is not here; of METER: that overlaps none of its meter. NULL: the pool
 * is full of rows that may not be dropped. `committed` is the last batch in the ledger. */
struct counter *counters_add(struct counters *counters, const struct quota_counter *row,
                             uint64_t committed);
/* Forget METER rows that hold nothing and ended before `before_us`. */
void counters_retire(struct counters *counters, int64_t before_us);

/* Start a new list of changes, for the batch with this number; put a row on it; copy the
 * rows on it. */
void counters_begin(struct counters *counters, uint64_t batch);
void counters_touch(struct counters *counters, struct counter *row);
size_t counters_copy_touched(const struct counters *counters,
                             struct quota_counter out[COUNTERS_TOUCHED_MAX]);
/* All METER rows; returns how many. */
size_t counters_copy_meters(const struct counters *counters,
                            struct quota_counter out[COUNTERS_METER_ROWS]);
void counters_copy(const struct counters *counters, const struct counter *row,
                   struct quota_counter *out);

#endif /* COUNTERS_H */
