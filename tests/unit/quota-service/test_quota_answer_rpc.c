/* Verdicts as errors that a caller can act on (C8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quota_answer_rpc.h"

#define SECOND_US 1000000LL
#define DEC_US    1796083200000000LL

static struct quota_op reserve_op(void)
{
    const char *texts[] = {"modash", "report", "select",  "42",
                           "ada",    "acme",   "/Select", "talent-7"};
    struct quota_op op = {.kind = QUOTA_RESERVE, .meter = 1, .amount_milli = 1000};
    struct error err;

    assert_int_equal(purpose_pack(&op.purpose, 1, 0, texts, &err), ST_OK);
    return op;
}

static struct quota_hit hit(enum limit_scope scope, enum limit_mode mode,
                            int64_t left_milli)
{
    return (struct quota_hit){.scope = (uint8_t)scope,
                              .mode = (uint8_t)mode,
                              .limit_milli = 10000,
                              .left_milli = left_milli,
                              .resets_at_us = DEC_US};
}

static struct quota_answer refused_by(struct quota_hit only)
{
    return (struct quota_answer){.verdict = QUOTA_REFUSED, .hit_count = 1, .hits = {only}};
}

static enum status status_of(const struct quota_answer *answer, int64_t now_us,
                             struct error *err)
{
    struct quota_op op = reserve_op();

    return quota_answer_status(&op, answer, now_us, err);
}

static void test_quota_answer_spent_meter_names_it_what_is_left_and_its_reset(void **state)
{
    struct quota_answer answer = refused_by(hit(LIMIT_METER, LIMIT_HARD, 500));
    struct error err;

    (void)state;
    assert_int_equal(status_of(&answer, DEC_US - 90 * SECOND_US, &err), ST_EXHAUSTED);
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
    struct quota_answer answer = refused_by(hit(LIMIT_METER, LIMIT_HARD, 500));
    struct error err;

    (void)state;
    assert_int_equal(status_of(&answer, DEC_US - 9 * 86400 * SECOND_US, &err),
                     ST_EXHAUSTED);
    assert_int_equal(err.retry_after_ms, 86400000);
    assert_int_equal(status_of(&answer, DEC_US + SECOND_US, &err), ST_EXHAUSTED);
    assert_int_equal(err.retry_after_ms, 1);
}

static void test_quota_answer_refusal_has_a_reason_for_each_kind_of_limit(void **state)
{
    static const struct {
        enum limit_scope scope;
        enum limit_mode mode;
        const char *reason;
        const char *subject;
    } rows[] = {
        {LIMIT_METER, LIMIT_HARD, "METER_SPENT", "modash.reports"},
        {LIMIT_METER, LIMIT_SOFT, "SOFT_LIMIT", "modash.reports (soft)"},
        {LIMIT_USER, LIMIT_HARD, "LIMIT_REACHED", "modash.reports user 'ada'"},
        {LIMIT_ENDPOINT, LIMIT_HARD, "LIMIT_REACHED", "modash.reports endpoint '/Select'"},
        {LIMIT_TENANT, LIMIT_HARD, "LIMIT_REACHED", "modash.reports tenant 'acme'"},
        {LIMIT_SHARE, LIMIT_HARD, "LIMIT_REACHED", "modash.reports scheduled"},
        {LIMIT_COOLDOWN, LIMIT_HARD, "COOLDOWN", "modash.reports cooldown 'talent-7'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quota_answer answer = refused_by(hit(rows[i].scope, rows[i].mode, 0));
        struct error err = ERROR_NONE;

        assert_int_equal(status_of(&answer, DEC_US - SECOND_US, &err), ST_EXHAUSTED);
        assert_string_equal(err.reason, rows[i].reason);
        assert_string_equal(err.violations[0].subject, rows[i].subject);
    }
}

/* Every limit that was hit is named; it can be granted when the last one has reset. */
static void test_quota_answer_refusal_names_all_limits_and_the_last_reset(void **state)
{
    struct quota_answer answer = refused_by(hit(LIMIT_USER, LIMIT_HARD, 7));
    struct error err;

    (void)state;
    answer.hits[1] = hit(LIMIT_METER, LIMIT_HARD, 3);
    answer.hits[1].resets_at_us = DEC_US + 60 * SECOND_US;
    answer.hits[2] = hit(LIMIT_COOLDOWN, LIMIT_HARD, 0);
    answer.hits[2].resets_at_us = DEC_US - SECOND_US;
    answer.hit_count = 3;
    assert_int_equal(status_of(&answer, DEC_US, &err), ST_EXHAUSTED);
    assert_string_equal(err.reason, "METER_SPENT"); /* the meter's own end before all */
    assert_int_equal(err.violation_count, 3);
    assert_string_equal(err.violations[0].subject, "modash.reports user 'ada'");
    assert_string_equal(err.violations[1].subject, "modash.reports");
    assert_int_equal(err.retry_after_ms, 60000);
}

