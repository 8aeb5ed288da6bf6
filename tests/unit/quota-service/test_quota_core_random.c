/*
 * Random histories of the core against a naive recount: every decision and every counter is
 * recomputed from the plain list of ledger rows. Operations are repeated, reservations
 * settled late, twice and by others, months end, the process dies between batches (what was
 * not committed is gone) and comes back from the ledger alone. A failure names its seed;
 * QUOTA_SEED=n runs that one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/parse.h"
#include "core/rng.h"
#include "core_fixture.h"

#define SEEDS 300
#define STEPS 400
#define OPS   STEPS

static struct rng rng;
static struct quota_row
    ledger[2 * STEPS + 64]; /* committed rows, then those of the batch */
static size_t committed_rows;
static int64_t committed_at_us;
static int64_t heard_us; /* the core's time */
static uint64_t committed_batch;

struct told {
    struct quota_op op;
    struct quota_answer answer;
    bool is_acknowledged; /* its batch is committed, or it was refused */
};
static struct told ops[OPS];
static size_t op_count;

/* ---- the naive side -------------------------------------------------------------------- */

static struct quota_counter recount(const struct quota_row *rows, size_t count,
                                    int64_t period_start_us)
{
    struct quota_counter sum = {.meter = REPORTS};

    for (size_t i = 0; i < count; i++) {
        if (rows[i].period_start_us != period_start_us)
            continue;
        if (rows[i].kind == QUOTA_RESERVE) {
            sum.held_milli += rows[i].amount_milli;
        } else {
            sum.posted_milli += rows[i].amount_milli;
            sum.held_milli -= rows[i].released_milli;
            sum.overage_milli += rows[i].overage_milli;
        }
    }
    return sum;
}

/* The ledger as it will be, the open batch included. */
static size_t all_rows(void)
{
    memcpy(ledger + committed_rows, batch.rows, batch.row_count * sizeof(batch.rows[0]));
    return committed_rows + batch.row_count;
}

static void check_counters(void)
{
    struct quota_counter rows[COUNTERS_MAX];
    size_t count = quota_core_counters(core, rows);
    size_t row_count = all_rows();

    for (size_t i = 0; i < count; i++) {
        struct quota_counter sum;

        if (rows[i].meter != REPORTS)
            continue;
        sum = recount(ledger, row_count, rows[i].period.start_us);
        assert_int_equal(rows[i].posted_milli, sum.posted_milli);
        assert_int_equal(rows[i].held_milli, sum.held_milli);
        assert_int_equal(rows[i].overage_milli, sum.overage_milli);
        assert_true(rows[i].held_milli >= 0);
        /* never overspent: only overage, always recorded, may pass the limit */
        assert_true(sum.posted_milli - sum.overage_milli + sum.held_milli <= LIMIT);
    }
}

static unsigned count_kind(const struct op_id *reservation_id, enum quota_kind kind,
                           size_t count)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++)
        found += ledger[i].kind == kind &&
                 op_id_equal(&ledger[i].reservation_id, reservation_id);
    return found;
}

static void check_reservations(void)
{
    size_t count = all_rows();

    for (size_t i = 0; i < count; i++) {
        const struct op_id *id = &ledger[i].reservation_id;
        unsigned lapses = count_kind(id, QUOTA_LAPSE, count);

        assert_int_equal(count_kind(id, QUOTA_RESERVE, count), 1);
        assert_true(count_kind(id, QUOTA_SETTLE, count) +
                        count_kind(id, QUOTA_VOID, count) + lapses <=
                    1);
        assert_true(count_kind(id, QUOTA_CORRECT, count) <= lapses);
    }
}

/* ---- the history ----------------------------------------------------------------------- */

static void commit_batch(void)
{
    quota_core_seal(core, &batch);
    committed_rows = all_rows();
    committed_at_us = batch.at_us;
    committed_batch = batch.number;
    for (size_t i = 0; i < op_count; i++)
        ops[i].is_acknowledged |= ops[i].answer.batch == batch.number;
    quota_core_committed(core, batch.number);
    quota_core_begin(core, &batch);
}

