/* A search body in the provider's words must select exactly the creators it describes, and a
 * body the provider would refuse must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider-simulator/catalog.h"
#include "provider-simulator/search_parse.h"

enum { SIZE = 4000 };

static struct population *people;

static int build(void **state)
{
    (void)state;
    people = population_new(3, SIZE);
    return 0;
}

static int discard(void **state)
{
    (void)state;
    population_free(people);
    return 0;
}

static bool parse(enum platform platform, const char *body, struct search_request *request,
                  struct search_problem *problem)
{
    json_t *json = json_loads(body, 0, NULL);
    bool fits;

    assert_non_null(json);
    fits = search_parse(json, people, platform, request, problem);
    json_decref(json);
    return fits;
}

static struct search_request search(const char *body)
{
    struct search_request request;
    struct search_problem problem = {0};

    if (!parse(PLATFORM_INSTAGRAM, body, &request, &problem)) {
        fail_msg("%s: %s", body, problem.message);
    }
    return request;
}

static void assert_refused(enum platform platform, const char *body, const char *code)
{
    struct search_request request;
    struct search_problem problem = {0};

    if (parse(platform, body, &request, &problem)) {
        fail_msg("accepted: %s", body);
    }
    assert_string_equal(problem.code, code);
    assert_true(strlen(problem.message) > 0);
}

/* Every creator is compared with what `wanted` says, so that none is lost and none added. */
static uint32_t assert_selects(const char *body, bool (*wanted)(const struct creator *))
{
    struct search_request request = search(body);
    uint32_t count = 0;

    for (uint32_t i = 0; i < SIZE; i++) {
        const struct creator *creator = population_at(people, PLATFORM_INSTAGRAM, i);

        assert_int_equal(search_filter_match(&request.filter, creator), wanted(creator));
        count += wanted(creator);
    }
    assert_in_range(count, 1, SIZE - 1);
    return count;
}

#define INFLUENCER(filter) "{\"filter\":{\"influencer\":{" filter "}}}"
#define AUDIENCE(filter)   "{\"filter\":{\"audience\":{" filter "}}}"

static bool is_mid_sized(const struct creator *c)
{
    return c->followers >= 20000 && c->followers <= 70000;
}

static bool is_engaging(const struct creator *c)
{
    return c->engagement_rate_ppm >= 20000;
}

static bool is_american_or_leeds(const struct creator *c)
{
    return c->country == 0 || catalog_cities[c->city].id == 900005;
}

static bool is_woman_18_to_34(const struct creator *c)
{
    return c->gender == GENDER_FEMALE && c->age <= 1;
}

static bool is_not_verified(const struct creator *c)
{
    return !c->is_verified;
}

static bool is_business_or_creator_with_email(const struct creator *c)
{
    return c->account_type >= 2 && (c->contacts & CONTACT_EMAIL) &&
           !(c->contacts & CONTACT_PHONE);
}

static bool posted_lately(const struct creator *c)
{
    return c->last_posted_days <= 30;
}

static bool is_growing(const struct creator *c)
{
    return (int64_t)c->monthly_growth_ppm * 6 > 50000;
}

static bool is_watched(const struct creator *c)
{
    return c->average_views >= 20000;
}

static bool speaks_of_marathon(const struct creator *c)
{
    return catalog_topics[c->topics[0]].phrase[0] == 'm' &&
           strstr(catalog_topics[c->topics[0]].phrase, "marathon") != NULL;
}

static bool has_topic(const struct creator *c, const char *tag)
{
    int row = catalog_find_topic(tag);

    return c->topics[0] == row || c->topics[1] == row || c->topics[2] == row;
}

static bool is_about_running(const struct creator *c)
{
    return has_topic(c, "running");
}

static bool likes_brand(const struct creator *c)
{
    int row = catalog_find_brand(1708);

    return c->brands[0] == row || c->brands[1] == row || c->brands[2] == row;
}

static bool dislikes_brand(const struct creator *c)
{
    return !likes_brand(c);
}

static bool is_verified_or_likes_brand(const struct creator *c)
{
    return is_mid_sized(c) && (c->is_verified || likes_brand(c));
}

static bool has_female_audience(const struct creator *c)
{
    return c->audience_female_pm >= 500;
}

