#include "ops/ops.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/clock.h"
#include "core/stats.h"
#include "support/connect.h"
#include "support/expect.h"

#define ANSWER_SIZE 16384
#define TIMEOUT_MS  10000

static struct stats_metric metrics[] = {
    {.name = "ops_test_things_total", .kind = STATS_COUNTER, .help = "things counted"},
};

/* What is_ready says; NULL: ready. */
static _Atomic(const char *) why_not_ready;

static bool is_ready(void *context, struct error *why_not)
{
    const char *why = atomic_load(&why_not_ready);

    assert_ptr_equal(context, &why_not_ready);
    if (why != NULL)
        error_set(why_not, ST_UNAVAILABLE, "%s", why);
    return why == NULL;
}

static struct ops *opened(const char *address, unsigned timeout_s)
{
    const struct ops_options options = {
        .address = address,
        .is_ready = is_ready,
        .context = &why_not_ready,
        .timeout_s = timeout_s,
    };
    struct ops *ops = NULL;
    struct error err;

    assert_ok(ops_open(&ops, &options, &err), &err);
    return ops;
}

static int open_ops(void **state)
{
    atomic_store(&why_not_ready, NULL);
    *state = opened("127.0.0.1:0", 0);
    return 0;
}

static int close_ops(void **state)
{
    ops_close(*state);
    return 0;
}

static int connect_to(const struct ops *ops)
{
    struct connect_address address;
    char url[128];

    snprintf(url, sizeof url, "http://%s", ops_address(ops));
    assert_true(connect_parse(&address, url, "http://"));

    int fd = connect_open(&address, TIMEOUT_MS);

    assert_true(fd >= 0);
    return fd;
}

/* All that comes until the server ends the connection. */
static void read_answer(int fd, char out[ANSWER_SIZE])
{
    size_t used = 0;
    ssize_t got;

    do {
        got = connect_receive(fd, out + used, ANSWER_SIZE - 1 - used);
        assert_true(got >= 0);
        used += (size_t)got;
    } while (got > 0 && used < ANSWER_SIZE - 1);
    out[used] = '\0';
}

static void ask(const struct ops *ops, const char *request, char out[ANSWER_SIZE])
{
    int fd = connect_to(ops);

    assert_true(connect_send(fd, request, strlen(request)));
    read_answer(fd, out);
    connect_close(fd);
}

static void get(const struct ops *ops, const char *path, char out[ANSWER_SIZE])
{
    char request[256];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path);
    ask(ops, request, out);
}

static const char *body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static void assert_code(const char *answer, const char *code)
{
    assert_memory_equal(answer, "HTTP/1.1 ", 9);
    assert_memory_equal(answer + 9, code, 3);
}

static void test_livez_is_ok_even_when_not_ready(void **state)
{
    char answer[ANSWER_SIZE];

    atomic_store(&why_not_ready, "the database is away");
    get(*state, "/livez", answer);
    assert_code(answer, "200");
    assert_string_equal(body_of(answer), "ok\n");
}

static void test_readyz_tells_why_not(void **state)
{
    char answer[ANSWER_SIZE];

    get(*state, "/readyz", answer);
    assert_code(answer, "200");
    atomic_store(&why_not_ready, "the database is away");
    get(*state, "/readyz?verbose", answer);
    assert_code(answer, "503");
    assert_string_equal(body_of(answer), "the database is away\n");
    atomic_store(&why_not_ready, NULL);
    get(*state, "/readyz", answer);
    assert_code(answer, "200");
}

static void test_metrics_prints_what_is_registered(void **state)
{
    char answer[ANSWER_SIZE];

    stats_register(metrics, COUNT_OF(metrics));
    stats_add(&metrics[0], 42);
    get(*state, "/metrics", answer);
    stats_unregister(metrics);
    assert_code(answer, "200");
    assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
    assert_non_null(strstr(body_of(answer), "\nops_test_things_total 42\n"));
}

static void test_head_has_a_head_only(void **state)
{
    char answer[ANSWER_SIZE];

    ask(*state, "HEAD /livez HTTP/1.1\r\nHost: test\r\n\r\n", answer);
    assert_code(answer, "200");
    assert_string_equal(body_of(answer), "");
}

