/* Bytes no client of ours would send, on every port: refused or cut off, nothing stored, and
 * the service goes on. C8, S1. */
#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "core/rng.h"
#include "support/connect.h"
#include "support/fixture.h"
#include "support/unharmed.h"
#include "support/wire.h"

#define GET    "/metercache.v1.CreatorService/GetCreator"
#define SELECT "/metercache.v1.CreatorService/SelectCreator"
#define HEALTH "/metercache.v1.HealthService/Check"

#define MIB        (1u << 20)
#define AT_ONCE_US (3 * CLOCK_US_PER_SECOND)

static const enum stack_service SERVICES[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};

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
            assert_eventually(unharmed_serves(fixture->stack, SERVICES[i]),
                              UNHARMED_CURE_MS);
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

static int set_up(void **state)
{
    return fixture_up(state, "bytes", NULL);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, unharmed_begin, unharmed_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_handle_with_bytes_that_are_no_text_is_refused),
        TEST(test_payload_that_is_no_message_is_refused),
        TEST(test_method_that_nobody_has_is_unimplemented),
        TEST(test_request_of_another_protocol_version_is_refused),
        TEST(test_frames_of_garbage_are_answered_or_cut),
        TEST(test_garbage_on_the_port_harms_nobody),
        TEST(test_message_of_two_mebibytes_is_cut_off),
        TEST(test_message_of_two_mebibytes_is_refused_by_the_client),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
