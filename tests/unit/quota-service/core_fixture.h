/*
 * core_fixture.h - a small core and the words the core's tests are written in.
 *
 * One meter ("modash.reports") has a limit of LIMIT; both clocks are `now_us`, until `jump`
 * sets the wall clock alone. Batches are numbered from 1. `commit()` plays the ledger that
 * takes everything.
 */
#ifndef CORE_FIXTURE_H
#define CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "quota_core.h"

#define SECOND_US 1000000LL
#define DAY_US    (86400 * SECOND_US)
#define T0        1795000000000000LL /* 2026-11-18 */
#define NOV_US    1793491200000000LL
#define DEC_US    1796083200000000LL
#define JAN_US    1798761600000000LL
#define FEB_US    1801440000000000LL
#define LIMIT     10000
#define REPORTS   1 /* the meter's row */
#define HOLD_US   (60 * SECOND_US)

static struct quota_core *core;
static struct quota_batch batch;
static int64_t now_us;
static int64_t jumped_us; /* of the wall clock, by `jump` */
static uint64_t next_id;

static const struct quota_core_options core_options = {
    .held_limit = 2000,
    .closed_limit = 4096,
    .done_limit = 4096,
    .refused_limit = 64,
    .counter_limit = 1024,
    .cooldown_limit = 512,
    .anchor_day = 1,
    .meter_count = 3,
    .limits_milli = {1400000, LIMIT, 2000000},
};

static inline struct quota_time time_at(int64_t at_us)
{
    return (struct quota_time){at_us, (uint64_t)(at_us - jumped_us)};
}

/* Somebody sets the wall clock. */
static inline void jump(int64_t by_us)
{
    now_us += by_us;
    jumped_us += by_us;
}

static inline int set_up(void **state)
{
    (void)state;
    core = quota_core_new(&core_options);
    batch.rows = mem_alloc_array(BATCH_ROWS_MAX, sizeof(*batch.rows));
    now_us = T0;
    jumped_us = 0;
    next_id = 1;
    assert_true(quota_core_start(core, time_at(now_us), &batch));
    assert_true(quota_core_loaded(core));
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    quota_core_free(core);
    mem_free(batch.rows);
    return 0;
}

static inline void commit(void)
{
    quota_core_seal(core, &batch);
    quota_core_committed(core, batch.number);
    quota_core_begin(core, &batch);
}

static inline struct quota_op reserve_op(int64_t amount_milli)
{
    struct quota_op op = {.kind = QUOTA_RESERVE,
                          .op_id = op_id_make(now_us, 0, next_id++),
                          .meter = REPORTS,
                          .hold_us = HOLD_US,
                          .amount_milli = amount_milli};

    op.body_hash[0] = (uint8_t)amount_milli;
    return op;
}

static inline struct quota_op close_op(enum quota_kind kind, struct op_id reservation_id,
                                       int64_t actual_milli)
{
    struct quota_op op = {.kind = kind,
                          .op_id = op_id_make(now_us, 0, next_id++),
                          .reservation_id = reservation_id,
                          .amount_milli = actual_milli};

    op.body_hash[0] = (uint8_t)actual_milli;
    op.body_hash[1] = (uint8_t)kind;
    return op;
}

static inline struct quota_answer step(const struct quota_op *op)
{
    struct quota_answer answer;

    quota_core_step(core, op, time_at(now_us), &batch, &answer);
    return answer;
}

static inline size_t tick(int64_t at_us, size_t limit)
{
    return quota_core_tick(core, time_at(at_us), limit, &batch);
}

/* Reserve and commit. */
static inline struct op_id reserved(int64_t amount_milli)
{
    struct quota_op op = reserve_op(amount_milli);

    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    commit();
    return op.op_id;
}

static inline struct quota_answer settle(struct op_id reservation_id, int64_t actual_milli)
{
    struct quota_op op = close_op(QUOTA_SETTLE, reservation_id, actual_milli);

    return step(&op);
}

static inline struct quota_answer void_it(struct op_id reservation_id)
{
    struct quota_op op = close_op(QUOTA_VOID, reservation_id, 0);

    return step(&op);
}

static inline struct quota_counter counter_at(int64_t at_us)
{
    struct quota_counter rows[COUNTERS_METER_ROWS];
    size_t count = quota_core_counters(core, rows);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].meter == REPORTS && rows[i].period.start_us <= at_us &&
            at_us < rows[i].period.end_us)
            return rows[i];
    }
    fail_msg("no counter");
    return rows[0];
}

static inline int64_t left_milli(const struct quota_meter_view *view)
{
    return counters_left_milli(view->limit_milli, view->posted_milli, view->held_milli);
}

/* The counter of T0's period. */
static inline void assert_counter(int64_t posted_milli, int64_t held_milli,
                                  int64_t overage_milli)
{
    struct quota_counter counter = counter_at(T0);

    assert_int_equal(counter.posted_milli, posted_milli);
    assert_int_equal(counter.held_milli, held_milli);
    assert_int_equal(counter.overage_milli, overage_milli);
}

static inline const struct quota_row *last_row(void)
{
    assert_true(batch.row_count > 0);
    return &batch.rows[batch.row_count - 1];
}

/* A rule of the meter, in force and committed. */
static inline struct quota_answer set_rule(struct limit_rule rule)
{
    struct quota_op op = {
        .kind = QUOTA_SET_LIMIT, .actor = "eve", .note = "why", .rule = &rule};
    struct quota_answer answer;

    rule.meter = REPORTS;
    rule.subject_size = (uint16_t)strlen(rule.subject);
    answer = step(&op);
    assert_int_equal(answer.verdict, QUOTA_DONE);
    commit();
    return answer;
}

#define CORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif /* CORE_FIXTURE_H */
