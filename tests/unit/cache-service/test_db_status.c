#include "support/test.h"

#include "store/db_status.h"

static void assert_fault(const char *sqlstate, enum status st, const char *reason)
{
    struct db_fault fault = db_fault_of(sqlstate);

    assert_int_equal(fault.status, st);
    assert_string_equal(fault.reason, reason);
}

static void test_db_fault_of_no_answer_is_unavailable(void **state)
{
    (void)state;
    assert_fault(NULL, ST_UNAVAILABLE, "");
    assert_fault("", ST_UNAVAILABLE, "");
}

static void test_db_fault_of_known_state_takes_the_longest_row(void **state)
{
    (void)state;
    assert_fault("23505", ST_EXISTS, "DUPLICATE");
    assert_fault("23514", ST_PRECONDITION, "CONSTRAINT");
    assert_fault("23503", ST_NOT_FOUND, "");
    assert_fault("22P02", ST_INVALID, "");
    assert_fault("22P05", ST_INVALID, "UNSTORABLE_TEXT");
    assert_fault("57014", ST_DEADLINE, "");
    assert_fault("57P01", ST_UNAVAILABLE, "");
    assert_fault("57P03", ST_UNAVAILABLE, "");
    assert_fault("08006", ST_UNAVAILABLE, "");
    assert_fault("53100", ST_UNAVAILABLE, "DATABASE_RESOURCES");
    assert_fault("40001", ST_ABORTED, "");
    assert_fault("40P01", ST_ABORTED, "");
    assert_fault("40003", ST_UNAVAILABLE, "");
    assert_fault("25006", ST_UNAVAILABLE, "READ_ONLY_DATABASE");
    assert_fault("42501", ST_DENIED, "");
    assert_fault("XX001", ST_DATA_LOSS, "DATABASE_CORRUPT");
}

static void test_db_fault_of_ledger_states_have_reasons(void **state)
{
    (void)state;
    assert_fault("MC001", ST_PRECONDITION, "FENCED");
    assert_fault("MC002", ST_PRECONDITION, "WRONG_BATCH");
    assert_fault("MC003", ST_PRECONDITION, "COUNTERS_DISAGREE");
    assert_fault("MC004", ST_PRECONDITION, "RESERVATION_NOT_OPEN");
    assert_fault("MC005", ST_DATA_LOSS, "CHAIN_BROKEN");
}

static void test_db_fault_of_unknown_state_is_internal(void **state)
{
    (void)state;
    assert_fault("42P01", ST_INTERNAL, "");
    assert_fault("XX000", ST_INTERNAL, "");
    assert_fault("ZZ", ST_INTERNAL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_db_fault_of_no_answer_is_unavailable),
        cmocka_unit_test(test_db_fault_of_known_state_takes_the_longest_row),
        cmocka_unit_test(test_db_fault_of_ledger_states_have_reasons),
        cmocka_unit_test(test_db_fault_of_unknown_state_is_internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
