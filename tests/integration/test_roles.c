/* Who may call what, at every listener. S1, S2, C6, C10. */
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "metercache/v1/ledger.pb-c.h"
#include "support/fixture.h"
#include "support/wire.h"

#define TOKENS 7

/* The columns of the table: a character a token, in this order. */
static const char *const NAMES[TOKENS] = {"alice",         "staff",         "admin", "cron",
                                          "cache-service", "quota-service", NULL};

/* y: may call. n: PERMISSION_DENIED. u: UNAUTHENTICATED. */
struct rule {
    enum stack_service service;
    const char *method;
    const char *may;
};

static const struct rule RULES[] = {
    {STACK_CACHE, "CreatorService/Search", "yyynyyu"},
    {STACK_CACHE, "CreatorService/GetCreator", "yyynyyu"},
    {STACK_CACHE, "CreatorService/SelectCreator", "yyynyyu"},
    {STACK_CACHE, "CreatorService/EnrichCreator", "yyynyyu"},
    {STACK_CACHE, "CreatorService/ListSearches", "yyynyyu"},
    {STACK_CACHE, "CallLogService/ListCalls", "yyyyyyu"},
    {STACK_QUOTA, "QuotaService/Reserve", "nnnnyyu"},
    {STACK_QUOTA, "QuotaService/Settle", "nnnnyyu"},
    {STACK_QUOTA, "QuotaService/VoidReservation", "nnnnyyu"},
    {STACK_QUOTA, "QuotaService/GetUsage", "yyyyyyu"},
    {STACK_GATEWAY, "GatewayService/SearchCreators", "nnnnyyu"},
    {STACK_GATEWAY, "GatewayService/FindUsers", "nnnnyyu"},
    {STACK_GATEWAY, "GatewayService/FetchReport", "nnnnyyu"},
    {STACK_GATEWAY, "GatewayService/EnrichEmail", "nnnnyyu"},
    {STACK_GATEWAY, "GatewayService/GetProviderBalance", "nyynyyu"},
    {STACK_GATEWAY, "GatewayService/ListProviders", "yyyyyyu"},
    {STACK_CACHE, "HealthService/Check", "yyyyyyy"},
    {STACK_QUOTA, "HealthService/Check", "yyyyyyy"},
    {STACK_GATEWAY, "HealthService/Check", "yyyyyyy"},
    {STACK_CACHE, "AdminService/Ping", "yyyyyyu"},
    {STACK_CACHE, "AdminService/GetStats", "nyynnnu"},
    {STACK_CACHE, "AdminService/ListConnections", "nyynnnu"},
    {STACK_CACHE, "AdminService/ShowConfig", "nyynnnu"},
    {STACK_CACHE, "AdminService/SetLogLevel", "nnynnnu"},
    {STACK_QUOTA, "AdminService/GetStats", "nyynnnu"},
    {STACK_QUOTA, "AdminService/SetLogLevel", "nnynnnu"},
    {STACK_GATEWAY, "AdminService/ShowConfig", "nyynnnu"},
    {STACK_GATEWAY, "AdminService/SetLogLevel", "nnynnnu"},
};

/* The status of an empty request: enough to see whether it gets past the role. */
static enum status knock(struct fixture *fixture, const char *url, const char *method,
                         const char *token_name, struct error *err)
{
    struct wire_request request = {.method = method};
    const Metercache__V1__Response *response;
    struct wire wire;

    if (token_name != NULL)
        request.bearer = stack_token(fixture->stack, token_name);
    assert_true(wire_open(&wire, url));
    response = wire_call(&wire, &request, err);
    assert_non_null(response);
    enum status st = (enum status)response->code;
    wire_close(&wire);
    return st;
}

static bool is_as_said(char said, enum status st)
{
    switch (said) {
    case 'n':
        return st == ST_DENIED;
    case 'u':
        return st == ST_UNAUTHENTICATED;
    default:
        return st != ST_DENIED && st != ST_UNAUTHENTICATED && st != ST_UNIMPLEMENTED;
    }
}

