/* What people can ask about budgets: what was spent when and by whom, what became of an
 * operation, which calls nobody knows the end of, which alerts there were, and whether the
 * ledger's books are right. C6, C7. */
#include <string.h>

#include "client/quota.h"
#include "core/base.h"
#include "core/mem.h"
#include "core/op_id.h"
#include "support/fixture.h"

#define DAY_US        (86400LL * CLOCK_US_PER_SECOND)
#define RESULTS       30
#define PAGE_RESULTS  15
#define RESULT_MILLI  10
#define REPORT_MILLI  1000
#define ENRICHMENTS   20
#define USER_MILLI    50000
#define HOLD_MS       60000
#define HOLD_SHORT_MS 1000
#define SOON_MS       15000
#define ALERTS_PAGE   3

#define KIND(name)    METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_##name
#define OUTCOME(name) METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_##name
#define SCOPE(name)   METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_##name

static const char *const SETTINGS[] = {
    "QUOTA_REPORTS_PER_MONTH=100",
    "QUOTA_ENRICHMENTS_PER_MONTH=20",
    NULL,
};

/* At quota-service. */
static struct caller staff, admin, service;

static ProtobufCBinaryData bytes_of(struct op_id *id)
{
    return (ProtobufCBinaryData){OP_ID_SIZE, id->bytes};
}

/* ---- calls ----------------------------------------------------------------------------- */

/* A reservation with a fresh op id, as a service. */
static struct op_id reserve(const char *meter, int64_t milli, uint64_t hold_ms)
{
    Metercache__V1__ReserveRequest request = METERCACHE__V1__RESERVE_REQUEST__INIT;
    Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    Metercache__V1__ReserveResponse *reply;
    struct op_id id = op_id_new();

    request.op_id = bytes_of(&id);
    request.meter = (char *)meter;
    request.amount_milli = milli;
    request.hold_ms = hold_ms;
    purpose.provider = (char *)"modash";
    purpose.action = (char *)"report";
    purpose.reason = (char *)"test";
    purpose.user = (char *)"alice";
    request.purpose = &purpose;
    assert_ok(call_method(&service, "QuotaService", "Reserve",
                          &metercache__v1__reserve_response__descriptor, &request, &reply),
              &service.err);
    return id;
}

static struct op_id settle(struct op_id reservation, int64_t milli, int outcome)
{
    Metercache__V1__SettleRequest request = METERCACHE__V1__SETTLE_REQUEST__INIT;
    Metercache__V1__SettleResponse *reply;
    struct op_id id = op_id_new();

    request.op_id = bytes_of(&id);
    request.reservation_id = bytes_of(&reservation);
    request.actual_milli = milli;
    request.outcome = (Metercache__V1__CallOutcome)outcome;
    request.started_at_us = clock_wall_us();
    assert_ok(call_method(&service, "QuotaService", "Settle",
                          &metercache__v1__settle_response__descriptor, &request, &reply),
              &service.err);
    return id;
}

static const Metercache__V1__GetUsageHistoryResponse *history(struct caller *caller,
                                                              const char *meter)
{
    Metercache__V1__GetUsageHistoryRequest request =
        METERCACHE__V1__GET_USAGE_HISTORY_REQUEST__INIT;
    Metercache__V1__GetUsageHistoryResponse *reply;

    request.meter = (char *)meter;
    request.until_us = clock_wall_us() + 1;
    request.from_us = request.until_us - 2 * DAY_US;
    assert_ok(call_method(caller, "QuotaService", "GetUsageHistory",
                          &metercache__v1__get_usage_history_response__descriptor, &request,
                          &reply),
              &caller->err);
    return reply;
}

static enum status operation(struct caller *caller, struct op_id id,
                             Metercache__V1__GetOperationResponse **reply)
{
    Metercache__V1__GetOperationRequest request =
        METERCACHE__V1__GET_OPERATION_REQUEST__INIT;

    request.op_id = bytes_of(&id);
    return call_method(caller, "QuotaService", "GetOperation",
                       &metercache__v1__get_operation_response__descriptor, &request,
                       reply);
}

