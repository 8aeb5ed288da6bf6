/* Whatever comes in from outside: the right code that names the field or the cause, nothing
 * stored, nothing called, and the service goes on. C8, C9, S1. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "core/mem.h"
#include "core/rng.h"
#include "support/connect.h"
#include "support/fixture.h"
#include "support/wire.h"

#define SEARCH "/metercache.v1.CreatorService/Search"
#define GET    "/metercache.v1.CreatorService/GetCreator"
#define SELECT "/metercache.v1.CreatorService/SelectCreator"
#define HEALTH "/metercache.v1.HealthService/Check"

#define MIB        (1u << 20)
#define CURE_MS    20000 /* a wounded listener is noticed and replaced within this */
#define AT_ONCE_US (3 * CLOCK_US_PER_SECOND)

static const enum stack_service SERVICES[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};

/* ------------------------------------------------------- nothing has happened ------- */

static const char *const TABLES[] = {
    "creator",        "creator_report",     "creator_negative", "search",  "search_result",
    "search_request", "creator_enrichment", "ledger_event",     "call_log"};

static int64_t count_everything(struct fixture *fixture)
{
    struct database *all = database_open(fixture->stack, DATABASE_SUPERUSER);
    int64_t rows = 0;

    for (size_t i = 0; i < COUNT_OF(TABLES); i++) {
        char sql[128];

        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM metercache.%s", TABLES[i]);
        rows += database_number(all, sql, NULL);
    }
    database_close(all);
    return rows;
}

static bool serves(struct stack *stack, enum stack_service service)
{
    struct wire wire;
    const struct wire_request request = {.method = HEALTH};
    const Metercache__V1__Response *response = NULL;
    struct error err;

    if (wire_open(&wire, stack_endpoint(stack, service)))
        response = wire_call(&wire, &request, &err);
    bool is_fine = response != NULL && response->code == 0;
    wire_close(&wire);
    return is_fine;
}

/* A good call right after. */
static void assert_unharmed(struct fixture *fixture)
{
    Metercache__V1__GetCreatorResponse *reply = NULL;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        assert_eventually(serves(fixture->stack, SERVICES[i]), CURE_MS);
        assert_true(stack_is_running(fixture->stack, SERVICES[i]));
    }
    assert_status(call_get(&fixture->alice, INSTAGRAM, "1", &reply), &fixture->alice.err,
                  ST_NOT_FOUND);
}

static int64_t rows_before;

static int begin(void **state)
{
    int failed = fixture_begin(state);

    rows_before = count_everything(*state);
    return failed;
}

static int end(void **state)
{
    struct fixture *fixture = *state;

    assert_unharmed(fixture);
    books_expect_nothing(&fixture->books);
    assert_int_equal(count_everything(fixture), rows_before);
    return fixture_end(state);
}

/* ------------------------------------------------------------------- requests ------- */

static char long_text[20 * 1024];

