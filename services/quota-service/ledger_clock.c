#include "ledger_clock.h"

#include <assert.h>

void ledger_clock_init(struct ledger_clock *clock, int64_t last_committed_us)
{
    *clock = (struct ledger_clock){.now_us = last_committed_us};
}

static void set_now(struct ledger_clock *clock, int64_t at_us)
{
    if (at_us > clock->now_us)
        clock->now_us = at_us;
}

/* Did the wall clock advance as the monotonic one did? Going back is never right. */
static bool agrees(int64_t from_wall_us, uint64_t from_mono_us, int64_t wall_us,
                   uint64_t mono_us)
{
    int64_t elapsed_us = (int64_t)(mono_us - from_mono_us);
    int64_t apart_us = wall_us - from_wall_us - elapsed_us;

    return wall_us >= from_wall_us && apart_us <= LEDGER_CLOCK_JUMP_US &&
           apart_us >= -LEDGER_CLOCK_JUMP_US;
}

static void believe(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    clock->wall_us = wall_us;
    clock->mono_us = mono_us;
    clock->is_frozen = false;
    set_now(clock, wall_us);
}

static void put_on_trial(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    clock->trial_wall_us = wall_us;
    clock->trial_mono_us = mono_us;
}

static void freeze(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    clock->is_frozen = true;
    clock->freezes++;
    put_on_trial(clock, wall_us, mono_us);
}

static void read_first(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    clock->has_read = true;
    if (wall_us >= clock->now_us - LEDGER_CLOCK_JUMP_US) {
        believe(clock, wall_us, mono_us);
        return;
    }
    clock->wall_us = clock->now_us;
    clock->mono_us = mono_us;
    freeze(clock, wall_us, mono_us);
}

static void read_frozen(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    if (!agrees(clock->trial_wall_us, clock->trial_mono_us, wall_us, mono_us))
        put_on_trial(clock, wall_us, mono_us);
    else if (mono_us - clock->trial_mono_us >= LEDGER_CLOCK_APART_US)
        believe(clock, wall_us, mono_us);
}

int64_t ledger_clock_read(struct ledger_clock *clock, int64_t wall_us, uint64_t mono_us)
{
    if (!clock->has_read) {
        read_first(clock, wall_us, mono_us);
        return clock->now_us;
    }
    if (mono_us < clock->mono_us) /* a bug of the caller's; time must not underflow */
        mono_us = clock->mono_us;
    if (clock->is_frozen)
        read_frozen(clock, wall_us, mono_us);
    else if (agrees(clock->wall_us, clock->mono_us, wall_us, mono_us))
        believe(clock, wall_us, mono_us);
    else
        freeze(clock, wall_us, mono_us);
    if (clock->is_frozen)
        set_now(clock, clock->wall_us + (int64_t)(mono_us - clock->mono_us));
    return clock->now_us;
}

bool ledger_clock_is_frozen(const struct ledger_clock *clock)
{
    return clock->is_frozen;
}
