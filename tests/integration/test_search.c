/* Search: equal searches meet in the cache, discovery is called for the rest alone, and what
 * it cost is told the same by the provider, the ledger and the call log. C1, C6, C7, C10. */
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "support/crowd.h"
#include "support/fixture.h"

#define PAGE_MILLI 150 /* 15 creators at a hundredth of a credit each */

static const struct search_question TEN = {
    .platform = INSTAGRAM,
    .filters = "{\"influencer\":{\"followers\":{\"min\":20000,\"max\":70000}}}",
    .count = 10,
};

/* A search like no other of this program: `shade` makes it so. */
static struct search_question question_of(char filters[128], int shade, uint32_t count)
{
    (void)snprintf(filters, 128,
                   "{\"influencer\":{\"followers\":{\"min\":20000,\"max\":90000},"
                   "\"engagementRate\":0.0%d}}",
                   shade);
    return (struct search_question){
        .platform = INSTAGRAM, .filters = filters, .count = count};
}

static search_reply *search(struct caller *caller, const struct search_question *question)
{
    search_reply *reply = NULL;

    assert_ok(call_search(caller, question, &reply), &caller->err);
    assert_non_null(reply->freshness);
    assert_non_null(reply->cost);
    return reply;
}

static void assert_same_creators(const search_reply *a, const search_reply *b)
{
    assert_int_equal(a->n_creators, b->n_creators);
    for (size_t i = 0; i < a->n_creators; i++)
        assert_string_equal(a->creators[i]->provider_user_id,
                            b->creators[i]->provider_user_id);
}

static void assert_free_from_cache(const search_reply *reply)
{
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    assert_int_equal(reply->cost->provider_calls, 0);
    assert_int_equal(reply->cost->credits_milli, 0);
    assert_int_equal(reply->discovered, 0);
    assert_int_equal(reply->from_cache, reply->available);
}

/* C1, and the first thing that must be shown */
static void test_search_written_in_other_ways_calls_discovery_once(void **state)
{
    static const char *const WRITTEN[] = {
        "{\"influencer\":{\"followers\":{\"min\":30000,\"max\":60000},"
        "\"engagementRate\":0.02,\"gender\":\"FEMALE\"}}",
        "{\"influencer\":{\"gender\":\"FEMALE\",\"engagementRate\":0.02,"
        "\"followers\":{\"max\":60000,\"min\":30000}}}",
        "{ \"influencer\" :\n\t{ \"followers\" : { \"min\" : 3e4 , \"max\" : 6.0e4 },"
        " \"engagementRate\" : 2e-2, \"gender\" : \"FEMALE\" } }",
        "{\"influencer\":{\"followers\":{\"min\":30000.0,\"max\":60000},"
        "\"engagementRate\":0.0200,\"gender\":\"\\u0046EMALE\"}}",
    };
    struct fixture *fixture = *state;
    struct search_question question = {.platform = INSTAGRAM, .count = 30};
    search_reply *first = NULL;

    for (size_t i = 0; i < COUNT_OF(WRITTEN); i++) {
        question.filters = WRITTEN[i];
        search_reply *reply = search(&fixture->alice, &question);

        if (i == 0) {
            first = reply;
            assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
            assert_int_equal(reply->cost->provider_calls, 2);
            assert_int_equal(reply->cost->credits_milli, 2 * PAGE_MILLI);
            assert_int_equal(reply->n_creators, 30);
            assert_int_equal(reply->filter_hash.len, 32);
            continue;
        }
        assert_free_from_cache(reply);
        assert_same_creators(first, reply);
        assert_memory_equal(reply->filter_hash.data, first->filter_hash.data, 32);
    }
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, 2 * PAGE_MILLI, 2 * PAGE_MILLI);
}

/* C1: when fewer are held than are wanted */
static void test_search_for_more_calls_discovery_for_the_rest_alone(void **state)
{
    struct fixture *fixture = *state;
    char filters[128];
    struct search_question question = question_of(filters, 11, 25);
    search_reply *few = search(&fixture->alice, &question);

    assert_int_equal(few->available, 25);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, 2 * PAGE_MILLI, 2 * PAGE_MILLI);

    question.count = 40;
    search_reply *more = search(&fixture->alice, &question);
    assert_int_equal(more->available, 40);
    assert_int_equal(more->n_creators, 40);
    assert_int_equal(more->cost->provider_calls, 1);
    assert_int_equal(more->cost->credits_milli, PAGE_MILLI);
    assert_int_equal(more->from_cache, 30); /* two pages were bought */
    assert_int_equal(more->discovered, 10);
    assert_int_equal(more->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
    for (size_t i = 0; i < few->n_creators; i++)
        assert_string_equal(few->creators[i]->provider_user_id,
                            more->creators[i]->provider_user_id);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 3, 3 * PAGE_MILLI, 3 * PAGE_MILLI);

    question.count = 45; /* held already */
    assert_free_from_cache(search(&fixture->alice, &question));
    books_expect(&fixture->books, BOOKS_DISCOVERY, 3, 3 * PAGE_MILLI, 3 * PAGE_MILLI);
}

