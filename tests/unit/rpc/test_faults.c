/* Peers that misbehave and servers that go away, over loopback tcp. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/rng.h"
#include "support/rpc_loopback.h"

#if defined(__SANITIZE_ADDRESS__)
/* nng 1.5 leaks connections that die in the middle of the handshake. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}
#endif

static const uint8_t GREETING[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0}; /* REQ */

static uint16_t port_of(const char *url)
{
    uint64_t port = 0;

    assert_true(parse_u64(&port, strrchr(url, ':') + 1, 1, 65535));
    return (uint16_t)port;
}

/* A plain tcp connection to the server. */
static int connect_raw(const struct loopback *loopback)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port_of(rpc_server_url(loopback->server))),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_raw(int fd, const void *bytes, size_t size)
{
    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

/* Reads until the other side closes or `size` bytes are there; how many came. */
static size_t read_raw(int fd, uint8_t *out, size_t size)
{
    uint64_t deadline_us = clock_deadline_ms(LOOPBACK_WAIT_MS);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    size_t got = 0;

    while (got < size) {
        ssize_t n;

        assert_int_equal(poll(&waiting, 1, (int)clock_left_ms(deadline_us)), 1);
        n = recv(fd, out + got, size - got, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

/* One SP message: length, request id, body. */
static void send_message(int fd, const void *body, size_t size)
{
    uint8_t head[12] = {0};

    for (int i = 0; i < 8; i++)
        head[i] = (uint8_t)((size + 4) >> (8 * (7 - i)));
    head[8] = 0x80;
    head[11] = 7;
    send_raw(fd, head, sizeof(head));
    if (size > 0)
        send_raw(fd, body, size);
}

static void greet(int fd)
{
    uint8_t answer[8];

    send_raw(fd, GREETING, sizeof(GREETING));
    assert_int_equal(read_raw(fd, answer, sizeof(answer)), sizeof(answer));
    assert_memory_equal(answer, "\0SP\0\0\x31\0\0", 8);
}

static void test_garbage_on_the_port_harms_nobody(void **state)
{
    struct loopback loopback;
    struct rng rng;

    (void)state;
    loopback_open(&loopback, NULL, "client:alice");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    rng_seed(&rng, 7);
    for (int i = 0; i < 50; i++) {
        uint8_t bytes[64];
        int fd = connect_raw(&loopback);

        for (size_t k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)rng_next(&rng);
        send_raw(fd, bytes, 1 + rng_below(&rng, sizeof(bytes)));
        close(fd);
    }
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

/* C8: bytes that are no frame are answered INVALID_ARGUMENT, not executed. */
static void test_garbage_in_a_message_is_answered_invalid(void **state)
{
    struct loopback loopback;
    uint8_t answer[64];
    int fd;

    (void)state;
    loopback_open(&loopback, NULL, "client:alice");
    fd = connect_raw(&loopback);
    greet(fd);
    send_message(fd, "\xff\xff\xff garbage", 11);
    assert_int_equal(read_raw(fd, answer, 12), 12);
    assert_int_equal(answer[8], 0x80); /* the id came back */
    assert_int_equal(answer[11], 7);
    send_message(fd, "", 0);
    close(fd);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

static void test_message_too_large_closes_the_connection(void **state)
{
    static const uint8_t huge[] = {0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 1};
    struct loopback loopback;
    uint8_t answer[1];
    int fd;

    (void)state;
    loopback_open(&loopback, NULL, "client:alice");
    fd = connect_raw(&loopback);
    greet(fd);
    send_raw(fd, huge, sizeof(huge));
    assert_int_equal(read_raw(fd, answer, sizeof(answer)), 0);
    close(fd);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

/* ---- servers that go away ---- */

static void test_no_server_is_unavailable_and_not_executed(void **state)
{
    struct rpc_client_options options = {
        .endpoints = "tcp://127.0.0.1:1", .bearer = "client:alice", .fail_fast_ms = 50};
    struct loopback loopback;

    (void)state;
    loopback_init(&loopback);
    assert_int_equal(rpc_client_open(&loopback.client, &options, &loopback.err), ST_OK);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_UNAVAILABLE);
    assert_false(loopback.outcome.executed);
    assert_int_equal(loopback.outcome.attempts, 5);
    assert_false(rpc_client_is_connected(loopback.client));
    loopback_close(&loopback);
}

static bool is_done(void *context)
{
    return *(atomic_int *)context != 0;
}

struct lost {
    atomic_int done;
    enum status status;
    struct rpc_outcome outcome;
};

static void note_lost(void *context, enum status status, const ProtobufCMessage *reply,
                      const struct rpc_outcome *outcome, const struct error *err)
{
    struct lost *lost = context;

    (void)reply;
    (void)err;
    lost->status = status;
    lost->outcome = *outcome;
    lost->done = 1;
}

static void start_call(struct loopback *loopback, const char *method,
                       const ProtobufCMessageDescriptor *reply_type, bool is_idempotent,
                       struct lost *lost)
{
    ProtobufCMessage request;
    struct rpc_call_options options = {
        .method = method,
        .reply_type = reply_type,
        .is_idempotent = is_idempotent,
        .timeout_ms = LOOPBACK_WAIT_MS,
    };

    protobuf_c_message_init(&metercache__v1__ping_request__descriptor, &request);
    rpc_client_start(loopback->client, &options, &request, note_lost, lost);
}

/* Close the server while a handler runs: its client sees the connection go. */
static void close_under(struct loopback *loopback, struct lost *lost)
{
    loopback_await_gate(loopback, 1);
    loopback_open_gate(loopback);
    rpc_server_close(loopback->server);
    loopback->server = NULL;
    loopback_await(is_done, &lost->done);
}

static void test_connection_lost_is_unavailable_perhaps_executed(void **state)
{
    struct loopback loopback;
    struct rpc_server_options options;
    struct lost lost = {.done = 0};

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    loopback_open(&loopback, &options, "staff:bob");
    start_call(&loopback, ADMIN_METHOD("ListConnections"),
               &metercache__v1__list_connections_response__descriptor, false, &lost);
    close_under(&loopback, &lost);
    if (lost.status != ST_OK) { /* the answer may just have made it */
        assert_int_equal(lost.status, ST_UNAVAILABLE);
        assert_true(lost.outcome.executed);
        assert_int_equal(lost.outcome.attempts, 1); /* not idempotent: not again */
    }
    assert_int_equal(loopback_executions(&loopback), 1);
    loopback_close(&loopback);
}

static void test_two_endpoints_one_dead_all_calls_succeed(void **state)
{
    struct loopback loopback;
    char endpoints[256];

    (void)state;
    loopback_open(&loopback, NULL, NULL);
    rpc_client_close(loopback.client);
    snprintf(endpoints, sizeof(endpoints), "tcp://127.0.0.1:1,%s",
             rpc_server_url(loopback.server));
    loopback_open_client(&loopback, endpoints, "client:alice");
    for (int i = 0; i < 50; i++)
        assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    assert_int_equal(loopback_executions(&loopback), 50);
    loopback_close(&loopback);
}

static void test_draining_server_hands_calls_to_the_other(void **state)
{
    struct loopback a;
    struct loopback b;
    char endpoints[512];

    (void)state;
    loopback_open(&a, NULL, NULL);
    loopback_open(&b, NULL, NULL);
    rpc_client_close(a.client);
    snprintf(endpoints, sizeof(endpoints), "%s,%s", rpc_server_url(a.server),
             rpc_server_url(b.server));
    loopback_open_client(&a, endpoints, "client:alice");
    assert_true(rpc_server_drain(a.server, clock_deadline_ms(1000)));
    for (int i = 0; i < 20; i++)
        assert_int_equal(loopback_ping(&a, NULL), ST_OK);
    assert_int_equal(loopback_executions(&a), 0);
    assert_int_equal(loopback_executions(&b), 20);
    loopback_close(&a);
    loopback_close(&b);
}

static void test_server_restart_is_bridged_by_retries(void **state)
{
    struct loopback loopback;
    struct rpc_server_options options;
    char url[64];

    (void)state;
    loopback_open(&loopback, NULL, "client:alice");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    snprintf(url, sizeof(url), "%s", rpc_server_url(loopback.server));
    rpc_server_close(loopback.server);
    options = loopback_options(&loopback);
    options.listen_url = url;
    assert_int_equal(rpc_server_open(&loopback.server, &options, &loopback.err), ST_OK);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

static void test_idle_connection_is_closed_and_comes_back(void **state)
{
    struct rpc_connection_info info[4];
    struct loopback loopback;
    struct rpc_server_options options;
    uint64_t deadline_us = clock_deadline_ms(LOOPBACK_WAIT_MS);
    uint32_t first;

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.idle_connection_ms = 1;
    loopback_open(&loopback, &options, "client:alice");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    if (rpc_server_connections(loopback.server, info, 4) == 1) {
        first = info[0].id;
        assert_int_equal(info[0].requests, 1);
        assert_non_null(strstr(info[0].peer, "127.0.0.1:"));
        while (rpc_server_connections(loopback.server, info, 4) == 1 && info[0].id == first)
            assert_true(clock_mono_us() < deadline_us);
    }
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    loopback_close(&loopback);
}

static void test_ipc_needs_a_private_folder_and_takes_one_server(void **state)
{
    char folder[] = "/tmp/rpc-test-XXXXXX";
    struct rpc_server *second = NULL;
    struct loopback loopback;
    struct rpc_server_options options;
    char path[128];
    char url[128];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof(url), "ipc://%s/socket", folder);
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.listen_url = url;
    loopback_open(&loopback, &options, "client:alice");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    assert_int_equal(rpc_server_open(&second, &options, &loopback.err), ST_UNAVAILABLE);
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK); /* the first one lives */
    loopback_close(&loopback);
    assert_int_equal(chmod(folder, 0755), 0);
    loopback_init(&loopback);
    assert_int_equal(rpc_server_open(&second, &options, &loopback.err), ST_INVALID);
    assert_non_null(strstr(loopback.err.message, "0700"));
    loopback_close(&loopback);
    snprintf(path, sizeof(path), "%s/socket.lock", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/socket", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_garbage_on_the_port_harms_nobody),
        cmocka_unit_test(test_garbage_in_a_message_is_answered_invalid),
        cmocka_unit_test(test_message_too_large_closes_the_connection),
        cmocka_unit_test(test_no_server_is_unavailable_and_not_executed),
        cmocka_unit_test(test_connection_lost_is_unavailable_perhaps_executed),
        cmocka_unit_test(test_two_endpoints_one_dead_all_calls_succeed),
        cmocka_unit_test(test_draining_server_hands_calls_to_the_other),
        cmocka_unit_test(test_server_restart_is_bridged_by_retries),
        cmocka_unit_test(test_idle_connection_is_closed_and_comes_back),
        cmocka_unit_test(test_ipc_needs_a_private_folder_and_takes_one_server),
    };

    log_setup("test", LOG_TEXT, LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