static const Metercache__V1__ListUnknownResponse *unknown(uint32_t page_size,
                                                          const char *page_token)
{
    Metercache__V1__ListUnknownRequest request = METERCACHE__V1__LIST_UNKNOWN_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    Metercache__V1__ListUnknownResponse *reply;

    page.page_size = page_size;
    page.page_token = (char *)page_token;
    request.page = &page;
    assert_ok(call_method(&staff, "QuotaService", "ListUnknown",
                          &metercache__v1__list_unknown_response__descriptor, &request,
                          &reply),
              &staff.err);
    return reply;
}

static const Metercache__V1__ListThresholdsResponse *alerts(struct caller *caller,
                                                            const char *meter,
                                                            const char *page_token)
{
    Metercache__V1__ListThresholdsRequest request =
        METERCACHE__V1__LIST_THRESHOLDS_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    Metercache__V1__ListThresholdsResponse *reply;

    page.page_size = ALERTS_PAGE;
    page.page_token = (char *)page_token;
    request.meter = (char *)meter;
    request.page = &page;
    assert_ok(call_method(caller, "QuotaService", "ListThresholds",
                          &metercache__v1__list_thresholds_response__descriptor, &request,
                          &reply),
              &caller->err);
    assert_true(reply->n_crossings <= ALERTS_PAGE);
    return reply;
}

/* Thresholds alone, of all pages: how fast a test spends is worth an alert too. */
static size_t thresholds(struct caller *caller, const char *meter,
                         const Metercache__V1__ThresholdCrossing **out, size_t max)
{
    const char *token = "";
    uint64_t former = UINT64_MAX;
    size_t count = 0;

    do {
        const Metercache__V1__ListThresholdsResponse *page = alerts(caller, meter, token);

        for (size_t i = 0; i < page->n_crossings; i++) {
            const Metercache__V1__ThresholdCrossing *crossing = page->crossings[i];

            assert_true(crossing->sequence < former); /* newest first, each once */
            former = crossing->sequence;
            if (crossing->kind == METERCACHE__V1__ALERT_KIND__ALERT_KIND_THRESHOLD &&
                count < max)
                out[count++] = crossing;
        }
        token = page->page != NULL ? page->page->next_page_token : "";
    } while (token[0] != '\0');
    return count;
}

static const Metercache__V1__GetUsageResponse *usage_of(int scope, const char *meter,
                                                        const char *subject)
{
    Metercache__V1__GetUsageRequest request = METERCACHE__V1__GET_USAGE_REQUEST__INIT;
    Metercache__V1__GetUsageResponse *reply;

    request.scope = (Metercache__V1__LimitScope)scope;
    request.meter = (char *)meter;
    request.subject = (char *)subject;
    assert_ok(call_method(&staff, "QuotaService", "GetUsage",
                          &metercache__v1__get_usage_response__descriptor, &request,
                          &reply),
              &staff.err);
    return reply;
}

/* One that is checked in one go: small enough. */
static const Metercache__V1__VerifyLedgerResponse *verify(void)
{
    Metercache__V1__VerifyLedgerRequest request =
        METERCACHE__V1__VERIFY_LEDGER_REQUEST__INIT;
    Metercache__V1__VerifyLedgerResponse *reply;

    assert_ok(call_method(&staff, "QuotaService", "VerifyLedger",
                          &metercache__v1__verify_ledger_response__descriptor, &request,
                          &reply),
              &staff.err);
    assert_int_equal(reply->next_batch, 0);
    return reply;
}

static int run_cli(struct fixture *fixture, const char *token_name,
                   const char *const *arguments)
{
    char *out;
    int status = stack_run_cli(fixture->stack, token_name, arguments, &out);

    mem_free(out);
    return status;
}

#define CLI(token_name, ...) \
    run_cli(fixture, (token_name), (const char *const[]){"quota", __VA_ARGS__, NULL})

/* ---- what was spent -------------------------------------------------------------------- */

