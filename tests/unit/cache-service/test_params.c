/* The bytes of binary parameters, against Postgres' documented form. */
#include "support/test.h"

#include <string.h>

#include "core/base.h"
#include "store/params.h"

struct thing {
    int64_t number;
    const char *text;
    int small;
    bool flag;
    struct op_id id;
};

static const struct thing THINGS[] = {
    {-1, "ab", -2, true, {{1, 2, 3}}},
    {5, NULL, 3, false, {{9}}},
};

static void assert_column(enum db_column kind, size_t offset, const void *bytes,
                          size_t size)
{
    struct db_params params;
    struct db_rows rows = {THINGS, COUNT_OF(THINGS), sizeof(THINGS[0])};

    db_params_init(&params);
    db_param_column(&params, rows, kind, offset);
    assert_false(params.failed);
    assert_int_equal(params.count, 1);
    assert_int_equal(params.lengths[0], size);
    assert_memory_equal(params.values[0], bytes, size);
    db_params_done(&params);
}

#define HEADER(has_null, oid_high, oid_low) \
    0, 0, 0, 1, 0, 0, 0, (has_null), 0, 0, (oid_high), (oid_low), 0, 0, 0, 2, 0, 0, 0, 1

static void test_db_param_column_of_numbers(void **state)
{
    (void)state;
    static const uint8_t BIG[] = {HEADER(0, 0, 20),
                                  0,
                                  0,
                                  0,
                                  8,
                                  0xff,
                                  0xff,
                                  0xff,
                                  0xff,
                                  0xff,
                                  0xff,
                                  0xff,
                                  0xff,
                                  0,
                                  0,
                                  0,
                                  8,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  5};
    static const uint8_t KNOWN[] = {
        HEADER(1, 0, 20), 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5};
    static const uint8_t SMALL[] = {
        HEADER(0, 0, 21), 0, 0, 0, 2, 0xff, 0xfe, 0, 0, 0, 2, 0, 3};
    assert_column(DB_COLUMN_I64, offsetof(struct thing, number), BIG, sizeof(BIG));
    assert_column(DB_COLUMN_KNOWN_I64, offsetof(struct thing, number), KNOWN,
                  sizeof(KNOWN));
    assert_column(DB_COLUMN_I16, offsetof(struct thing, small), SMALL, sizeof(SMALL));
}

static void test_db_param_column_of_texts_and_flags(void **state)
{
    (void)state;
    static const uint8_t TEXTS[] = {HEADER(0, 0, 25), 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0};
    static const uint8_t FLAGS[] = {HEADER(0, 0, 16), 0, 0, 0, 1, 1, 0, 0, 0, 1, 0};
    assert_column(DB_COLUMN_TEXT, offsetof(struct thing, text), TEXTS, sizeof(TEXTS));
    assert_column(DB_COLUMN_BOOL, offsetof(struct thing, flag), FLAGS, sizeof(FLAGS));
}

static void test_db_param_column_of_nothing_has_no_dimension(void **state)
{
    (void)state;
    static const uint8_t EMPTY[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0x86};
    struct db_params params;
    struct db_rows rows = {NULL, 0, sizeof(THINGS[0])};
    db_params_init(&params);
    db_param_column(&params, rows, DB_COLUMN_UUID, 0);
    assert_int_equal(params.lengths[0], sizeof(EMPTY));
    assert_memory_equal(params.values[0], EMPTY, sizeof(EMPTY));
    db_params_done(&params);
}

static void test_db_param_time_counts_from_2000_and_zero_is_null(void **state)
{
    (void)state;
    static const uint8_t ONE_SECOND_IN[] = {0, 0, 0, 0, 0, 0x0f, 0x42, 0x40};
    struct db_params params;
    db_params_init(&params);
    db_param_time(&params, 946684801000000LL);
    db_param_time(&params, 0);
    db_param_time(&params, INT64_MIN); /* wraps, and Postgres refuses it */
    assert_memory_equal(params.values[0], ONE_SECOND_IN, sizeof(ONE_SECOND_IN));
    assert_null(params.values[1]);
    db_params_done(&params);
}

static void test_db_params_one_too_many_fails(void **state)
{
    (void)state;
    struct db_params params;
    db_params_init(&params);
    for (int i = 0; i < DB_PARAMS_MAX; i++)
        db_param_bool(&params, true);
    assert_false(params.failed);
    db_param_text(&params, "more");
    assert_true(params.failed);
    assert_int_equal(params.count, DB_PARAMS_MAX);
    db_params_done(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_db_param_column_of_numbers),
        cmocka_unit_test(test_db_param_column_of_texts_and_flags),
        cmocka_unit_test(test_db_param_column_of_nothing_has_no_dimension),
        cmocka_unit_test(test_db_param_time_counts_from_2000_and_zero_is_null),
        cmocka_unit_test(test_db_params_one_too_many_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
