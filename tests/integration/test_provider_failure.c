/* A provider that fails: cached data marked stale where there is any, else UNAVAILABLE, in
 * time either way; each outcome costs what it may have cost; nothing bad is stored. C8. */
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "support/fixture.h"

#define REPORT_MILLI 1000
#define PAGE_MILLI   150
#define TIMEOUT_MS   2000 /* of a provider's answer, as set below */
#define DEADLINE_MS  8000 /* of the calls: well above it */

/* Everything is stale after a second. */
static const char *const SETTINGS[] = {
    "CACHE_REPORT_FRESH=1s",
    "CACHE_SEARCH_FRESH=1s",
    "MODASH_TIMEOUT=2s",
    "CACHE_BACKOFF_FIRST=0", /* failures follow one another here */
    NULL,
};

/* What the provider does, what it costs on its side and on ours. */
struct failure {
    const char *mode;
    const char *more;
    bool is_charged;  /* by the provider */
    bool is_presumed; /* by us: it may have been charged */
};

static const struct failure FAILURES[] = {
    {"status", "\"status\":500", false, false},
    {"status", "\"status\":503", false, false},
    {"close", "", false, true},
    {"close", "\"effect\":true", true, true},
    {"hang", "", false, true},
    {"hang", "\"effect\":true", true, true},
    {"garbage", "", true, true},
    {"truncate", "", true, true},
};

static void provider_says(struct fixture *fixture, const char *endpoint,
                          const struct failure *failure)
{
    simulator_behave(fixture->stack, "modash", endpoint, failure->mode, failure->more);
}

static void provider_recovers(struct fixture *fixture)
{
    simulator_behave(fixture->stack, "modash", "*", "ok", "");
}

static void name_failure(const struct failure *failure)
{
    print_message("           %s %s\n", failure->mode, failure->more);
}

static struct search_question question_of(char filters[128], int shade)
{
    (void)snprintf(filters, 128,
                   "{\"influencer\":{\"followers\":{\"min\":20000},"
                   "\"engagementRate\":0.0%d}}",
                   shade);
    return (struct search_question){.platform = INSTAGRAM, .filters = filters, .count = 15};
}

static int64_t count_reports(struct fixture *fixture, const char *creator)
{
    return database_number(fixture->owner,
                           "SELECT count(*) FROM metercache.creator_report"
                           " WHERE provider_user_id = $1",
                           (const char *const[]){creator, NULL});
}

/* The call failed as it should, and in time. */
static void assert_unavailable(struct caller *caller, enum status status)
{
    assert_status(status, &caller->err, ST_UNAVAILABLE);
    assert_string_not_equal(caller->err.reason, "");
    assert_true(caller->outcome.elapsed_us < (DEADLINE_MS - 1000) * CLOCK_US_PER_MS);
}

static void test_select_of_what_is_not_cached_is_unavailable(void **state)
{
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    for (size_t i = 0; i < COUNT_OF(FAILURES); i++) {
        const struct simulator_creator creator = fixture_new_creator(fixture);

        name_failure(&FAILURES[i]);
        books_open(&fixture->books, fixture->stack, fixture->owner);
        provider_says(fixture, "report", &FAILURES[i]);
        assert_unavailable(&fixture->alice, call_select(&fixture->alice, INSTAGRAM,
                                                        creator.user_id, false, &reply));
        books_expect(&fixture->books, BOOKS_REPORTS, 1,
                     FAILURES[i].is_presumed ? REPORT_MILLI : 0,
                     FAILURES[i].is_charged ? REPORT_MILLI : 0);
        assert_int_equal(count_reports(fixture, creator.user_id), 0);

        provider_recovers(fixture);
        assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, false, &reply),
                  &fixture->alice.err);
        assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
    }
}

static bool is_past(int64_t at_us)
{
    return clock_wall_us() > at_us;
}

static void assert_same_report(const char *a, const char *b)
{
    json_t *one = json_loads(a, 0, NULL);
    json_t *other = json_loads(b, 0, NULL);

    assert_non_null(one);
    assert_non_null(other);
    assert_true(json_equal(one, other));
    json_decref(one);
    json_decref(other);
}

