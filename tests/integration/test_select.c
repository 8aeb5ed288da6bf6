/* Selecting a creator: one report is bought, once however many ask and however the creator
 * is named; then it comes from the cache. C2, C3, C5, C6, C11. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "support/crowd.h"
#include "support/fixture.h"

#define REPORT_MILLI 1000
#define CROWD        64
#define DAY_US       (24LL * 3600 * CLOCK_US_PER_SECOND)

static select_reply *select_creator(struct caller *caller, const char *creator)
{
    select_reply *reply = NULL;

    assert_ok(call_select(caller, INSTAGRAM, creator, false, &reply), &caller->err);
    assert_non_null(reply->creator);
    assert_non_null(reply->freshness);
    assert_non_null(reply->cost);
    return reply;
}

static void assert_free_from_cache(const select_reply *reply)
{
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    assert_int_equal(reply->cost->provider_calls, 0);
    assert_int_equal(reply->cost->credits_milli, 0);
}

/* '@' and the handle */
static void handle_of(char out[SIMULATOR_NAME_SIZE + 1],
                      const struct simulator_creator *creator)
{
    (void)snprintf(out, SIMULATOR_NAME_SIZE + 1, "@%s", creator->username);
}

static int64_t count_where_id(struct database *database, const char *sql, const char *id)
{
    return database_number(database, sql, (const char *const[]){id, NULL});
}

