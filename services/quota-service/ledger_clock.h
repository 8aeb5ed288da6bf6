/*
 * ledger_clock.h - the one clock of the ledger: never falls, and does not trust a jump.
 *
 *     running --(wall and monotonic time disagree)--> frozen --(two readings agree)--> running
 *
 * Running, `now` is the wall clock, but never less than it was, and never before the
 * ledger's last commit. Frozen, `now` goes on by monotonic time from the last reading that
 * was sane, and what falls due by the calendar (a period's end, a reservation's deadline)
 * waits: ledger_clock_due_us stands still.
 *
 * A reading is sane when wall and monotonic time advanced alike since the reference, a sane
 * reading of the last REFERENCE_US or, without readings, the last one: within TOLERANCE_US,
 * forward or backward. Thus any slew passes, and neither a jump nor many small steps do. A
 * step back within the tolerance, such as a leap second, is no jump: `now` stands still until
 * the wall clock passes it. "Backwards" is more than that, seen from monotonic time.
 *
 * Frozen, two readings at least CONFIRM_US apart that agree within the tolerance, with none
 * between them that does not, are a new reference. When that lies before `now`, `now` stands
 * still until the wall clock passes it.
 *
 * The first reading is compared with the last commit: the wall clock may be ahead by any
 * time (an outage may be long), but when it is behind by more than the tolerance the clock
 * begins frozen at the last commit, and stays so until the wall clock has come that far.
 * Wall times outside 1970 to 9999 are never sane.
 *
 * Pure: the caller reads the clocks. Threads: one owner.
 */
#ifndef LEDGER_CLOCK_H
#define LEDGER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_CLOCK_TOLERANCE_US (5LL * 1000000)
#define LEDGER_CLOCK_CONFIRM_US   (1LL * 1000000)
#define LEDGER_CLOCK_REFERENCE_US (10LL * 1000000)

struct ledger_clock_reading {
    int64_t wall_us;
    uint64_t mono_us;
};

struct ledger_clock {
    int64_t now_us;
    int64_t due_us; /* now_us, or what it was when the clock froze */
    struct ledger_clock_reading reference;
    struct ledger_clock_reading candidate; /* while frozen: the next reference, perhaps */
    bool has_reference;
    bool has_candidate;
    bool is_frozen;
    uint64_t freezes;
};

/* last_committed_us: 0 when the ledger is empty. */
void ledger_clock_init(struct ledger_clock *clock, int64_t last_committed_us);

/* Take a reading of both clocks; returns `now`. mono_us never falls from call to call. */
int64_t ledger_clock_read(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us);

/* As of the last reading: */
bool ledger_clock_is_frozen(const struct ledger_clock *clock);
/* The time by which periods roll over and reservations lapse; never after `now`. */
int64_t ledger_clock_due_us(const struct ledger_clock *clock);
/* How often it froze since init. */
uint64_t ledger_clock_freezes(const struct ledger_clock *clock);

#endif /* LEDGER_CLOCK_H */