static void test_history_has_the_searches_of_today(void **state)
{
    static const char FILTERS[] = "{\"influencer\":{\"followers\":{\"min\":20000}}}";
    struct fixture *fixture = *state;
    struct search_question question = {
        .platform = INSTAGRAM, .filters = FILTERS, .count = RESULTS};
    const int64_t today_us = clock_wall_us() - clock_wall_us() % DAY_US;
    search_reply *found = NULL;
    int64_t milli = 0;
    uint64_t calls = 0;

    assert_int_equal(history(&fixture->quota, "modash.discovery")->n_days, 0);
    assert_ok(call_search(&fixture->alice, &question, &found), &fixture->alice.err);
    books_expect(&fixture->books, BOOKS_DISCOVERY, RESULTS / PAGE_RESULTS,
                 RESULTS * RESULT_MILLI, RESULTS * RESULT_MILLI);
    const Metercache__V1__GetUsageHistoryResponse *days =
        history(&fixture->quota, "modash.discovery");
    for (size_t i = 0; i < days->n_days; i++) { /* two, over midnight */
        assert_int_equal(days->days[i]->day_at_us % DAY_US, 0);
        assert_true(days->days[i]->day_at_us >= today_us);
        milli += days->days[i]->posted_milli;
        calls += days->days[i]->calls;
    }
    assert_int_equal(milli, RESULTS * RESULT_MILLI);
    assert_int_equal(calls, RESULTS / PAGE_RESULTS);
    assert_int_equal(history(&fixture->quota, "modash.reports")->n_days, 0);
    assert_int_equal(history(&fixture->quota, "")->n_days, days->n_days);
    assert_int_equal(CLI("alice", "history", "modash.discovery", "--last", "7d"), 0);
}

/* Counters as the ledger has them are those the writer decides by. */
static void test_usage_of_meters_from_the_ledger_is_the_writers(void **state)
{
    struct fixture *fixture = *state;
    const Metercache__V1__GetUsageResponse *stored =
        usage_of(SCOPE(METER), "modash.discovery", "");
    Metercache__V1__GetUsageResponse *live = NULL;

    assert_ok(call_get_usage(&fixture->quota, "modash.discovery", &live),
              &fixture->quota.err);
    assert_int_equal(stored->n_meters, 1);
    assert_string_equal(stored->meters[0]->meter, "modash.discovery");
    assert_int_equal(stored->meters[0]->posted_milli, live->meters[0]->posted_milli);
    assert_int_equal(stored->meters[0]->limit_milli, live->meters[0]->limit_milli);
    assert_int_equal(stored->meters[0]->left_milli, live->meters[0]->left_milli);
    assert_int_equal(stored->meters[0]->period_end_us, live->meters[0]->period_end_us);
}

/* The counter of a user begins with what the user spent before there was a limit. */
static void test_usage_of_users_once_they_have_a_limit(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__SetLimitRequest request = METERCACHE__V1__SET_LIMIT_REQUEST__INIT;
    Metercache__V1__Limit limit = METERCACHE__V1__LIMIT__INIT;
    Metercache__V1__SetLimitResponse *set;
    const Metercache__V1__MeterState *alice;

    (void)settle(reserve("modash.reports", REPORT_MILLI, HOLD_MS), REPORT_MILLI,
                 OUTCOME(OK));
    limit.scope = SCOPE(USER);
    limit.meter = (char *)"modash.reports";
    limit.limit_milli = USER_MILLI;
    limit.mode = METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_HARD;
    request.limit = &limit;
    request.reason = (char *)"test";
    assert_ok(call_method(&admin, "QuotaService", "SetLimit",
                          &metercache__v1__set_limit_response__descriptor, &request, &set),
              &admin.err);
    (void)settle(reserve("modash.reports", REPORT_MILLI, HOLD_MS), REPORT_MILLI,
                 OUTCOME(OK));
    assert_eventually(usage_of(SCOPE(USER), "modash.reports", "alice")->n_meters == 1,
                      SOON_MS);
    alice = usage_of(SCOPE(USER), "", "alice")->meters[0];
    assert_string_equal(alice->meter, "modash.reports");
    assert_string_equal(alice->subject, "alice");
    assert_int_equal(alice->scope, SCOPE(USER));
    assert_int_equal(alice->posted_milli, 2 * REPORT_MILLI);
    assert_int_equal(alice->limit_milli, USER_MILLI);
    assert_int_equal(alice->left_milli, USER_MILLI - 2 * REPORT_MILLI);
    assert_int_equal(usage_of(SCOPE(USER), "", "bob")->n_meters, 0);
    assert_int_equal(CLI("staff", "usage", "--scope", "user"), 0);
}

/* ---- what became of it ----------------------------------------------------------------- */