/* C3 */
static void test_select_buys_one_report_and_then_answers_from_the_cache(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    int64_t before_us = clock_wall_us();
    select_reply *bought = select_creator(&fixture->alice, creator.user_id);

    assert_int_equal(bought->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
    assert_int_equal(bought->cost->provider_calls, 1);
    assert_int_equal(bought->cost->credits_milli, REPORT_MILLI);
    assert_true(bought->freshness->fetched_at_us >= before_us);
    assert_between(bought->freshness->fresh_until_us - bought->freshness->fetched_at_us,
                   30 * DAY_US - CLOCK_US_PER_SECOND, 30 * DAY_US + CLOCK_US_PER_SECOND);
    assert_string_equal(bought->creator->provider_user_id, creator.user_id);
    assert_string_equal(bought->creator->handle, creator.username);
    assert_int_equal(bought->creator->followers, creator.followers);
    assert_true(bought->creator->has_report);

    select_reply *again = select_creator(&fixture->bob, creator.user_id);
    assert_free_from_cache(again);
    assert_int_equal(again->freshness->fetched_at_us, bought->freshness->fetched_at_us);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

/* C3: what is stored and told is what the provider said */
static void test_select_tells_the_document_that_the_provider_gave(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    json_t *served = simulator_report(fixture->stack, "instagram", creator.user_id);
    json_t *wanted = json_object_get(served, "profile");

    for (int i = 0; i < 2; i++) { /* live, then from the database */
        select_reply *reply = select_creator(&fixture->alice, creator.user_id);
        json_t *told = json_loads(reply->report_json, 0, NULL);

        assert_true(strlen(reply->report_json) > 50000);
        assert_non_null(told);
        assert_true(json_equal(told, wanted));
        json_decref(told);
    }
    json_decref(served);
}

static void test_select_without_the_report_leaves_it_out(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    for (int i = 0; i < 2; i++) {
        assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
                  &fixture->alice.err);
        assert_string_equal(reply->report_json, "");
        assert_int_equal(reply->creator->followers, creator.followers);
    }
    assert_free_from_cache(reply);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

/* C11: one creator, whatever it is called by */
static void test_select_by_handle_and_by_id_buys_once(void **state)
{
    struct fixture *fixture = *state;
    struct simulator_creator creators[2];
    char handle[SIMULATOR_NAME_SIZE + 1];

    fixture_new_creators(fixture, creators, COUNT_OF(creators));
    handle_of(handle, &creators[0]);
    (void)select_creator(&fixture->alice, handle);
    assert_free_from_cache(select_creator(&fixture->alice, creators[0].user_id));
    assert_free_from_cache(select_creator(&fixture->alice, handle));
    for (char *c = handle; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    assert_free_from_cache(select_creator(&fixture->alice, handle));

    handle_of(handle, &creators[1]);
    (void)select_creator(&fixture->alice, creators[1].user_id);
    assert_free_from_cache(select_creator(&fixture->alice, handle));
    books_expect(&fixture->books, BOOKS_REPORTS, 2, 2 * REPORT_MILLI, 2 * REPORT_MILLI);
    assert_int_equal(count_where_id(fixture->owner,
                                    "SELECT count(*) FROM metercache.creator"
                                    " WHERE provider_user_id = $1",
                                    creators[0].user_id),
                     1);
}

struct crowd_result {
    const char *creators[2]; /* members take one or the other */
    enum status status[CROWD];
    uint32_t calls[CROWD];
    int64_t credits_milli[CROWD];
    char ids[CROWD][SIMULATOR_NAME_SIZE];
};

static void select_in_crowd(struct caller *caller, size_t index, void *context)
{
    struct crowd_result *result = context;
    select_reply *reply = NULL;

    result->status[index] =
        call_select(caller, INSTAGRAM, result->creators[index % 2], true, &reply);
    if (result->status[index] != ST_OK)
        return;
    result->calls[index] = reply->cost->provider_calls;
    result->credits_milli[index] = reply->cost->credits_milli;
    (void)snprintf(result->ids[index], sizeof(result->ids[index]), "%s",
                   reply->creator->provider_user_id);
}

static void assert_crowd_was_answered(const struct crowd_result *result, const char *id)
{
    int64_t told_milli = 0;
    uint32_t told_calls = 0;

    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(result->status[i], ST_OK);
        assert_string_equal(result->ids[i], id);
        told_milli += result->credits_milli[i];
        told_calls += result->calls[i];
    }
    assert_int_equal(told_calls, 1);
    assert_int_equal(told_milli, REPORT_MILLI);
}

/* 64 at once: one report, all answered, the cost told to one of them */
static void test_select_by_64_at_once_buys_one_report(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    struct crowd_result result = {.creators = {creator.user_id, creator.user_id}};

    crowd_run(fixture->alice.client, CROWD, select_in_crowd, &result);
    assert_crowd_was_answered(&result, creator.user_id);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

/* The same with a provider so slow that all of them wait */
static void test_select_by_64_at_once_while_the_provider_is_slow_buys_one(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    struct crowd_result result = {.creators = {creator.user_id, creator.user_id}};

    simulator_behave(fixture->stack, "modash", "report", "slow", "\"delay_ms\":700");
    crowd_run(fixture->alice.client, CROWD, select_in_crowd, &result);
    assert_crowd_was_answered(&result, creator.user_id);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

/* A known creator by id and by handle at once: still one */
static void test_select_by_both_names_at_once_of_a_known_creator_buys_one(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = INSTAGRAM,
        .filters = "{\"influencer\":{\"followers\":{\"min\":100000},\"isVerified\":true}}",
        .count = 15,
    };
    struct crowd_result result = {.status = {ST_OK}};
    char handle[SIMULATOR_NAME_SIZE + 1];
    search_reply *found = NULL;

    assert_ok(call_search(&fixture->alice, &question, &found), &fixture->alice.err);
    (void)snprintf(handle, sizeof(handle), "@%s", found->creators[0]->handle);
    result.creators[0] = found->creators[0]->provider_user_id;
    result.creators[1] = handle;
    simulator_behave(fixture->stack, "modash", "report", "slow", "\"delay_ms\":300");
    crowd_run(fixture->alice.client, CROWD, select_in_crowd, &result);
    assert_crowd_was_answered(&result, found->creators[0]->provider_user_id);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

#define EACH 40 /* creators a member of the crowd selects */

struct own_result {
    struct simulator_creator creators[16][EACH];
    size_t wrong[16];
};

static void select_ones_own(struct caller *caller, size_t index, void *context)
{
    struct own_result *result = context;

    for (size_t i = 0; i < EACH; i++) {
        const struct simulator_creator *wanted = &result->creators[index][i];
        select_reply *reply = NULL;
        enum status st = call_select(caller, INSTAGRAM, wanted->user_id, true, &reply);
        bool is_right = wanted->is_private
                            ? st == ST_NOT_FOUND
                            : st == ST_OK && strcmp(reply->creator->provider_user_id,
                                                    wanted->user_id) == 0;

        if (!is_right)
            result->wrong[index]++;
    }
}

/* Many calls under way, each about another creator, private ones among them. */
static void test_select_of_many_at_once_answers_each_with_its_own(void **state)
{
    static struct own_result result;
    struct fixture *fixture = *state;

    simulator_creators(fixture->stack, "instagram", 5000, COUNT_OF(result.wrong) * EACH,
                       result.creators[0]);
    crowd_run(fixture->alice.client, COUNT_OF(result.wrong), select_ones_own, &result);
    for (size_t i = 0; i < COUNT_OF(result.wrong); i++)
        assert_int_equal(result.wrong[i], 0);
}

/* C8 */
static void test_select_of_an_unknown_creator_is_not_found_and_remembered(void **state)
{
    static const char *const UNKNOWN[] = {"999999999999999", "@nobody.has.this.handle",
                                          "@NoBody.Has.This.Handle"};
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(UNKNOWN); i++)
            assert_status(
                call_select(&fixture->alice, INSTAGRAM, UNKNOWN[i], false, &reply),
                &fixture->alice.err, ST_NOT_FOUND);
    }
    assert_string_equal(fixture->alice.err.reason, "PROVIDER_NOT_FOUND");
    /* one call for each of the two names; the provider charges for neither */
    books_expect(&fixture->books, BOOKS_REPORTS, 2, 0, 0);
}

static void test_select_of_a_private_creator_says_so_and_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_private_creator(fixture);
    select_reply *reply = NULL;

    for (int i = 0; i < 3; i++) {
        assert_status(
            call_select(&fixture->alice, INSTAGRAM, creator.user_id, false, &reply),
            &fixture->alice.err, ST_NOT_FOUND);
        assert_string_equal(fixture->alice.err.reason, "PROVIDER_PRIVATE");
    }
    books_expect(&fixture->books, BOOKS_REPORTS, 1, 0, 0);
}

/* C2, C5 */
static void test_get_creator_never_calls_a_provider(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    Metercache__V1__GetCreatorResponse *reply = NULL;

    assert_status(call_get(&fixture->alice, INSTAGRAM, creator.user_id, &reply),
                  &fixture->alice.err, ST_NOT_FOUND);
    books_expect_nothing(&fixture->books);

    (void)select_creator(&fixture->alice, creator.user_id);
    books_open(&fixture->books, fixture->stack, fixture->owner);
    simulator_behave(fixture->stack, "modash", "*", "status", "\"status\":500");
    assert_ok(call_get(&fixture->bob, INSTAGRAM, creator.user_id, &reply),
              &fixture->bob.err);
    assert_string_equal(reply->creator->handle, creator.username);
    assert_int_equal(reply->creator->followers, creator.followers);
    assert_true(reply->creator->has_report);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    books_expect_nothing(&fixture->books);
}

/* C2: what a search brought is known at once, without its report */
static void test_get_creator_knows_what_a_search_brought(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = TIKTOK,
        .filters = "{\"influencer\":{\"followers\":{\"min\":300000}}}",
        .count = 15,
    };
    Metercache__V1__GetCreatorResponse *got = NULL;
    search_reply *found = NULL;

    assert_ok(call_search(&fixture->alice, &question, &found), &fixture->alice.err);
    for (size_t i = 0; i < found->n_creators; i++) {
        const Metercache__V1__Creator *creator = found->creators[i];

        assert_ok(call_get(&fixture->bob, TIKTOK, creator->provider_user_id, &got),
                  &fixture->bob.err);
        assert_string_equal(got->creator->handle, creator->handle);
        assert_string_equal(got->creator->full_name, creator->full_name);
        assert_int_equal(got->creator->followers, creator->followers);
        assert_int_equal(got->creator->engagement_rate_ppm, creator->engagement_rate_ppm);
        assert_false(got->creator->has_report);
    }
    books_expect(&fixture->books, BOOKS_REPORTS, 0, 0, 0);
}