/* C7: provider, action, reason, user, time, outcome, credits, latency */
static void test_search_leaves_a_row_a_call_in_the_call_log(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__ListCallsResponse *calls = NULL;
    int64_t since_us = clock_wall_us();
    char filters[128];
    struct search_question question = question_of(filters, 12, 30);

    (void)search(&fixture->bob, &question);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, 2 * PAGE_MILLI, 2 * PAGE_MILLI);
    assert_ok(call_list_calls(&fixture->bob, 2, NULL, &calls), &fixture->bob.err);
    assert_int_equal(calls->n_calls, 2);
    for (size_t i = 0; i < calls->n_calls; i++) {
        const Metercache__V1__CallRecord *row = calls->calls[i];

        assert_string_equal(row->provider, "modash");
        assert_string_equal(row->action, "search");
        assert_string_equal(row->reason, "search");
        assert_string_equal(row->user, "bob");
        assert_string_equal(row->meter, "modash.discovery");
        assert_int_equal(row->platform, INSTAGRAM);
        assert_int_equal(row->outcome, METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK);
        assert_int_equal(row->credits_milli, PAGE_MILLI);
        assert_int_equal(row->http_status, 200);
        assert_true(row->latency_us > 0);
        assert_true(row->started_at_us >= since_us);
        assert_true(row->started_at_us <= clock_wall_us());
        assert_int_equal(row->op_id.len, 16);
    }
}

static void test_search_pages_join_to_the_whole(void **state)
{
    static const size_t SIZES[] = {15, 15, 10};
    struct fixture *fixture = *state;
    char filters[128];
    struct search_question question = question_of(filters, 13, 40);
    search_reply *whole = search(&fixture->alice, &question);
    size_t done = 0;

    assert_int_equal(whole->n_creators, 40);
    assert_string_equal(whole->page->next_page_token, "");
    question.page_size = 15;
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        search_reply *page = search(&fixture->alice, &question);

        assert_int_equal(page->n_creators, SIZES[i]);
        for (size_t at = 0; at < page->n_creators; at++)
            assert_string_equal(page->creators[at]->provider_user_id,
                                whole->creators[done + at]->provider_user_id);
        done += page->n_creators;
        question.page_token = page->page->next_page_token;
    }
    assert_string_equal(question.page_token, "");
    books_expect(&fixture->books, BOOKS_DISCOVERY, 3, 3 * PAGE_MILLI, 3 * PAGE_MILLI);
}

static void test_search_with_a_page_token_of_nobody_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct search_question question = TEN;
    search_reply *reply = NULL;

    question.page_token = "no token of ours";
    assert_status(call_search(&fixture->alice, &question, &reply), &fixture->alice.err,
                  ST_INVALID);
    assert_field(&fixture->alice.err, "page.page_token");
    books_expect_nothing(&fixture->books);
}

/* C1: asked for more than there is */
static void test_search_that_exhausts_the_provider_is_not_asked_again(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = INSTAGRAM,
        .filters = "{\"influencer\":{\"followers\":{\"min\":10000000}}}",
        .count = 1000,
    };
    search_reply *reply = search(&fixture->alice, &question);
    int64_t calls = (reply->total + 14) / 15;

    assert_true(reply->exhausted);
    assert_between(reply->total, 1, 150); /* or it is no test of this */
    assert_int_equal(reply->available, reply->total);
    assert_int_equal(reply->n_creators, reply->total);
    books_expect(&fixture->books, BOOKS_DISCOVERY, calls, 10 * reply->total,
                 10 * reply->total);

    search_reply *again = search(&fixture->alice, &question);
    assert_free_from_cache(again);
    assert_true(again->exhausted);
    assert_same_creators(reply, again);
    books_expect(&fixture->books, BOOKS_DISCOVERY, calls, 10 * reply->total,
                 10 * reply->total);
}

static void test_search_without_any_match_costs_nothing_and_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = INSTAGRAM,
        .filters = "{\"influencer\":{\"followers\":{\"min\":400000000}}}",
        .count = 20,
    };

    for (int i = 0; i < 2; i++) {
        search_reply *reply = search(&fixture->alice, &question);

        assert_int_equal(reply->n_creators, 0);
        assert_int_equal(reply->available, 0);
        assert_int_equal(reply->total, 0);
        assert_true(reply->exhausted);
        assert_int_equal(reply->cost->credits_milli, 0);
    }
    books_expect(&fixture->books, BOOKS_DISCOVERY, 1, 0, 0);
}