static bool has_british_audience(const struct creator *c)
{
    for (int i = 0; i < 3; i++) {
        if (c->audience_country[i] == 1 && c->audience_country_pm[i] >= 200) {
            return true;
        }
    }
    return false;
}

static bool has_young_audience(const struct creator *c)
{
    return c->audience_age_pm[1] + c->audience_age_pm[2] >= 600;
}

static bool has_credible_audience(const struct creator *c)
{
    return c->credibility_pm >= 750;
}

static void test_match_influencer_filters_select_exactly_who_they_describe(void **state)
{
    (void)state;
    assert_selects(INFLUENCER("\"followers\":{\"min\":20000,\"max\":70000}"), is_mid_sized);
    assert_selects(INFLUENCER("\"engagementRate\":0.02"), is_engaging);
    assert_selects(INFLUENCER("\"location\":[148838,900005]"), is_american_or_leeds);
    assert_selects(INFLUENCER("\"gender\":\"FEMALE\",\"age\":{\"min\":18,\"max\":35}"),
                   is_woman_18_to_34);
    assert_selects(INFLUENCER("\"isVerified\":false"), is_not_verified);
    assert_selects(INFLUENCER("\"accountTypes\":[2,3],\"hasContactDetails\":["
                              "{\"contactType\":\"email\",\"filterAction\":\"must\"},"
                              "{\"contactType\":\"phone\",\"filterAction\":\"not\"}]"),
                   is_business_or_creator_with_email);
    assert_selects(INFLUENCER("\"lastposted\":30"), posted_lately);
    assert_selects(INFLUENCER("\"followersGrowthRate\":{\"interval\":\"i6months\","
                              "\"value\":0.05,\"operator\":\"gt\"}"),
                   is_growing);
    assert_selects(INFLUENCER("\"reelsPlays\":{\"min\":20000}"), is_watched);
    assert_selects(INFLUENCER("\"brands\":[1708]"), likes_brand);
    assert_selects(INFLUENCER("\"textTags\":[{\"type\":\"mention\","
                              "\"value\":\"exampleshoes\"}]"),
                   likes_brand);
    assert_selects(INFLUENCER("\"relevance\":[\"#running\"]"), is_about_running);
}

static void test_match_audience_filters_use_their_default_weights(void **state)
{
    (void)state;
    assert_selects(AUDIENCE("\"gender\":{\"id\":\"FEMALE\"}"), has_female_audience);
    assert_selects(AUDIENCE("\"location\":[{\"id\":62149}]"), has_british_audience);
    assert_selects(AUDIENCE("\"ageRange\":{\"min\":\"18\",\"max\":\"34\",\"weight\":0.6}"),
                   has_young_audience);
    assert_selects(AUDIENCE("\"credibility\":0.75"), has_credible_audience);
}

static void test_match_texts_need_every_word_in_any_case(void **state)
{
    struct search_request request = search(INFLUENCER("\"bio\":\"MARATHON diary\""));
    uint32_t count = 0;

    (void)state;
    for (uint32_t i = 0; i < SIZE; i++) {
        const struct creator *creator = population_at(people, PLATFORM_INSTAGRAM, i);
        bool match = search_filter_match(&request.filter, creator);

        assert_true(match || !speaks_of_marathon(creator));
        assert_true(!match || has_topic(creator, "marathon"));
        count += match;
    }
    assert_in_range(count, 1, SIZE / 4);
    request = search(INFLUENCER("\"keywords\":\"marathon zzz\""));
    assert_false(
        search_filter_match(&request.filter, population_at(people, PLATFORM_INSTAGRAM, 0)));
}

static void test_match_operations_turn_filters_round(void **state)
{
    (void)state;
    assert_selects(INFLUENCER("\"brands\":[1708],\"filterOperations\":["
                              "{\"operator\":\"not\",\"filter\":\"brands\"}]"),
                   dislikes_brand);
    assert_selects(
        INFLUENCER("\"followers\":{\"min\":20000,\"max\":70000},\"isVerified\":true,"
                   "\"brands\":[1708],\"filterOperations\":["
                   "{\"operator\":\"or\",\"filter\":\"brands\"},"
                   "{\"operator\":\"or\",\"filter\":\"isVerified\"}]"),
        is_verified_or_likes_brand);
}

