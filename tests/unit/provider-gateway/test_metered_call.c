/*
 * The door, with Modash behind it: what is reserved before, what is settled after, and what
 * the caller gets (C6, C8).
 */
#include "core/mem.h"
#include "door_fixture.h"

static enum status search(struct modash_page *page, struct call_receipt *receipt,
                          struct error *err)
{
    struct modash_search request = {PLATFORM_INSTAGRAM, "{}", "", 0};

    return modash_search_creators(page, receipt, &modash, &context, &request, err);
}

static enum status report(struct call_receipt *receipt, struct error *err)
{
    struct modash_creator_name name = {PLATFORM_INSTAGRAM, "ada.trails"};
    struct modash_report out;

    return modash_fetch_report(&out, receipt, &modash, &context, &name, err);
}

static void test_search_reserves_a_page_and_settles_what_came(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;
    char text[2048], header[64];
    const struct budget_settlement *last;

    (void)state;
    http_peer_will_answer(peer, 200,
                          "{\"total\":9,\"directs\":[{\"userId\":\"1\"}],"
                          "\"lookalikes\":[{\"userId\":\"2\"},{\"userId\":\"3\"}]}");
    assert_int_equal(search(&page, &receipt, &err), ST_OK);
    assert_int_equal(page.creators.count, 3);
    assert_int_equal(receipt.credits_milli, 30);
    assert_int_equal(fake.reserved[0].amount_milli, 150);
    assert_string_equal(fake.reserved[0].meter, "modash.discovery");
    assert_string_equal(fake.reserved[0].action, "search");
    assert_string_equal(fake.reserved[0].user, "alice");
    assert_string_equal(fake.endpoint, "modash.search");
    assert_int_equal(fake.reserved[0].hold_ms, CALL_MS + 60000);
    last = settled(CALL_OK, 30);
    assert_false(last->is_void);
    assert_int_equal(last->http_status, 200);
    assert_string_equal(last->detail, "");
    http_peer_request(peer, 0, text, sizeof(text));
    assert_non_null(strstr(text, "Authorization: Bearer modash-key\r\n"));
    (void)snprintf(header, sizeof(header), "X-Metercache-Op: %02x%02x",
                   fake.reserved[0].id.bytes[0], fake.reserved[0].id.bytes[1]);
    assert_non_null(strstr(text, header));
}

static void test_search_empty_page_costs_nothing(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 200, "{\"total\":0,\"lookalikes\":[]}");
    assert_int_equal(search(&page, &receipt, &err), ST_OK);
    assert_int_equal(page.creators.count, 0);
    (void)settled(CALL_EMPTY, 0);
}

static void test_report_costs_one_credit(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 200, "{\"profile\":{\"userId\":\"1\"}}");
    assert_int_equal(report(&receipt, &err), ST_OK);
    assert_string_equal(fake.reserved[0].meter, "modash.reports");
    assert_int_equal(fake.reserved[0].amount_milli, 1000);
    (void)settled(CALL_OK, 1000);
}

/* status, body, content type -> what is settled and what the caller sees */
static void check_report_failure(unsigned http, const char *body, enum status status,
                                 const char *reason, enum call_outcome outcome,
                                 int64_t milli)
{
    struct call_receipt receipt;
    struct provider_record record;
    struct error err;

    http_peer_will_answer(peer, http, body);
    assert_int_equal(report(&receipt, &err), status);
    assert_string_equal(err.reason, reason);
    assert_int_equal(receipt.credits_milli, milli);
    (void)settled(outcome, milli);
    provider_read_record(&modash.provider, &record);
    assert_int_equal(record.calls, 1);
    assert_int_equal(record.inflight, 0);
}

static void test_report_not_found_costs_nothing(void **state)
{
    (void)state;
    check_report_failure(404, "{\"error\":true,\"code\":\"account_not_found\"}",
                         ST_NOT_FOUND, "PROVIDER_NOT_FOUND", CALL_NOT_FOUND, 0);
}