static void test_operation_is_told_with_its_settlement(void **state)
{
    struct fixture *fixture = *state;
    struct op_id reservation = reserve("modash.reports", REPORT_MILLI, HOLD_MS);
    struct op_id settlement = settle(reservation, 700, OUTCOME(OK));
    Metercache__V1__GetOperationResponse *reply = NULL;
    char text[OP_ID_TEXT_SIZE];

    assert_ok(operation(&staff, reservation, &reply), &staff.err);
    assert_int_equal(reply->operation->kind, KIND(RESERVE));
    assert_int_equal(reply->operation->amount_milli, REPORT_MILLI);
    assert_string_equal(reply->operation->purpose->user, "alice");
    assert_true(reply->operation->expires_at_us > reply->operation->at_us);
    assert_int_equal(reply->n_related, 1);
    assert_memory_equal(reply->related[0]->op_id.data, settlement.bytes, OP_ID_SIZE);

    assert_ok(operation(&service, settlement, &reply), &service.err);
    assert_int_equal(reply->operation->kind, KIND(SETTLE));
    assert_int_equal(reply->operation->amount_milli, 700);
    assert_int_equal(reply->operation->released_milli, REPORT_MILLI);
    assert_int_equal(reply->operation->call->outcome, OUTCOME(OK));
    assert_memory_equal(reply->operation->reservation_id.data, reservation.bytes,
                        OP_ID_SIZE);
    assert_true(reply->operation->batch > 0);
    assert_true(reply->operation->epoch > 0);
    assert_int_equal(reply->n_related, 1);
    assert_int_equal(reply->related[0]->kind, KIND(RESERVE));

    assert_status(operation(&staff, op_id_new(), &reply), &staff.err, ST_NOT_FOUND);
    op_id_format(text, &settlement);
    assert_int_equal(CLI("staff", "operation", text), 0);
    assert_int_equal(CLI("alice", "operation", text), 10 + 7);
}

/* Presumed spent: a hold that nobody settled, then a call whose outcome nobody saw. */
static void test_unknown_lists_lapsed_and_unknown_calls_newest_first(void **state)
{
    struct fixture *fixture = *state;
    struct op_id lapsed = reserve("modash.reports", REPORT_MILLI, HOLD_SHORT_MS);
    struct op_id unseen;
    const Metercache__V1__ListUnknownResponse *page;

    assert_eventually(unknown(0, "")->n_operations == 1, SOON_MS);
    unseen = reserve("modash.reports", REPORT_MILLI, HOLD_MS);
    (void)settle(unseen, REPORT_MILLI, OUTCOME(UNKNOWN));
    assert_eventually(unknown(0, "")->n_operations == 2, SOON_MS);

    page = unknown(1, "");
    assert_int_equal(page->n_operations, 1);
    assert_int_equal(page->operations[0]->kind, KIND(SETTLE));
    assert_memory_equal(page->operations[0]->reservation_id.data, unseen.bytes, OP_ID_SIZE);
    assert_int_equal(page->operations[0]->call->outcome, OUTCOME(UNKNOWN));
    page = unknown(1, page->page->next_page_token);
    assert_int_equal(page->n_operations, 1);
    assert_int_equal(page->operations[0]->kind, KIND(LAPSE));
    assert_memory_equal(page->operations[0]->reservation_id.data, lapsed.bytes, OP_ID_SIZE);
    assert_int_equal(page->operations[0]->amount_milli, REPORT_MILLI);
    assert_int_equal(page->operations[0]->call->outcome, OUTCOME(LAPSED));
    assert_string_equal(page->operations[0]->purpose->reason, "test");
    if (page->page->next_page_token[0] != '\0')
        assert_int_equal(unknown(1, page->page->next_page_token)->n_operations, 0);
    assert_int_equal(CLI("staff", "unknown"), 0);
    assert_int_equal(CLI("alice", "unknown"), 10 + 7);
}

/* A late settlement says what it cost: not unknown any more. */
static void test_unknown_leaves_out_what_a_late_settlement_told(void **state)
{
    struct op_id late = reserve("modash.reports", REPORT_MILLI, HOLD_SHORT_MS);
    const size_t before = unknown(0, "")->n_operations;

    (void)state;
    assert_eventually(unknown(0, "")->n_operations == before + 1, SOON_MS);
    (void)settle(late, 0, OUTCOME(NOT_FOUND));
    assert_eventually(unknown(0, "")->n_operations == before, SOON_MS);
}

/* ---- alerts ---------------------------------------------------------------------------- */