static void test_search_is_in_the_order_asked_for(void **state)
{
    struct fixture *fixture = *state;
    char filters[128];
    struct search_question question = question_of(filters, 14, 30);
    search_reply *falling = search(&fixture->alice, &question);

    for (size_t i = 1; i < falling->n_creators; i++)
        assert_true(falling->creators[i]->followers <= falling->creators[i - 1]->followers);
    question.sort = "{\"direction\":\"asc\",\"field\":\"followers\"}";
    search_reply *rising = search(&fixture->alice, &question);
    for (size_t i = 1; i < rising->n_creators; i++)
        assert_true(rising->creators[i]->followers >= rising->creators[i - 1]->followers);
    assert_memory_not_equal(rising->filter_hash.data, falling->filter_hash.data, 32);
    for (size_t i = 0; i < rising->n_creators; i++)
        assert_between(rising->creators[i]->followers, 20000, 90000); /* really filtered */
    question.sort = "{\"field\":\"followers\"}"; /* the default, said aloud */
    assert_free_from_cache(search(&fixture->alice, &question));
}

static void test_search_of_another_platform_is_another_search(void **state)
{
    struct fixture *fixture = *state;
    char filters[128];
    struct search_question question = question_of(filters, 15, 15);
    search_reply *here = search(&fixture->alice, &question);

    question.platform = TIKTOK;
    search_reply *there = search(&fixture->alice, &question);
    assert_int_equal(there->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
    assert_memory_not_equal(here->filter_hash.data, there->filter_hash.data, 32);
    assert_int_equal(there->creators[0]->platform, TIKTOK);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, 2 * PAGE_MILLI, 2 * PAGE_MILLI);
}

struct crowd_result {
    enum status status[32];
    int64_t credits_milli[32];
    size_t creators[32];
    const struct search_question *question;
};

static void search_in_crowd(struct caller *caller, size_t index, void *context)
{
    struct crowd_result *result = context;
    search_reply *reply = NULL;

    result->status[index] = call_search(caller, result->question, &reply);
    if (result->status[index] != ST_OK)
        return;
    result->credits_milli[index] = reply->cost->credits_milli;
    result->creators[index] = reply->n_creators;
}

static void test_search_by_many_at_once_is_bought_once(void **state)
{
    struct fixture *fixture = *state;
    struct crowd_result result = {.creators = {0}};
    char filters[128];
    const struct search_question question = question_of(filters, 16, 30);
    int64_t told_milli = 0;

    result.question = &question;
    simulator_behave(fixture->stack, "modash", "search", "slow", "\"delay_ms\":200");
    crowd_run(fixture->alice.client, 32, search_in_crowd, &result);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(result.status[i], ST_OK);
        assert_int_equal(result.creators[i], 30);
        told_milli += result.credits_milli[i];
    }
    assert_int_equal(told_milli, 2 * PAGE_MILLI);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 2, 2 * PAGE_MILLI, 2 * PAGE_MILLI);
}

static size_t count_searches(struct caller *caller, const char *hash)
{
    Metercache__V1__ListSearchesResponse *list = NULL;
    size_t found = 0;

    assert_ok(call_list_searches(caller, 200, NULL, &list), &caller->err);
    for (size_t i = 0; i < list->n_searches; i++) {
        if (memcmp(list->searches[i]->filter_hash.data, hash, 32) == 0)
            found++;
    }
    return found;
}

/* C10: results are shared, who searched for what is not */
static void test_list_searches_shows_the_callers_own_alone(void **state)
{
    struct fixture *fixture = *state;
    char filters[128];
    struct search_question question = question_of(filters, 17, 15);
    char alices[32];
    char bobs[32];

    memcpy(alices, search(&fixture->alice, &question)->filter_hash.data, 32);
    question = question_of(filters, 18, 15);
    memcpy(bobs, search(&fixture->bob, &question)->filter_hash.data, 32);
    assert_free_from_cache(search(&fixture->bob, &question));

    assert_int_equal(count_searches(&fixture->alice, alices), 1);
    assert_int_equal(count_searches(&fixture->alice, bobs), 0);
    assert_int_equal(count_searches(&fixture->bob, alices), 0);
    assert_int_equal(count_searches(&fixture->bob, bobs), 2);
    assert_int_equal(count_searches(&fixture->admin, alices), 0);
}

/* C10: a client's credential is bound to its user */
static void test_list_searches_on_behalf_of_another_is_refused_to_a_client(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__ListSearchesResponse *list = NULL;

    fixture->alice.on_behalf_of = "bob";
    enum status st = call_list_searches(&fixture->alice, 10, NULL, &list);
    fixture->alice.on_behalf_of = NULL;
    assert_status(st, &fixture->alice.err, ST_DENIED);
}

