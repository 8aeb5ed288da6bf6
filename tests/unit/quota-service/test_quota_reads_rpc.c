/* QuotaService's reads over a ledger that says what the test wants. Both are served by one
 * server in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "reads_fixture.h"

/* ---- GetUsage with a scope ------------------------------------------------------------- */

static void test_scoped_usage_comes_from_the_ledger_through_a_worker(void **state)
{
    Metercache__V1__GetUsageRequest request = METERCACHE__V1__GET_USAGE_REQUEST__INIT;
    Metercache__V1__GetUsageResponse *reply;

    (void)state;
    request.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER;
    request.meter = (char *)"modash.reports";
    request.subject = (char *)"alice";
    assert_int_equal(ASK("GetUsage", get_usage_response, &request, &reply), ST_OK);
    assert_int_equal(reply->n_meters, 1);
    assert_string_equal(reply->meters[0]->subject, "alice");
    assert_int_equal(reply->meters[0]->posted_milli, 3000);
    assert_int_equal(reply->meters[0]->scope, request.scope);
    assert_int_equal(reply->as_of_us, ledger.at_us);
    assert_in_range(ledger.at_us, clock_wall_us() - 60 * CLOCK_US_PER_SECOND,
                    clock_wall_us());
    assert_string_equal(ledger.meter, "modash.reports");
    assert_string_equal(ledger.subject, "alice");
    assert_int_equal(ledger.scope, request.scope);
}

static void test_scoped_usage_wrong_request_names_the_field(void **state)
{
    Metercache__V1__GetUsageRequest request = METERCACHE__V1__GET_USAGE_REQUEST__INIT;
    Metercache__V1__GetUsageResponse *reply;
    char subject[98];

    (void)state;
    memset(subject, 'x', sizeof(subject) - 1);
    subject[sizeof(subject) - 1] = '\0';
    request.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN; /* has no counters */
    assert_int_equal(ASK("GetUsage", get_usage_response, &request, &reply), ST_INVALID);
    assert_string_equal(loopback.err.field, "scope");
    request.scope = (Metercache__V1__LimitScope)77;
    assert_int_equal(ASK("GetUsage", get_usage_response, &request, &reply), ST_INVALID);
    assert_string_equal(loopback.err.field, "scope");
    request.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_UNSPECIFIED;
    request.subject = (char *)"alice"; /* of which scope? */
    assert_int_equal(ASK("GetUsage", get_usage_response, &request, &reply), ST_INVALID);
    assert_string_equal(loopback.err.field, "scope");
    request.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER;
    request.subject = subject;
    assert_int_equal(ASK("GetUsage", get_usage_response, &request, &reply), ST_INVALID);
    assert_string_equal(loopback.err.field, "subject");
    request.subject = (char *)"";
    request.meter = (char *)"modash.nothing";
    assert_int_equal(ASK("GetUsage", get_usage_response, &request, &reply), ST_NOT_FOUND);
    assert_string_equal(loopback.err.reason, "UNKNOWN_METER");
    assert_int_equal(ledger.asked, 0);
}

/* ---- GetUsageHistory ------------------------------------------------------------------- */

static void test_history_is_widened_to_whole_days(void **state)
{
    Metercache__V1__GetUsageHistoryRequest request =
        METERCACHE__V1__GET_USAGE_HISTORY_REQUEST__INIT;
    Metercache__V1__GetUsageHistoryResponse *reply;

    (void)state;
    request.meter = (char *)"modash.reports";
    request.from_us = DEC_US + 3600 * CLOCK_US_PER_SECOND;
    request.until_us = DEC_US + DAY_US + 1;
    assert_int_equal(ASK("GetUsageHistory", get_usage_history_response, &request, &reply),
                     ST_OK);
    assert_int_equal(ledger.from_us, DEC_US);
    assert_int_equal(ledger.until_us, DEC_US + 2 * DAY_US);
    assert_int_equal(ledger.bucket_seconds, 86400);
    assert_string_equal(ledger.meter, "modash.reports");
    assert_int_equal(reply->n_days, 1);
    assert_int_equal(reply->days[0]->day_at_us, DEC_US);
    assert_int_equal(reply->days[0]->posted_milli, 1500);
    assert_int_equal(reply->days[0]->calls, 10);
    request.until_us = DEC_US + DAY_US; /* exclusive: its day is not asked for */
    assert_int_equal(ASK("GetUsageHistory", get_usage_history_response, &request, &reply),
                     ST_OK);
    assert_int_equal(ledger.until_us, DEC_US + DAY_US);
}