static void test_report_page_not_found_says_nothing_of_the_creator(void **state)
{
    (void)state;
    check_report_failure(404, "{\"message\":\"no route\"}", ST_UNAVAILABLE,
                         "PROVIDER_ERROR", CALL_PROVIDER_ERROR, 0);
}

static void test_report_private_is_told_apart(void **state)
{
    (void)state;
    check_report_failure(400, "{\"error\":true,\"code\":\"private_account\"}", ST_NOT_FOUND,
                         "PROVIDER_PRIVATE", CALL_NOT_FOUND, 0);
}

static void test_report_server_error_costs_nothing(void **state)
{
    (void)state;
    check_report_failure(500, "oops", ST_UNAVAILABLE, "PROVIDER_ERROR", CALL_PROVIDER_ERROR,
                         0);
}

static void test_report_unusable_answer_is_presumed_charged(void **state)
{
    (void)state;
    check_report_failure(200, "{\"profile\":{}}", ST_UNAVAILABLE, "PROVIDER_ERROR",
                         CALL_PROVIDER_ERROR, 1000);
}

static void test_report_error_inside_200_is_no_answer(void **state)
{
    (void)state;
    check_report_failure(200, "{\"error\":true,\"profile\":{\"userId\":\"1\"}}",
                         ST_UNAVAILABLE, "PROVIDER_ERROR", CALL_PROVIDER_ERROR, 1000);
}

static void test_report_no_result_is_not_found(void **state)
{
    (void)state;
    check_report_failure(400, "{\"error\":true,\"code\":\"no_result\"}", ST_NOT_FOUND,
                         "PROVIDER_NOT_FOUND", CALL_EMPTY, 0);
}

static void test_report_html_is_no_answer(void **state)
{
    static const char HTML[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                               "Content-Length: 26\r\n\r\n{\"profile\":{\"userId\":\"1\"}}";
    struct call_receipt receipt;
    struct error err;

    (void)state;
    http_peer_will_send(peer, HTML, sizeof(HTML) - 1, HTTP_PEER_KEEP);
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    (void)settled(CALL_PROVIDER_ERROR, 1000);
}

static void test_report_throttled_passes_the_providers_wait_on(void **state)
{
    static const char THROTTLE[] = "HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\n"
                                   "Content-Length: 0\r\n\r\n";
    struct call_receipt receipt;
    struct provider_record record;
    struct error err;

    (void)state;
    http_peer_will_send(peer, THROTTLE, sizeof(THROTTLE) - 1, HTTP_PEER_KEEP);
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "PROVIDER_THROTTLED");
    assert_int_equal(err.retry_after_ms, 7000);
    (void)settled(CALL_THROTTLED, 0);
    provider_read_record(&modash.provider, &record);
    assert_int_equal(record.failures, 1);
    assert_string_equal(record.last_error, "http 429");
}

static void test_report_timeout_is_presumed_charged(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    http_peer_will_send(peer, "", 0, HTTP_PEER_HANG);
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "PROVIDER_TIMEOUT");
    (void)settled(CALL_UNKNOWN, 1000);
}