static bool is_open(const struct quota_row *row)
{
    for (size_t i = 0; i < committed_rows; i++) {
        if (ledger[i].kind != QUOTA_RESERVE &&
            op_id_equal(&ledger[i].reservation_id, &row->reservation_id))
            return false;
    }
    return row->kind == QUOTA_RESERVE;
}

static int64_t newest_op_us(void)
{
    int64_t newest_us = 0;

    for (size_t i = 0; i < committed_rows; i++) {
        if (op_id_time_us(&ledger[i].op_id) > newest_us)
            newest_us = op_id_time_us(&ledger[i].op_id);
    }
    return newest_us;
}

static void load_periods(void)
{
    struct quota_counter rows[COUNTERS_MAX];
    size_t count = quota_core_counters(core, rows);

    quota_core_reset(core, committed_batch, committed_at_us, newest_op_us());
    for (size_t i = 0; i < count; i++) {
        struct quota_counter sum = {.meter = rows[i].meter};

        if (rows[i].meter == REPORTS)
            sum = recount(ledger, committed_rows, rows[i].period.start_us);
        sum.period = rows[i].period;
        sum.limit_milli = rows[i].limit_milli;
        assert_true(quota_core_load_counter(core, &sum));
    }
}

static void crash_and_restart(void)
{
    load_periods();
    for (size_t i = 0; i < committed_rows; i++) {
        if (is_open(&ledger[i]))
            assert_true(quota_core_load_reservation(core, &ledger[i]));
    }
    batch.row_count = 0;
    for (size_t i = 0; i < op_count;) { /* what nobody was told may come out otherwise */
        if (ops[i].is_acknowledged && ops[i].answer.verdict == QUOTA_DONE)
            i++;
        else
            ops[i] = ops[--op_count];
    }
    heard_us = committed_at_us > now_us ? committed_at_us : now_us;
    assert_true(quota_core_start(core, now_us, &batch));
}

static void hear(void)
{
    if (now_us > heard_us)
        heard_us = now_us;
}

/* As the writer does it: ask the ledger, recall, present the operation again. */
static struct quota_answer present(struct quota_op op)
{
    struct quota_answer answer = step(&op);

    hear();
    if (answer.verdict == QUOTA_LOOK_UP) {
        struct quota_row found[16];
        size_t count = 0;

        for (size_t i = 0; i < committed_rows; i++) {
            const struct op_id *of = &ledger[i].reservation_id;
            bool wanted = op_id_equal(of, &op.reservation_id);

            for (size_t j = 0; j < committed_rows && !wanted; j++)
                wanted = op_id_equal(&ledger[j].op_id, &op.op_id) &&
                         op_id_equal(&ledger[j].reservation_id, of);
            if (wanted && count < COUNT_OF(found))
                found[count++] = ledger[i];
        }
        quota_core_recall(core, found, count);
        op.looked_up = true;
        answer = step(&op);
    }
    if (answer.verdict == QUOTA_NEXT_BATCH) {
        commit_batch();
        answer = step(&op);
    }
    return answer;
}

static void remember_told(const struct quota_op *op, const struct quota_answer *answer)
{
    if (op_count == OPS)
        return;
    ops[op_count++] = (struct told){*op, *answer, answer->batch == 0};
}

static void random_reserve(void)
{
    struct quota_op op = reserve_op((int64_t)rng_below(&rng, LIMIT / 8));
    struct quota_counter sum;
    struct quota_answer answer;

    op.hold_us = (int64_t)(1 + rng_below(&rng, 120)) * SECOND_US;
    answer = present(op);
    assert_false(answer.replayed);
    sum = recount(ledger, all_rows(), counter_at(heard_us).period.start_us);
    if (answer.verdict == QUOTA_DONE) /* take it off again to see what was left before */
        sum.held_milli -= op.amount_milli;
    assert_int_equal(answer.verdict == QUOTA_METER_SPENT,
                     op.amount_milli > LIMIT - sum.posted_milli - sum.held_milli &&
                         op.amount_milli > 0);
    remember_told(&op, &answer);
}

