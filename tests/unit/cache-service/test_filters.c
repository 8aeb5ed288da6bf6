/* Filters: equal searches get one form, wrong ones are refused by name (C1, C9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/arena.h"
#include "core/base.h"
#include "resources/creators/filters.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct filters_search canonical(const char *platform, const char *filters,
                                       const char *sort)
{
    struct filters_search search = {0};
    struct error err = ERROR_NONE;

    enum status st = filters_canonicalise(&search, platform, filters, sort, &arena, &err);
    if (st != ST_OK)
        fail_msg("%s: %s", filters, err.message);
    return search;
}

static void assert_same(const char *a, const char *b)
{
    struct filters_search first = canonical("instagram", a, "");
    struct filters_search second = canonical("instagram", b, "");

    assert_string_equal(first.filters, second.filters);
    assert_memory_equal(first.hash, second.hash, FILTERS_HASH_SIZE);
}

static void assert_refused(const char *filters, const char *field)
{
    struct filters_search search = {0};
    struct error err = ERROR_NONE;

    assert_int_equal(filters_canonicalise(&search, "instagram", filters, "", &arena, &err),
                     ST_INVALID);
    assert_string_equal(err.field, field);
    assert_null(search.filters);
}

/* C1 */
static void test_canonicalise_other_key_order_and_spacing_is_equal(void **state)
{
    (void)state;
    assert_same("{\"influencer\":{\"isVerified\":true,\"followers\":{\"min\":20000,"
                "\"max\":70000}},\"audience\":{\"credibility\":0.75}}",
                "{ \"audience\" : {\"credibility\": 0.750},\n \"influencer\": {"
                "\"followers\": {\"max\": 70000, \"min\": 20000}, \"isVerified\": true}}");
}

static void test_canonicalise_other_number_form_is_equal(void **state)
{
    (void)state;
    assert_same("{\"influencer\":{\"followers\":{\"min\":20000},\"engagementRate\":0.02}}",
                "{\"influencer\":{\"followers\":{\"min\":2.0e4},\"engagementRate\":2e-2}}");
}

static void test_canonicalise_set_order_and_repeats_are_equal(void **state)
{
    (void)state;
    assert_same("{\"influencer\":{\"location\":[148838,62149],\"relevance\":[\"#a\"]}}",
                "{\"influencer\":{\"relevance\":[\"#a\",\"#a\"],"
                "\"location\":[62149,148838,62149]}}");
}

static void test_canonicalise_missing_weight_is_the_default(void **state)
{
    (void)state;
    assert_same(
        "{\"audience\":{\"gender\":{\"id\":\"FEMALE\"},\"age\":[{\"id\":\"18-24\"}]}}",
        "{\"audience\":{\"age\":[{\"weight\":0.3,\"id\":\"18-24\"}],"
        "\"gender\":{\"weight\":0.5,\"id\":\"FEMALE\"}}}");
}

static void test_canonicalise_followers_are_rounded_as_the_provider_does(void **state)
{
    (void)state;
    assert_same("{\"influencer\":{\"followers\":{\"min\":3400,\"max\":71900}}}",
                "{\"influencer\":{\"followers\":{\"min\":3000,\"max\":70000}}}");
}

static void test_canonicalise_empty_filters_are_no_filters(void **state)
{
    (void)state;
    assert_same("", "{\"influencer\":{\"followers\":{},\"location\":[]},\"audience\":{}}");
    assert_string_equal(canonical("tiktok", NULL, NULL).filters, "{}");
}

static void test_canonicalise_platform_and_sort_change_the_hash(void **state)
{
    (void)state;
    struct filters_search base = canonical("instagram", "{}", "");
    struct filters_search other = canonical("tiktok", "{}", "");
    struct filters_search rising = canonical("instagram", "{}", "{\"direction\":\"asc\"}");
    struct filters_search plain = canonical("instagram", "{}", "{\"field\":\"followers\"}");

    assert_memory_not_equal(base.hash, other.hash, FILTERS_HASH_SIZE);
    assert_memory_not_equal(base.hash, rising.hash, FILTERS_HASH_SIZE);
    assert_memory_equal(base.hash, plain.hash, FILTERS_HASH_SIZE);
}

/* C8, C9: each is refused with the name of the field */
static void test_canonicalise_wrong_value_names_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *filters;
        const char *field;
    } rows[] = {
        {"{\"influencer\":{\"followers\":{\"min\":\"many\"}}}",
         "filters.influencer.followers.min"},
        {"{\"influencer\":{\"followers\":20000}}", "filters.influencer.followers"},
        {"{\"influencer\":{\"followers\":{\"min\":9000,\"max\":10}}}",
         "filters.influencer.followers"},
        {"{\"influencer\":{\"followers\":{\"min\":9,\"max\":3}}}",
         "filters.influencer.followers"},
        {"{\"influencer\":{\"folowers\":{\"min\":1}}}", "filters.influencer.folowers"},
        {"{\"influencer\":{\"engagementRate\":{\"min\":0.1}}}",
         "filters.influencer.engagementRate"},
        {"{\"influencer\":{\"engagementRate\":1.5}}", "filters.influencer.engagementRate"},
        {"{\"influencer\":{\"isVerified\":\"yes\"}}", "filters.influencer.isVerified"},
        {"{\"influencer\":{\"gender\":\"female\"}}", "filters.influencer.gender"},
        {"{\"influencer\":{\"location\":[1,\"x\"]}}", "filters.influencer.location[1]"},
        {"{\"influencer\":{\"location\":7}}", "filters.influencer.location"},
        {"{\"influencer\":{\"lastposted\":29}}", "filters.influencer.lastposted"},
        {"{\"influencer\":{\"accountTypes\":[4]}}", "filters.influencer.accountTypes[0]"},
        {"{\"audience\":{\"gender\":{\"weight\":0.5}}}", "filters.audience.gender.id"},
        {"{\"audience\":{\"age\":[{\"id\":\"18-24\"}],\"ageRange\":{\"min\":\"18\"}}}",
         "filters.audience.ageRange"},
        {"{\"influencer\":{\"bio\":\"\"}}", "filters.influencer.bio"},
        {"[1,2]", "filters"},
        {"{\"a\":1,\"a\":2}", "filters"},
        {"{\"influencer\":", "filters"},
        {"null", "filters"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(rows[i].filters, rows[i].field);
}

static void test_canonicalise_too_long_or_too_deep_is_refused(void **state)
{
    (void)state;
    char deep[FILTERS_TEXT_MAX + 2];

    memset(deep, '[', sizeof(deep));
    deep[FILTERS_TEXT_MAX + 1] = '\0';
    assert_refused(deep, "filters");
    deep[FILTERS_TEXT_MAX] = '\0';
    assert_refused(deep, "filters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonicalise_other_key_order_and_spacing_is_equal),
        cmocka_unit_test(test_canonicalise_other_number_form_is_equal),
        cmocka_unit_test(test_canonicalise_set_order_and_repeats_are_equal),
        cmocka_unit_test(test_canonicalise_missing_weight_is_the_default),
        cmocka_unit_test(test_canonicalise_followers_are_rounded_as_the_provider_does),
        cmocka_unit_test(test_canonicalise_empty_filters_are_no_filters),
        cmocka_unit_test(test_canonicalise_platform_and_sort_change_the_hash),
        cmocka_unit_test(test_canonicalise_wrong_value_names_the_field),
        cmocka_unit_test(test_canonicalise_too_long_or_too_deep_is_refused),
    };

    return cmocka_run_group_tests_name("filters", tests, set_up, tear_down);
}
