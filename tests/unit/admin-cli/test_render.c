#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

static char *text;
static size_t text_size;

static FILE *start(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &text_size);
}

static int teardown(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

/* C1: what a search gave and what it cost. */
static void test_render_search_says_where_creators_came_from_and_the_cost(void **state)
{
    (void)state;
    Metercache__V1__Creator creator = METERCACHE__V1__CREATOR__INIT, *creators = &creator;
    Metercache__V1__Cost cost = METERCACHE__V1__COST__INIT;
    Metercache__V1__SearchResponse reply = METERCACHE__V1__SEARCH_RESPONSE__INIT;
    FILE *out = start();

    creator.handle = "ada.trails";
    creator.full_name = "Ada Trails";
    creator.provider_user_id = "48210077";
    creator.followers = 58210;
    creator.engagement_rate_ppm = 36760;
    creator.has_report = true;
    cost.provider_calls = 2;
    cost.credits_milli = 300;
    reply.creators = &creators;
    reply.n_creators = 1;
    reply.available = 20;
    reply.discovered = 20;
    reply.total = -1;
    reply.cost = &cost;
    render_search(out, &reply);
    fclose(out);
    assert_string_equal(
        text,
        "HANDLE      NAME        ID        FOLLOWERS  ENGAGEMENT  E-MAIL  REPORT\n"
        "ada.trails  Ada Trails  48210077      58210       3.68%  -       yes\n"
        "\n20 creators: 0 from cache, 20 discovered; 2 provider calls, 0.300 credits\n");
}

/* C8: cached data when the provider fails, marked stale. */
static void test_render_search_stale_says_why_and_where_to_go_on(void **state)
{
    (void)state;
    Metercache__V1__SearchResponse reply = METERCACHE__V1__SEARCH_RESPONSE__INIT;
    Metercache__V1__Freshness freshness = METERCACHE__V1__FRESHNESS__INIT;
    Metercache__V1__PageResponse page = METERCACHE__V1__PAGE_RESPONSE__INIT;
    FILE *out = start();

    freshness.source = METERCACHE__V1__SOURCE__SOURCE_STALE;
    freshness.fresh_until_us = 1796083200000000;
    freshness.stale_reason = "provider answered 503";
    page.next_page_token = "abc";
    reply.freshness = &freshness;
    reply.page = &page;
    reply.total = 7;
    reply.exhausted = true;
    render_search(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "0 provider calls, 0.000 credits; 7 match in all; the "
                                 "provider has no more\n"));
    assert_non_null(
        strstr(text, "stale since 2026-12-01T00:00:00Z: provider answered 503\n"));
    assert_non_null(strstr(text, "more: --page-token abc\n"));
}

/* C7: every call with reason, outcome, credits. */
static void test_render_calls_names_reason_outcome_and_price(void **state)
{
    (void)state;
    Metercache__V1__CallRecord call = METERCACHE__V1__CALL_RECORD__INIT, *calls = &call;
    Metercache__V1__ListCallsResponse reply = METERCACHE__V1__LIST_CALLS_RESPONSE__INIT;
    FILE *out = start();

    call.started_at_us = 1796083200000000;
    call.provider = "modash";
    call.action = "search";
    call.reason = "search";
    call.user = "alice";
    call.outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    call.credits_milli = 150;
    call.latency_us = 42100;
    call.http_status = 200;
    reply.calls = &calls;
    reply.n_calls = 1;
    render_calls(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "2026-12-01T00:00:00Z  modash    search  search  -        "
                                 "alice  ok         0.150  42.100 ms   200  \n"));
}

static void test_render_creator_and_enrichment_print_what_is_known(void **state)
{
    (void)state;
    Metercache__V1__EnrichCreatorResponse reply =
        METERCACHE__V1__ENRICH_CREATOR_RESPONSE__INIT;
    Metercache__V1__Creator creator = METERCACHE__V1__CREATOR__INIT;
    Metercache__V1__Cost cost = METERCACHE__V1__COST__INIT;
    FILE *out = start();

    creator.platform = METERCACHE__V1__PLATFORM__PLATFORM_INSTAGRAM;
    creator.handle = "ada";
    creator.followers = -1;
    cost.provider_calls = 1;
    reply.creator = &creator;
    reply.cost = &cost;
    reply.state = METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_PENDING;
    render_enrichment(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "enrichment     pending\n"));
    assert_non_null(strstr(text, "ask again later"));
    assert_non_null(strstr(text, "platform       instagram\n"));
    assert_non_null(strstr(text, "followers      -\n"));
    assert_non_null(strstr(text, "cost           1 provider call, 0.000 credits\n"));
    assert_null(strstr(text, "name "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            test_render_search_says_where_creators_came_from_and_the_cost, teardown),
        cmocka_unit_test_teardown(test_render_search_stale_says_why_and_where_to_go_on,
                                  teardown),
        cmocka_unit_test_teardown(test_render_calls_names_reason_outcome_and_price,
                                  teardown),
        cmocka_unit_test_teardown(test_render_creator_and_enrichment_print_what_is_known,
                                  teardown),
    };

    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
