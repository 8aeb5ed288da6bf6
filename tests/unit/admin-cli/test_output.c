#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metercache/v1/common.pb-c.h"
#include "output.h"

static void test_output_milli_keeps_three_decimals(void **state)
{
    (void)state;
    assert_string_equal(output_milli(0).text, "0.000");
    assert_string_equal(output_milli(300).text, "0.300");
    assert_string_equal(output_milli(1400000).text, "1400.000");
    assert_string_equal(output_milli(-1005).text, "-1.005");
    assert_string_equal(output_milli(INT64_MIN).text, "-9223372036854775.808");
}

static void test_output_percent_rounds_to_hundredths(void **state)
{
    (void)state;
    assert_string_equal(output_percent(36760).text, "3.68%");
    assert_string_equal(output_percent(0).text, "0.00%");
    assert_string_equal(output_percent(1000000).text, "100.00%");
    assert_string_equal(output_percent(-1).text, "-");
}

static void test_output_unknown_values_are_dashes(void **state)
{
    (void)state;
    assert_string_equal(output_count(-1).text, "-");
    assert_string_equal(output_count(58210).text, "58210");
    assert_string_equal(output_time(0).text, "-");
    assert_string_equal(output_time(1796083200000000).text, "2026-12-01T00:00:00Z");
    assert_string_equal(output_time(1796083200999999).text, "2026-12-01T00:00:00Z");
    assert_string_equal(output_millis(12345).text, "12.345 ms");
}

static void test_output_enum_is_lower_case_words(void **state)
{
    (void)state;
    const ProtobufCEnumDescriptor *outcome = &metercache__v1__call_outcome__descriptor;

    assert_string_equal(output_enum(outcome, 9).text, "provider-error");
    assert_string_equal(output_enum(outcome, 0).text, "-");
    assert_string_equal(output_enum(outcome, 99).text, "99");
}

static void test_output_units_counts_in_the_meters_unit(void **state)
{
    (void)state;
    assert_string_equal(output_units(300, 1400000, 10, "result").text,
                        "30 of 140000 results");
    assert_string_equal(output_units(0, 1000, 1000, "report").text, "0 of 1 report");
    assert_string_equal(output_units(300, 1400000, 0, "result").text, "");
    assert_string_equal(output_units(300, 1400000, 10, "").text, "");
}

static char *print(struct output_table *table)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    output_table_print(out, table);
    fclose(out);
    output_table_done(table);
    return text;
}

static void test_output_table_aligns_columns_by_characters(void **state)
{
    (void)state;
    struct output_table table;
    char *text;

    output_table_init(&table, (const char *const[]){"NAME", ">COUNT", "NOTE", NULL});
    output_table_add(&table, "Zoë");
    output_table_add(&table, "7");
    output_table_add(&table, "x");
    output_table_add(&table, "Ada Trails");
    output_table_add(&table, "58210");
    output_table_add(&table, "");
    text = print(&table);
    assert_string_equal(text, "NAME        COUNT  NOTE\n"
                              "Zoë             7  x\n"
                              "Ada Trails  58210  \n");
    free(text);
}

static void test_output_table_cuts_long_cells(void **state)
{
    (void)state;
    struct output_table table;
    char cell[OUTPUT_CELL_WIDTH + 2], *text;

    memset(cell, 'a', sizeof(cell) - 1);
    cell[sizeof(cell) - 1] = '\0';
    output_table_init(&table, (const char *const[]){"X", NULL});
    output_table_add(&table, cell);
    output_table_add(&table, cell + 1); /* exactly as wide as a cell */
    text = print(&table);
    assert_int_equal(strlen(text), 2 + 2 * (OUTPUT_CELL_WIDTH + 1));
    assert_non_null(strstr(text, "aaa...\n"));
    assert_non_null(strstr(text, cell + 1));
    free(text);
}

static void test_output_text_cannot_steer_a_terminal(void **state)
{
    (void)state;
    struct output_table table;
    char *text;

    output_table_init(&table, (const char *const[]){"X", NULL});
    output_table_add(&table, "a\x1b[2J\n\xc2\x9b\xff\x7f\xe2\x80\xae"
                             "b");
    text = print(&table);
    assert_string_equal(text, "X\na?[2J?????b\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_milli_keeps_three_decimals),
        cmocka_unit_test(test_output_percent_rounds_to_hundredths),
        cmocka_unit_test(test_output_unknown_values_are_dashes),
        cmocka_unit_test(test_output_enum_is_lower_case_words),
        cmocka_unit_test(test_output_units_counts_in_the_meters_unit),
        cmocka_unit_test(test_output_table_aligns_columns_by_characters),
        cmocka_unit_test(test_output_table_cuts_long_cells),
        cmocka_unit_test(test_output_text_cannot_steer_a_terminal),
    };

    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