static void test_history_bounds_name_the_field(void **state)
{
    static const struct {
        int64_t from_us, until_us;
        enum status status;
        const char *field;
    } rows[] = {
        {DEC_US - 399 * DAY_US, DEC_US + DAY_US, ST_OK, ""},
        {DEC_US - 399 * DAY_US, DEC_US + DAY_US + 1, ST_INVALID, "from_us"},
        {DEC_US, DEC_US, ST_INVALID, "until_us"},
        {DEC_US, 0, ST_INVALID, "until_us"},
        {-1, DEC_US, ST_INVALID, "from_us"},
        {INT64_MIN, INT64_MAX, ST_INVALID, "from_us"},
        {0, INT64_MAX, ST_INVALID, "until_us"},
        {0, DEC_US, ST_INVALID, "from_us"},
    };
    Metercache__V1__GetUsageHistoryRequest request =
        METERCACHE__V1__GET_USAGE_HISTORY_REQUEST__INIT;
    Metercache__V1__GetUsageHistoryResponse *reply;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        request.from_us = rows[i].from_us;
        request.until_us = rows[i].until_us;
        assert_int_equal(
            ASK("GetUsageHistory", get_usage_history_response, &request, &reply),
            rows[i].status);
        if (rows[i].status != ST_OK)
            assert_string_equal(loopback.err.field, rows[i].field);
    }
    assert_int_equal(ledger.asked, 1);
}

/* ---- operations ------------------------------------------------------------------------ */

static void test_operation_is_found_by_its_id_or_not(void **state)
{
    Metercache__V1__GetOperationRequest request =
        METERCACHE__V1__GET_OPERATION_REQUEST__INIT;
    Metercache__V1__GetOperationResponse *reply;
    struct op_id id = op_id_make(DEC_US, 1, 2);

    (void)state;
    request.op_id = (ProtobufCBinaryData){OP_ID_SIZE, id.bytes};
    assert_int_equal(ASK("GetOperation", get_operation_response, &request, &reply),
                     ST_NOT_FOUND);
    ledger.knows_operation = true;
    assert_int_equal(ASK("GetOperation", get_operation_response, &request, &reply), ST_OK);
    assert_memory_equal(reply->operation->op_id.data, id.bytes, OP_ID_SIZE);
    assert_int_equal(reply->operation->amount_milli, 1000);
    assert_int_equal(reply->n_related, 0);
    request.op_id.len = 15;
    assert_int_equal(ASK("GetOperation", get_operation_response, &request, &reply),
                     ST_INVALID);
    assert_string_equal(loopback.err.field, "op_id");
}

static void test_unknown_and_alerts_pass_pages_both_ways(void **state)
{
    Metercache__V1__ListUnknownRequest unknown = METERCACHE__V1__LIST_UNKNOWN_REQUEST__INIT;
    Metercache__V1__ListThresholdsRequest alerts =
        METERCACHE__V1__LIST_THRESHOLDS_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    Metercache__V1__ListUnknownResponse *operations;
    Metercache__V1__ListThresholdsResponse *crossings;

    (void)state;
    page.page_size = 7;
    page.page_token = (char *)"here";
    unknown.page = alerts.page = &page;
    assert_int_equal(ASK("ListUnknown", list_unknown_response, &unknown, &operations),
                     ST_OK);
    assert_int_equal(operations->n_operations, 1);
    assert_int_equal(operations->operations[0]->kind,
                     METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_LAPSE);
    assert_string_equal(operations->page->next_page_token, "next");
    assert_int_equal(ledger.page_size, 7);
    assert_string_equal(ledger.page_token, "here");
    alerts.meter = (char *)"clay.enrichment";
    ledger.page_size = 0;
    assert_int_equal(ASK("ListThresholds", list_thresholds_response, &alerts, &crossings),
                     ST_OK);
    assert_int_equal(crossings->n_crossings, 1);
    assert_int_equal(crossings->crossings[0]->percent, 80);
    assert_string_equal(crossings->page->next_page_token, "next");
    assert_int_equal(ledger.page_size, 7);
    assert_string_equal(ledger.meter, "clay.enrichment");
}