/* C9 */
static void test_search_that_makes_no_sense_names_the_field(void **state)
{
    static const struct {
        struct search_question question;
        const char *field;
    } WRONG[] = {
        {{.platform = 0, .count = 1}, "platform"},
        {{.platform = 4, .count = 1}, "platform"},
        {{.platform = -1, .count = 1}, "platform"},
        {{.platform = INSTAGRAM, .count = 0}, "count"},
        {{.platform = INSTAGRAM, .count = 100001}, "count"},
        {{.platform = INSTAGRAM, .count = UINT32_MAX}, "count"},
        {{.platform = INSTAGRAM, .count = 1, .filters = "{"}, "filters"},
        {{.platform = INSTAGRAM, .count = 1, .filters = "[]"}, "filters"},
        {{.platform = INSTAGRAM, .count = 1, .filters = "42"}, "filters"},
        {{.platform = INSTAGRAM, .count = 1, .filters = "{} {}"}, "filters"},
        {{.platform = INSTAGRAM, .count = 1, .filters = "{\"influencer\":[]}"},
         "filters.influencer"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"followers\":{\"min\":\"many\"}}}"},
         "filters.influencer.followers.min"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"followers\":{\"min\":-5}}}"},
         "filters.influencer.followers.min"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"followers\":{\"min\":90000,\"max\":30000}}}"},
         "filters.influencer.followers"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"followers\":12}}"},
         "filters.influencer.followers"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"isVerified\":1}}"},
         "filters.influencer.isVerified"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"gender\":\"ROBOT\"}}"},
         "filters.influencer.gender"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"shoeSize\":44}}"},
         "filters.influencer.shoeSize"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters = "{\"influencer\":{\"bio\":\"a\\u0000b\"}}"},
         "filters"},
        {{.platform = INSTAGRAM,
          .count = 1,
          .filters =
              "{\"influencer\":{\"followers\":{\"min\":1},\"followers\":{\"min\":2}}}"},
         "filters"},
        {{.platform = INSTAGRAM, .count = 1, .filters = long_text}, "filters"},
        {{.platform = INSTAGRAM, .count = 1, .sort = "{\"field\":\"luck\"}"}, "sort"},
        {{.platform = INSTAGRAM, .count = 1, .sort = "[]"}, "sort"},
        {{.platform = INSTAGRAM, .count = 1, .page_token = "x"}, "page.page_token"},
    };
    struct fixture *fixture = *state;
    search_reply *reply = NULL;

    (void)memset(long_text, ' ', sizeof(long_text) - 1);
    long_text[0] = '{';
    long_text[sizeof(long_text) - 2] = '}';
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        enum status st = call_search(&fixture->alice, &WRONG[i].question, &reply);

        if (st != ST_INVALID)
            print_error("count %u filters %.60s sort %s\n", WRONG[i].question.count,
                        WRONG[i].question.filters, WRONG[i].question.sort);
        assert_status(st, &fixture->alice.err, ST_INVALID);
        assert_field(&fixture->alice.err, WRONG[i].field);
        assert_true(fixture->alice.err.message[0] != '\0');
    }
}

