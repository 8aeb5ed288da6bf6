/* The writer and the ledger it opens: who writes, what is loaded, looked up and told. */
#include <time.h>

#include "core/thread.h"
#include "writer_fixture.h"

/* ---- look-ups of counters ---- */

static void limit_users(int64_t amount_milli)
{
    static const struct limit_rule none;
    static struct limit_rule rule;
    struct quota_op op = {
        .kind = QUOTA_SET_LIMIT, .actor = "eve", .note = "why", .rule = &rule};
    struct caller *caller;

    rule = none;
    rule.scope = LIMIT_USER;
    rule.mode = LIMIT_HARD;
    rule.meter = REPORTS;
    rule.amount_milli = amount_milli;
    caller = submit(op);
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_what.limit_count, 1);
    ledger_commits();
    assert_answer(caller, QUOTA_DONE);
}

static struct quota_op reserve_of(const char *user, int64_t amount_milli)
{
    const char *texts[] = {"", "", "", "", user, "", "", ""};
    struct quota_op op = reserve_op(amount_milli);
    struct error err;

    assert_int_equal(purpose_pack(&op.purpose, 1, 0, texts, &err), ST_OK);
    return op;
}

static void await_look_up(void)
{
    await(&looked_up);
    mutex_lock(&mutex);
    looked_up = false;
    mutex_unlock(&mutex);
}

static void ledger_says_user(uint64_t last_batch, int64_t posted_milli, int64_t held_milli)
{
    struct ledger_reply *reply = reply_to(LEDGER_GET_OPERATIONS);
    const struct quota_needed_counter *needed = &lookup.counters[0];

    assert_int_equal(lookup.counter_count, 1);
    reply->last_batch = last_batch;
    reply->counter_count = 1;
    reply->counters = mem_alloc(sizeof(*reply->counters));
    *reply->counters = (struct quota_counter){.meter = needed->meter,
                                              .scope = needed->scope,
                                              .period = needed->period,
                                              .limit_milli = LIMIT_NONE,
                                              .posted_milli = posted_milli,
                                              .held_milli = held_milli,
                                              .subject_size = needed->subject_size};
    memcpy(reply->counters->subject, needed->subject, needed->subject_size);
    send_reply(reply);
}

static void test_missing_counter_is_looked_up_and_judges(void **state)
{
    struct caller *caller;

    (void)state;
    limit_users(1000);
    caller = submit(reserve_of("ada", 301));
    await_look_up();
    assert_int_equal(lookup.counters[0].scope, LIMIT_USER);
    assert_string_equal(lookup.counters[0].subject, "ada");
    assert_false(is_answered(caller));
    ledger_says_user(12, 600, 100);
    assert_answer(caller, QUOTA_REFUSED);
    assert_int_equal(caller->answer.hits[0].scope, LIMIT_USER);
    assert_int_equal(caller->answer.hits[0].left_milli, 300);
    caller = submit(reserve_of("ada", 300)); /* it is in memory now */
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_what.counter_count, 2);
    ledger_commits();
    assert_answer(caller, QUOTA_DONE);
}

/* A snapshot of before a batch that was committed while it was on its way is of no use. */
static void test_counter_read_before_a_commit_is_asked_for_again(void **state)
{
    struct caller *first;
    struct caller *second;

    (void)state;
    first = submit(reserve_of("ada", 400)); /* nobody counts users yet */
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_batch, 12);
    {
        static struct limit_rule rule = {.scope = LIMIT_USER,
                                         .mode = LIMIT_HARD,
                                         .meter = REPORTS,
                                         .amount_milli = 1000};
        struct quota_op op = {
            .kind = QUOTA_SET_LIMIT, .actor = "eve", .note = "why", .rule = &rule};

        (void)submit(op);
    }
    second = submit(reserve_of("ada", 700));
    await_look_up();
    ledger_commits(); /* batch 12, with the first 400 */
    assert_answer(first, QUOTA_DONE);
    await_call(LEDGER_COMMIT);
    ledger_says_user(11, 0, 0);
    await_look_up();
    ledger_says_user(12, 0, 400);
    assert_answer(second, QUOTA_REFUSED);
    assert_int_equal(second->answer.hits[0].left_milli, 600);
    ledger_commits();
}

/* ---- alerts ---- */

static void test_alert_is_told_after_its_commit_and_then_marked_as_told(void **state)
{
    struct caller *caller = submit(reserve_op(LIMIT / 2));
    struct ledger_reply *reply = reply_to(LEDGER_COMMIT);

    (void)state;
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_what.alert_count, 1);
    assert_int_equal(called_what.alerts[0].percent, 50);
    assert_int_equal(told_count, 0);
    reply->sequence_count = 1;
    reply->sequences[0] = 77;
    send_reply(reply);
    assert_answer(caller, QUOTA_DONE);
    await_call(LEDGER_COMMIT);
    assert_int_equal(told_count, 1);
    assert_int_equal(told_alerts[0].sequence, 77);
    assert_int_equal(called_what.published_count, 1);
    assert_int_equal(called_what.published[0], 77);
    ledger_commits();
}