static void test_select_of_what_is_cached_is_answered_stale(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *good = NULL;
    select_reply *stale = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    for (size_t i = 0; i < COUNT_OF(FAILURES); i++) {
        name_failure(&FAILURES[i]);
        provider_recovers(fixture);
        assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, false, &good),
                  &fixture->alice.err);
        assert_eventually(is_past(good->freshness->fresh_until_us), 5000);

        books_open(&fixture->books, fixture->stack, fixture->owner);
        provider_says(fixture, "report", &FAILURES[i]);
        assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, false, &stale),
                  &fixture->alice.err);
        assert_int_equal(stale->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
        assert_string_not_equal(stale->freshness->stale_reason, "");
        assert_int_equal(stale->freshness->fetched_at_us, good->freshness->fetched_at_us);
        assert_true(stale->freshness->age_us > CLOCK_US_PER_SECOND);
        assert_same_report(stale->report_json, good->report_json);
        books_expect(&fixture->books, BOOKS_REPORTS, 1,
                     FAILURES[i].is_presumed ? REPORT_MILLI : 0,
                     FAILURES[i].is_charged ? REPORT_MILLI : 0);
    }
    provider_recovers(fixture);
    assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, false, &good),
              &fixture->alice.err);
    assert_int_equal(good->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
}

/* Within the caller's deadline, also when the provider may take longer than that. */
static void test_select_with_little_time_is_answered_stale_while_provider_hangs(
    void **state)
{
    static const struct failure HANGS = {"hang", "", false, true};
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
              &fixture->alice.err);
    assert_eventually(is_past(reply->freshness->fresh_until_us), 5000);
    provider_says(fixture, "report", &HANGS);
    fixture->alice.timeout_ms = TIMEOUT_MS / 2;
    assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
              &fixture->alice.err);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
    assert_true(fixture->alice.outcome.elapsed_us < TIMEOUT_MS / 2 * CLOCK_US_PER_MS);
    books_expect(&fixture->books, BOOKS_REPORTS, 2, 2 * REPORT_MILLI, REPORT_MILLI);
}

/* A caller that leaves does not end the fetch: what was paid for is kept. */
static void test_select_whose_caller_gave_up_is_stored_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    simulator_behave(fixture->stack, "modash", "report", "slow", "\"delay_ms\":1200");
    fixture->alice.timeout_ms = 500;
    enum status st = call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply);
    assert_true(st == ST_DEADLINE || st == ST_UNAVAILABLE);
    assert_true(fixture->alice.outcome.elapsed_us < 1000 * CLOCK_US_PER_MS);
    assert_eventually(count_reports(fixture, creator.user_id) == 1, 5000);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

static void test_search_of_what_is_not_cached_is_unavailable(void **state)
{
    struct fixture *fixture = *state;
    search_reply *reply = NULL;
    char filters[128];

    fixture->alice.timeout_ms = DEADLINE_MS;
    for (size_t i = 0; i < COUNT_OF(FAILURES); i++) {
        const struct search_question question = question_of(filters, 11 + (int)i);

        name_failure(&FAILURES[i]);
        books_open(&fixture->books, fixture->stack, fixture->owner);
        provider_says(fixture, "search", &FAILURES[i]);
        assert_unavailable(&fixture->alice,
                           call_search(&fixture->alice, &question, &reply));
        books_expect(&fixture->books, BOOKS_DISCOVERY, 1,
                     FAILURES[i].is_presumed ? PAGE_MILLI : 0,
                     FAILURES[i].is_charged ? PAGE_MILLI : 0);

        provider_recovers(fixture);
        assert_ok(call_search(&fixture->alice, &question, &reply), &fixture->alice.err);
        assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
        assert_int_equal(reply->n_creators, 15);
    }
}

static void test_search_of_what_is_cached_is_answered_stale(void **state)
{
    struct fixture *fixture = *state;
    search_reply *good = NULL;
    search_reply *stale = NULL;
    char filters[128];
    const struct search_question question = question_of(filters, 31);

    fixture->alice.timeout_ms = DEADLINE_MS;
    for (size_t i = 0; i < COUNT_OF(FAILURES); i++) {
        name_failure(&FAILURES[i]);
        provider_recovers(fixture);
        assert_ok(call_search(&fixture->alice, &question, &good), &fixture->alice.err);
        assert_eventually(is_past(good->freshness->fresh_until_us), 5000);

        provider_says(fixture, "search", &FAILURES[i]);
        assert_ok(call_search(&fixture->alice, &question, &stale), &fixture->alice.err);
        assert_int_equal(stale->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
        assert_string_not_equal(stale->freshness->stale_reason, "");
        assert_int_equal(stale->n_creators, good->n_creators);
        for (size_t at = 0; at < good->n_creators; at++)
            assert_string_equal(stale->creators[at]->provider_user_id,
                                good->creators[at]->provider_user_id);
    }
}

/* From now on one page is answered, then the provider fails. */
static void provider_answers_one_page(struct fixture *fixture)
{
    simulator_behave(fixture->stack, "modash", "*", "status", "\"status\":500");
    simulator_behave(fixture->stack, "modash", "search", "slow",
                     "\"delay_ms\":1,\"times\":1");
}

/* What was paid for before the failure is kept, and not bought again. */
static void test_search_that_fails_half_way_keeps_the_pages_it_bought(void **state)
{
    struct fixture *fixture = *state;
    search_reply *reply = NULL;
    char filters[128];
    struct search_question question = question_of(filters, 32);

    fixture->alice.timeout_ms = DEADLINE_MS;
    question.count = 45;
    provider_answers_one_page(fixture);
    assert_ok(call_search(&fixture->alice, &question, &reply), &fixture->alice.err);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
    assert_int_equal(reply->available, 15);
    assert_int_equal(reply->cost->credits_milli, PAGE_MILLI);
    assert_false(reply->exhausted);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, PAGE_MILLI, PAGE_MILLI);

    provider_recovers(fixture);
    assert_ok(call_search(&fixture->alice, &question, &reply), &fixture->alice.err);
    assert_int_equal(reply->available, 45);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 4, 3 * PAGE_MILLI, 3 * PAGE_MILLI);
}