static void test_alerts_tell_each_threshold_once_newest_first(void **state)
{
    static const int64_t STEPS_MILLI[] = {10000, 6000, 3000, 1000};
    static const uint32_t PERCENTS[] = {100, 95, 80, 50};
    struct fixture *fixture = *state;
    const Metercache__V1__ThresholdCrossing *found[8];

    assert_int_equal(thresholds(&staff, "clay.enrichment", found, COUNT_OF(found)), 0);
    for (size_t i = 0; i < COUNT_OF(STEPS_MILLI); i++)
        (void)settle(reserve("clay.enrichment", STEPS_MILLI[i], HOLD_MS), STEPS_MILLI[i],
                     OUTCOME(OK));
    assert_eventually(thresholds(&staff, "clay.enrichment", found, COUNT_OF(found)) ==
                          COUNT_OF(PERCENTS),
                      SOON_MS);
    assert_int_equal(thresholds(&fixture->quota, "clay.enrichment", found, COUNT_OF(found)),
                     COUNT_OF(PERCENTS));
    for (size_t i = 0; i < COUNT_OF(PERCENTS); i++) {
        assert_int_equal(found[i]->percent, PERCENTS[i]);
        assert_string_equal(found[i]->meter, "clay.enrichment");
        assert_int_equal(found[i]->limit_milli, ENRICHMENTS * 1000);
        assert_true((found[i]->posted_milli + found[i]->held_milli) * 100 >=
                    found[i]->limit_milli * found[i]->percent);
        assert_true(found[i]->period_end_us > found[i]->at_us);
    }
    assert_int_equal(thresholds(&staff, "modash.discovery", found, COUNT_OF(found)), 0);
    assert_int_equal(CLI("alice", "alerts", "clay.enrichment"), 0);
}

/* ---- the books ------------------------------------------------------------------------- */

static void test_verify_finds_the_ledger_consistent(void **state)
{
    struct fixture *fixture = *state;
    const Metercache__V1__VerifyLedgerResponse *checked = verify();

    assert_string_equal(checked->first_fault, "");
    assert_true(checked->consistent);
    assert_int_equal(checked->events,
                     database_number(fixture->owner,
                                     "SELECT count(*) FROM metercache.ledger_event", NULL));
    assert_true(checked->batches > 0);
    assert_true(checked->counters >= BOOKS_METER_COUNT);
    assert_int_equal(CLI("admin", "verify"), 0);
    assert_int_equal(CLI("alice", "verify"), 10 + 7);
}

static void test_verify_names_a_counter_that_was_changed(void **state)
{
    struct fixture *fixture = *state;
    char sqlstate[6] = "";

    if (!database_try(fixture->owner,
                      "UPDATE metercache.quota_counter SET posted_milli = posted_milli + 1"
                      " WHERE meter = 'modash.discovery'",
                      sqlstate))
        fail_msg("SQLSTATE %s", sqlstate);
    const Metercache__V1__VerifyLedgerResponse *checked = verify();
    assert_false(checked->consistent);
    assert_non_null(strstr(checked->first_fault, "modash.discovery"));
    assert_int_equal(CLI("staff", "verify"), 10 + 15);
    assert_true(
        database_try(fixture->owner,
                     "UPDATE metercache.quota_counter SET posted_milli = posted_milli - 1"
                     " WHERE meter = 'modash.discovery'",
                     sqlstate));
    assert_true(verify()->consistent);
}

/* ---------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    int failed = fixture_up(state, "quota-reads", SETTINGS);
    struct fixture *fixture = *state;

    caller_init(&staff, stack_client(fixture->stack, STACK_QUOTA, "staff"));
    caller_init(&admin, stack_client(fixture->stack, STACK_QUOTA, "admin"));
    caller_init(&service, stack_client(fixture->stack, STACK_QUOTA, "cache-service"));
    return failed;
}

static int tear_down(void **state)
{
    caller_done(&staff);
    caller_done(&admin);
    caller_done(&service);
    return fixture_down(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

/* In this order: they share one ledger. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_history_has_the_searches_of_today),
        TEST(test_usage_of_meters_from_the_ledger_is_the_writers),
        TEST(test_usage_of_users_once_they_have_a_limit),
        TEST(test_operation_is_told_with_its_settlement),
        TEST(test_unknown_lists_lapsed_and_unknown_calls_newest_first),
        TEST(test_unknown_leaves_out_what_a_late_settlement_told),
        TEST(test_alerts_tell_each_threshold_once_newest_first),
        TEST(test_verify_finds_the_ledger_consistent),
        TEST(test_verify_names_a_counter_that_was_changed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
