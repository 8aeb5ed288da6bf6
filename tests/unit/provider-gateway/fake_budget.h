/*
 * fake_budget.h - a quota-service that keeps what it is told and answers as it is told.
 */
#ifndef TESTS_FAKE_BUDGET_H
#define TESTS_FAKE_BUDGET_H

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "budget.h"
#include "core/clock.h"
#include "core/thread.h"

#define FAKE_BUDGET_KEPT 256

struct fake_budget {
    struct budget budget;
    pthread_mutex_t lock;      /* guards what follows */
    struct error reserve_says; /* ST_OK: held */
    bool reserve_in_doubt;
    struct error settle_says;
    unsigned settle_failures; /* how many more settlements get settle_says; then ST_OK */
    size_t reserve_count;
    size_t settle_count;                                  /* attempts */
    struct budget_reservation reserved[FAKE_BUDGET_KEPT]; /* its text is not kept */
    struct budget_settlement settled[FAKE_BUDGET_KEPT];
    char endpoint[64];
};

static inline enum status fake_budget_reserve(void *context,
                                              const struct budget_reservation *reservation,
                                              uint64_t timeout_ms, struct budget_hold *hold,
                                              struct error *err)
{
    struct fake_budget *fake = context;
    enum status st;

    (void)timeout_ms;
    mutex_lock(&fake->lock);
    fake->reserved[fake->reserve_count++ % FAKE_BUDGET_KEPT] = *reservation;
    (void)snprintf(fake->endpoint, sizeof(fake->endpoint), "%s", reservation->endpoint);
    st = fake->reserve_says.status;
    hold->in_doubt = fake->reserve_in_doubt;
    hold->expires_at_us = clock_wall_us() + (int64_t)(reservation->hold_ms * 1000);
    if (st != ST_OK)
        *err = fake->reserve_says;
    mutex_unlock(&fake->lock);
    return st;
}

static inline enum status fake_budget_settle(void *context,
                                             const struct budget_settlement *settlement,
                                             uint64_t timeout_ms, struct error *err)
{
    struct fake_budget *fake = context;
    enum status st = ST_OK;

    (void)timeout_ms;
    mutex_lock(&fake->lock);
    fake->settled[fake->settle_count++ % FAKE_BUDGET_KEPT] = *settlement;
    if (fake->settle_failures > 0) {
        fake->settle_failures--;
        st = fake->settle_says.status;
        *err = fake->settle_says;
    }
    mutex_unlock(&fake->lock);
    return st;
}

static inline void fake_budget_init(struct fake_budget *fake)
{
    *fake = (struct fake_budget){.reserve_in_doubt = false};
    fake->budget = (struct budget){fake, fake_budget_reserve, fake_budget_settle};
    mutex_init(&fake->lock);
}

static inline void fake_budget_done(struct fake_budget *fake)
{
    mutex_done(&fake->lock);
}

/* The next `failures` settlements fail with `status`. */
static inline void fake_budget_fail_settle(struct fake_budget *fake, enum status status,
                                           unsigned failures)
{
    mutex_lock(&fake->lock);
    (void)error_set(&fake->settle_says, status, "quota-service is away");
    fake->settle_failures = failures;
    mutex_unlock(&fake->lock);
}

/* Wait until so many settlements were attempted; false after ten seconds. */
static inline bool fake_budget_wait_settled(struct fake_budget *fake, size_t count)
{
    uint64_t deadline_us = clock_deadline_ms(10000);
    size_t seen = 0;

    while (seen < count && clock_left_ms(deadline_us) > 0) {
        mutex_lock(&fake->lock);
        seen = fake->settle_count;
        mutex_unlock(&fake->lock);
        (void)sched_yield();
    }
    return seen >= count;
}

#endif /* TESTS_FAKE_BUDGET_H */
