/* The outcome table, row by row (C6, C8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base.h"
#include "outcome.h"

static struct outcome answered(enum provider_kind provider, unsigned http, const char *code)
{
    struct outcome_facts facts = {
        .provider = provider, .transport = TRANSPORT_ANSWERED, .http_status = http};

    outcome_copy_code(facts.reading.code, code);
    return outcome_decide(&facts);
}

struct expectation {
    enum provider_kind provider;
    unsigned http;
    const char *code;
    enum call_outcome outcome;
    enum status status;
    const char *reason;
    enum charge charge;
};

// clang-format off
static const struct expectation EXPECTED[] = {
    {PROVIDER_MODASH, 401, "api_token_invalid",     CALL_AUTH_FAILED,    ST_UNAVAILABLE,  "PROVIDER_AUTH",      CHARGE_NOTHING},
    {PROVIDER_MODASH, 402, "not_enough_credits",    CALL_NO_CREDIT,      ST_UNAVAILABLE,  "PROVIDER_NO_CREDIT", CHARGE_NOTHING},
    {PROVIDER_MODASH, 403, "not_enough_credits",    CALL_NO_CREDIT,      ST_UNAVAILABLE,  "PROVIDER_NO_CREDIT", CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "bad_request",           CALL_REJECTED,       ST_INVALID,      "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "invalid_body_params",   CALL_REJECTED,       ST_INVALID,      "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "page_limit",            CALL_REJECTED,       ST_RANGE,        "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "no_result",             CALL_EMPTY,          ST_OK,           "",                   CHARGE_NOTHING},
    {PROVIDER_MODASH, 403, "feature_not_available", CALL_REJECTED,       ST_PRECONDITION, "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_MODASH, 404, "account_not_found",     CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "handle_not_found",      CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 404, "account_removed",       CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 404, "media_not_found",       CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 404, "entity_not_found",      CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "private_account",       CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_PRIVATE",   CHARGE_NOTHING},
    {PROVIDER_MODASH, 400, "empty_audience",        CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 503, "retry_later",           CALL_PENDING,        ST_UNAVAILABLE,  "PROVIDER_PENDING",   CHARGE_NOTHING},
    {PROVIDER_MODASH, 500, "internal_server_error", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    /* The code goes before the status, also with 200. */
    {PROVIDER_MODASH, 200, "account_not_found",     CALL_NOT_FOUND,      ST_NOT_FOUND,    "PROVIDER_NOT_FOUND", CHARGE_NOTHING},
    {PROVIDER_MODASH, 200, "something_new",         CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_RESERVED},
    {PROVIDER_MODASH, 429, "something_new",         CALL_THROTTLED,      ST_UNAVAILABLE,  "PROVIDER_THROTTLED", CHARGE_NOTHING},
    /* Another provider's codes mean nothing. */
    {PROVIDER_CLAY,   200, "account_not_found",     CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_RESERVED},

    {PROVIDER_MODASH, 200, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_RESERVED},
    {PROVIDER_MODASH, 302, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    {PROVIDER_CLAY,   400, "", CALL_REJECTED,       ST_INVALID,      "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_CLAY,   401, "", CALL_AUTH_FAILED,    ST_UNAVAILABLE,  "PROVIDER_AUTH",      CHARGE_NOTHING},
    {PROVIDER_CLAY,   402, "", CALL_NO_CREDIT,      ST_UNAVAILABLE,  "PROVIDER_NO_CREDIT", CHARGE_NOTHING},
    {PROVIDER_CLAY,   403, "", CALL_AUTH_FAILED,    ST_UNAVAILABLE,  "PROVIDER_AUTH",      CHARGE_NOTHING},
    /* Not found takes a code: this may be a wrong base URL. */
    {PROVIDER_MODASH, 404, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    {PROVIDER_MODASH, 404, "something_new", CALL_PROVIDER_ERROR, ST_UNAVAILABLE, "PROVIDER_ERROR", CHARGE_NOTHING},
    {PROVIDER_MODASH, 410, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    {PROVIDER_CLAY,   404, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    {PROVIDER_CLAY,   404, CLAY_NO_ROUTINE,  CALL_REJECTED,  ST_PRECONDITION, "PROVIDER_REJECTED", CHARGE_NOTHING},
    {PROVIDER_CLAY,   404, CLAY_RUN_LOST,    CALL_NOT_FOUND, ST_NOT_FOUND,    "RUN_LOST",          CHARGE_NOTHING},
    {PROVIDER_CLAY,   200, CLAY_ITEM_FAILED, CALL_PROVIDER_ERROR, ST_UNAVAILABLE, "RUN_FAILED", CHARGE_NOTHING},
    {PROVIDER_CLAY,   413, "", CALL_REJECTED,       ST_PRECONDITION, "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_CLAY,   422, "", CALL_REJECTED,       ST_INVALID,      "PROVIDER_REJECTED",  CHARGE_NOTHING},
    {PROVIDER_CLAY,   429, "", CALL_THROTTLED,      ST_UNAVAILABLE,  "PROVIDER_THROTTLED", CHARGE_NOTHING},
    {PROVIDER_MODASH, 500, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    {PROVIDER_MODASH, 503, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_NOTHING},
    {PROVIDER_CLAY,   500, "", CALL_UNKNOWN,        ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_RESERVED},
    {PROVIDER_MODASH, 101, "", CALL_PROVIDER_ERROR, ST_UNAVAILABLE,  "PROVIDER_ERROR",     CHARGE_RESERVED},
    {PROVIDER_MODASH, 1000, "", CALL_UNKNOWN,       ST_UNAVAILABLE,  "PROVIDER_NO_ANSWER",     CHARGE_RESERVED},
};
// clang-format on

static void test_decide_every_row_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(EXPECTED); i++) {
        const struct expectation *e = &EXPECTED[i];
        struct outcome outcome = answered(e->provider, e->http, e->code);

        if (outcome.outcome != e->outcome || outcome.status != e->status ||
            strcmp(outcome.reason, e->reason) != 0 || outcome.charge != e->charge)
            fail_msg("http %u code '%s': %s, %s, '%s', charge %d", e->http, e->code,
                     outcome_name(outcome.outcome), status_name(outcome.status),
                     outcome.reason, (int)outcome.charge);
    }
}

static void test_decide_usable_answer_costs_what_was_read(void **state)
{
    struct outcome_facts facts = {
        .provider = PROVIDER_MODASH,
        .transport = TRANSPORT_ANSWERED,
        .http_status = 200,
        .reading = {.is_usable = true, .outcome = CALL_EMPTY, .cost_milli = 0}};
    struct outcome outcome = outcome_decide(&facts);

    (void)state;
    assert_int_equal(outcome.status, ST_OK);
    assert_int_equal(outcome.outcome, CALL_EMPTY);
    assert_int_equal(outcome.charge, CHARGE_ACTUAL);
    assert_int_equal(outcome_cost_milli(outcome.charge, 150, 30), 30);
}

static void test_decide_usable_body_under_an_error_status_is_no_answer(void **state)
{
    struct outcome_facts facts = {.provider = PROVIDER_MODASH,
                                  .transport = TRANSPORT_ANSWERED,
                                  .http_status = 500,
                                  .reading = {.is_usable = true, .outcome = CALL_OK}};

    (void)state;
    assert_int_equal(outcome_decide(&facts).outcome, CALL_PROVIDER_ERROR);
}

static void test_decide_never_sent_is_given_back(void **state)
{
    struct outcome_facts facts = {.provider = PROVIDER_CLAY,
                                  .transport = TRANSPORT_NOT_SENT};
    struct outcome outcome = outcome_decide(&facts);

    (void)state;
    assert_int_equal(outcome.outcome, CALL_NOT_SENT);
    assert_int_equal(outcome.charge, CHARGE_VOID);
    assert_int_equal(outcome_cost_milli(outcome.charge, 1000, 5), 0);
    assert_string_equal(outcome.reason, "PROVIDER_ERROR");
}

static void test_decide_sent_without_answer_is_presumed_charged(void **state)
{
    struct outcome_facts facts = {.provider = PROVIDER_MODASH,
                                  .transport = TRANSPORT_SENT_UNKNOWN,
                                  .timed_out = true,
                                  .http_status = 500};
    struct outcome outcome = outcome_decide(&facts);

    (void)state;
    assert_int_equal(outcome.outcome, CALL_UNKNOWN);
    assert_int_equal(outcome.status, ST_UNAVAILABLE);
    assert_string_equal(outcome.reason, "PROVIDER_TIMEOUT");
    assert_int_equal(outcome_cost_milli(outcome.charge, 1000, 0), 1000);
}

static void test_copy_code_keeps_words_and_nothing_else(void **state)
{
    char code[OUTCOME_CODE_SIZE];

    (void)state;
    outcome_copy_code(code, "private_account");
    assert_string_equal(code, "private_account");
    outcome_copy_code(code, "Bearer secret key");
    assert_string_equal(code, "");
    outcome_copy_code(code, "a2345678901234567890123456789012345678901234567x");
    assert_string_equal(code, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide_every_row_as_written),
        cmocka_unit_test(test_decide_usable_answer_costs_what_was_read),
        cmocka_unit_test(test_decide_usable_body_under_an_error_status_is_no_answer),
        cmocka_unit_test(test_decide_never_sent_is_given_back),
        cmocka_unit_test(test_decide_sent_without_answer_is_presumed_charged),
        cmocka_unit_test(test_copy_code_keeps_words_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