static void test_creator_that_makes_no_sense_names_the_field(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__SelectCreatorRequest request =
        METERCACHE__V1__SELECT_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref = METERCACHE__V1__CREATOR_REF__INIT;
    Metercache__V1__GetCreatorResponse *got = NULL;
    enrich_reply *enriched = NULL;
    select_reply *reply = NULL;
    char name[131];

    (void)memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    /* none at all, and one without a name */
    for (int i = 0; i < 2; i++) {
        assert_status(call_method(&fixture->alice, "CreatorService", "SelectCreator",
                                  &metercache__v1__select_creator_response__descriptor,
                                  &request, &reply),
                      &fixture->alice.err, ST_INVALID);
        assert_field(&fixture->alice.err, "creator");
        ref.platform = INSTAGRAM;
        request.creator = &ref;
    }
    assert_status(call_select(&fixture->alice, 77, "1", false, &reply), &fixture->alice.err,
                  ST_INVALID);
    assert_field(&fixture->alice.err, "creator.platform");
    assert_status(call_get(&fixture->alice, INSTAGRAM, "", &got), &fixture->alice.err,
                  ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
    assert_status(call_enrich(&fixture->alice, INSTAGRAM, "@", &enriched),
                  &fixture->alice.err, ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
    assert_status(call_select(&fixture->alice, INSTAGRAM, name, false, &reply),
                  &fixture->alice.err, ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
    name[0] = '@';
    assert_status(call_select(&fixture->alice, INSTAGRAM, name, false, &reply),
                  &fixture->alice.err, ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
}

/* A name must not become part of another path or query at the provider. */
static void test_creator_with_a_path_for_a_name_reaches_no_other_endpoint(void **state)
{
    static const char *const NAMES[] = {"../search", "1/report?x=1#", "%2e%2e%2fsearch",
                                        "@a/../../user/info", "a b\r\nHost: elsewhere"};
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        enum status st = call_select(&fixture->alice, INSTAGRAM, NAMES[i], false, &reply);

        assert_true(st == ST_INVALID || st == ST_NOT_FOUND);
    }
    struct simulator_counts total = simulator_count(fixture->stack, "modash", "total");
    struct simulator_counts report = simulator_count(fixture->stack, "modash", "report");
    assert_int_equal(total.received, report.received);
    /* A provider's "not found" may be remembered; nothing of it is a creator. */
    assert_int_equal(
        database_number(fixture->owner, "SELECT count(*) FROM metercache.creator", NULL),
        0);
}

/* ------------------------------------------------------- bytes of our own making ------- */

/* A SelectCreator or GetCreator with these bytes for a handle. */
static void assert_handle_refused(struct fixture *fixture, const char *method,
                                  const void *handle, size_t size)
{
    struct wire_request request = {.method = method,
                                   .bearer = stack_token(fixture->stack, "alice")};
    const Metercache__V1__Response *response;
    struct buf creator;
    struct buf message;
    struct error err;
    struct wire wire;

    buf_init(&creator, 4096);
    buf_init(&message, 4096);
    wire_put_number(&creator, 1, INSTAGRAM);
    wire_put_bytes(&creator, 3, handle, size);
    wire_put_bytes(&message, 1, creator.data, creator.size);
    request.payload = message.data;
    request.payload_size = message.size;
    assert_true(wire_open(&wire, stack_endpoint(fixture->stack, STACK_CACHE)));
    response = wire_call(&wire, &request, &err);
    assert_non_null(response);
    assert_status((enum status)response->code, &err, ST_INVALID);
    assert_field(&err, "creator.handle");
    assert_false(response->executed);
    wire_close(&wire);
    buf_done(&creator);
    buf_done(&message);
}

static void test_handle_with_bytes_that_are_no_text_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } HANDLES[] = {
        {"nul\0inside", 10},     {"\0", 1},       {"\xff\xfe", 2},
        {"cut\xe2\x82", 5},      {"\xc0\xaf", 2}, {"\xed\xa0\x80surrogate", 12},
        {"\xf4\x90\x80\x80", 4},
    };

    for (size_t i = 0; i < COUNT_OF(HANDLES); i++) {
        assert_handle_refused(*state, SELECT, HANDLES[i].bytes, HANDLES[i].size);
        assert_handle_refused(*state, GET, HANDLES[i].bytes, HANDLES[i].size);
    }
}

static void test_payload_that_is_no_message_is_refused(void **state)
{
    static const char *const PAYLOADS[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                           "\x0a\x7f only a little", "\x0b\x0b\x0b\x0b",
                                           "\x07"};
    struct fixture *fixture = *state;
    struct wire wire;

    assert_true(wire_open(&wire, stack_endpoint(fixture->stack, STACK_CACHE)));
    for (size_t i = 0; i < COUNT_OF(PAYLOADS); i++) {
        const struct wire_request request = {
            .method = SELECT,
            .bearer = stack_token(fixture->stack, "alice"),
            .payload = PAYLOADS[i],
            .payload_size = strlen(PAYLOADS[i]),
        };
        struct error err;
        const Metercache__V1__Response *response = wire_call(&wire, &request, &err);

        assert_non_null(response);
        assert_status((enum status)response->code, &err, ST_INVALID);
    }
    wire_close(&wire);
}

static void test_method_that_nobody_has_is_unimplemented(void **state)
{
    static const char *const METHODS[] = {
        "/metercache.v1.CreatorService/Destroy",
        "/metercache.v1.NoService/Search",
        "Search",
        "",
        "/metercache.v1.CreatorService/Search ",
        "/metercache.v1.QuotaService/Reserve", /* not at this service */
        "/metercache.v1.LedgerService/OpenLedger",
    };
    struct fixture *fixture = *state;
    struct wire wire;

    assert_true(wire_open(&wire, stack_endpoint(fixture->stack, STACK_CACHE)));
    for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
        const struct wire_request request = {
            .method = METHODS[i], .bearer = stack_token(fixture->stack, "alice")};
        struct error err;
        const Metercache__V1__Response *response = wire_call(&wire, &request, &err);

        assert_non_null(response);
        assert_status((enum status)response->code, &err, ST_UNIMPLEMENTED);
        assert_false(response->executed);
    }
    wire_close(&wire);
}

