/*
 * core_subjects.h - reservations of users, endpoints, tenants and cooldown keys, for a core
 * whose ledger has nothing of them but what a test stores.
 */
#ifndef CORE_SUBJECTS_H
#define CORE_SUBJECTS_H

#include <stdio.h>

#include "core_fixture.h"

#define HOUR_US (3600 * SECOND_US)

struct who {
    const char *user;
    const char *endpoint;
    const char *tenant;
    const char *cooldown_key;
    unsigned flags;
};

static inline struct quota_op op_of(struct who who, int64_t amount_milli)
{
    const char *texts[] = {"",
                           "",
                           "",
                           "",
                           who.user != NULL ? who.user : "",
                           who.tenant != NULL ? who.tenant : "",
                           who.endpoint != NULL ? who.endpoint : "",
                           who.cooldown_key != NULL ? who.cooldown_key : ""};
    struct quota_op op = reserve_op(amount_milli);
    struct error err;

    assert_int_equal(purpose_pack(&op.purpose, 1, who.flags, texts, &err), ST_OK);
    return op;
}

/* A ledger that has nothing of what is asked for, but in `stored` and `stored_cell`. */
static struct quota_counter stored;
static struct cooldown stored_cell;
static unsigned look_ups;

static inline void look_up(const struct quota_needs *needs)
{
    struct quota_counter found[QUOTA_NEEDS_COUNTERS];
    struct cooldown cell = stored_cell;
    struct quota_recall recall = {.last_batch = batch.number - 1,
                                  .counters = found,
                                  .counter_count = needs->counter_count,
                                  .cooldowns = &cell,
                                  .cooldown_count = needs->has_cooldown,
                                  .open = &batch};

    look_ups++;
    for (size_t i = 0; i < needs->counter_count; i++) {
        const struct quota_needed_counter *needed = &needs->counters[i];

        found[i] = stored;
        found[i].meter = needed->meter;
        found[i].scope = needed->scope;
        found[i].period = needed->period;
        found[i].subject_size = needed->subject_size;
        memcpy(found[i].subject, needed->subject, needed->subject_size);
    }
    if (needs->has_cooldown) {
        cell.meter = (uint8_t)needs->meter;
        cell.key_size = (uint8_t)strlen(needs->cooldown_key);
        memcpy(cell.key, needs->cooldown_key, cell.key_size);
    }
    quota_core_recall(core, &recall);
}

static inline struct quota_answer present(struct quota_op op)
{
    struct quota_answer answer = step(&op);

    while (answer.verdict == QUOTA_LOOK_UP) {
        struct quota_needs needs;

        quota_core_needs(core, &op, &needs);
        look_up(&needs);
        assert_true(op.lookups++ < 6);
        answer = step(&op);
    }
    return answer;
}

static inline struct quota_answer reserve(struct who who, int64_t amount_milli)
{
    return present(op_of(who, amount_milli));
}

static inline void set(enum limit_scope scope, enum limit_mode mode, int64_t amount_milli)
{
    (void)set_rule(
        (struct limit_rule){.scope = scope, .mode = mode, .amount_milli = amount_milli});
}

static inline int set_up_limits(void **state)
{
    stored = (struct quota_counter){.limit_milli = LIMIT_NONE};
    stored_cell = (struct cooldown){.until_us = 0};
    look_ups = 0;
    return set_up(state);
}

static inline bool is_hit(const struct quota_answer *answer, enum limit_scope scope,
                          enum limit_mode mode)
{
    for (unsigned i = 0; i < answer->hit_count; i++) {
        if (answer->hits[i].scope == scope && answer->hits[i].mode == mode)
            return true;
    }
    return false;
}

#define SUBJECT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_limits, tear_down)

#endif /* CORE_SUBJECTS_H */