static void test_methods_answer_the_roles_they_are_for_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    int wrong = 0;

    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        for (size_t at = 0; at < TOKENS; at++) {
            char method[128];
            struct error err;
            enum status st;

            (void)snprintf(method, sizeof(method), "/metercache.v1.%s", RULES[i].method);
            st = knock(fixture, stack_endpoint(fixture->stack, RULES[i].service), method,
                       NAMES[at], &err);
            if (is_as_said(RULES[i].may[at], st))
                continue;
            print_error("%s as %s: %s: %s\n", RULES[i].method,
                        NAMES[at] == NULL ? "nobody" : NAMES[at], status_name(st),
                        err.message);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    books_expect_nothing(&fixture->books); /* none of the empty requests got far */
}

/* One may end the process: the role is judged before anything happens. */
static void test_drain_is_for_admins_alone(void **state)
{
    static const enum stack_service SERVICES[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        for (size_t at = 0; at < TOKENS; at++) {
            struct error err;

            if (NAMES[at] != NULL && strcmp(NAMES[at], "admin") == 0)
                continue;
            enum status st = knock(fixture, stack_endpoint(fixture->stack, SERVICES[i]),
                                   "/metercache.v1.AdminService/Drain", NAMES[at], &err);
            assert_int_equal(st, NAMES[at] == NULL ? ST_UNAUTHENTICATED : ST_DENIED);
        }
        assert_true(stack_is_running(fixture->stack, SERVICES[i]));
    }
}

/* S2: the ledger takes orders from quota-service alone, not from other services either. */
static void test_ledger_refuses_everyone_but_quota_service(void **state)
{
    static const char *const METHODS[] = {
        "/metercache.v1.LedgerService/OpenLedger",
        "/metercache.v1.LedgerService/CommitBatch", "/metercache.v1.LedgerService/GetBatch",
        "/metercache.v1.LedgerService/ListOpenReservations",
        "/metercache.v1.LedgerService/GetOperations"};
    static const char *const STRANGERS[] = {"alice", "staff",         "admin",
                                            "cron",  "cache-service", "provider-gateway"};
    struct fixture *fixture = *state;
    const char *ledger = stack_value(fixture->stack, "STACK_LEDGER_ENDPOINT");
    int64_t epoch =
        database_number(fixture->owner, "SELECT epoch FROM metercache.quota_writer", NULL);
    struct error err;

    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        for (size_t at = 0; at < COUNT_OF(STRANGERS); at++)
            assert_status(knock(fixture, ledger, METHODS[i], STRANGERS[at], &err), &err,
                          ST_DENIED);
        assert_status(knock(fixture, ledger, METHODS[i], NULL, &err), &err,
                      ST_UNAUTHENTICATED);
    }
    /* reads do not move the epoch: the writer in place is not fenced by this test */
    assert_true(is_as_said('y', knock(fixture, ledger, METHODS[3], "quota-service", &err)));
    assert_int_equal(
        database_number(fixture->owner, "SELECT epoch FROM metercache.quota_writer", NULL),
        epoch);
}

static void test_ledger_and_public_listener_do_not_serve_each_others_methods(void **state)
{
    struct fixture *fixture = *state;
    struct error err;

    assert_status(knock(fixture, stack_value(fixture->stack, "STACK_LEDGER_ENDPOINT"),
                        "/metercache.v1.CreatorService/Search", "quota-service", &err),
                  &err, ST_UNIMPLEMENTED);
    assert_status(knock(fixture, stack_endpoint(fixture->stack, STACK_CACHE),
                        "/metercache.v1.LedgerService/ListOpenReservations",
                        "quota-service", &err),
                  &err, ST_UNIMPLEMENTED);
}

/* A declared method that is not built yet says so, whoever asks. */
static void test_declared_methods_that_are_not_built_are_unimplemented(void **state)
{
    static const struct {
        enum stack_service service;
        const char *method;
    } METHODS[] = {
        {STACK_CACHE, "/metercache.v1.CreatorService/MatchCreators"},
        {STACK_GATEWAY, "/metercache.v1.GatewayService/FetchAdObjects"},
    };
    struct fixture *fixture = *state;
    struct error err;

    for (size_t i = 0; i < COUNT_OF(METHODS); i++)
        assert_status(knock(fixture, stack_endpoint(fixture->stack, METHODS[i].service),
                            METHODS[i].method, "admin", &err),
                      &err, ST_UNIMPLEMENTED);
}

