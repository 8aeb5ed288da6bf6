/*
 * Random histories of the core against a naive recount: every decision and every counter is
 * recomputed from the plain list of ledger rows. Operations are repeated, reservations
 * settled late, twice and by others, presumed outcomes corrected, meters adjusted, users have
 * a limit of their own, months end, the clock is set back, the process dies between batches
 * (what was not committed is gone) and comes back from the ledger alone. A failure names its
 * seed; QUOTA_SEED=n runs that one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/parse.h"
#include "core/rng.h"
#include "core_recount.h"

#define SEEDS 300
#define OPS   STEPS
#define USERS 5

static struct rng rng;
static int64_t committed_at_us;
static int64_t charged_us; /* whose period is charged: the core's time, or when it froze */
static int64_t opened_us;
static uint64_t committed_batch;
static size_t not_loaded; /* committed rows when the core opened; 0: all are loaded */

struct told {
    struct quota_op op;
    struct quota_answer answer;
    bool is_acknowledged; /* its batch is committed, or it was refused */
};
static struct told ops[OPS];
static size_t op_count;

/* ---- the history ----------------------------------------------------------------------- */

/* The users' counters of the batch, as the ledger would check them. */
static void check_users(void)
{
    for (size_t i = 0; i < batch.counter_count; i++) {
        const struct quota_counter *row = &batch.counters[i];
        struct quota_counter sum;

        if (row->scope != LIMIT_USER)
            continue;
        sum = recount_of(ledger, committed_rows, row->period.start_us, row->subject,
                         row->subject_size);
        assert_int_equal(row->posted_milli, sum.posted_milli);
        assert_int_equal(row->held_milli, sum.held_milli);
        assert_int_equal(row->overage_milli, sum.overage_milli);
        assert_true(row->limit_milli == USER_LIMIT);
        assert_true(sum.posted_milli - sum.overage_milli + sum.held_milli <= USER_LIMIT);
    }
}

static void commit_batch(void)
{
    quota_core_seal(core, &batch);
    committed_rows = all_rows();
    check_users();
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
    struct quota_counter rows[COUNTERS_METER_ROWS];
    size_t count = quota_core_counters(core, rows);

    quota_core_reset(core, committed_batch, committed_at_us, newest_op_us());
    for (size_t i = 0; i < count; i++) {
        struct quota_counter sum = {.meter = rows[i].meter, .scope = LIMIT_METER};

        if (rows[i].meter == REPORTS)
            sum = recount(ledger, committed_rows, rows[i].period.start_us);
        sum.period = rows[i].period;
        sum.limit_milli = rows[i].limit_milli;
        assert_true(quota_core_load_counter(core, &sum));
    }
}

static void load_limit(void)
{
    const struct limit_rule rule = {.scope = LIMIT_USER,
                                    .mode = LIMIT_HARD,
                                    .meter = REPORTS,
                                    .amount_milli = USER_LIMIT,
                                    .version = 1};

    assert_true(quota_core_load_limit(core, &rule));
}

/* What was open when the core opened, as the pages of the ledger bring it. */
static void load_reservations(void)
{
    if (not_loaded == 0)
        return;
    commit_batch();
    for (size_t i = 0; i < not_loaded; i++) {
        if (is_open(&ledger[i]))
            assert_true(quota_core_load_reservation(core, &ledger[i]));
    }
    not_loaded = 0;
    assert_true(quota_core_loaded(core));
}

/* What nobody was told may come out otherwise, and refusals of ids that look new. */
static void forget_untold(void)
{
    for (size_t i = 0; i < op_count;) {
        enum quota_verdict verdict = ops[i].answer.verdict;

        if (ops[i].is_acknowledged &&
            (verdict == QUOTA_DONE ||
             (verdict == QUOTA_REFUSED && op_id_time_us(&ops[i].op.op_id) < opened_us)))
            i++;
        else
            ops[i] = ops[--op_count];
    }
}

