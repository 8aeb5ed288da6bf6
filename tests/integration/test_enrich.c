/* Enriching a creator with an e-mail address: only after its detailed profile, from what is
 * known, else from Clay; never at Modash's cost. C4, C5. */
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "support/crowd.h"
#include "support/fixture.h"

#define RUN_MILLI 1000
#define TRIES     80

#define FOUND     METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_FOUND
#define NOT_FOUND METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_NOT_FOUND
#define PENDING   METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_PENDING

static const char *const SETTINGS[] = {
    "CACHE_ENRICHMENT_WAIT=1s",
    "CACHE_BACKOFF_FIRST=0", /* failures follow one another here */
    NULL};

static enrich_reply *enrich(struct caller *caller, const char *creator)
{
    enrich_reply *reply = NULL;

    assert_ok(call_enrich(caller, INSTAGRAM, creator, &reply), &caller->err);
    assert_non_null(reply->creator);
    assert_non_null(reply->cost);
    return reply;
}

/* A selected creator, with or without an address in its report. Opens the books anew. */
static struct simulator_creator selected(struct fixture *fixture, bool has_contact)
{
    struct simulator_creator creator;
    select_reply *reply = NULL;

    do {
        creator = fixture_new_creator(fixture);
        assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
                  &fixture->alice.err);
    } while ((reply->creator->email[0] != '\0') != has_contact);
    books_open(&fixture->books, fixture->stack, fixture->owner);
    return creator;
}

/* A creator whose enrichment ends in `wanted`, once it has ended. */
static enrich_reply *enriched(struct fixture *fixture,
                              Metercache__V1__EnrichmentState wanted,
                              struct simulator_creator *creator)
{
    for (int i = 0; i < TRIES; i++) {
        enrich_reply *reply;

        *creator = selected(fixture, false);
        reply = enrich(&fixture->alice, creator->user_id);
        if (reply->state == wanted)
            return reply;
    }
    fail_msg("no enrichment ended in state %d", (int)wanted);
    return NULL;
}

static int64_t clay_runs(struct fixture *fixture)
{
    return simulator_count(fixture->stack, "clay", "run").received;
}

static int64_t clay_polls(struct fixture *fixture)
{
    return simulator_count(fixture->stack, "clay", "results").received;
}

static void assert_no_modash_call(struct fixture *fixture)
{
    assert_int_equal(simulator_count(fixture->stack, "modash", "total").received, 0);
}

/* C4: only once a detailed profile exists */
static void test_enrich_before_select_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = INSTAGRAM,
        .filters = "{\"influencer\":{\"followers\":{\"min\":50000},\"hasYouTube\":true}}",
        .count = 15,
    };
    const struct simulator_creator stranger = fixture_new_creator(fixture);
    enrich_reply *reply = NULL;
    search_reply *found = NULL;

    assert_status(call_enrich(&fixture->alice, INSTAGRAM, stranger.user_id, &reply),
                  &fixture->alice.err, ST_NOT_FOUND);
    books_expect_nothing(&fixture->books);

    assert_ok(call_search(&fixture->alice, &question, &found), &fixture->alice.err);
    books_open(&fixture->books, fixture->stack, fixture->owner);
    assert_status(call_enrich(&fixture->alice, INSTAGRAM,
                              found->creators[0]->provider_user_id, &reply),
                  &fixture->alice.err, ST_PRECONDITION);
    books_expect_nothing(&fixture->books);
}

static void test_enrich_with_a_contact_in_the_report_calls_nobody(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = selected(fixture, true);
    enrich_reply *reply = enrich(&fixture->alice, creator.user_id);
    char wanted[SIMULATOR_NAME_SIZE + 16];

    (void)snprintf(wanted, sizeof(wanted), "%s@example.org", creator.username);
    assert_int_equal(reply->state, FOUND);
    assert_string_equal(reply->email, wanted);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    books_expect_nothing(&fixture->books);
}

