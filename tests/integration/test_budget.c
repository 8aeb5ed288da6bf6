/* Monthly budgets: checked before each call, never overspent, and told to whoever asks. What
 * is cached is served on. C6, C7, C8, S2. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "support/crowd.h"
#include "support/fixture.h"

#define REPORTS      3
#define REPORT_MILLI 1000
#define RESULTS      60
#define RESULT_MILLI 10
#define PAGE_RESULTS 15

static const char *const SETTINGS[] = {
    "QUOTA_REPORTS_PER_MONTH=3",
    "QUOTA_DISCOVERY_RESULTS_PER_MONTH=60",
    NULL,
};

/* What the first tests bought, for the later ones. */
static struct simulator_creator bought[REPORTS];

/* The first instant of the UTC month after the one of now. */
static int64_t next_month_us(void)
{
    time_t now = time(NULL);
    struct tm when;

    gmtime_r(&now, &when);
    when = (struct tm){.tm_year = when.tm_year, .tm_mon = when.tm_mon + 1, .tm_mday = 1};
    return (int64_t)timegm(&when) * CLOCK_US_PER_SECOND;
}

static int64_t this_month_us(void)
{
    time_t now = time(NULL);
    struct tm when;

    gmtime_r(&now, &when);
    when = (struct tm){.tm_year = when.tm_year, .tm_mon = when.tm_mon, .tm_mday = 1};
    return (int64_t)timegm(&when) * CLOCK_US_PER_SECOND;
}

/* C8: which meter, what is left, when it resets */
static void assert_meter_spent(const struct error *err, const char *meter)
{
    assert_string_equal(err->reason, "METER_SPENT");
    assert_int_equal(err->violation_count, 1);
    assert_string_equal(err->violations[0].subject, meter);
    assert_int_equal(err->violations[0].resets_at_us, next_month_us());
    assert_between(err->violations[0].left_milli, 0, 999);
    assert_non_null(strstr(err->message, meter));
}

static const Metercache__V1__MeterState *meter_state(struct caller *caller,
                                                     const char *meter)
{
    Metercache__V1__GetUsageResponse *usage = NULL;

    assert_ok(call_get_usage(caller, meter, &usage), &caller->err);
    assert_int_equal(usage->n_meters, 1);
    assert_string_equal(usage->meters[0]->meter, meter);
    return usage->meters[0];
}

static enum status select_creator(struct caller *caller, const char *creator,
                                  select_reply **reply)
{
    return call_select(caller, INSTAGRAM, creator, true, reply);
}

/* C6: the settings' budgets, in UTC months */
static void test_usage_before_any_call_is_the_whole_budget(void **state)
{
    struct fixture *fixture = *state;
    const Metercache__V1__MeterState *reports =
        meter_state(&fixture->quota, "modash.reports");
    const Metercache__V1__MeterState *discovery =
        meter_state(&fixture->quota, "modash.discovery");

    assert_int_equal(reports->limit_milli, REPORTS * REPORT_MILLI);
    assert_int_equal(reports->left_milli, REPORTS * REPORT_MILLI);
    assert_int_equal(reports->posted_milli, 0);
    assert_int_equal(reports->period_start_us, this_month_us());
    assert_int_equal(reports->period_end_us, next_month_us());
    assert_int_equal(discovery->limit_milli, RESULTS * RESULT_MILLI);
    assert_int_equal(discovery->unit_price_milli, RESULT_MILLI);
    assert_int_equal(reports->unit_price_milli, REPORT_MILLI);
}

/* The last reports go to a crowd that wants more of them than there are. */
struct rush {
    struct simulator_creator creators[16];
    enum status status[16];
    struct error errors[16];
};

static void rush_for_reports(struct caller *caller, size_t index, void *context)
{
    struct rush *rush = context;
    select_reply *reply = NULL;

    rush->status[index] = select_creator(caller, rush->creators[index].user_id, &reply);
    rush->errors[index] = caller->err;
}