static void test_round_followers_uses_two_steps(void **state)
{
    (void)state;
    assert_int_equal(search_round_followers(0), 0);
    assert_int_equal(search_round_followers(1499), 1000);
    assert_int_equal(search_round_followers(1500), 2000);
    assert_int_equal(search_round_followers(4999), 5000);
    assert_int_equal(search_round_followers(7499), 5000);
    assert_int_equal(search_round_followers(7500), 10000);
    assert_int_equal(search_round_views(20499), 20000);
}

static void test_parse_followers_are_rounded_before_they_filter(void **state)
{
    struct search_request request =
        search(INFLUENCER("\"followers\":{\"min\":20400,\"max\":69000}"));

    (void)state;
    assert_int_equal(request.filter.followers.min, 20000);
    assert_int_equal(request.filter.followers.max, 70000);
}

static void test_run_pages_hold_every_match_once_in_order(void **state)
{
    struct search_request request = search(INFLUENCER("\"location\":[148838]"));
    uint32_t seen = 0;
    uint32_t before = UINT32_MAX;
    struct search_page page;

    (void)state;
    do {
        search_run(people, PLATFORM_INSTAGRAM, &request, &page);
        for (uint32_t i = 0; i < page.count; i++) {
            assert_true(page.hits[i].creator->followers <= before);
            before = page.hits[i].creator->followers;
        }
        seen += page.count;
        request.page++;
    } while (page.count == SEARCH_PAGE_SIZE);
    assert_int_equal(seen, page.total);
    search_run(people, PLATFORM_INSTAGRAM, &request, &page);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.total, seen);
}

static void test_run_sort_fields_order_the_page(void **state)
{
    struct search_request request =
        search("{\"sort\":{\"field\":\"engagementRate\",\"direction\":\"asc\"}}");
    struct search_page page;

    (void)state;
    search_run(people, PLATFORM_INSTAGRAM, &request, &page);
    assert_int_equal(page.total, SIZE);
    for (uint32_t i = 1; i < page.count; i++) {
        assert_true(page.hits[i - 1].creator->engagement_rate_ppm <=
                    page.hits[i].creator->engagement_rate_ppm);
    }
}

static void test_run_named_handle_is_a_direct_hit(void **state)
{
    const struct creator *wanted = population_at(people, PLATFORM_INSTAGRAM, 17);
    char name[CREATOR_NAME_SIZE];
    char body[200];
    struct search_request request;
    struct search_page page;

    (void)state;
    creator_username(wanted, name);
    snprintf(body, sizeof body, INFLUENCER("\"relevance\":[\"@%s\"]"), name);
    request = search(body);
    search_run(people, PLATFORM_INSTAGRAM, &request, &page);
    assert_ptr_equal(page.hits[0].creator, wanted);
    assert_true(page.hits[0].direct);
    assert_true(page.count > 1);
    assert_false(page.hits[1].direct);
}

static void test_run_unknown_handle_finds_nobody(void **state)
{
    struct search_request request = search(INFLUENCER("\"relevance\":[\"@nobody_here\"]"));
    struct search_page page;

    (void)state;
    search_run(people, PLATFORM_INSTAGRAM, &request, &page);
    assert_int_equal(page.total, 0);
    assert_int_equal(page.count, 0);
}

static void test_parse_documented_body_is_accepted(void **state)
{
    struct search_request request = search(
        "{\"page\":665,\"calculationMethod\":\"median\","
        "\"sort\":{\"field\":\"audienceGeo\",\"direction\":\"desc\",\"value\":148838},"
        "\"filter\":{\"influencer\":{\"followers\":{\"min\":20000,\"max\":70000},"
        "\"engagementRate\":0.02,\"location\":[148838,62149],\"language\":\"en\","
        "\"lastposted\":90,\"gender\":\"FEMALE\",\"age\":{\"min\":18,\"max\":35},"
        "\"bio\":\"trail running\",\"keywords\":\"marathon training\","
        "\"relevance\":[\"#running\",\"@examplecoach\"],"
        "\"audienceRelevance\":[\"@examplecoach\"],"
        "\"followersGrowthRate\":{\"interval\":\"i6months\",\"value\":0.05,"
        "\"operator\":\"gt\"},\"hasContactDetails\":[{\"contactType\":\"email\","
        "\"filterAction\":\"must\"}],\"accountTypes\":[2,3],\"brands\":[1708],"
        "\"interests\":[3,21],\"textTags\":[{\"type\":\"hashtag\",\"value\":\"trailrunning\"}],"
        "\"reelsPlays\":{\"min\":20000},\"engagements\":{\"min\":0,\"max\":9000},"
        "\"isVerified\":true,\"hasSponsoredPosts\":true,\"hasYouTube\":false,"
        "\"filterOperations\":[{\"operator\":\"not\",\"filter\":\"brands\"}]},"
        "\"audience\":{\"location\":[{\"id\":148838,\"weight\":0.2}],"
        "\"language\":{\"id\":\"en\",\"weight\":0.2},\"gender\":{\"id\":\"FEMALE\","
        "\"weight\":0.5},\"age\":[{\"id\":\"18-24\",\"weight\":0.3}],"
        "\"interests\":[{\"id\":13,\"weight\":0.3}],\"credibility\":0.75}}}");

    (void)state;
    assert_int_equal(request.page, 665);
    assert_int_equal(request.sort, SORT_AUDIENCE_GEO);
}