static void random_close(void)
{
    const struct told *at = &ops[rng_below(&rng, op_count)];
    struct op_id id = at->op.kind == QUOTA_RESERVE ? at->op.op_id : at->op.reservation_id;
    enum quota_kind kind = rng_below(&rng, 4) == 0 ? QUOTA_VOID : QUOTA_SETTLE;
    struct quota_op op = close_op(kind, id, (int64_t)rng_below(&rng, LIMIT / 7));
    struct quota_answer answer = present(op);

    remember_told(&op, &answer);
}

static void random_repeat(void)
{
    const struct told *at = &ops[rng_below(&rng, op_count)];
    struct quota_answer answer;
    bool sticky =
        at->answer.verdict == QUOTA_DONE || at->answer.verdict == QUOTA_METER_SPENT;

    if (!sticky)
        return;
    answer = present(at->op);
    if (answer.verdict == QUOTA_OP_ID_TIME)
        return; /* too old by now */
    assert_int_equal(answer.verdict, at->answer.verdict);
    assert_true(answer.replayed);
    assert_int_equal(answer.expires_at_us, at->answer.expires_at_us);
    assert_int_equal(answer.overage_milli, at->answer.overage_milli);
    if (answer.verdict == QUOTA_DONE && at->op.kind != QUOTA_RESERVE)
        assert_int_equal(answer.posted_milli, at->answer.posted_milli);
    assert_int_equal(answer.corrected, at->answer.corrected);
}

static void random_wait(void)
{
    switch (rng_below(&rng, 20)) {
    case 0:
        now_us += (int64_t)rng_below(&rng, 40) * DAY_US;
        break;
    case 1:
        now_us -= (int64_t)rng_below(&rng, 3600) * SECOND_US; /* not believed */
        break;
    default:
        now_us += (int64_t)rng_below(&rng, 20 * SECOND_US);
    }
}

static void sweep(void)
{
    hear();
    while (quota_core_tick(core, now_us, 7, &batch) > 0)
        ;
    commit_batch();
    while (quota_core_tick(core, now_us, 7, &batch) > 0)
        ;
    assert_true(quota_core_next_due_us(core) > heard_us);
}

static void random_step(void)
{
    switch (rng_below(&rng, op_count > 0 ? 12 : 3)) {
    case 0:
    case 1:
    case 2:
        random_reserve();
        break;
    case 3:
    case 4:
    case 5:
        random_close();
        break;
    case 6:
    case 7:
        random_repeat();
        break;
    case 8:
        sweep();
        break;
    case 9:
        if (rng_below(&rng, 4) == 0)
            crash_and_restart();
        break;
    case 10:
        random_wait();
        break;
    default:
        commit_batch();
    }
}

static void run_seed(uint64_t seed)
{
    rng_seed(&rng, seed);
    set_up(NULL);
    committed_rows = 0;
    committed_at_us = 0;
    heard_us = now_us;
    committed_batch = 0;
    op_count = 0;
    commit_batch();
    for (int i = 0; i < STEPS; i++) {
        random_step();
        check_counters();
    }
    check_reservations();
    tear_down(NULL);
}

static uint64_t running_seed; /* 0: none */

static void test_core_random_histories_agree_with_a_recount(void **state)
{
    uint64_t first = 1;
    uint64_t last = SEEDS;

    (void)state;
    if (parse_u64(&first, getenv("QUOTA_SEED"), 1, UINT64_MAX))
        last = first;
    for (running_seed = first; running_seed <= last; running_seed++)
        run_seed(running_seed);
    running_seed = 0;
}

static int name_the_seed(void **state)
{
    (void)state;
    if (running_seed != 0)
        fprintf(stderr, "failed with QUOTA_SEED=%llu\n", (unsigned long long)running_seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_core_random_histories_agree_with_a_recount,
                                  name_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
