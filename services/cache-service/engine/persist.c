#include "engine/persist.h"

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/thread.h"

static const struct backoff_policy PAUSES = {.first_ms = 20, .max_ms = 1000};

bool persist_may_pass(enum status failure)
{
    return failure == ST_UNAVAILABLE || failure == ST_DEADLINE;
}

enum status persist(persist_store store, void *context, struct error *err)
{
    uint64_t until_us = clock_deadline_ms(PERSIST_LIMIT_MS);
    enum status st = store(context, err);

    for (unsigned tries = 1; persist_may_pass(st) && clock_left_ms(until_us) > 0; tries++) {
        if (tries == 1)
            log_event(LOG_WARN, "what was fetched cannot be stored yet",
                      LOG_STR("message", err->message));
        thread_pause_ms(backoff_delay_ms(&PAUSES, tries, rng_system_u64()));
        st = store(context, err);
    }
    return st;
}
