#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "core/status.h"

static void test_status_name_of_each_code_is_the_canonical_one(void **state)
{
    (void)state;
    static const char *const names[STATUS_COUNT] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };

    for (int i = 0; i < STATUS_COUNT; i++) {
        assert_string_equal(status_name((enum status)i), names[i]);
        assert_int_equal(status_from_wire(i), i);
    }
}

static void test_status_from_wire_out_of_range_is_unknown(void **state)
{
    (void)state;
    static const int numbers[] = {-1, STATUS_COUNT, INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_int_equal(status_from_wire(numbers[i]), ST_UNKNOWN);
}

static void test_status_name_out_of_range_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(status_name((enum status)STATUS_COUNT), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_name_of_each_code_is_the_canonical_one),
        cmocka_unit_test(test_status_from_wire_out_of_range_is_unknown),
        cmocka_unit_test(test_status_name_out_of_range_is_unknown),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
