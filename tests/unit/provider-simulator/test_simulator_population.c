/* The population is what every other judgement rests on: it must be repeatable, findable and
 * shaped like a real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider-simulator/catalog.h"
#include "provider-simulator/population.h"
#include "provider-simulator/report_body.h"

enum { SIZE = 5000 };
#define SOME_DAY INT64_C(1795219200)

static struct population *people;

static int build(void **state)
{
    (void)state;
    people = population_new(7, SIZE);
    return 0;
}

static int discard(void **state)
{
    (void)state;
    population_free(people);
    return 0;
}

static void test_new_same_seed_gives_the_same_creators(void **state)
{
    struct population *again = population_new(7, SIZE);

    (void)state;
    for (uint32_t i = 0; i < SIZE; i++) {
        assert_memory_equal(population_at(people, PLATFORM_TIKTOK, i),
                            population_at(again, PLATFORM_TIKTOK, i),
                            sizeof(struct creator));
    }
    population_free(again);
}

static void test_new_smaller_size_keeps_the_first_creators(void **state)
{
    struct population *fewer = population_new(7, 10);

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(population_at(people, PLATFORM_YOUTUBE, i)->salt,
                         population_at(fewer, PLATFORM_YOUTUBE, i)->salt);
    }
    population_free(fewer);
}

static void test_new_other_seed_gives_other_creators(void **state)
{
    struct population *other = population_new(8, SIZE);
    int same = 0;

    (void)state;
    for (uint32_t i = 0; i < SIZE; i++) {
        same += population_at(people, PLATFORM_INSTAGRAM, i)->followers ==
                population_at(other, PLATFORM_INSTAGRAM, i)->followers;
    }
    assert_true(same < SIZE / 100);
    population_free(other);
}

static void test_ranked_is_a_permutation_by_followers(void **state)
{
    unsigned char seen[SIZE] = {0};
    uint32_t before = UINT32_MAX;

    (void)state;
    for (uint32_t rank = 0; rank < SIZE; rank++) {
        const struct creator *creator = population_ranked(people, PLATFORM_INSTAGRAM, rank);

        assert_true(creator->followers <= before);
        before = creator->followers;
        assert_int_equal(seen[creator->index]++, 0);
    }
}

static void test_followers_are_heavy_tailed(void **state)
{
    uint32_t small = 0;
    uint32_t large = 0;

    (void)state;
    for (uint32_t i = 0; i < SIZE; i++) {
        uint32_t followers = population_at(people, PLATFORM_INSTAGRAM, i)->followers;

        assert_true(followers >= 1000);
        small += followers < 4000;
        large += followers >= 1000000;
    }
    assert_in_range(small, SIZE / 2, SIZE * 3 / 4);
    assert_in_range(large, 1, SIZE / 50);
}

static void test_some_creators_are_private(void **state)
{
    uint32_t count = 0;

    (void)state;
    for (uint32_t i = 0; i < SIZE; i++) {
        count += population_at(people, PLATFORM_TIKTOK, i)->is_private;
    }
    assert_in_range(count, SIZE / 50, SIZE / 15);
}

static void test_find_id_and_handle_lead_back_to_each_creator(void **state)
{
    (void)state;
    for (int platform = 0; platform < PLATFORM_COUNT; platform++) {
        for (uint32_t i = 0; i < SIZE; i++) {
            const struct creator *creator =
                population_at(people, (enum platform)platform, i);
            char name[CREATOR_NAME_SIZE];

            creator_user_id(creator, name);
            assert_ptr_equal(population_find(people, (enum platform)platform, name),
                             creator);
            creator_username(creator, name);
            assert_ptr_equal(population_find(people, (enum platform)platform, name),
                             creator);
            name[0] = (char)(name[0] - ('a' - 'A'));
            assert_ptr_equal(population_find(people, (enum platform)platform, name),
                             creator);
        }
    }
}

static void test_find_near_miss_is_unknown(void **state)
{
    static const char *const strangers[] = {
        "",
        "0",
        "41000000000",
        "nobody",
        "nobody_1",
        "@",
        "UC",
        "UC__",
        "99999999999999999999999999999999",
        "18446744073709551615",
        "ada.trails",
        "-1",
        "UCAAAAAAAAAAAAAAAAAAAAAA",
        "\xff\xfe",
    };
    char at_handle[CREATOR_NAME_SIZE + 1] = "@";

    (void)state;
    for (int platform = 0; platform < PLATFORM_COUNT; platform++) {
        for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
            assert_null(population_find(people, (enum platform)platform, strangers[i]));
        }
    }
    creator_username(population_at(people, PLATFORM_TIKTOK, 5), at_handle + 1);
    assert_null(population_find(people, PLATFORM_TIKTOK, at_handle));
    assert_non_null(population_find(people, PLATFORM_TIKTOK, at_handle + 1));
}

static void test_find_other_platform_does_not_know_the_id(void **state)
{
    char id[CREATOR_NAME_SIZE];

    (void)state;
    creator_user_id(population_at(people, PLATFORM_YOUTUBE, 3), id);
    assert_int_equal(strlen(id), 24);
    assert_null(population_find(people, PLATFORM_INSTAGRAM, id));
    assert_null(population_find(people, PLATFORM_TIKTOK, id));
}

static void test_audience_ages_never_exceed_the_whole(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SIZE; i++) {
        const struct creator *creator = population_at(people, PLATFORM_INSTAGRAM, i);
        uint32_t sum = 0;

        for (int row = 0; row < CATALOG_AGES; row++) {
            sum += creator->audience_age_pm[row];
        }
        assert_true(sum <= 1000);
        assert_int_equal(catalog_cities[creator->city].country, creator->country);
    }
}

static void test_platform_parse_unknown_name_is_refused(void **state)
{
    enum platform platform;

    (void)state;
    assert_true(platform_parse("youtube", &platform));
    assert_int_equal(platform, PLATFORM_YOUTUBE);
    assert_false(platform_parse("myspace", &platform));
    assert_false(platform_parse("Instagram", &platform));
    assert_false(platform_parse("", &platform));
}

static void test_report_has_a_realistic_size_on_every_platform(void **state)
{
    (void)state;
    for (int platform = 0; platform < PLATFORM_COUNT; platform++) {
        size_t smallest = SIZE_MAX;
        size_t largest = 0;

        for (uint32_t i = 0; i < 300; i++) {
            struct text body = {0};

            report_body_print(people, population_at(people, (enum platform)platform, i),
                              SOME_DAY, &body);
            smallest = body.length < smallest ? body.length : smallest;
            largest = body.length > largest ? body.length : largest;
            text_done(&body);
        }
        assert_true(smallest >= 100000);
        assert_true(largest >= 250000 && largest <= 400000);
    }
}

static void test_report_same_day_gives_the_same_bytes(void **state)
{
    const struct creator *creator = population_at(people, PLATFORM_YOUTUBE, 11);
    struct text morning = {0};
    struct text evening = {0};

    (void)state;
    report_body_print(people, creator, SOME_DAY, &morning);
    report_body_print(people, creator, SOME_DAY + 80000, &evening);
    assert_string_equal(morning.bytes, evening.bytes);
    text_done(&morning);
    text_done(&evening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_same_seed_gives_the_same_creators),
        cmocka_unit_test(test_new_smaller_size_keeps_the_first_creators),
        cmocka_unit_test(test_new_other_seed_gives_other_creators),
        cmocka_unit_test(test_ranked_is_a_permutation_by_followers),
        cmocka_unit_test(test_followers_are_heavy_tailed),
        cmocka_unit_test(test_some_creators_are_private),
        cmocka_unit_test(test_find_id_and_handle_lead_back_to_each_creator),
        cmocka_unit_test(test_find_near_miss_is_unknown),
        cmocka_unit_test(test_find_other_platform_does_not_know_the_id),
        cmocka_unit_test(test_audience_ages_never_exceed_the_whole),
        cmocka_unit_test(test_platform_parse_unknown_name_is_refused),
        cmocka_unit_test(test_report_has_a_realistic_size_on_every_platform),
        cmocka_unit_test(test_report_same_day_gives_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, build, discard);
}