static void test_enrich_that_finds_costs_one_run_and_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct simulator_creator creator;
    enrich_reply *reply = enriched(fixture, FOUND, &creator);
    int64_t calls = 1 + clay_polls(fixture);
    Metercache__V1__GetCreatorResponse *got = NULL;

    assert_non_null(strchr(reply->email, '@'));
    assert_int_equal(reply->cost->credits_milli, RUN_MILLI);
    assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_LIVE);
    assert_no_modash_call(fixture);
    books_expect(&fixture->books, BOOKS_ENRICHMENT, calls, RUN_MILLI, RUN_MILLI);

    for (int i = 0; i < 2; i++) {
        enrich_reply *again = enrich(&fixture->bob, creator.user_id);

        assert_int_equal(again->state, FOUND);
        assert_string_equal(again->email, reply->email);
        assert_int_equal(again->cost->provider_calls, 0);
        assert_int_equal(again->cost->credits_milli, 0);
        assert_int_equal(again->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    }
    assert_ok(call_get(&fixture->bob, INSTAGRAM, creator.user_id, &got), &fixture->bob.err);
    assert_string_equal(got->creator->email, reply->email);
    books_expect(&fixture->books, BOOKS_ENRICHMENT, calls, RUN_MILLI, RUN_MILLI);
    assert_no_modash_call(fixture);
}

static void test_enrich_that_finds_nothing_says_so_and_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct simulator_creator creator;
    enrich_reply *reply = enriched(fixture, NOT_FOUND, &creator);
    int64_t calls = 1 + clay_polls(fixture);

    assert_string_equal(reply->email, "");
    enrich_reply *again = enrich(&fixture->alice, creator.user_id);
    assert_int_equal(again->state, NOT_FOUND);
    assert_int_equal(again->cost->provider_calls, 0);
    assert_int_equal(again->cost->credits_milli, 0);
    /* The provider may charge for fruitless work: the ledger presumes it does. */
    books_expect(&fixture->books, BOOKS_ENRICHMENT, calls, RUN_MILLI, 0);
    assert_no_modash_call(fixture);
}

static bool has_ended(struct fixture *fixture, const char *creator, enrich_reply **reply)
{
    *reply = enrich(&fixture->alice, creator);
    assert_int_equal((*reply)->cost->credits_milli, 0); /* the run was paid at its start */
    return (*reply)->state != PENDING;
}

/* A run that takes long is pending, and asked after; it is never started twice. */
static void test_enrich_that_takes_long_is_pending_and_not_started_again(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = selected(fixture, false);
    enrich_reply *reply;

    simulator_set_polls(fixture->stack, 12);
    reply = enrich(&fixture->alice, creator.user_id);
    assert_int_equal(reply->state, PENDING);
    assert_string_equal(reply->email, "");
    assert_int_equal(reply->cost->credits_milli, RUN_MILLI);
    assert_eventually(has_ended(fixture, creator.user_id, &reply), 30000);
    assert_int_equal(clay_runs(fixture), 1);
    assert_int_equal(clay_polls(fixture), 13);
    books_expect(&fixture->books, BOOKS_ENRICHMENT, 14, RUN_MILLI,
                 reply->state == FOUND ? RUN_MILLI : 0);
    assert_no_modash_call(fixture);
}

struct crowd_result {
    const char *creator;
    enum status status[32];
    int64_t credits_milli[32];
};

static void enrich_in_crowd(struct caller *caller, size_t index, void *context)
{
    struct crowd_result *result = context;
    enrich_reply *reply = NULL;

    result->status[index] = call_enrich(caller, INSTAGRAM, result->creator, &reply);
    if (result->status[index] == ST_OK)
        result->credits_milli[index] = reply->cost->credits_milli;
}