static size_t calls_of(const Metercache__V1__ListCallsResponse *list, const char *user)
{
    size_t count = 0;

    for (size_t i = 0; i < list->n_calls; i++) {
        if (strcmp(list->calls[i]->user, user) == 0)
            count++;
    }
    return count;
}

/* A client sees its own user's calls; staff and admins see all. */
static void test_list_calls_shows_a_client_its_own_alone(void **state)
{
    struct fixture *fixture = *state;
    struct simulator_creator creators[2];
    Metercache__V1__ListCallsResponse *list = NULL;
    select_reply *reply = NULL;

    fixture_new_creators(fixture, creators, COUNT_OF(creators));
    assert_ok(call_select(&fixture->alice, INSTAGRAM, creators[0].user_id, true, &reply),
              &fixture->alice.err);
    assert_ok(call_select(&fixture->bob, INSTAGRAM, creators[1].user_id, true, &reply),
              &fixture->bob.err);
    books_expect(&fixture->books, BOOKS_REPORTS, 2, 2000, 2000);

    assert_ok(call_list_calls(&fixture->alice, 500, NULL, &list), &fixture->alice.err);
    assert_int_equal(calls_of(list, "alice"), list->n_calls);
    assert_true(list->n_calls > 0);
    assert_ok(call_list_calls(&fixture->admin, 500, NULL, &list), &fixture->admin.err);
    assert_true(calls_of(list, "alice") > 0 && calls_of(list, "bob") > 0);
    assert_ok(call_list_calls(&fixture->staff, 500, NULL, &list), &fixture->staff.err);
    assert_true(calls_of(list, "alice") > 0 && calls_of(list, "bob") > 0);
}

/* A service may act for a user: then it is that user's search, and that user's call. Staff
 * may not: a user's searches are the user's own (C10). */
static void test_service_on_behalf_of_a_user_acts_as_that_user(void **state)
{
    struct fixture *fixture = *state;
    const struct search_question question = {
        .platform = YOUTUBE,
        .filters = "{\"influencer\":{\"followers\":{\"min\":40000}}}",
        .count = 15,
    };
    Metercache__V1__ListSearchesResponse *list = NULL;
    Metercache__V1__ListCallsResponse *calls = NULL;
    search_reply *reply = NULL;

    struct caller backend;

    fixture->staff.on_behalf_of = "alice";
    enum status st = call_search(&fixture->staff, &question, &reply);
    fixture->staff.on_behalf_of = NULL;
    assert_status(st, &fixture->staff.err, ST_DENIED);

    caller_init(&backend, stack_client(fixture->stack, STACK_CACHE, "provider-gateway"));
    backend.on_behalf_of = "alice";
    assert_ok(call_search(&backend, &question, &reply), &backend.err);
    assert_ok(call_list_searches(&fixture->alice, 1, NULL, &list), &fixture->alice.err);
    assert_int_equal(list->n_searches, 1);
    assert_memory_equal(list->searches[0]->filter_hash.data, reply->filter_hash.data, 32);
    books_expect(&fixture->books, BOOKS_DISCOVERY, 1, 150, 150);
    assert_ok(call_list_calls(&fixture->alice, 1, NULL, &calls), &fixture->alice.err);
    assert_string_equal(calls->calls[0]->action, "search");
    assert_string_equal(calls->calls[0]->user, "alice");
    caller_done(&backend);
}

static int set_up(void **state)
{
    return fixture_up(state, "roles", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_methods_answer_the_roles_they_are_for_and_no_other),
        TEST(test_drain_is_for_admins_alone),
        TEST(test_ledger_refuses_everyone_but_quota_service),
        TEST(test_ledger_and_public_listener_do_not_serve_each_others_methods),
        TEST(test_declared_methods_that_are_not_built_are_unimplemented),
        TEST(test_list_calls_shows_a_client_its_own_alone),
        TEST(test_service_on_behalf_of_a_user_acts_as_that_user),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