static void test_list_searches_comes_newest_first_in_pages(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__ListSearchesResponse *list = NULL;
    char filters[128];
    uint32_t counts[] = {3, 2, 1};
    char *token = NULL;

    for (uint32_t count = 1; count <= 3; count++) {
        const struct search_question question = question_of(filters, 19, count);

        (void)search(&fixture->alice, &question);
    }
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        assert_ok(call_list_searches(&fixture->alice, 1, token, &list),
                  &fixture->alice.err);
        assert_int_equal(list->n_searches, 1);
        assert_int_equal(list->searches[0]->count, counts[i]);
        assert_int_equal(list->searches[0]->search_id.len, 16);
        token = list->page->next_page_token;
        assert_string_not_equal(token, "");
    }
}

static int64_t count_rows(struct database *database)
{
    return database_number(database, "SELECT count(*) FROM metercache.search_request",
                           NULL);
}

static void become(struct database *database, const char *user)
{
    mem_free(database_text(database, "SELECT set_config('app.user', $1, false)",
                           (const char *const[]){user, NULL}));
}

/* C10: also when the database is asked directly */
static void test_search_requests_in_the_database_belong_to_their_user(void **state)
{
    static const enum database_role ROLES[] = {DATABASE_RUNTIME, DATABASE_READER,
                                               DATABASE_OWNER};
    struct fixture *fixture = *state;
    struct database *all = database_open(fixture->stack, DATABASE_SUPERUSER);
    int64_t bobs = database_number(
        all, "SELECT count(*) FROM metercache.search_request WHERE user_id = 'bob'", NULL);

    (void)search(&fixture->bob, &TEN);
    (void)search(&fixture->alice, &TEN);
    assert_true(count_rows(all) >= bobs + 2);
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        struct database *database = database_open(fixture->stack, ROLES[i]);

        assert_int_equal(count_rows(database), 0); /* nobody named */
        become(database, "mallory");
        assert_int_equal(count_rows(database), 0);
        become(database, "bob");
        assert_int_equal(count_rows(database), bobs + 1);
        become(database, "");
        assert_int_equal(count_rows(database), 0);
        database_close(database);
    }
    database_close(all);
}

/* C10, S2: what the runtime role may not do */
static void test_runtime_role_cannot_rewrite_history(void **state)
{
    static const char *const FORBIDDEN[] = {
        "DELETE FROM metercache.call_log",
        "UPDATE metercache.ledger_event SET amount_milli = 0",
        "UPDATE metercache.quota_counter SET posted_milli = 0",
        "INSERT INTO metercache.quota_counter VALUES"
        " ('x', now(), now() + interval '1 day', 1, 0, 0, 0, 1)",
        "UPDATE metercache.search_request SET user_id = 'mallory'",
        "DROP TABLE metercache.creator",
        "CREATE TABLE metercache.mine (a int)",
        "ALTER TABLE metercache.search_request DISABLE ROW LEVEL SECURITY",
        "SET SESSION AUTHORIZATION metercache_owner",
    };
    struct fixture *fixture = *state;
    struct database *runtime = database_open(fixture->stack, DATABASE_RUNTIME);

    for (size_t i = 0; i < COUNT_OF(FORBIDDEN); i++) {
        char code[6];

        if (database_try(runtime, FORBIDDEN[i], code))
            fail_msg("the runtime role may: %s", FORBIDDEN[i]);
        assert_string_equal(code, "42501");
    }
    become(runtime, "bob");
    char code[6];
    assert_false(database_try(runtime,
                              "INSERT INTO metercache.search_request VALUES"
                              " (gen_random_uuid(), 'alice', 1, sha256('x'), '{}', 1, 0, 0,"
                              " now())",
                              code));
    assert_string_equal(code, "42501");
    database_close(runtime);
}

static int set_up(void **state)
{
    return fixture_up(state, "search", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_search_written_in_other_ways_calls_discovery_once),
        TEST(test_search_for_more_calls_discovery_for_the_rest_alone),
        TEST(test_search_leaves_a_row_a_call_in_the_call_log),
        TEST(test_search_pages_join_to_the_whole),
        TEST(test_search_with_a_page_token_of_nobody_is_refused),
        TEST(test_search_that_exhausts_the_provider_is_not_asked_again),
        TEST(test_search_without_any_match_costs_nothing_and_is_remembered),
        TEST(test_search_is_in_the_order_asked_for),
        TEST(test_search_of_another_platform_is_another_search),
        TEST(test_search_by_many_at_once_is_bought_once),
        TEST(test_list_searches_shows_the_callers_own_alone),
        TEST(test_list_searches_on_behalf_of_another_is_refused_to_a_client),
        TEST(test_list_searches_comes_newest_first_in_pages),
        TEST(test_search_requests_in_the_database_belong_to_their_user),
        TEST(test_runtime_role_cannot_rewrite_history),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
