/* The price of a meter's unit is told by quota-service and charged by the gateway: both must
 * mean the same. C6, C7. */
#include "support/fixture.h"

#define RESULTS 15 /* one page of the provider's */
#define TRIES   80

#define FOUND METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_FOUND

static int64_t unit_price_milli(struct fixture *fixture, enum books_meter meter)
{
    Metercache__V1__GetUsageResponse *usage = NULL;

    assert_ok(call_get_usage(&fixture->quota, BOOKS_METERS[meter], &usage),
              &fixture->quota.err);
    assert_int_equal(usage->n_meters, 1);
    assert_true(usage->meters[0]->unit_price_milli > 0);
    return usage->meters[0]->unit_price_milli;
}

/* The call log since the books were opened has `units` units of the meter, at its price. */
static void assert_log_costs(struct fixture *fixture, enum books_meter meter, int64_t units)
{
    const struct books_page *before = &fixture->books.at_start[meter];

    assert_eventually(books_read(fixture->owner, meter).open == 0, 10000);
    assert_int_equal(books_read(fixture->owner, meter).log_milli - before->log_milli,
                     units * unit_price_milli(fixture, meter));
}

static void test_search_costs_the_price_of_a_result_each(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = INSTAGRAM,
        .filters = "{\"influencer\":{\"followers\":{\"min\":20000}}}",
        .count = RESULTS};
    search_reply *reply = NULL;

    assert_ok(call_search(&fixture->alice, &question, &reply), &fixture->alice.err);
    assert_int_equal(reply->available, RESULTS);
    assert_log_costs(fixture, BOOKS_DISCOVERY, RESULTS);
}

static void test_select_costs_the_price_of_a_report(void **state)
{
    struct fixture *fixture = *state;
    const struct simulator_creator creator = fixture_new_creator(fixture);
    select_reply *reply = NULL;

    assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &reply),
              &fixture->alice.err);
    assert_log_costs(fixture, BOOKS_REPORTS, 1);
}

/* Select new creators until one is that Clay finds an address for. */
static void test_enrich_costs_the_price_of_an_enrichment(void **state)
{
    struct fixture *fixture = *state;
    enrich_reply *reply = NULL;

    for (int i = 0; i < TRIES; i++) {
        const struct simulator_creator creator = fixture_new_creator(fixture);
        select_reply *selected = NULL;

        assert_ok(call_select(&fixture->alice, INSTAGRAM, creator.user_id, true, &selected),
                  &fixture->alice.err);
        books_open(&fixture->books, fixture->stack, fixture->owner);
        assert_ok(call_enrich(&fixture->alice, INSTAGRAM, creator.user_id, &reply),
                  &fixture->alice.err);
        if (reply->state == FOUND && reply->cost->provider_calls > 0) {
            assert_log_costs(fixture, BOOKS_ENRICHMENT, 1);
            return;
        }
    }
    fail_msg("no address found for %d creators", TRIES);
}

static int set_up(void **state)
{
    return fixture_up(state, "prices", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_search_costs_the_price_of_a_result_each),
        TEST(test_select_costs_the_price_of_a_report),
        TEST(test_enrich_costs_the_price_of_an_enrichment),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
