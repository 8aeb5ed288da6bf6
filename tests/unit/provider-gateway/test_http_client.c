/* The HTTP module against a real server that behaves and misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "http_client.h"
#include "support/http_peer.h"

#define BODY_LIMIT ((size_t)64 * 1024)

static struct http_peer *peer;
static struct http_client *client;

static int set_up(void **state)
{
    struct http_client_options options = {.response_bytes = BODY_LIMIT,
                                          .connections_per_host = 8,
                                          .connect_timeout_ms = 2000};
    struct error err;

    (void)state;
    peer = http_peer_open();
    return http_client_open(&client, &options, &err) == ST_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_close(client);
    http_peer_close(peer);
    return 0;
}

static struct http_response ask(const char *base, uint64_t timeout_ms, bool to_loopback)
{
    char url[128];
    struct http_request request = {.url = url,
                                   .to_loopback = to_loopback,
                                   .deadline_us = clock_deadline_ms(timeout_ms)};
    struct http_response response = {.status = 0};

    (void)snprintf(url, sizeof(url), "%s/v1/x", base);
    http_client_perform(client, &request, &response);
    return response;
}

static struct http_response get(uint64_t timeout_ms)
{
    return ask(http_peer_url(peer), timeout_ms, true);
}

static void send_text(const char *text, enum http_peer_then then)
{
    http_peer_will_send(peer, text, strlen(text), then);
}

/* A loopback port that nobody listens on: bound, never listening. */
static int reserve_port(char url[HTTP_PEER_URL_SIZE])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(url, HTTP_PEER_URL_SIZE, "http://127.0.0.1:%u",
                   (unsigned)ntohs(address.sin_port));
    return fd;
}

static void test_perform_get_gives_status_headers_and_body(void **state)
{
    struct http_response response;
    char text[512], header[64];

    (void)state;
    http_peer_will_answer(peer, 200, "{\"a\":1}");
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_ANSWERED);
    assert_int_equal(response.status, 200);
    assert_string_equal(buf_text(&response.body), "{\"a\":1}");
    assert_string_equal(response.problem, "");
    assert_true(http_response_is_json(&response));
    assert_true(http_response_header(&response, "CONTENT-type", header, sizeof(header)));
    assert_string_equal(header, "application/json");
    assert_false(http_response_header(&response, "retry-after", header, sizeof(header)));
    http_peer_request(peer, 0, text, sizeof(text));
    assert_non_null(strstr(text, "GET /v1/x HTTP/1.1\r\n"));
    assert_non_null(strstr(text, "Accept-Encoding: gzip\r\n"));
    http_response_done(&response);
}

static void test_perform_post_sends_headers_and_body_once(void **state)
{
    char url[128], text[1024];
    struct http_request request = {
        .url = url,
        .body = "{\"page\":0}",
        .body_size = 10,
        .headers = {{"Authorization", "Bearer ", "secret"}, {"X-Op", "", "01"}},
        .header_count = 2,
        .to_loopback = true,
        .deadline_us = clock_deadline_ms(5000)};
    struct http_response response = {.status = 0};

    (void)state;
    (void)snprintf(url, sizeof(url), "%s/search", http_peer_url(peer));
    http_client_perform(client, &request, &response);
    assert_int_equal(response.transport, TRANSPORT_ANSWERED);
    http_response_done(&response);
    assert_int_equal(http_peer_request_count(peer), 1);
    http_peer_request(peer, 0, text, sizeof(text));
    assert_non_null(strstr(text, "POST /search HTTP/1.1\r\n"));
    assert_non_null(strstr(text, "Authorization: Bearer secret\r\n"));
    assert_non_null(strstr(text, "X-Op: 01\r\n"));
    assert_non_null(strstr(text, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(text, "\r\n\r\n{\"page\":0}"));
    assert_null(strstr(text, "Expect"));
}

static void test_perform_refused_connect_is_provably_not_sent(void **state)
{
    char url[HTTP_PEER_URL_SIZE];
    int fd = reserve_port(url);
    struct http_response response = ask(url, 5000, true);

    (void)state;
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_int_equal(response.status, 0);
    assert_string_not_equal(response.problem, "");
    http_response_done(&response);
    (void)close(fd);
}

static void test_perform_loopback_without_leave_is_never_dialled(void **state)
{
    char url[HTTP_PEER_URL_SIZE + 1];
    struct http_response response = ask(http_peer_url(peer), 5000, false);

    (void)state;
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT); /* plain http */
    http_response_done(&response);
    (void)snprintf(url, sizeof(url), "https%s", http_peer_url(peer) + 4);
    response = ask(url, 5000, false);
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_string_equal(response.problem, "the address is not a public one");
    http_response_done(&response);
    assert_int_equal(http_peer_request_count(peer), 0);
}