/* A refresh that fails half way leaves the former results whole. */
static void test_search_whose_refresh_fails_half_way_keeps_the_former_results(void **state)
{
    struct fixture *fixture = *state;
    search_reply *good = NULL;
    search_reply *stale = NULL;
    char filters[128];
    struct search_question question = question_of(filters, 33);

    fixture->alice.timeout_ms = DEADLINE_MS;
    question.count = 45;
    assert_ok(call_search(&fixture->alice, &question, &good), &fixture->alice.err);
    assert_int_equal(good->available, 45);
    assert_eventually(is_past(good->freshness->fresh_until_us), 5000);

    books_open(&fixture->books, fixture->stack, fixture->owner);
    provider_answers_one_page(fixture);
    assert_ok(call_search(&fixture->alice, &question, &stale), &fixture->alice.err);
    assert_int_equal(stale->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
    assert_int_equal(stale->available, 45);
    for (size_t i = 0; i < good->n_creators; i++)
        assert_string_equal(stale->creators[i]->provider_user_id,
                            good->creators[i]->provider_user_id);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, PAGE_MILLI, PAGE_MILLI);
}

/* Freshness runs out while pages still come in: no more is bought than was asked for. */
static void test_search_slower_than_its_freshness_buys_no_more_than_asked(void **state)
{
    struct fixture *fixture = *state;
    search_reply *reply = NULL;
    char filters[128];
    struct search_question question = question_of(filters, 34);

    fixture->alice.timeout_ms = DEADLINE_MS;
    question.count = 45;
    simulator_behave(fixture->stack, "modash", "search", "slow", "\"delay_ms\":600");
    assert_ok(call_search(&fixture->alice, &question, &reply), &fixture->alice.err);
    assert_int_equal(reply->available, 45);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 3, 3 * PAGE_MILLI, 3 * PAGE_MILLI);
}

/* Throttled: told when to come back, costs nothing, and nothing is stored. */
static void test_select_while_the_provider_throttles_says_when_to_return(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    simulator_behave(fixture->stack, "modash", "report", "status",
                     "\"status\":429,\"retry_after\":17");
    enum status st = call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply);
    assert_true(st == ST_EXHAUSTED || st == ST_UNAVAILABLE);
    assert_string_equal(fixture->alice.err.reason, "PROVIDER_THROTTLED");
    assert_between(fixture->alice.err.retry_after_ms, 15000, 18000);
    assert_int_equal(fixture->alice.err.violation_count, 0); /* no meter of ours */
    books_expect(&fixture->books, BOOKS_REPORTS, 1, 0, 0);
    assert_int_equal(count_reports(fixture, creator.user_id), 0);
}

/* The provider refuses our key or says its balance is spent: an outage to the caller. */
static void test_select_while_the_provider_refuses_us_is_unavailable(void **state)
{
    static const struct {
        const char *more;
        const char *reason;
    } REFUSALS[] = {
        {"\"status\":401,\"code\":\"api_token_invalid\"", "PROVIDER_AUTH"},
        {"\"status\":402,\"code\":\"not_enough_credits\"", "PROVIDER_NO_CREDIT"},
        {"\"status\":400,\"code\":\"not_enough_credits\"", "PROVIDER_NO_CREDIT"},
    };
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    for (size_t i = 0; i < COUNT_OF(REFUSALS); i++) {
        const struct simulator_creator creator = fixture_new_creator(fixture);

        simulator_behave(fixture->stack, "modash", "report", "status", REFUSALS[i].more);
        assert_unavailable(&fixture->alice, call_select(&fixture->alice, INSTAGRAM,
                                                        creator.user_id, true, &reply));
        assert_string_equal(fixture->alice.err.reason, REFUSALS[i].reason);
    }
    books_expect(&fixture->books, BOOKS_REPORTS, COUNT_OF(REFUSALS), 0, 0);
}

