/*
 * counters.h - one row for each meter and period, in a fixed pool.
 *
 * A period is a row with [start, end); rows of a meter never overlap. Nothing is ever reset:
 * a new month is a new row, made ahead. Rows changed since counters_begin are listed, for
 * the batch that carries the change.
 *
 * Invariant: 0 <= held, 0 <= posted, 0 <= overage <= posted. Not locked.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "meters.h"
#include "periods.h"

#define COUNTERS_MAX  256
#define COUNTERS_NONE UINT32_MAX

struct quota_counter {
    uint32_t meter;
    struct period period;
    int64_t limit_milli;
    int64_t posted_milli;  /* overage included */
    int64_t held_milli;    /* of open reservations */
    int64_t overage_milli; /* posted beyond what was reserved */
};

/* What can still be taken: never negative, also after a cut of the limit. */
int64_t counters_left_milli(const struct quota_counter *counter);

struct counters_slot {
    struct quota_counter counter;
    uint32_t older; /* of the same meter, or the next free slot */
    bool is_touched;
};

struct counters {
    struct counters_slot slots[COUNTERS_MAX];
    uint32_t newest[METERS_MAX]; /* of each meter */
    uint32_t first_free;
    uint32_t touched[COUNTERS_MAX];
    uint32_t touched_count;
};

void counters_init(struct counters *counters);

/* The meter's row whose period begins at start_us, or holds at_us, or ends last; NULL when
 * there is none. Valid until the row is retired. */
struct quota_counter *counters_find(struct counters *counters, uint32_t meter,
                                    int64_t start_us);
struct quota_counter *counters_at(struct counters *counters, uint32_t meter, int64_t at_us);
struct quota_counter *counters_newest(struct counters *counters, uint32_t meter);

/* Insert a row that overlaps none of its meter. False when the pool is full. */
bool counters_add(struct counters *counters, const struct quota_counter *row) MUST_USE;
/* Forget rows that hold nothing and ended before `before_us`. */
void counters_retire(struct counters *counters, int64_t before_us);

/* Start a new list of changes, put a row on it, and copy the rows on it. */
void counters_begin(struct counters *counters);
void counters_touch(struct counters *counters, struct quota_counter *row);
size_t counters_copy_touched(const struct counters *counters,
                             struct quota_counter out[COUNTERS_MAX]);
/* Every row; returns how many. */
size_t counters_copy_all(const struct counters *counters,
                         struct quota_counter out[COUNTERS_MAX]);

#endif /* COUNTERS_H */
