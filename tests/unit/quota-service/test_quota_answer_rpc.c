/* Verdicts as errors that a caller can act on (C8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quota_answer_rpc.h"

#define SECOND_US 1000000LL
#define DEC_US    1796083200000000LL

static struct quota_answer spent(void)
{
    return (struct quota_answer){
        .verdict = QUOTA_METER_SPENT,
        .counter = {.meter = 1,
                    .period = {DEC_US - 30 * 86400 * SECOND_US, DEC_US},
                    .limit_milli = 10000,
                    .posted_milli = 6000,
                    .held_milli = 3500}};
}

static void test_quota_answer_spent_meter_names_it_what_is_left_and_its_reset(void **state)
{
    struct quota_answer answer = spent();
    struct error err;

    (void)state;
    assert_int_equal(quota_answer_status(&answer, DEC_US - 90 * SECOND_US, &err),
                     ST_EXHAUSTED);
    assert_string_equal(err.reason, "METER_SPENT");
    assert_string_equal(err.message, "meter 'modash.reports' is spent: 0.500 credits left, "
                                     "resets '2026-12-01T00:00:00.000000Z'");
    assert_int_equal(err.violation_count, 1);
    assert_string_equal(err.violations[0].subject, "modash.reports");
    assert_int_equal(err.violations[0].left_milli, 500);
    assert_int_equal(err.violations[0].resets_at_us, DEC_US);
    assert_int_equal(err.retry_after_ms, 90000);
}

static void test_quota_answer_retry_hint_is_a_day_at_most_and_never_zero(void **state)
{
    struct quota_answer answer = spent();
    struct error err;

    (void)state;
    assert_int_equal(quota_answer_status(&answer, DEC_US - 9 * 86400 * SECOND_US, &err),
                     ST_EXHAUSTED);
    assert_int_equal(err.retry_after_ms, 86400000);
    assert_int_equal(quota_answer_status(&answer, DEC_US + SECOND_US, &err), ST_EXHAUSTED);
    assert_int_equal(err.retry_after_ms, 1);
}

static void test_quota_answer_every_verdict_has_its_status(void **state)
{
    static const struct {
        enum quota_verdict verdict;
        enum status status;
        const char *reason;
    } rows[] = {
        {QUOTA_DONE, ST_OK, ""},
        {QUOTA_OP_ID_REUSED, ST_EXISTS, "OP_ID_REUSED"},
        {QUOTA_OP_ID_TIME, ST_INVALID, ""},
        {QUOTA_ALREADY_SETTLED, ST_EXISTS, "ALREADY_SETTLED"},
        {QUOTA_NO_RESERVATION, ST_NOT_FOUND, "NO_RESERVATION"},
        {QUOTA_TOO_MANY_OPEN, ST_EXHAUSTED, "TOO_MANY_OPEN"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quota_answer answer = {.verdict = rows[i].verdict};
        struct error err = ERROR_NONE;

        assert_int_equal(quota_answer_status(&answer, 0, &err), rows[i].status);
        assert_string_equal(err.reason, rows[i].reason);
        if (rows[i].status == ST_INVALID)
            assert_string_equal(err.field, "op_id");
    }
}

static void test_quota_answer_meter_state_never_shows_less_than_nothing(void **state)
{
    Metercache__V1__MeterState out = METERCACHE__V1__METER_STATE__INIT;
    struct quota_counter counter = spent().counter;

    (void)state;
    counter.limit_milli = 1000; /* cut below what is used */
    quota_answer_meter_state(&out, &counter);
    assert_string_equal(out.meter, "modash.reports");
    assert_string_equal(out.unit, "report");
    assert_int_equal(out.left_milli, 0);
    assert_int_equal(out.posted_milli, 6000);
    assert_int_equal(out.period_end_us, DEC_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota_answer_spent_meter_names_it_what_is_left_and_its_reset),
        cmocka_unit_test(test_quota_answer_retry_hint_is_a_day_at_most_and_never_zero),
        cmocka_unit_test(test_quota_answer_every_verdict_has_its_status),
        cmocka_unit_test(test_quota_answer_meter_state_never_shows_less_than_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
