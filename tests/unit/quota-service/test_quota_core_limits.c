/* All limits that apply, or none: users, endpoints, tenants, shares, cooldowns; soft and shadow
 * ones; counters that memory does not have. */
#include "core_subjects.h"

/* ---- scopes ---------------------------------------------------------------------------- */

static void test_each_scope_refuses_its_own_subject_alone(void **state)
{
    static const struct {
        enum limit_scope scope;
        struct who who;
        struct who other;
    } rows[] = {
        {LIMIT_USER, {.user = "ada"}, {.user = "bob"}},
        {LIMIT_ENDPOINT, {.endpoint = "/a"}, {.endpoint = "/b"}},
        {LIMIT_TENANT, {.tenant = "acme"}, {.tenant = "other"}},
        {LIMIT_USER, {.user = "eve"}, {.endpoint = "/no user at all"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quota_answer answer;

        set(rows[i].scope, LIMIT_HARD, 500);
        assert_int_equal(reserve(rows[i].who, 400).verdict, QUOTA_DONE);
        answer = reserve(rows[i].who, 101);
        assert_int_equal(answer.verdict, QUOTA_REFUSED);
        assert_int_equal(answer.hit_count, 1);
        assert_true(is_hit(&answer, rows[i].scope, LIMIT_HARD));
        assert_int_equal(answer.hits[0].left_milli, 100);
        assert_int_equal(answer.hits[0].limit_milli, 500);
        assert_int_equal(answer.hits[0].resets_at_us, DEC_US);
        assert_int_equal(reserve(rows[i].other, 101).verdict, QUOTA_DONE);
        assert_int_equal(reserve(rows[i].who, 100).verdict, QUOTA_DONE);
        commit();
    }
}

static void test_share_is_kept_from_scheduled_work(void **state)
{
    struct who scheduled = {.flags = PURPOSE_SCHEDULED};
    struct quota_answer answer;

    (void)state;
    set(LIMIT_SHARE, LIMIT_HARD, 4000); /* of 10000, for interactive work */
    assert_int_equal(reserve(scheduled, 6000).verdict, QUOTA_DONE);
    answer = reserve(scheduled, 1);
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_true(is_hit(&answer, LIMIT_SHARE, LIMIT_HARD));
    assert_int_equal(answer.hits[0].limit_milli, 6000);
    assert_int_equal(reserve((struct who){.user = "ada"}, 4000).verdict, QUOTA_DONE);
}

static void test_refusal_by_one_changes_none_and_names_all(void **state)
{
    struct who who = {.user = "ada",
                      .endpoint = "/a",
                      .tenant = "acme",
                      .cooldown_key = "k",
                      .flags = PURPOSE_SCHEDULED};
    struct quota_answer answer;

    (void)state;
    set(LIMIT_USER, LIMIT_HARD, 500);
    set(LIMIT_ENDPOINT, LIMIT_HARD, 600);
    set(LIMIT_TENANT, LIMIT_HARD, 20000);
    set(LIMIT_SHARE, LIMIT_HARD, 9300);
    (void)set_rule((struct limit_rule){
        .scope = LIMIT_COOLDOWN, .mode = LIMIT_HARD, .cooldown_us = HOUR_US});
    answer = reserve(who, 701);
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_int_equal(answer.hit_count, 3);
    assert_true(is_hit(&answer, LIMIT_USER, LIMIT_HARD));
    assert_true(is_hit(&answer, LIMIT_ENDPOINT, LIMIT_HARD));
    assert_true(is_hit(&answer, LIMIT_SHARE, LIMIT_HARD));
    assert_true(quota_core_is_empty(core, &batch)); /* no counter moved */
    assert_counter(0, 0, 0);
    answer = reserve(who, 500); /* nor was the key taken */
    assert_int_equal(answer.verdict, QUOTA_DONE);
    quota_core_seal(core, &batch);
    assert_int_equal(batch.counter_count, 5); /* the meter's and four subjects' */
    assert_int_equal(batch.cooldown_count, 1);
    for (size_t i = 0; i < batch.counter_count; i++)
        assert_int_equal(batch.counters[i].held_milli, 500);
}

static void test_settle_moves_every_counter_of_its_reserve(void **state)
{
    struct quota_op op = op_of((struct who){.user = "ada"}, 500);

    (void)state;
    set(LIMIT_USER, LIMIT_HARD, 500);
    assert_int_equal(present(op).verdict, QUOTA_DONE);
    commit();
    assert_int_equal(settle(op.op_id, 200).verdict, QUOTA_DONE);
    quota_core_seal(core, &batch);
    assert_int_equal(batch.counter_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(batch.counters[i].posted_milli, 200);
        assert_int_equal(batch.counters[i].held_milli, 0);
    }
}

static void test_rule_of_a_subject_goes_before_the_one_for_each(void **state)
{
    (void)state;
    set(LIMIT_USER, LIMIT_HARD, 100);
    (void)set_rule((struct limit_rule){
        .scope = LIMIT_USER, .mode = LIMIT_HARD, .amount_milli = 900, .subject = "ada"});
    assert_int_equal(reserve((struct who){.user = "ada"}, 900).verdict, QUOTA_DONE);
    assert_int_equal(reserve((struct who){.user = "bob"}, 101).verdict, QUOTA_REFUSED);
    (void)set_rule((struct limit_rule){
        .scope = LIMIT_USER, .mode = LIMIT_HARD, .subject = "ada", .is_removed = true});
    assert_int_equal(reserve((struct who){.user = "ada"}, 1).verdict, QUOTA_REFUSED);
}

/* ---- modes ----------------------------------------------------------------------------- */

static void test_soft_limit_refuses_sheddable_work_and_warns_of_other(void **state)
{
    struct quota_answer answer;

    (void)state;
    set(LIMIT_METER, LIMIT_SOFT, 1000);
    assert_int_equal(reserve((struct who){.flags = PURPOSE_SHEDDABLE}, 1000).verdict,
                     QUOTA_DONE);
    answer = reserve((struct who){.flags = PURPOSE_SHEDDABLE}, 1);
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_true(is_hit(&answer, LIMIT_METER, LIMIT_SOFT));
    assert_int_equal(batch.alert_count, 0);
    answer = reserve((struct who){.user = "ada"}, 1);
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_true(is_hit(&answer, LIMIT_METER, LIMIT_SOFT)); /* told, not refused */
    assert_int_equal(batch.alert_count, 1);
    assert_int_equal(batch.alerts[0].kind, QUOTA_ALERT_SOFT_LIMIT);
    commit();
    assert_int_equal(reserve((struct who){.user = "ada"}, 1).verdict, QUOTA_DONE);
    assert_int_equal(batch.alert_count, 0); /* once a period */
}

static void test_shadow_limits_never_refuse(void **state)
{
    struct who who = {.user = "ada", .cooldown_key = "k", .flags = PURPOSE_SHEDDABLE};
    struct quota_answer answer;

    (void)state;
    set(LIMIT_USER, LIMIT_SHADOW, 10);
    set(LIMIT_METER, LIMIT_SHADOW, 20);
    (void)set_rule((struct limit_rule){
        .scope = LIMIT_COOLDOWN, .mode = LIMIT_SHADOW, .cooldown_us = HOUR_US});
    assert_int_equal(reserve(who, 1).verdict, QUOTA_DONE);
    answer = reserve(who, 100);
    assert_int_equal(answer.verdict, QUOTA_DONE);
    assert_int_equal(answer.hit_count, 3);
    assert_true(is_hit(&answer, LIMIT_USER, LIMIT_SHADOW));
    assert_true(is_hit(&answer, LIMIT_METER, LIMIT_SHADOW));
    assert_true(is_hit(&answer, LIMIT_COOLDOWN, LIMIT_SHADOW));
}

/* ---- cooldowns ------------------------------------------------------------------------- */

static void set_cooldown(void)
{
    (void)set_rule((struct limit_rule){
        .scope = LIMIT_COOLDOWN, .mode = LIMIT_HARD, .cooldown_us = HOUR_US});
}

static void test_cooldown_refuses_until_it_is_over(void **state)
{
    struct who who = {.cooldown_key = "talent-7"};
    struct quota_answer answer;

    (void)state;
    set_cooldown();
    assert_int_equal(reserve(who, 1).verdict, QUOTA_DONE);
    answer = reserve(who, 0); /* costing nothing makes no difference */
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_int_equal(answer.hits[0].resets_at_us, T0 + HOUR_US);
    assert_int_equal(reserve((struct who){.cooldown_key = "talent-8"}, 1).verdict,
                     QUOTA_DONE);
    now_us += HOUR_US - 1;
    assert_int_equal(reserve(who, 1).verdict, QUOTA_REFUSED);
    now_us += 1;
    assert_int_equal(reserve(who, 1).verdict, QUOTA_DONE);
}

static void test_cooldown_is_given_back_by_a_void_alone(void **state)
{
    struct who who = {.cooldown_key = "k"};
    struct quota_op op = op_of(who, 1);

    (void)state;
    set_cooldown();
    assert_int_equal(present(op).verdict, QUOTA_DONE);
    commit();
    assert_int_equal(void_it(op.op_id).verdict, QUOTA_DONE);
    op = op_of(who, 1);
    assert_int_equal(present(op).verdict, QUOTA_DONE);
    commit();
    assert_int_equal(settle(op.op_id, 0).verdict, QUOTA_DONE); /* the call was made */
    assert_int_equal(reserve(who, 1).verdict, QUOTA_REFUSED);
}

static void test_cooldown_taken_since_is_not_given_back(void **state)
{
    struct who who = {.cooldown_key = "k"};
    struct quota_op first = op_of(who, 1);

    (void)state;
    set_cooldown();
    first.hold_us = 3 * HOUR_US;
    assert_int_equal(present(first).verdict, QUOTA_DONE);
    commit();
    now_us += HOUR_US;
    assert_int_equal(reserve(who, 1).verdict, QUOTA_DONE);
    assert_int_equal(void_it(first.op_id).verdict, QUOTA_DONE);
    assert_int_equal(reserve(who, 1).verdict, QUOTA_REFUSED);
}

static void test_cooldown_that_the_ledger_knows_refuses(void **state)
{
    (void)state;
    set_cooldown();
    stored_cell.until_us = T0 + 5;
    assert_int_equal(reserve((struct who){.cooldown_key = "k"}, 1).verdict, QUOTA_REFUSED);
    assert_int_equal(look_ups, 1);
}

/* ---- counters that are not in memory --------------------------------------------------- */

static void test_missing_counter_counts_what_the_ledger_has(void **state)
{
    struct quota_answer answer;

    (void)state;
    set(LIMIT_USER, LIMIT_HARD, 1000);
    stored.posted_milli = 600;
    stored.held_milli = 100;
    answer = reserve((struct who){.user = "ada"}, 301);
    assert_int_equal(answer.verdict, QUOTA_REFUSED);
    assert_int_equal(answer.hits[0].left_milli, 300);
    assert_int_equal(look_ups, 1);
    assert_int_equal(reserve((struct who){.user = "ada"}, 300).verdict, QUOTA_DONE);
    assert_int_equal(look_ups, 1);
}

/* Rows that are decided and not in the ledger yet belong to the counter as well. */
static void test_missing_counter_counts_rows_in_flight(void **state)
{
    static struct quota_batch flying;
    struct quota_op before = op_of((struct who){.user = "ada"}, 400);
    struct limit_rule rule = {
        .scope = LIMIT_USER, .mode = LIMIT_HARD, .meter = REPORTS, .amount_milli = 1000};
    struct quota_op limit = {
        .kind = QUOTA_SET_LIMIT, .actor = "eve", .note = "why", .rule = &rule};
    struct quota_op op;
    struct quota_needs needs;
    struct quota_counter found;
    struct quota_recall recall = {.counters = &found, .counter_count = 1};
    struct quota_row *rows = batch.rows;

    (void)state;
    commit();
    assert_int_equal(step(&before).verdict, QUOTA_DONE); /* nobody counts users yet */
    quota_core_seal(core, &batch);
    flying = batch;
    batch.rows = mem_alloc_array(BATCH_ROWS_MAX, sizeof(*batch.rows));
    quota_core_begin(core, &batch);
    assert_int_equal(step(&limit).verdict, QUOTA_DONE);
    op = op_of((struct who){.user = "ada"}, 601);
    assert_int_equal(step(&op).verdict, QUOTA_LOOK_UP);
    quota_core_needs(core, &op, &needs);
    assert_int_equal(needs.counter_count, 1);
    found = (struct quota_counter){.meter = REPORTS,
                                   .scope = LIMIT_USER,
                                   .period = needs.counters[0].period,
                                   .limit_milli = LIMIT_NONE,
                                   .subject_size = 3,
                                   .subject = "ada"};
    recall.last_batch = flying.number - 1;
    recall.flying = &flying;
    recall.open = &batch;
    quota_core_recall(core, &recall);
    op.lookups++;
    assert_int_equal(step(&op).verdict, QUOTA_REFUSED);
    op = op_of((struct who){.user = "ada"}, 600);
    assert_int_equal(step(&op).verdict, QUOTA_DONE);
    mem_free(rows);
}

static void test_counters_pushed_out_are_looked_up_again(void **state)
{
    unsigned users = core_options.counter_limit + 100;

    (void)state;
    set(LIMIT_USER, LIMIT_HARD, 1000);
    for (unsigned i = 0; i < users; i++) {
        char user[16];

        (void)snprintf(user, sizeof(user), "user-%u", i);
        now_us += HOLD_US;
        while (tick(now_us, 100) > 0)
            ;
        assert_int_equal(reserve((struct who){.user = user}, 0).verdict, QUOTA_DONE);
        commit();
    }
    assert_true(quota_core_counter_count(core) <= core_options.counter_limit);
    look_ups = 0;
    assert_int_equal(reserve((struct who){.user = "user-0"}, 0).verdict, QUOTA_DONE);
    assert_int_equal(look_ups, 1);
}

/* ---- limits that change ---------------------------------------------------------------- */

static void test_cut_of_a_users_limit_below_use_keeps_the_ledgers_one(void **state)
{
    struct who who = {.user = "ada"};

    (void)state;
    set(LIMIT_USER, LIMIT_HARD, 1000);
    assert_int_equal(reserve(who, 800).verdict, QUOTA_DONE);
    commit();
    set(LIMIT_USER, LIMIT_HARD, 500);
    assert_int_equal(reserve(who, 1).verdict, QUOTA_REFUSED);
    assert_int_equal(reserve(who, 0).verdict, QUOTA_DONE);
    quota_core_seal(core, &batch);
    for (size_t i = 0; i < batch.counter_count; i++) {
        if (batch.counters[i].scope == LIMIT_USER)
            assert_int_equal(batch.counters[i].limit_milli, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBJECT_TEST(test_each_scope_refuses_its_own_subject_alone),
        SUBJECT_TEST(test_share_is_kept_from_scheduled_work),
        SUBJECT_TEST(test_refusal_by_one_changes_none_and_names_all),
        SUBJECT_TEST(test_settle_moves_every_counter_of_its_reserve),
        SUBJECT_TEST(test_rule_of_a_subject_goes_before_the_one_for_each),
        SUBJECT_TEST(test_soft_limit_refuses_sheddable_work_and_warns_of_other),
        SUBJECT_TEST(test_shadow_limits_never_refuse),
        SUBJECT_TEST(test_cooldown_refuses_until_it_is_over),
        SUBJECT_TEST(test_cooldown_is_given_back_by_a_void_alone),
        SUBJECT_TEST(test_cooldown_taken_since_is_not_given_back),
        SUBJECT_TEST(test_cooldown_that_the_ledger_knows_refuses),
        SUBJECT_TEST(test_missing_counter_counts_what_the_ledger_has),
        SUBJECT_TEST(test_missing_counter_counts_rows_in_flight),
        SUBJECT_TEST(test_counters_pushed_out_are_looked_up_again),
        SUBJECT_TEST(test_cut_of_a_users_limit_below_use_keeps_the_ledgers_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
