/* The typed columns of a report: found where they are, unknown where they are not (A2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/arena.h"
#include "resources/creators/report_fields.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void test_read_documented_shape_fills_every_column(void **state)
{
    (void)state;
    struct creator_report report = {0};
    struct error err = ERROR_NONE;
    const char *document =
        "{\"gender\":\"FEMALE\",\"ageGroup\":\"25-34\",\"country\":\"GB\","
        "\"city\":\"Leeds\",\"language\":{\"code\":\"en\"},"
        "\"accountType\":\"Creator\",\"postsCount\":812,"
        "\"audience\":{\"credibility\":0.84}}";

    assert_int_equal(report_fields_read(&report, document, &arena, &err), ST_OK);
    assert_int_equal(report.credibility_ppm, 840000);
    assert_string_equal(report.gender, "FEMALE");
    assert_string_equal(report.age_group, "25-34");
    assert_string_equal(report.country, "GB");
    assert_string_equal(report.city, "Leeds");
    assert_string_equal(report.language, "en");
    assert_string_equal(report.account_type, "Creator");
    assert_int_equal(report.posts, 812);
}

static void test_read_missing_and_odd_fields_are_unknown(void **state)
{
    (void)state;
    struct creator_report report = {0};
    struct error err = ERROR_NONE;
    const char *document = "{\"gender\":7,\"language\":\"en\",\"postsCount\":\"many\","
                           "\"audience\":{\"credibility\":7}}";

    assert_int_equal(report_fields_read(&report, document, &arena, &err), ST_OK);
    assert_int_equal(report.credibility_ppm, -1);
    assert_string_equal(report.gender, "");
    assert_string_equal(report.language, "");
    assert_int_equal(report.posts, -1);
}

static void test_read_what_is_no_object_is_refused(void **state)
{
    (void)state;
    struct creator_report report = {0};
    struct error err = ERROR_NONE;

    assert_int_equal(report_fields_read(&report, "[1]", &arena, &err), ST_INVALID);
    assert_int_equal(report_fields_read(&report, "{\"a\":", &arena, &err), ST_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_documented_shape_fills_every_column),
        cmocka_unit_test(test_read_missing_and_odd_fields_are_unknown),
        cmocka_unit_test(test_read_what_is_no_object_is_refused),
    };

    return cmocka_run_group_tests_name("report_fields", tests, set_up, tear_down);
}