/* A2, C11: typed columns beside the document, one row a creator */
static void test_select_stores_typed_columns_beside_the_document(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    const char *const id[] = {creator.user_id, NULL};

    (void)select_creator(&fixture->alice, creator.user_id);
    assert_int_equal(
        database_number(fixture->owner,
                        "SELECT count(*) FROM metercache.creator_report"
                        " WHERE provider_user_id = $1 AND document IS NOT NULL",
                        id),
        1);
    assert_int_equal(database_number(fixture->owner,
                                     "SELECT followers FROM metercache.creator"
                                     " WHERE provider_user_id = $1",
                                     id),
                     creator.followers);
    assert_true(database_number(fixture->owner,
                                "SELECT coalesce(credibility_ppm, -1) FROM"
                                " metercache.creator_report WHERE provider_user_id = $1",
                                id) > 0);
    char *country = database_text(fixture->owner,
                                  "SELECT country FROM metercache.creator_report"
                                  " WHERE provider_user_id = $1",
                                  id);
    assert_string_not_equal(country, "");
    mem_free(country);
}

/* What was acknowledged outlives the service that said so. */
static void test_select_is_still_cached_after_every_service_was_restarted(void **state)
{
    static const enum stack_service SERVICES[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    (void)select_creator(&fixture->alice, creator.user_id);
    for (size_t i = 0; i < COUNT_OF(SERVICES); i++)
        stack_stop(fixture->stack, SERVICES[i]);
    for (size_t i = 0; i < COUNT_OF(SERVICES); i++)
        stack_start(fixture->stack, SERVICES[i]);
    assert_eventually(
        call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply) == ST_OK,
        10000);
    assert_free_from_cache(reply);
    books_expect(&fixture->books, BOOKS_REPORTS, 1, REPORT_MILLI, REPORT_MILLI);
}

static int set_up(void **state)
{
    return fixture_up(state, "select", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_select_buys_one_report_and_then_answers_from_the_cache),
        TEST(test_select_tells_the_document_that_the_provider_gave),
        TEST(test_select_without_the_report_leaves_it_out),
        TEST(test_select_by_handle_and_by_id_buys_once),
        TEST(test_select_by_64_at_once_buys_one_report),
        TEST(test_select_by_64_at_once_while_the_provider_is_slow_buys_one),
        TEST(test_select_by_both_names_at_once_of_a_known_creator_buys_one),
        TEST(test_select_of_many_at_once_answers_each_with_its_own),
        TEST(test_select_of_an_unknown_creator_is_not_found_and_remembered),
        TEST(test_select_of_a_private_creator_says_so_and_is_remembered),
        TEST(test_get_creator_never_calls_a_provider),
        TEST(test_get_creator_knows_what_a_search_brought),
        TEST(test_select_stores_typed_columns_beside_the_document),
        TEST(test_select_is_still_cached_after_every_service_was_restarted),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