static void test_enrich_by_many_at_once_starts_one_run(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = selected(fixture, false);
    struct crowd_result result = {.creator = creator.user_id};
    int64_t told_milli = 0;

    crowd_run(fixture->alice.client, COUNT_OF(result.status), enrich_in_crowd, &result);
    for (size_t i = 0; i < COUNT_OF(result.status); i++) {
        assert_int_equal(result.status[i], ST_OK);
        told_milli += result.credits_milli[i];
    }
    assert_int_equal(told_milli, RUN_MILLI);
    assert_int_equal(clay_runs(fixture), 1);
    assert_no_modash_call(fixture);
}

/* C8: Clay's failure is no answer, and the run in doubt is presumed paid */
static void test_enrich_while_clay_fails_is_unavailable_and_stores_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = selected(fixture, false);
    enrich_reply *reply = NULL;

    simulator_behave(fixture->stack, "clay", "run", "status", "\"status\":500");
    assert_status(call_enrich(&fixture->alice, INSTAGRAM, creator.user_id, &reply),
                  &fixture->alice.err, ST_UNAVAILABLE);
    books_expect(&fixture->books, BOOKS_ENRICHMENT, 1, RUN_MILLI, 0);
    assert_int_equal(database_number(fixture->owner,
                                     "SELECT count(*) FROM metercache.creator_enrichment"
                                     " WHERE provider_user_id = $1",
                                     (const char *const[]){creator.user_id, NULL}),
                     0);
    simulator_behave(fixture->stack, "clay", "run", "ok", "");
    assert_int_not_equal(enrich(&fixture->alice, creator.user_id)->state, 0);
    assert_no_modash_call(fixture);
}

/* A run that Clay no longer knows is over: the next call starts another. */
static void test_enrich_whose_run_is_lost_starts_another(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = selected(fixture, false);
    enrich_reply *reply = NULL;

    simulator_set_polls(fixture->stack, 10000);
    assert_int_equal(enrich(&fixture->alice, creator.user_id)->state, PENDING);
    simulator_behave(fixture->stack, "clay", "results", "status", "\"status\":404");
    assert_status(call_enrich(&fixture->alice, INSTAGRAM, creator.user_id, &reply),
                  &fixture->alice.err, ST_UNAVAILABLE);
    assert_string_equal(fixture->alice.err.reason, "RUN_LOST");
    assert_int_equal(clay_runs(fixture), 1);

    simulator_behave(fixture->stack, "clay", "results", "ok", "");
    simulator_set_polls(fixture->stack, 0);
    assert_int_not_equal(enrich(&fixture->alice, creator.user_id)->state, PENDING);
    assert_int_equal(clay_runs(fixture), 2);
    assert_no_modash_call(fixture);
}

/* A run whose start was never answered may have been paid: it is not started again at once. */
static void test_enrich_whose_start_is_not_answered_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = selected(fixture, false);
    enrich_reply *reply;

    simulator_behave(fixture->stack, "clay", "run", "close", "\"effect\":true");
    assert_int_equal(enrich(&fixture->alice, creator.user_id)->state, PENDING);
    simulator_behave(fixture->stack, "clay", "run", "ok", "");
    reply = enrich(&fixture->alice, creator.user_id);
    assert_int_equal(reply->state, PENDING);
    assert_int_equal(reply->cost->provider_calls, 0);
    assert_int_equal(clay_runs(fixture), 1);
    assert_no_modash_call(fixture);
}

static int set_up(void **state)
{
    return fixture_up(state, "enrich", SETTINGS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_enrich_before_select_is_refused),
        TEST(test_enrich_with_a_contact_in_the_report_calls_nobody),
        TEST(test_enrich_that_finds_costs_one_run_and_is_kept),
        TEST(test_enrich_that_finds_nothing_says_so_and_is_remembered),
        TEST(test_enrich_that_takes_long_is_pending_and_not_started_again),
        TEST(test_enrich_by_many_at_once_starts_one_run),
        TEST(test_enrich_while_clay_fails_is_unavailable_and_stores_nothing),
        TEST(test_enrich_whose_run_is_lost_starts_another),
        TEST(test_enrich_whose_start_is_not_answered_is_left_alone),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