static void test_alert_left_in_the_outbox_is_told_on_opening(void **state)
{
    struct ledger_reply *reply = reply_to(LEDGER_OPEN);

    (void)state;
    reply->epoch = 3;
    reply->last_batch = 10;
    reply->alerts = mem_alloc(sizeof(*reply->alerts));
    *reply->alerts =
        (struct quota_alert){.kind = QUOTA_ALERT_OVERAGE, .meter = REPORTS, .sequence = 5};
    reply->alert_count = 1;
    send_reply(reply);
    await_call(LEDGER_COMMIT);
    assert_int_equal(told_count, 1);
    assert_int_equal(told_alerts[0].kind, QUOTA_ALERT_OVERAGE);
    assert_int_equal(called_what.published_count, 1);
    assert_int_equal(called_what.published[0], 5);
    ledger_commits();
}

/* ---- open reservations ---- */

static unsigned pages_asked(void)
{
    unsigned count;

    mutex_lock(&mutex);
    count = pages;
    mutex_unlock(&mutex);
    return count;
}

static void open_with_a_hold(int64_t counter_held_milli)
{
    struct ledger_reply *reply = reply_to(LEDGER_OPEN);
    struct period period = periods_containing(1, clock_wall_us());

    open_rows[0] = (struct quota_row){.kind = QUOTA_RESERVE,
                                      .op_id = op_id_new(),
                                      .meter = REPORTS,
                                      .period_start_us = period.start_us,
                                      .amount_milli = 300,
                                      .expires_at_us = clock_wall_us() + 60000000};
    open_rows[0].reservation_id = open_rows[0].op_id;
    open_row_count = 1;
    reply->epoch = 3;
    reply->last_batch = 10;
    reply->counters = mem_alloc(sizeof(*reply->counters));
    *reply->counters = (struct quota_counter){.meter = REPORTS,
                                              .scope = LIMIT_METER,
                                              .period = period,
                                              .limit_milli = LIMIT,
                                              .held_milli = counter_held_milli};
    reply->counter_count = 1;
    send_reply(reply);
}

static void test_open_reservations_load_while_serving_though_a_page_fails(void **state)
{
    struct caller *caller;

    (void)state;
    page_failures = 1;
    open_with_a_hold(300);
    await_call(LEDGER_COMMIT);
    ledger_commits();
    await_ready();
    while (pages_asked() < 2)
        thread_pause_ms(10);
    caller = submit(settle_op(open_rows[0].op_id, 200));
    await_call(LEDGER_COMMIT);
    assert_int_equal(called_kinds[0], QUOTA_SETTLE);
    ledger_commits();
    assert_answer(caller, QUOTA_DONE);
}

static void test_open_reservations_that_do_not_add_up_end_the_writer(void **state)
{
    (void)state;
    open_with_a_hold(301);
    await_call(LEDGER_COMMIT); /* the periods ahead, before the page came */
    assert_ends();
}

/* ---- who writes ---- */

static void test_standby_waits_while_the_other_one_lives(void **state)
{
    struct error err;

    (void)state;
    (void)snprintf(ledger_writer, sizeof(ledger_writer), "other");
    ledger_moves = true;
    open_writer();
    for (int i = 0; i < 40; i++) /* longer than silence is borne */
        thread_pause_ms(100);
    mutex_lock(&mutex);
    assert_false(is_called);
    assert_in_range(asked_writer, 5, 20);
    mutex_unlock(&mutex);
    assert_false(writer_is_ready(writer, &err));
    assert_non_null(strstr(err.message, "'other' writes"));
    mutex_lock(&mutex);
    ledger_writer[0] = '\0'; /* it resigned */
    mutex_unlock(&mutex);
    await_call(LEDGER_OPEN);
}

static void test_standby_takes_over_when_the_other_one_is_silent(void **state)
{
    uint64_t before_us = clock_mono_us();

    (void)state;
    (void)snprintf(ledger_writer, sizeof(ledger_writer), "other");
    open_writer();
    await_call(LEDGER_OPEN);
    assert_true(clock_mono_us() - before_us >= 3000000);
    ledger_opens(0);
    await_call(LEDGER_COMMIT);
    ledger_commits();
    await_ready();
}

static void test_own_name_in_the_ledger_is_no_reason_to_wait(void **state)
{
    (void)state;
    (void)snprintf(ledger_writer, sizeof(ledger_writer), "me");
    open_writer();
    await_call(LEDGER_OPEN);
    assert_int_equal(asked_writer, 1);
}

static void test_beat_that_is_fenced_ends_the_writer(void **state)
{
    (void)state;
    mutex_lock(&mutex);
    beat_is_fenced = true;
    mutex_unlock(&mutex);
    assert_ends();
}

static void test_close_resigns(void **state)
{
    (void)state;
    writer_close(writer);
    assert_int_equal(resigned_epoch, 3);
    set_up_opening(state); /* for tear_down */
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define OPENING(name) cmocka_unit_test_setup_teardown(name, set_up_opening, tear_down)
#define ALONE(name)   cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_missing_counter_is_looked_up_and_judges),
        TEST(test_counter_read_before_a_commit_is_asked_for_again),
        TEST(test_alert_is_told_after_its_commit_and_then_marked_as_told),
        OPENING(test_alert_left_in_the_outbox_is_told_on_opening),
        OPENING(test_open_reservations_load_while_serving_though_a_page_fails),
        OPENING(test_open_reservations_that_do_not_add_up_end_the_writer),
        ALONE(test_standby_waits_while_the_other_one_lives),
        ALONE(test_standby_takes_over_when_the_other_one_is_silent),
        ALONE(test_own_name_in_the_ledger_is_no_reason_to_wait),
        TEST(test_beat_that_is_fenced_ends_the_writer),
        TEST(test_close_resigns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