static void test_request_of_another_protocol_version_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const struct wire_request request = {.method = HEALTH, .version = 2};
    struct error err;
    struct wire wire;

    assert_true(wire_open(&wire, stack_endpoint(fixture->stack, STACK_CACHE)));
    const Metercache__V1__Response *response = wire_call(&wire, &request, &err);
    assert_non_null(response);
    assert_status((enum status)response->code, &err, ST_UNIMPLEMENTED);
    wire_close(&wire);
}

/* An answer or the end of the connection, but no silence. */
static void assert_settled(struct wire *wire)
{
    uint64_t begin_us = clock_mono_us();
    const Metercache__V1__Response *response = wire_receive(wire);

    assert_true(clock_mono_us() - begin_us < AT_ONCE_US);
    if (response != NULL)
        assert_int_equal(response->code, ST_INVALID);
}

static void test_frames_of_garbage_are_answered_or_cut(void **state)
{
    struct fixture *fixture = *state;
    uint8_t bytes[512];
    struct rng rng;

    rng_seed(&rng, 20261121);
    for (int round = 0; round < 60; round++) {
        enum stack_service service = SERVICES[round % 3];
        size_t size = (size_t)rng_below(&rng, sizeof(bytes));
        struct wire wire;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)rng_next(&rng);
        assert_true(wire_open(&wire, stack_endpoint(fixture->stack, service)));
        if (wire_send(&wire, bytes, size))
            assert_settled(&wire);
        wire_close(&wire);
    }
}

/* Connections that speak no SP at all, or half of it. */
static void test_garbage_on_the_port_harms_nobody(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } BEGINNINGS[] = {
        {"", 0},
        {"\0", 1},
        {"\0SP\0\0\x30", 6},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
        {"\0SP\0\0\x31\0\0", 8},
        {"\0SP\0\0\x30\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16},
        {"\0SP\0\0\x30\0\0\x7f\xff\xff\xff\xff\xff\xff\xff garbage", 24},
        {"\0SP\0\0\x30\0\0\0\0\0\0\0\0\0\0", 16},
        {"\0SP\0\0\x30\0\0\0\0\0\0\0\0\0\x64 less than that", 31},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        struct connect_address address;

        assert_true(
            connect_parse(&address, stack_endpoint(fixture->stack, SERVICES[i]), "tcp://"));
        for (size_t at = 0; at < COUNT_OF(BEGINNINGS); at++) {
            int fd = connect_open(&address, 2000);

            assert_true(fd >= 0);
            (void)connect_send(fd, BEGINNINGS[at].bytes, BEGINNINGS[at].size);
            connect_close(fd);
            assert_eventually(serves(fixture->stack, SERVICES[i]), CURE_MS);
        }
    }
}

/* ---------------------------------------------------------------------- sizes ------- */

static void test_message_of_two_mebibytes_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *data = mem_alloc(2 * MIB);

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        struct wire wire;

        assert_true(wire_open(&wire, stack_endpoint(fixture->stack, SERVICES[i])));
        if (wire_send(&wire, data, 2 * MIB))
            assert_settled(&wire);
        wire_close(&wire);
    }
    mem_free(data);
}

/* Our own client knows the limit and says so at once. */
static void test_message_of_two_mebibytes_is_refused_by_the_client(void **state)
{
    struct fixture *fixture = *state;
    char *filters = mem_alloc(2 * MIB + 1);
    const struct search_question question = {
        .platform = INSTAGRAM, .filters = filters, .count = 1};
    search_reply *reply = NULL;

    (void)memset(filters, ' ', 2 * MIB);
    enum status st = call_search(&fixture->alice, &question, &reply);
    mem_free(filters);
    assert_true(st == ST_INVALID || st == ST_EXHAUSTED);
    assert_true(fixture->alice.outcome.elapsed_us < AT_ONCE_US);
    assert_false(fixture->alice.outcome.executed);
}