static void test_perform_tls_to_a_plain_server_is_not_sent(void **state)
{
    char url[HTTP_PEER_URL_SIZE + 1];
    struct http_response response;

    (void)state;
    (void)snprintf(url, sizeof(url), "https%s", http_peer_url(peer) + 4);
    response = ask(url, 300, true); /* the peer never answers a ClientHello */
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_true(response.timed_out);
    http_response_done(&response);
}

static void test_perform_silence_ends_at_the_deadline_as_unknown(void **state)
{
    uint64_t begin_us = clock_mono_us();
    struct http_response response;

    (void)state;
    send_text("", HTTP_PEER_HANG);
    response = get(300);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    assert_true(response.timed_out);
    assert_in_range(clock_mono_us() - begin_us, 250000, 3000000);
    http_response_done(&response);
}

static void test_perform_deadline_passed_is_not_sent(void **state)
{
    struct http_response response = get(0);

    (void)state;
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_true(response.timed_out);
    assert_int_equal(http_peer_request_count(peer), 0);
    http_response_done(&response);
}

static void test_perform_truncated_body_is_unknown(void **state)
{
    struct http_response response;

    (void)state;
    send_text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half", HTTP_PEER_CLOSE);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    assert_false(response.timed_out);
    assert_int_equal(response.status, 200);
    http_response_done(&response);
}

static void test_perform_closed_without_answer_is_unknown(void **state)
{
    struct http_response response;

    (void)state;
    send_text("", HTTP_PEER_CLOSE);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    http_response_done(&response);
}

/* curl repeats a request by itself when a pooled connection turns out dead: not here. */
static void test_perform_pooled_connection_lost_is_not_repeated(void **state)
{
    struct http_response response;

    (void)state;
    http_peer_will_answer(peer, 200, "{}");
    send_text("", HTTP_PEER_CLOSE);
    response = get(5000);
    http_response_done(&response);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    assert_string_equal(response.problem, "the connection was lost before an answer");
    assert_int_equal(http_peer_request_count(peer), 2);
    http_response_done(&response);
}

static void test_perform_redirect_is_not_followed(void **state)
{
    struct http_response response;

    (void)state;
    send_text("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n"
              "Content-Length: 0\r\n\r\n",
              HTTP_PEER_KEEP);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_ANSWERED);
    assert_int_equal(response.status, 302);
    assert_int_equal(http_peer_request_count(peer), 1);
    http_response_done(&response);
}

static void test_perform_proxy_of_the_environment_is_ignored(void **state)
{
    struct http_response response;

    (void)state;
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_ANSWERED);
    http_response_done(&response);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