static void test_select_by_a_crowd_never_spends_more_than_the_budget(void **state)
{
    struct fixture *fixture = *state;
    struct rush rush;
    size_t served = 0;

    fixture_new_creators(fixture, rush.creators, COUNT_OF(rush.creators));
    crowd_run(fixture->alice.client, COUNT_OF(rush.creators), rush_for_reports, &rush);
    for (size_t i = 0; i < COUNT_OF(rush.creators); i++) {
        if (rush.status[i] == ST_OK) {
            assert_true(served < REPORTS);
            bought[served++] = rush.creators[i];
        } else {
            assert_status(rush.status[i], &rush.errors[i], ST_EXHAUSTED);
            assert_meter_spent(&rush.errors[i], "modash.reports");
        }
    }
    assert_int_equal(served, REPORTS);
    books_expect(&fixture->books, BOOKS_REPORTS, REPORTS, REPORTS * REPORT_MILLI,
                 REPORTS * REPORT_MILLI);
}

/* C8, and nothing is sent upstream */
static void test_select_with_the_meter_spent_is_refused_and_not_sent(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    for (int i = 0; i < 2; i++) {
        assert_status(select_creator(&fixture->alice, creator.user_id, &reply),
                      &fixture->alice.err, ST_EXHAUSTED);
        assert_meter_spent(&fixture->alice.err, "modash.reports");
    }
    books_expect_nothing(&fixture->books);
}

static void test_select_with_the_meter_spent_serves_what_is_cached(void **state)
{
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    for (size_t i = 0; i < REPORTS; i++) {
        assert_ok(select_creator(&fixture->bob, bought[i].user_id, &reply),
                  &fixture->bob.err);
        assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
        assert_int_equal(reply->cost->credits_milli, 0);
    }
    books_expect_nothing(&fixture->books);
}

static const char FIRST[] = "{\"influencer\":{\"followers\":{\"min\":20000}}}";
static const char SECOND[] = "{\"influencer\":{\"followers\":{\"min\":30000}}}";

/* Another meter, and it is spent to the last result. */
static void test_search_spends_its_own_meter_to_the_last_result(void **state)
{
    struct fixture *fixture = *state;
    struct search_question question = {
        .platform = INSTAGRAM, .filters = FIRST, .count = RESULTS};
    search_reply *reply = NULL;

    assert_ok(call_search(&fixture->alice, &question, &reply), &fixture->alice.err);
    assert_int_equal(reply->available, RESULTS);
    assert_int_equal(meter_state(&fixture->quota, "modash.discovery")->left_milli, 0);
    books_expect(&fixture->books, BOOKS_DISCOVERY, RESULTS / PAGE_RESULTS,
                 RESULTS * RESULT_MILLI, RESULTS * RESULT_MILLI);
}

static void test_search_with_the_meter_spent_is_refused_and_not_sent(void **state)
{
    struct fixture *fixture = *state;
    struct search_question question = {
        .platform = INSTAGRAM, .filters = SECOND, .count = 15};
    search_reply *reply = NULL;

    assert_status(call_search(&fixture->alice, &question, &reply), &fixture->alice.err,
                  ST_EXHAUSTED);
    assert_meter_spent(&fixture->alice.err, "modash.discovery");
    books_expect_nothing(&fixture->books);
}

static void test_search_with_the_meter_spent_serves_what_is_cached(void **state)
{
    struct fixture *fixture = *state;
    struct search_question question = {
        .platform = INSTAGRAM, .filters = FIRST, .count = RESULTS};
    search_reply *reply = NULL;

    assert_ok(call_search(&fixture->bob, &question, &reply), &fixture->bob.err);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    assert_int_equal(reply->n_creators, RESULTS);

    question.count = RESULTS + 20; /* more than is held, and no budget for the rest */
    assert_ok(call_search(&fixture->bob, &question, &reply), &fixture->bob.err);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
    assert_non_null(strstr(reply->freshness->stale_reason, "modash.discovery"));
    assert_int_equal(reply->available, RESULTS);
    assert_false(reply->exhausted);
    books_expect_nothing(&fixture->books);
}