static void test_parse_what_the_provider_refuses_is_refused(void **state)
{
    static const char *const bodies[] = {
        "[]",
        "{\"page\":\"0\"}",
        "{\"page\":-1}",
        "{\"page\":1.0}",
        "{\"pages\":1}",
        "{\"calculationMethod\":\"mode\"}",
        "{\"filter\":[]}",
        "{\"sort\":{\"field\":\"height\"}}",
        "{\"sort\":{\"field\":\"keywords\"}}",
        "{\"sort\":{\"field\":\"followers\",\"value\":3}}",
        INFLUENCER("\"followers\":20000"),
        INFLUENCER("\"followers\":{}"),
        INFLUENCER("\"followers\":{\"min\":\"20000\"}"),
        INFLUENCER("\"followers\":{\"min\":9,\"max\":3}"),
        INFLUENCER("\"engagementRate\":{\"min\":0.1}"),
        INFLUENCER("\"location\":148838"),
        INFLUENCER("\"location\":[\"148838\"]"),
        INFLUENCER("\"location\":[]"),
        INFLUENCER("\"lastposted\":7"),
        INFLUENCER("\"gender\":\"female\""),
        INFLUENCER("\"age\":{\"min\":21}"),
        INFLUENCER("\"accountTypes\":[4]"),
        INFLUENCER("\"isVerified\":\"true\""),
        INFLUENCER("\"views\":{\"min\":1000}"),
        INFLUENCER("\"bio\":\"\""),
        INFLUENCER("\"brands\":[1],\"filterOperations\":[{\"operator\":\"or\","
                   "\"filter\":\"brands\"}]"),
        AUDIENCE("\"age\":[{\"id\":\"18-25\"}]"),
        AUDIENCE(
            "\"age\":[{\"id\":\"18-24\"}],\"ageRange\":{\"min\":\"18\",\"max\":\"24\"}"),
        AUDIENCE("\"gender\":{\"id\":\"FEMALE\",\"weight\":2}"),
        AUDIENCE("\"credibility\":\"high\""),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_refused(PLATFORM_INSTAGRAM, bodies[i], "invalid_body_params");
    }
    assert_refused(PLATFORM_TIKTOK, INFLUENCER("\"reelsPlays\":{\"min\":1000}"),
                   "invalid_body_params");
    assert_refused(PLATFORM_INSTAGRAM, "{\"page\":666}", "page_limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_influencer_filters_select_exactly_who_they_describe),
        cmocka_unit_test(test_match_audience_filters_use_their_default_weights),
        cmocka_unit_test(test_match_texts_need_every_word_in_any_case),
        cmocka_unit_test(test_match_operations_turn_filters_round),
        cmocka_unit_test(test_round_followers_uses_two_steps),
        cmocka_unit_test(test_parse_followers_are_rounded_before_they_filter),
        cmocka_unit_test(test_run_pages_hold_every_match_once_in_order),
        cmocka_unit_test(test_run_sort_fields_order_the_page),
        cmocka_unit_test(test_run_named_handle_is_a_direct_hit),
        cmocka_unit_test(test_run_unknown_handle_finds_nobody),
        cmocka_unit_test(test_parse_documented_body_is_accepted),
        cmocka_unit_test(test_parse_what_the_provider_refuses_is_refused),
    };

    return cmocka_run_group_tests(tests, build, discard);
}
