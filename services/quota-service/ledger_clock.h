/*
 * ledger_clock.h - the one clock of the ledger, made of two that can be wrong.
 *
 * Now is the wall clock's time, never before the last commit and never going back. Wall and
 * monotonic clock must advance alike. When they come apart by over 5 seconds, or the wall
 * goes back, the clock freezes: now goes on by the monotonic clock alone, and whoever asks
 * is_frozen begins no period and lets nothing lapse. Two readings in a row, a second apart,
 * that agree with each other end that: the wall is believed again, wherever it stands now.
 * So a reading of nonsense between two good ones changes nothing, and a real jump (a
 * suspended machine) costs a second.
 *
 * Pure. Not locked.
 */
#ifndef LEDGER_CLOCK_H
#define LEDGER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_CLOCK_JUMP_US  5000000LL
#define LEDGER_CLOCK_APART_US 1000000ULL /* between the two sane readings */

struct ledger_clock {
    int64_t now_us;
    int64_t wall_us; /* at the last sane reading */
    uint64_t mono_us;
    int64_t trial_wall_us; /* while frozen: the reading that the next one must agree with */
    uint64_t trial_mono_us;
    uint64_t freezes; /* so far */
    bool has_read;
    bool is_frozen;
};

/* last_committed_us: of the ledger; 0: nothing was committed yet. */
void ledger_clock_init(struct ledger_clock *clock, int64_t last_committed_us);

/* One reading of both clocks, of the same moment; mono_us never goes back. Returns now. The
 * first is believed, unless it lies over 5 s before the last commit. */
int64_t ledger_clock_read(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us);

bool ledger_clock_is_frozen(const struct ledger_clock *clock);

#endif /* LEDGER_CLOCK_H */