static void test_perform_body_over_the_cap_is_cut_off(void **state)
{
    size_t size = BODY_LIMIT + 1;
    char *answer = mem_alloc(size + 128);
    int head =
        snprintf(answer, 128, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    struct http_response response;

    (void)state;
    memset(answer + head, 'x', size);
    http_peer_will_send(peer, answer, (size_t)head + size, HTTP_PEER_KEEP);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    assert_string_equal(response.problem, "the response is too large");
    assert_true(response.is_too_large);
    assert_int_equal(response.status, 200);
    assert_true(response.body.size <= BODY_LIMIT);
    http_response_done(&response);
    mem_free(answer);
}

/* One MiB of zeros is about one KiB of gzip: the cap counts what comes out (F12). */
static void test_perform_gzip_bomb_stops_at_the_decoded_cap(void **state)
{
    size_t size = (size_t)1 << 20;
    char *zeros = mem_alloc(size);
    unsigned char packed[8192];
    char answer[8448];
    z_stream stream = {.next_in = (unsigned char *)zeros,
                       .avail_in = (unsigned)size,
                       .next_out = packed,
                       .avail_out = sizeof(packed)};
    struct http_response response;
    int head;

    (void)state;
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    head =
        snprintf(answer, 256,
                 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
                 stream.total_out);
    memcpy(answer + head, packed, stream.total_out);
    http_peer_will_send(peer, answer, (size_t)head + stream.total_out, HTTP_PEER_KEEP);
    assert_int_equal(deflateEnd(&stream), Z_OK);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    assert_string_equal(response.problem, "the response is too large");
    assert_true(response.body.size <= BODY_LIMIT);
    http_response_done(&response);
    mem_free(zeros);
}

static void test_perform_endless_headers_are_cut_off(void **state)
{
    struct buf answer;
    struct http_response response;

    (void)state;
    buf_init(&answer, 1 << 20);
    buf_append_text(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 300; i++)
        buf_printf(&answer, "X-Header-%d: value\r\n", i);
    buf_append_text(&answer, "Content-Length: 0\r\n\r\n");
    http_peer_will_send(peer, answer.data, answer.size, HTTP_PEER_KEEP);
    response = get(5000);
    assert_int_equal(response.transport, TRANSPORT_SENT_UNKNOWN);
    assert_string_equal(response.problem, "the response is too large");
    http_response_done(&response);
    buf_done(&answer);
}

static void test_response_is_json_knows_the_types(void **state)
{
    static const struct {
        const char *line;
        bool is_json;
    } CASES[] = {
        {"Content-Type: application/json\r\n", true},
        {"content-type:application/json; charset=utf-8\r\n", true},
        {"Content-Type: application/problem+json\r\n", true},
        {"Content-Type: text/html\r\n", false},
        {"Content-Type: application/jsonx\r\n", false},
        {"Content-Type:\r\n", false},
        {"X-Content-Type: application/json\r\n", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct http_response response = {.status = 200};

        buf_init(&response.headers, 1024);
        buf_init(&response.body, 1024);
        buf_append_text(&response.headers, CASES[i].line);
        if (http_response_is_json(&response) != CASES[i].is_json)
            fail_msg("%s", CASES[i].line);
        http_response_done(&response);
    }
}

static void *ask_many(void *context)
{
    unsigned *answered = context;

    for (int i = 0; i < 50; i++) {
        struct http_response response = get(20000);

        *answered += response.transport == TRANSPORT_ANSWERED;
        http_response_done(&response);
    }
    return NULL;
}

/* More callers than connections: all wait their turn, none is lost. */
static void test_perform_many_threads_all_get_answers(void **state)
{
    pthread_t threads[16];
    unsigned answered[16] = {0};
    unsigned total = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        thread_start(&threads[i], "asker", 0, ask_many, &answered[i]);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        thread_join(threads[i]);
        total += answered[i];
    }
    assert_int_equal(total, 16 * 50);
    assert_int_equal(http_peer_request_count(peer), 16 * 50);
}

static void *ask_once(void *context)
{
    struct http_response *response = context;

    *response = get(20000);
    return NULL;
}

static void wait_for_requests(size_t count)
{
    uint64_t deadline_us = clock_deadline_ms(10000);

    while (http_peer_request_count(peer) < count && clock_left_ms(deadline_us) > 0)
        (void)sched_yield();
    assert_int_equal(http_peer_request_count(peer), count);
}

/* A caller that waits for a connection keeps its own deadline. */
static void test_perform_waiting_for_a_connection_is_not_sent(void **state)
{
    pthread_t threads[8];
    struct http_response held[8];
    struct http_response response;

    (void)state;
    for (int i = 0; i < 8; i++)
        send_text("", HTTP_PEER_HANG);
    for (int i = 0; i < 8; i++)
        thread_start(&threads[i], "asker", 0, ask_once, &held[i]);
    wait_for_requests(8);
    response = get(200);
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_true(response.timed_out);
    http_response_done(&response);
    /* Closing ends those in flight: sent, and without an answer. */
    http_client_close(client);
    client = NULL;
    for (int i = 0; i < 8; i++) {
        thread_join(threads[i]);
        assert_int_equal(held[i].transport, TRANSPORT_SENT_UNKNOWN);
        http_response_done(&held[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_perform_get_gives_status_headers_and_body),
        TEST(test_perform_post_sends_headers_and_body_once),
        TEST(test_perform_refused_connect_is_provably_not_sent),
        TEST(test_perform_loopback_without_leave_is_never_dialled),
        TEST(test_perform_tls_to_a_plain_server_is_not_sent),
        TEST(test_perform_silence_ends_at_the_deadline_as_unknown),
        TEST(test_perform_deadline_passed_is_not_sent),
        TEST(test_perform_truncated_body_is_unknown),
        TEST(test_perform_closed_without_answer_is_unknown),
        TEST(test_perform_pooled_connection_lost_is_not_repeated),
        TEST(test_perform_redirect_is_not_followed),
        TEST(test_perform_proxy_of_the_environment_is_ignored),
        TEST(test_perform_body_over_the_cap_is_cut_off),
        TEST(test_perform_gzip_bomb_stops_at_the_decoded_cap),
        TEST(test_perform_endless_headers_are_cut_off),
        TEST(test_response_is_json_knows_the_types),
        TEST(test_perform_many_threads_all_get_answers),
        TEST(test_perform_waiting_for_a_connection_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