/* C7: the log names what came of each call */
static void test_call_log_names_the_outcome_of_each_failure(void **state)
{
    static const struct {
        struct failure failure;
        int outcome;
        int64_t http_status;
    } WANTED[] = {
        {{"status", "\"status\":500", false, false}, 9, 500},
        {{"close", "", false, true}, 11, 0},
        {{"garbage", "", true, true}, 9, 200},
        {{"status", "\"status\":429", false, false}, 4, 429},
    };
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    for (size_t i = 0; i < COUNT_OF(WANTED); i++) {
        const struct simulator_creator creator = fixture_new_creator(fixture);
        const char *const parameters[] = {creator.user_id, NULL};

        provider_says(fixture, "report", &WANTED[i].failure);
        (void)call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply);
        assert_eventually(database_number(fixture->owner,
                                          "SELECT count(*) FROM metercache.call_log"
                                          " WHERE creator = $1",
                                          parameters) == 1,
                          5000);
        assert_int_equal(database_number(fixture->owner,
                                         "SELECT outcome FROM metercache.call_log"
                                         " WHERE creator = $1 AND user_id = 'alice'"
                                         " AND reason = 'select' AND action = 'report'",
                                         parameters),
                         WANTED[i].outcome);
        assert_int_equal(database_number(fixture->owner,
                                         "SELECT http_status FROM metercache.call_log"
                                         " WHERE creator = $1",
                                         parameters),
                         WANTED[i].http_status);
    }
}

/* Provider gone altogether: provably not sent, so nothing is presumed. */
static void test_select_while_nobody_listens_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    struct books_page before = books_read(fixture->owner, BOOKS_REPORTS);
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    stack_stop(fixture->stack, STACK_SIMULATOR);
    enum status st = call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply);
    assert_eventually(books_read(fixture->owner, BOOKS_REPORTS).open == before.open, 10000);
    struct books_page after = books_read(fixture->owner, BOOKS_REPORTS);
    stack_start(fixture->stack, STACK_SIMULATOR);

    assert_unavailable(&fixture->alice, st);
    assert_int_equal(after.posted_milli, before.posted_milli);
    assert_int_equal(after.held_milli, before.held_milli);
    assert_int_equal(after.log_calls, before.log_calls);
    assert_eventually(
        call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply) == ST_OK,
        10000);
}

/* S2: with no quota-service to decide there is no provider call. */
static void test_select_without_quota_service_calls_nobody(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator cached = fixture_new_creator(fixture);
    const struct simulator_creator other = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    fixture->alice.timeout_ms = DEADLINE_MS;
    assert_ok(call_select(&fixture->alice, INSTAGRAM, cached.user_id, true, &reply),
              &fixture->alice.err);
    assert_eventually(is_past(reply->freshness->fresh_until_us), 5000);
    books_open(&fixture->books, fixture->stack, fixture->owner);
    stack_kill(fixture->stack, STACK_QUOTA);
    assert_unavailable(&fixture->alice, call_select(&fixture->alice, INSTAGRAM,
                                                    other.user_id, true, &reply));
    assert_ok(call_select(&fixture->alice, INSTAGRAM, cached.user_id, true, &reply),
              &fixture->alice.err);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_STALE);
    assert_int_equal(simulator_count(fixture->stack, "modash", "total").received, 0);
    stack_start(fixture->stack, STACK_QUOTA);
    assert_eventually(
        call_select(&fixture->alice, INSTAGRAM, other.user_id, true, &reply) == ST_OK,
        10000);
}

static int tidy(void **state)
{
    struct fixture *fixture = *state;

    fixture->alice.timeout_ms = 0;
    return fixture_end(state);
}

static int set_up(void **state)
{
    return fixture_up(state, "failure", SETTINGS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, tidy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_select_of_what_is_not_cached_is_unavailable),
        TEST(test_select_of_what_is_cached_is_answered_stale),
        TEST(test_select_with_little_time_is_answered_stale_while_provider_hangs),
        TEST(test_select_whose_caller_gave_up_is_stored_all_the_same),
        TEST(test_search_of_what_is_not_cached_is_unavailable),
        TEST(test_search_of_what_is_cached_is_answered_stale),
        TEST(test_search_that_fails_half_way_keeps_the_pages_it_bought),
        TEST(test_search_whose_refresh_fails_half_way_keeps_the_former_results),
        TEST(test_search_slower_than_its_freshness_buys_no_more_than_asked),
        TEST(test_select_while_the_provider_throttles_says_when_to_return),
        TEST(test_select_while_the_provider_refuses_us_is_unavailable),
        TEST(test_call_log_names_the_outcome_of_each_failure),
        TEST(test_select_while_nobody_listens_costs_nothing),
        TEST(test_select_without_quota_service_calls_nobody),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