static void crash_and_restart(void)
{
    load_periods();
    load_limit();
    batch.row_count = 0;
    now_us += 1000; /* nobody restarts within a millisecond */
    assert_true(quota_core_start(core, time_at(now_us), &batch));
    charged_us = quota_core_now_us(core);
    opened_us = charged_us - charged_us % 1000;
    not_loaded = committed_rows;
    forget_untold();
    if (committed_rows == 0)
        assert_true(quota_core_loaded(core));
    else if (rng_below(&rng, 2) == 0)
        load_reservations();
}

static void hear(void)
{
    if (!quota_core_is_frozen(core))
        charged_us = quota_core_now_us(core);
}

/* ---- the ledger's answer to a look-up ---- */

static size_t find_rows(const struct quota_needs *needs, struct quota_row *out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < committed_rows; i++) {
        bool wanted = false;

        for (size_t at = 0; at < needs->id_count; at++) {
            wanted |= op_id_equal(&ledger[i].reservation_id, &needs->ids[at]);
            for (size_t j = 0; j < committed_rows && !wanted; j++)
                wanted = op_id_equal(&ledger[j].op_id, &needs->ids[at]) &&
                         op_id_equal(&ledger[j].reservation_id, &ledger[i].reservation_id);
        }
        if (wanted && count < max)
            out[count++] = ledger[i];
    }
    return count;
}

static struct quota_counter stored(const struct quota_needed_counter *needed)
{
    struct quota_counter sum = recount_of(ledger, committed_rows, needed->period.start_us,
                                          needed->subject, needed->subject_size);

    sum.scope = needed->scope;
    sum.period = needed->period;
    sum.limit_milli = USER_LIMIT;
    sum.subject_size = needed->subject_size;
    memcpy(sum.subject, needed->subject, needed->subject_size);
    return sum;
}

static void look_up(const struct quota_needs *needs)
{
    struct quota_row rows[16];
    struct quota_counter found[QUOTA_NEEDS_COUNTERS];
    struct quota_recall recall = {.last_batch = committed_batch,
                                  .rows = rows,
                                  .row_count = find_rows(needs, rows, COUNT_OF(rows)),
                                  .counters = found,
                                  .counter_count = needs->counter_count,
                                  .open = &batch};

    for (size_t i = 0; i < needs->counter_count; i++)
        found[i] = stored(&needs->counters[i]);
    quota_core_recall(core, &recall);
}

/* As the writer does it: ask the ledger, recall, present the operation again. */
static struct quota_answer present(struct quota_op op)
{
    struct quota_answer answer = step(&op);