/* C6: usage, ledger, log and provider tell the same */
static void test_usage_agrees_with_the_ledger_and_the_log(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t POSTED[BOOKS_METER_COUNT] = {
        [BOOKS_DISCOVERY] = RESULTS * RESULT_MILLI,
        [BOOKS_REPORTS] = REPORTS * REPORT_MILLI};

    for (int i = 0; i < BOOKS_METER_COUNT; i++) {
        const struct books_page page = books_read(fixture->owner, (enum books_meter)i);
        const Metercache__V1__MeterState *usage =
            meter_state(&fixture->quota, BOOKS_METERS[i]);

        assert_int_equal(page.posted_milli, POSTED[i]);
        assert_int_equal(page.counter_milli, page.posted_milli);
        assert_int_equal(page.log_milli, page.posted_milli);
        assert_int_equal(usage->posted_milli, page.posted_milli);
        assert_int_equal(usage->held_milli, 0);
        assert_int_equal(usage->overage_milli, 0);
        assert_int_equal(usage->left_milli, usage->limit_milli - usage->posted_milli);
    }
}

/* C6: anyone with a credential */
static void test_usage_is_told_to_every_role(void **state)
{
    static const char *const NAMES[] = {"alice", "staff", "admin", "cron", "cache-service"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct caller caller;
        Metercache__V1__GetUsageResponse *usage = NULL;

        caller_init(&caller, stack_client(fixture->stack, STACK_QUOTA, NAMES[i]));
        assert_ok(call_get_usage(&caller, "", &usage), &caller.err);
        assert_int_equal(usage->n_meters, BOOKS_METER_COUNT);
        caller_done(&caller);
    }
}

/* S2: who may decide on meters */
static void test_reserve_is_refused_to_all_but_services(void **state)
{
    static const char *const NAMES[] = {"alice", "staff", "admin", "cron"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct caller caller;
        Metercache__V1__ReserveResponse *reply = NULL;

        caller_init(&caller, stack_client(fixture->stack, STACK_QUOTA, NAMES[i]));
        assert_status(call_reserve(&caller, &reply), &caller.err, ST_DENIED);
        caller_done(&caller);
    }
    books_expect_nothing(&fixture->books);
}

/* The budget is not refilled by a restart. */
static void test_budget_stays_spent_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    stack_kill(fixture->stack, STACK_QUOTA);
    stack_start(fixture->stack, STACK_QUOTA);
    assert_eventually(
        select_creator(&fixture->alice, creator.user_id, &reply) == ST_EXHAUSTED, 10000);
    assert_meter_spent(&fixture->alice.err, "modash.reports");
    assert_int_equal(meter_state(&fixture->quota, "modash.reports")->posted_milli,
                     REPORTS * REPORT_MILLI);
    books_expect_nothing(&fixture->books);
}

static int set_up(void **state)
{
    return fixture_up(state, "budget", SETTINGS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

/* In this order: the budget is spent once for all of them. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_usage_before_any_call_is_the_whole_budget),
        TEST(test_select_by_a_crowd_never_spends_more_than_the_budget),
        TEST(test_select_with_the_meter_spent_is_refused_and_not_sent),
        TEST(test_select_with_the_meter_spent_serves_what_is_cached),
        TEST(test_search_spends_its_own_meter_to_the_last_result),
        TEST(test_search_with_the_meter_spent_is_refused_and_not_sent),
        TEST(test_search_with_the_meter_spent_serves_what_is_cached),
        TEST(test_usage_agrees_with_the_ledger_and_the_log),
        TEST(test_usage_is_told_to_every_role),
        TEST(test_reserve_is_refused_to_all_but_services),
        TEST(test_budget_stays_spent_after_a_restart),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
