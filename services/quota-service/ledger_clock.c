#include "ledger_clock.h"

#include <assert.h>

#define WALL_MAX_US 253402300800000000LL /* the year 10000 */

void ledger_clock_init(struct ledger_clock *clock, int64_t last_committed_us)
{
    assert(last_committed_us >= 0 && last_committed_us < WALL_MAX_US);
    *clock =
        (struct ledger_clock){.now_us = last_committed_us, .due_us = last_committed_us};
}

static void raise_now(struct ledger_clock *clock, int64_t to_us)
{
    if (clock->now_us < to_us)
        clock->now_us = to_us;
}

static bool is_a_date(int64_t wall_us)
{
    return wall_us >= 0 && wall_us < WALL_MAX_US;
}

/* Monotonic time from one reading to a later one. */
static int64_t elapsed_us(struct ledger_clock_reading from, struct ledger_clock_reading to)
{
    uint64_t elapsed = to.mono_us - from.mono_us;

    assert(to.mono_us >= from.mono_us && elapsed < (uint64_t)WALL_MAX_US);
    return (int64_t)elapsed;
}

static bool agree(struct ledger_clock_reading from, struct ledger_clock_reading to)
{
    int64_t apart_us = to.wall_us - from.wall_us - elapsed_us(from, to);

    return -LEDGER_CLOCK_TOLERANCE_US <= apart_us && apart_us <= LEDGER_CLOCK_TOLERANCE_US;
}

/* Could this reading be true, whatever was read before? */
static bool is_possible(const struct ledger_clock *clock,
                        struct ledger_clock_reading reading)
{
    if (!is_a_date(reading.wall_us))
        return false;
    return clock->has_reference ||
           reading.wall_us >= clock->now_us - LEDGER_CLOCK_TOLERANCE_US;
}

static bool is_sane(const struct ledger_clock *clock, struct ledger_clock_reading reading)
{
    if (!is_possible(clock, reading))
        return false;
    return !clock->has_reference || agree(clock->reference, reading);
}

static void refer_to(struct ledger_clock *clock, struct ledger_clock_reading reading)
{
    clock->reference = reading;
    clock->has_reference = true;
}

/* The only writers of is_frozen. */
static void freeze(struct ledger_clock *clock)
{
    clock->is_frozen = true;
    clock->has_candidate = false;
    clock->freezes++;
}

static void thaw(struct ledger_clock *clock, struct ledger_clock_reading reading)
{
    clock->is_frozen = false;
    refer_to(clock, reading);
}

/* Does the reading, with an earlier one, end the freeze? */
static bool confirms(struct ledger_clock *clock, struct ledger_clock_reading reading)
{
    if (!is_possible(clock, reading)) {
        clock->has_candidate = false;
        return false;
    }
    if (!clock->has_candidate || !agree(clock->candidate, reading)) {
        clock->candidate = reading;
        clock->has_candidate = true;
        return false;
    }
    return elapsed_us(clock->candidate, reading) >= LEDGER_CLOCK_CONFIRM_US;
}

static void run(struct ledger_clock *clock, struct ledger_clock_reading reading)
{
    raise_now(clock, reading.wall_us);
    clock->due_us = clock->now_us;
    if (!clock->has_reference ||
        elapsed_us(clock->reference, reading) >= LEDGER_CLOCK_REFERENCE_US)
        refer_to(clock, reading);
}

int64_t ledger_clock_read(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    struct ledger_clock_reading reading = {wall_us, mono_us};

    if (!clock->is_frozen && !is_sane(clock, reading))
        freeze(clock);
    if (clock->is_frozen && confirms(clock, reading))
        thaw(clock, reading);

    if (!clock->is_frozen)
        run(clock, reading);
    else if (clock->has_reference)
        raise_now(clock, clock->reference.wall_us + elapsed_us(clock->reference, reading));
    return clock->now_us;
}

bool ledger_clock_is_frozen(const struct ledger_clock *clock)
{
    return clock->is_frozen;
}

int64_t ledger_clock_due_us(const struct ledger_clock *clock)
{
    return clock->due_us;
}

uint64_t ledger_clock_freezes(const struct ledger_clock *clock)
{
    return clock->freezes;
}