static void test_other_requests_are_refused(void **state)
{
    static const struct {
        const char *request;
        const char *code;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: t\r\n\r\n", "404"},
        {"GET /livez/ HTTP/1.1\r\nHost: t\r\n\r\n", "404"},
        {"GET /../etc/passwd HTTP/1.1\r\nHost: t\r\n\r\n", "404"},
        {"POST /livez HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n", "405"},
        {"POST /readyz HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\nabc", "405"},
        {"DELETE /metrics HTTP/1.1\r\nHost: t\r\n\r\n", "405"},
        {"BREW /livez HTTP/1.1\r\nHost: t\r\n\r\n", "405"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char answer[ANSWER_SIZE];

        print_message("row %zu\n", i);
        ask(*state, rows[i].request, answer);
        assert_code(answer, rows[i].code);
        if (strcmp(rows[i].code, "405") == 0)
            assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
    }
}

static void test_rubbish_and_endless_heads_harm_nobody(void **state)
{
    static char head[65536];
    char answer[ANSWER_SIZE];
    int fd = connect_to(*state);

    /* The server may hang up at any byte: what counts is that it serves the next one. */
    (void)connect_send(fd, "\x16\x03\x01\xff\x00\r\n\r\n", 9);
    (void)connect_receive(fd, answer, sizeof answer);
    connect_close(fd);

    memset(head, 'x', sizeof head);
    memcpy(head, "GET /livez HTTP/1.1\r\nX: ", 24);
    fd = connect_to(*state);
    (void)connect_send(fd, head, sizeof head);
    (void)connect_receive(fd, answer, sizeof answer);
    connect_close(fd);

    get(*state, "/livez", answer);
    assert_code(answer, "200");
}

static void test_a_silent_client_is_cut(void **state)
{
    struct ops *ops = opened("127.0.0.1:0", 1);
    uint64_t since_us = clock_mono_us();
    char answer[ANSWER_SIZE];
    int fd = connect_to(ops);

    (void)state;
    assert_true(connect_send(fd, "GET /livez HT", 13));
    read_answer(fd, answer); /* returns when the server hangs up */
    assert_string_equal(answer, "");
    assert_true(clock_mono_us() - since_us < 8 * (uint64_t)CLOCK_US_PER_SECOND);
    connect_close(fd);
    ops_close(ops);
}

static void test_one_address_gets_sixteen_connections(void **state)
{
    struct ops *ops = *state;
    int fds[16];
    char answer[ANSWER_SIZE];
    int fd;

    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = connect_to(ops);
    fd = connect_to(ops);
    (void)connect_send(fd, "GET /livez HTTP/1.1\r\nHost: t\r\n\r\n", 32);
    assert_true(connect_receive(fd, answer, sizeof answer) <= 0); /* hung up on */
    connect_close(fd);

    /* Those within the limit are still served. */
    assert_true(connect_send(fds[0], "GET /livez HTTP/1.1\r\nHost: t\r\n\r\n", 32));
    read_answer(fds[0], answer);
    assert_code(answer, "200");
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        connect_close(fds[i]);
}

static void test_open_without_is_ready_is_always_ready(void **state)
{
    const struct ops_options options = {.address = "127.0.0.1:0"};
    struct ops *ops;
    struct error err;
    char answer[ANSWER_SIZE];

    (void)state;
    assert_ok(ops_open(&ops, &options, &err), &err);
    get(ops, "/readyz", answer);
    assert_code(answer, "200");
    ops_close(ops);
}

static void test_open_of_a_wrong_address_is_refused(void **state)
{
    static const struct {
        const char *address;
        enum status status;
    } rows[] = {
        {"", ST_INVALID},
        {"9101", ST_INVALID},
        {":9101", ST_INVALID},
        {"127.0.0.1", ST_INVALID},
        {"127.0.0.1:", ST_INVALID},
        {"127.0.0.1:65536", ST_INVALID},
        {"127.0.0.1:http", ST_INVALID},
        {"127.0.0.1:-1", ST_INVALID},
        {"127.0.0.1 :9101", ST_INVALID},
        {"::1:9101", ST_INVALID},
        {"[]:9101", ST_INVALID},
        {"192.0.2.1:0", ST_UNAVAILABLE}, /* no address of this host */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct ops_options options = {.address = rows[i].address};
        struct ops *ops = NULL;
        struct error err;

        print_message("row %zu\n", i);
        assert_status(ops_open(&ops, &options, &err), &err, rows[i].status);
        assert_null(ops);
    }
}

static void test_open_of_a_taken_address_says_so(void **state)
{
    const struct ops_options options = {.address = ops_address(*state)};
    struct ops *ops = NULL;
    struct error err;

    assert_status(ops_open(&ops, &options, &err), &err, ST_UNAVAILABLE);
    assert_non_null(strstr(err.message, options.address));
    assert_non_null(strstr(err.message, "in use"));
}

static void test_address_has_the_port_taken(void **state)
{
    const char *address = ops_address(*state);

    assert_memory_equal(address, "127.0.0.1:", 10);
    assert_string_not_equal(address + 10, "0");
}

static void test_close_of_nothing_is_fine(void **state)
{
    (void)state;
    ops_close(NULL);
}

#define WITH_OPS(test) cmocka_unit_test_setup_teardown(test, open_ops, close_ops)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_OPS(test_livez_is_ok_even_when_not_ready),
        WITH_OPS(test_readyz_tells_why_not),
        WITH_OPS(test_metrics_prints_what_is_registered),
        WITH_OPS(test_head_has_a_head_only),
        WITH_OPS(test_other_requests_are_refused),
        WITH_OPS(test_rubbish_and_endless_heads_harm_nobody),
        cmocka_unit_test(test_a_silent_client_is_cut),
        WITH_OPS(test_one_address_gets_sixteen_connections),
        cmocka_unit_test(test_open_without_is_ready_is_always_ready),
        cmocka_unit_test(test_open_of_a_wrong_address_is_refused),
        WITH_OPS(test_open_of_a_taken_address_says_so),
        WITH_OPS(test_address_has_the_port_taken),
        cmocka_unit_test(test_close_of_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