    hear();
    while (answer.verdict == QUOTA_LOOK_UP) {
        struct quota_needs needs;

        quota_core_needs(core, &op, &needs);
        look_up(&needs);
        assert_true(op.lookups++ < 4);
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

static void set_user(struct quota_op *op, unsigned user)
{
    char name[] = "u0";
    const char *texts[] = {"", "", "", "", name, "", "", ""};
    struct error err;

    name[1] = (char)('0' + user);
    assert_int_equal(purpose_pack(&op->purpose, 1, 0, texts, &err), ST_OK);
}

/* Is more asked for than the meter, or its user, has left in the period? */
static bool is_too_much(const struct quota_op *op, int64_t period_start_us, bool was_taken)
{
    size_t count = all_rows();
    struct quota_counter sum = recount(ledger, count, period_start_us);
    struct quota_counter user;
    const char *name;
    size_t size = purpose_text(&op->purpose, PURPOSE_user, &name);
    int64_t taken_milli = was_taken ? op->amount_milli : 0;

    user = recount_of(ledger, count, period_start_us, name, size);
    return op->amount_milli >
               counters_left_milli(LIMIT, sum.posted_milli, sum.held_milli - taken_milli) ||
           op->amount_milli > counters_left_milli(USER_LIMIT, user.posted_milli,
                                                  user.held_milli - taken_milli);
}

static bool is_refusal_expected(const struct quota_op *op, bool was_granted)
{
    struct period period = counter_at(charged_us).period;
    int64_t at_us = quota_core_now_us(core);
    bool refuses = is_too_much(op, period.start_us, was_granted);

    if (at_us >= period.end_us - QUOTA_CORE_BOUNDARY_US)
        refuses |= is_too_much(op, period.end_us, false);
    else if (at_us < period.start_us + QUOTA_CORE_BOUNDARY_US && period.start_us > NOV_US)
        refuses |= is_too_much(op, counter_at(period.start_us - 1).period.start_us, false);
    return refuses;
}

static void random_reserve(void)
{
    struct quota_op op = reserve_op((int64_t)rng_below(&rng, LIMIT / 8));
    struct quota_answer answer;

    set_user(&op, (unsigned)rng_below(&rng, USERS));
    op.hold_us = (int64_t)(1 + rng_below(&rng, 120)) * SECOND_US;
    answer = present(op);
    if (answer.verdict == QUOTA_OP_ID_TIME || answer.verdict == QUOTA_OP_ID_STALE)
        return; /* the wall clock was set back: nothing may be granted to such an id */
    assert_false(answer.replayed);
    assert_int_equal(answer.verdict == QUOTA_REFUSED,
                     is_refusal_expected(&op, answer.verdict == QUOTA_DONE));
    remember_told(&op, &answer);
}

static void random_close(void)
{
    const struct told *at = &ops[rng_below(&rng, op_count)];
    struct op_id id = at->op.kind == QUOTA_RESERVE ? at->op.op_id : at->op.reservation_id;
    enum quota_kind kind = rng_below(&rng, 4) == 0 ? QUOTA_VOID : QUOTA_SETTLE;
    struct quota_op op = close_op(kind, id, (int64_t)rng_below(&rng, LIMIT / 7));
    struct quota_answer answer;

    if (rng_below(&rng, 5) == 0)
        op.kind = QUOTA_CORRECT;
    else if (kind == QUOTA_SETTLE && rng_below(&rng, 5) == 0)
        op.call.outcome = QUOTA_OUTCOME_UNKNOWN;
    op.actor = "eve";
    op.note = "why";
    answer = present(op);
    remember_told(&op, &answer);
}

static void random_adjust(void)
{
    struct quota_op op = close_op(QUOTA_ADJUST, (struct op_id){{0}},
                                  (int64_t)rng_below(&rng, LIMIT / 4) - LIMIT / 8);
    struct quota_answer answer;

    op.meter = REPORTS;
    op.actor = "eve";
    op.note = "why";
    answer = present(op);
    remember_told(&op, &answer);
}

static void random_repeat(void)
{
    const struct told *at = &ops[rng_below(&rng, op_count)];
    struct quota_answer answer;
    bool sticky = at->answer.verdict == QUOTA_DONE || at->answer.verdict == QUOTA_REFUSED;

    if (!sticky)
        return;
    answer = present(at->op);
    if (answer.verdict == QUOTA_OP_ID_TIME)
        return; /* too old by now */
    if (at->answer.verdict == QUOTA_REFUSED && answer.verdict == QUOTA_OP_ID_STALE)
        return; /* the refusal is forgotten, and not turned into a grant */
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
        jump(-(int64_t)rng_below(&rng, 3600) * SECOND_US); /* not believed */
        break;
    default:
        now_us += (int64_t)rng_below(&rng, 20 * SECOND_US);
    }
}

/* Lapse all that is due; what misses its user's counter asks for it. */
static void lapse_due(void)
{
    struct quota_needs needs[4];
    size_t count;

    do {
        while (tick(now_us, 7) > 0)
            ;
        count = quota_core_is_frozen(core)
                    ? 0
                    : quota_core_due_needs(core, needs, COUNT_OF(needs));
        for (size_t i = 0; i < count; i++)
            look_up(&needs[i]);
    } while (count > 0);
}

static void sweep(void)
{
    load_reservations();
    lapse_due();
    hear();
    commit_batch();
    lapse_due();
    if (!quota_core_is_frozen(core))
        assert_true(quota_core_next_due_us(core) > quota_core_now_us(core));
}

static void random_step(void)
{
    switch (rng_below(&rng, op_count > 0 ? 13 : 3)) {
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
    case 11:
        random_adjust();
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
    charged_us = now_us;
    opened_us = now_us;
    not_loaded = 0;
    committed_batch = 0;
    op_count = 0;
    load_limit();
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