/* --------------------------------------------------------------------- tokens ------- */

static enum status get_with_token(struct fixture *fixture, const char *bearer,
                                  struct error *err)
{
    struct wire wire;
    const struct wire_request request = {.method = GET, .bearer = bearer};
    const Metercache__V1__Response *response;

    assert_true(wire_open(&wire, stack_endpoint(fixture->stack, STACK_CACHE)));
    response = wire_call(&wire, &request, err);
    assert_non_null(response);
    enum status st = (enum status)response->code;
    assert_false(st != ST_INVALID && response->executed);
    wire_close(&wire);
    return st;
}

static void test_token_that_is_missing_or_wrong_is_unauthenticated(void **state)
{
    struct fixture *fixture = *state;
    const char *alice = stack_token(fixture->stack, "alice");
    char stranger[64];
    char *mistyped = mem_strdup(alice);
    struct error err;

    mistyped[10] = mistyped[10] == 'A' ? 'B' : 'A';
    (void)snprintf(stranger, sizeof(stranger), "%.*s", (int)strlen(alice) - 1, alice);
    const char *const TOKENS[] = {
        NULL,
        "",
        "x",
        "mct_",
        mistyped,
        stranger,
        "mct_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAaaaaaa",
    };

    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        assert_status(get_with_token(fixture, TOKENS[i], &err), &err, ST_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, "token"));
    }
    mem_free(mistyped);
}

static bool is_accepted(struct fixture *fixture, const char *bearer)
{
    struct error err;

    return get_with_token(fixture, bearer, &err) == ST_INVALID; /* no creator was named */
}

static void test_token_that_has_expired_is_unauthenticated(void **state)
{
    struct fixture *fixture = *state;
    struct error err;

    stack_add_token(fixture->stack, "dora", RPC_ROLE_CLIENT, "dora",
                    (int64_t)time(NULL) - 60);
    stack_add_token(fixture->stack, "emil", RPC_ROLE_CLIENT, "emil",
                    (int64_t)time(NULL) + 3600);
    /* both lines were read once the valid one is known */
    assert_eventually(is_accepted(fixture, stack_token(fixture->stack, "emil")), 10000);
    assert_status(get_with_token(fixture, stack_token(fixture->stack, "dora"), &err), &err,
                  ST_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "expired"));
}

static void test_token_of_the_wrong_role_is_denied(void **state)
{
    struct fixture *fixture = *state;
    struct error err;

    assert_status(get_with_token(fixture, stack_token(fixture->stack, "cron"), &err), &err,
                  ST_DENIED);
    assert_non_null(strstr(err.message, "cron"));
    assert_non_null(strstr(err.message, "GetCreator"));
}

static int set_up(void **state)
{
    return fixture_up(state, "bad", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_search_that_makes_no_sense_names_the_field),
        TEST(test_creator_that_makes_no_sense_names_the_field),
        cmocka_unit_test_setup_teardown(
            test_creator_with_a_path_for_a_name_reaches_no_other_endpoint, fixture_begin,
            fixture_end),
        TEST(test_handle_with_bytes_that_are_no_text_is_refused),
        TEST(test_payload_that_is_no_message_is_refused),
        TEST(test_method_that_nobody_has_is_unimplemented),
        TEST(test_request_of_another_protocol_version_is_refused),
        TEST(test_frames_of_garbage_are_answered_or_cut),
        TEST(test_garbage_on_the_port_harms_nobody),
        TEST(test_message_of_two_mebibytes_is_cut_off),
        TEST(test_message_of_two_mebibytes_is_refused_by_the_client),
        TEST(test_token_that_is_missing_or_wrong_is_unauthenticated),
        TEST(test_token_that_has_expired_is_unauthenticated),
        TEST(test_token_of_the_wrong_role_is_denied),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