static void test_verify_goes_on_from_a_batch_and_tells_the_fault(void **state)
{
    Metercache__V1__VerifyLedgerRequest request =
        METERCACHE__V1__VERIFY_LEDGER_REQUEST__INIT;
    Metercache__V1__VerifyLedgerResponse *reply;

    (void)state;
    request.from_batch = 40;
    assert_int_equal(ASK("VerifyLedger", verify_ledger_response, &request, &reply), ST_OK);
    assert_true(reply->consistent);
    assert_int_equal(reply->events, 5);
    assert_int_equal(reply->batches, 3);
    assert_int_equal(reply->counters, 2);
    assert_int_equal(reply->next_batch, 43);
    assert_int_equal(ledger.from_batch, 40);
    ledger.fault = "batch 41: its hash is another";
    assert_int_equal(ASK("VerifyLedger", verify_ledger_response, &request, &reply), ST_OK);
    assert_false(reply->consistent);
    assert_string_equal(reply->first_fault, ledger.fault);
}

/* ---- failures and roles ---------------------------------------------------------------- */

static enum status ask_alerts(void)
{
    Metercache__V1__ListThresholdsRequest request =
        METERCACHE__V1__LIST_THRESHOLDS_REQUEST__INIT;
    Metercache__V1__ListThresholdsResponse *reply;

    return ASK("ListThresholds", list_thresholds_response, &request, &reply);
}

static void test_ledger_has_no_more_time_than_the_caller(void **state)
{
    (void)state;
    assert_int_equal(ask_alerts(), ST_OK);
    assert_in_range(ledger.left_ms, 1, TIMEOUT_MS);
}

static void test_ledgers_errors_are_passed_on_but_those_about_us(void **state)
{
    (void)state;
    ledger.fails = ST_INVALID;
    assert_int_equal(ask_alerts(), ST_INVALID);
    assert_non_null(strstr(loopback.err.message, "says the ledger"));
    ledger.fails = ST_DENIED;
    assert_int_equal(ask_alerts(), ST_UNAVAILABLE);
    connect_to_ledger("nobody");
    assert_int_equal(ask_alerts(), ST_UNAVAILABLE);
    assert_non_null(strstr(loopback.err.message, "refuses quota-service"));
}

static void test_reads_are_for_the_roles_of_the_contract(void **state)
{
    static const char *const TOKENS[] = {"client:a", "staff:b", "admin:c", "cron:d",
                                         "service:e"};
    static const struct {
        const char *method;
        const char *may; /* y or n a token */
    } rows[] = {
        {"GetUsageHistory", "yyyyy"}, {"ListThresholds", "yyyyy"},
        {"GetOperation", "nyyny"},    {"ListUnknown", "nyynn"},
        {"VerifyLedger", "nyynn"},
    };
    Metercache__V1__ListUnknownRequest request = METERCACHE__V1__LIST_UNKNOWN_REQUEST__INIT;
    ProtobufCMessage *reply;

    (void)state;
    for (size_t at = 0; at < COUNT_OF(TOKENS); at++) {
        rpc_client_close(loopback.client);
        loopback_open_client(&loopback, rpc_server_url(loopback.server), TOKENS[at]);
        for (size_t i = 0; i < COUNT_OF(rows); i++) { /* an empty request of any type */
            enum status st =
                ask(rows[i].method, &metercache__v1__list_unknown_response__descriptor,
                    &request.base, &reply);

            assert_int_equal(st == ST_DENIED, rows[i].may[at] == 'n');
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scoped_usage_comes_from_the_ledger_through_a_worker),
        TEST(test_scoped_usage_wrong_request_names_the_field),
        TEST(test_history_is_widened_to_whole_days),
        TEST(test_history_bounds_name_the_field),
        TEST(test_operation_is_found_by_its_id_or_not),
        TEST(test_unknown_and_alerts_pass_pages_both_ways),
        TEST(test_verify_goes_on_from_a_batch_and_tells_the_fault),
        TEST(test_ledger_has_no_more_time_than_the_caller),
        TEST(test_ledgers_errors_are_passed_on_but_those_about_us),
        TEST(test_reads_are_for_the_roles_of_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