static void test_report_truncated_is_presumed_charged(void **state)
{
    static const char HALF[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Content-Length: 99\r\n\r\n{\"profile\"";
    struct call_receipt receipt;
    struct error err;

    (void)state;
    http_peer_will_send(peer, HALF, sizeof(HALF) - 1, HTTP_PEER_CLOSE);
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    (void)settled(CALL_UNKNOWN, 1000);
}

/* Larger than what can be passed on: an answer, and it is of no use. */
static void test_report_too_large_is_unusable_and_presumed_charged(void **state)
{
    size_t size = (size_t)2 << 20;
    char *answer = mem_alloc(size + 128);
    int head =
        snprintf(answer, 128, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    struct call_receipt receipt;
    struct error err;

    (void)state;
    memset(answer + head, ' ', size);
    http_peer_will_send(peer, answer, (size_t)head + size, HTTP_PEER_CLOSE);
    mem_free(answer);
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "PROVIDER_ERROR");
    assert_string_equal(settled(CALL_PROVIDER_ERROR, 1000)->detail,
                        "the response is too large");
}

static void test_report_never_sent_is_voided(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    modash.provider.is.base_url = "http://127.0.0.1:1";
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "PROVIDER_ERROR");
    assert_true(settled(CALL_NOT_SENT, 0)->is_void);
}

static void test_call_refused_by_the_budget_is_not_made(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;

    (void)state;
    (void)error_set(&fake.reserve_says, ST_EXHAUSTED, "spent");
    (void)error_reason(&fake.reserve_says, "METER_SPENT");
    error_add_violation(&fake.reserve_says, "modash.discovery", 7, 1234);
    assert_int_equal(search(&page, &receipt, &err), ST_EXHAUSTED);
    assert_string_equal(err.reason, "METER_SPENT");
    assert_int_equal(err.violation_count, 1);
    assert_string_equal(err.violations[0].subject, "modash.discovery");
    assert_int_equal(http_peer_request_count(peer), 0);
    assert_int_equal(fake.settle_count, 0);
    assert_int_equal(places_taken(door.settlements, PLACES), 0);
}

static void test_call_with_the_reservation_in_doubt_is_not_made_and_given_back(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;

    (void)state;
    (void)error_set(&fake.reserve_says, ST_UNAVAILABLE, "away");
    (void)error_reason(&fake.reserve_says, "QUOTA_UNAVAILABLE");
    fake.reserve_in_doubt = true;
    assert_int_equal(search(&page, &receipt, &err), ST_UNAVAILABLE);
    assert_int_equal(http_peer_request_count(peer), 0);
    assert_true(fake_budget_wait_settled(&fake, 1));
    assert_true(fake.settled[0].is_void);
    assert_true(op_id_equal(&fake.settled[0].reservation_id, &fake.reserved[0].id));
}

static void test_call_without_a_place_in_the_outbox_is_refused(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_true(settlements_claim(door.settlements));
    assert_int_equal(search(&page, &receipt, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "QUOTA_UNAVAILABLE");
    assert_int_equal(fake.reserve_count, 0);
    for (int i = 0; i < 4; i++)
        settlements_release(door.settlements);
}

static void test_call_without_memory_leaves_no_place_taken(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    arena_done(&arena);
    arena_init(&arena, 0);
    assert_int_equal(report(&receipt, &err), ST_EXHAUSTED);
    assert_int_equal(fake.reserve_count, 0);
    assert_int_equal(places_taken(door.settlements, PLACES), 0);
}

static void test_call_answers_though_quota_cannot_be_told_and_tells_it_later(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    fake_budget_fail_settle(&fake, ST_UNAVAILABLE, 2);
    http_peer_will_answer(peer, 200, "{\"profile\":{\"userId\":\"1\"}}");
    assert_int_equal(report(&receipt, &err), ST_OK);
    assert_true(fake_budget_wait_settled(&fake, 3));
    assert_true(op_id_equal(&fake.settled[0].id, &fake.settled[2].id));
    assert_int_equal(fake.settled[2].actual_milli, 1000);
}

static void test_call_with_bad_input_reserves_nothing(void **state)
{
    struct modash_creator_name name = {PLATFORM_INSTAGRAM, "../search"};
    struct call_receipt receipt;
    struct modash_report out;
    struct error err;

    (void)state;
    assert_int_equal(modash_fetch_report(&out, &receipt, &modash, &context, &name, &err),
                     ST_INVALID);
    assert_int_equal(fake.reserve_count, 0);
}

static void test_call_with_no_time_left_reserves_nothing(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    context.deadline_us = clock_mono_us();
    assert_int_equal(report(&receipt, &err), ST_DEADLINE);
    assert_int_equal(fake.reserve_count, 0);
}

static void test_call_without_a_key_reserves_nothing(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;

    (void)state;
    modash.provider.is.key.value = "";
    assert_int_equal(report(&receipt, &err), ST_PRECONDITION);
    assert_string_equal(err.reason, "PROVIDER_NOT_CONFIGURED");
    assert_string_equal(err.message, "modash has no key: THE_KEY is not set");
    assert_int_equal(search(&page, &receipt, &err), ST_PRECONDITION);
    assert_int_equal(fake.reserve_count, 0);
    assert_int_equal(places_taken(door.settlements, PLACES), 0);
}

static void test_dry_run_tells_the_most_it_could_cost_and_reserves_nothing(void **state)
{
    struct call_receipt receipt;
    struct modash_page page;
    struct error err;

    (void)state;
    context.is_dry_run = true;
    assert_int_equal(search(&page, &receipt, &err), ST_PRECONDITION);
    assert_string_equal(err.reason, "DRY_RUN");
    assert_string_equal(err.message, "dry run: would call modash.search for at most 0.150 "
                                     "credits of modash.discovery");
    assert_int_equal(report(&receipt, &err), ST_PRECONDITION);
    assert_non_null(strstr(err.message, "modash.report for at most 1.000 credits"));
    assert_int_equal(fake.reserve_count, 0);
    assert_int_equal(http_peer_request_count(peer), 0);
}

/* A provider gets what its caller has left, less the time to settle. */
static void test_call_ends_within_the_callers_time(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    modash.provider.is.timeout_ms = 20000;
    context.deadline_us = clock_deadline_ms(700);
    http_peer_will_send(peer, "", 0, HTTP_PEER_HANG);
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "PROVIDER_TIMEOUT");
    assert_true(clock_mono_us() < context.deadline_us);
    (void)settled(CALL_UNKNOWN, 1000);
}

static void test_error_text_holds_nothing_the_provider_wrote(void **state)
{
    struct call_receipt receipt;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 500,
                          "{\"error\":true,\"code\":\"Bearer modash-key\","
                          "\"message\":\"modash-key\"}");
    assert_int_equal(report(&receipt, &err), ST_UNAVAILABLE);
    assert_null(strstr(err.message, "modash-key"));
    assert_null(strstr(fake.settled[0].detail, "modash-key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(test_search_reserves_a_page_and_settles_what_came),
        DOOR_TEST(test_search_empty_page_costs_nothing),
        DOOR_TEST(test_report_costs_one_credit),
        DOOR_TEST(test_report_not_found_costs_nothing),
        DOOR_TEST(test_report_page_not_found_says_nothing_of_the_creator),
        DOOR_TEST(test_report_private_is_told_apart),
        DOOR_TEST(test_report_server_error_costs_nothing),
        DOOR_TEST(test_report_unusable_answer_is_presumed_charged),
        DOOR_TEST(test_report_error_inside_200_is_no_answer),
        DOOR_TEST(test_report_no_result_is_not_found),
        DOOR_TEST(test_report_html_is_no_answer),
        DOOR_TEST(test_report_throttled_passes_the_providers_wait_on),
        DOOR_TEST(test_report_timeout_is_presumed_charged),
        DOOR_TEST(test_report_truncated_is_presumed_charged),
        DOOR_TEST(test_report_too_large_is_unusable_and_presumed_charged),
        DOOR_TEST(test_report_never_sent_is_voided),
        DOOR_TEST(test_call_refused_by_the_budget_is_not_made),
        DOOR_TEST(test_call_with_the_reservation_in_doubt_is_not_made_and_given_back),
        DOOR_TEST(test_call_without_a_place_in_the_outbox_is_refused),
        DOOR_TEST(test_call_without_memory_leaves_no_place_taken),
        DOOR_TEST(test_call_answers_though_quota_cannot_be_told_and_tells_it_later),
        DOOR_TEST(test_call_with_bad_input_reserves_nothing),
        DOOR_TEST(test_call_with_no_time_left_reserves_nothing),
        DOOR_TEST(test_call_without_a_key_reserves_nothing),
        DOOR_TEST(test_dry_run_tells_the_most_it_could_cost_and_reserves_nothing),
        DOOR_TEST(test_call_ends_within_the_callers_time),
        DOOR_TEST(test_error_text_holds_nothing_the_provider_wrote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