static void test_quota_answer_hits_are_told_with_their_subjects(void **state)
{
    struct quota_answer answer = refused_by(hit(LIMIT_TENANT, LIMIT_SOFT, 9));
    struct quota_op op = reserve_op();
    Metercache__V1__LimitHit **hits;
    struct arena arena;

    (void)state;
    arena_init(&arena, 16 * 1024);
    hits = quota_answer_hits(&op, &answer, &arena);
    assert_non_null(hits);
    assert_int_equal(hits[0]->scope, METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_TENANT);
    assert_int_equal(hits[0]->mode, METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SOFT);
    assert_string_equal(hits[0]->subject, "acme");
    assert_int_equal(hits[0]->limit_milli, 10000);
    assert_int_equal(hits[0]->left_milli, 9);
    arena_done(&arena);
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
        {QUOTA_OP_ID_STALE, ST_ABORTED, "OP_ID_STALE"},
        {QUOTA_ALREADY_SETTLED, ST_EXISTS, "ALREADY_SETTLED"},
        {QUOTA_OUTCOME_KNOWN, ST_PRECONDITION, "OUTCOME_KNOWN"},
        {QUOTA_NO_RESERVATION, ST_NOT_FOUND, "NO_RESERVATION"},
        {QUOTA_BELOW_ZERO, ST_PRECONDITION, "BELOW_ZERO"},
        {QUOTA_TOO_MANY_OPEN, ST_EXHAUSTED, "TOO_MANY_OPEN"},
        {QUOTA_TOO_MANY_COUNTERS, ST_EXHAUSTED, "TOO_MANY_COUNTERS"},
        {QUOTA_TOO_MANY_LIMITS, ST_EXHAUSTED, "TOO_MANY_LIMITS"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quota_answer answer = {.verdict = rows[i].verdict};
        struct error err = ERROR_NONE;

        assert_int_equal(status_of(&answer, 0, &err), rows[i].status);
        assert_string_equal(err.reason, rows[i].reason);
        if (rows[i].status == ST_INVALID)
            assert_string_equal(
                err.field, rows[i].verdict == QUOTA_BELOW_ZERO ? "amount_milli" : "op_id");
    }
}

static void test_quota_answer_meter_state_never_shows_less_than_nothing(void **state)
{
    Metercache__V1__MeterState out = METERCACHE__V1__METER_STATE__INIT;
    const struct quota_meter_view view = {
        .meter = 1,
        .period = {DEC_US - 30 * 86400 * SECOND_US, DEC_US},
        .limit_milli = 1000, /* cut below what is used */
        .soft_limit_milli = 800,
        .posted_milli = 6000,
        .held_milli = 3500,
        .limit_version = 4};

    (void)state;
    quota_answer_meter_state(&out, &view);
    assert_string_equal(out.meter, "modash.reports");
    assert_string_equal(out.unit, "report");
    assert_int_equal(out.left_milli, 0);
    assert_int_equal(out.posted_milli, 6000);
    assert_int_equal(out.period_end_us, DEC_US);
    assert_int_equal(out.soft_limit_milli, 800);
    assert_int_equal(out.limit_version, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota_answer_spent_meter_names_it_what_is_left_and_its_reset),
        cmocka_unit_test(test_quota_answer_retry_hint_is_a_day_at_most_and_never_zero),
        cmocka_unit_test(test_quota_answer_refusal_has_a_reason_for_each_kind_of_limit),
        cmocka_unit_test(test_quota_answer_refusal_names_all_limits_and_the_last_reset),
        cmocka_unit_test(test_quota_answer_hits_are_told_with_their_subjects),
        cmocka_unit_test(test_quota_answer_every_verdict_has_its_status),
        cmocka_unit_test(test_quota_answer_meter_state_never_shows_less_than_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
