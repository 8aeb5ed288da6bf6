/*
 * TLS to a provider: openssl's own server, a throw-away certificate that is its own CA, and
 * what is and is not trusted (F12).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base.h"
#include "core/clock.h"
#include "http_client.h"

#define WAIT_MS   20000
#define PATH_SIZE 256

struct tls_peer {
    char folder[PATH_SIZE];
    char certificate[PATH_SIZE + 16];
    char key[PATH_SIZE + 16];
    char port[8];
    pid_t pid;
};

static struct tls_peer peer;

/* Start `openssl`, its output going to `output`. */
static pid_t start_openssl(const char *const arguments[], int output)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int input = open("/dev/null", O_RDONLY);

        if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0)
            _exit(126);
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    return pid;
}

static void make_certificate(void)
{
    const char *const arguments[] = {"openssl",
                                     "req",
                                     "-x509",
                                     "-newkey",
                                     "ec",
                                     "-pkeyopt",
                                     "ec_paramgen_curve:prime256v1",
                                     "-nodes",
                                     "-batch",
                                     "-days",
                                     "2",
                                     "-subj",
                                     "/CN=metercache test",
                                     "-addext",
                                     "subjectAltName=IP:127.0.0.1",
                                     "-keyout",
                                     peer.key,
                                     "-out",
                                     peer.certificate,
                                     NULL};
    int nothing = open("/dev/null", O_WRONLY);
    int status = -1;
    pid_t pid;

    assert_true(nothing >= 0);
    pid = start_openssl(arguments, nothing);
    (void)close(nothing);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The server prints "ACCEPT 127.0.0.1:PORT" once it listens. */
static void read_port(int output)
{
    uint64_t deadline_us = clock_deadline_ms(WAIT_MS);
    char text[1024] = "";
    size_t size = 0;
    const char *accepts = NULL;

    while (accepts == NULL || strchr(accepts, '\n') == NULL) {
        struct pollfd ready = {.fd = output, .events = POLLIN};
        ssize_t got;

        assert_int_equal(poll(&ready, 1, (int)clock_left_ms(deadline_us)), 1);
        got = read(output, text + size, sizeof(text) - 1 - size);
        assert_true(got > 0);
        size += (size_t)got;
        text[size] = '\0';
        accepts = strstr(text, "ACCEPT 127.0.0.1:");
    }
    assert_int_equal(sscanf(accepts, "ACCEPT 127.0.0.1:%7[0-9]", peer.port), 1);
}

static int open_peer(void **state)
{
    const char *tmp = getenv("TMPDIR");
    const char *const arguments[] = {
        "openssl",        "s_server", "-accept", "127.0.0.1:0", "-cert",
        peer.certificate, "-key",     peer.key,  "-www",        NULL};
    int output[2];

    (void)state;
    (void)snprintf(peer.folder, sizeof(peer.folder), "%s/metercache-tls.XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(peer.folder));
    (void)snprintf(peer.certificate, sizeof(peer.certificate), "%s/cert.pem", peer.folder);
    (void)snprintf(peer.key, sizeof(peer.key), "%s/key.pem", peer.folder);
    make_certificate();
    assert_int_equal(pipe(output), 0);
    peer.pid = start_openssl(arguments, output[1]);
    (void)close(output[1]);
    read_port(output[0]);
    /* The pipe stays open: a server that cannot print would end. */
    return 0;
}

static int close_peer(void **state)
{
    (void)state;
    if (peer.pid > 0 && kill(peer.pid, SIGKILL) == 0)
        (void)waitpid(peer.pid, NULL, 0);
    (void)unlink(peer.certificate);
    (void)unlink(peer.key);
    (void)rmdir(peer.folder);
    return 0;
}

static struct http_response ask(const char *host, const char *ca_file)
{
    struct http_client_options options = {.response_bytes = (size_t)64 * 1024,
                                          .connections_per_host = 2,
                                          .connect_timeout_ms = WAIT_MS,
                                          .ca_file = ca_file};
    struct http_response response = {.status = 0};
    struct http_client *client;
    struct error err;
    char url[64];
    struct http_request request = {
        .url = url, .to_loopback = true, .deadline_us = clock_deadline_ms(WAIT_MS)};

    (void)snprintf(url, sizeof(url), "https://%s:%s/v1/x", host, peer.port);
    assert_int_equal(http_client_open(&client, &options, &err), ST_OK);
    http_client_perform(client, &request, &response);
    http_client_close(client);
    return response;
}

static void test_perform_tls_with_a_ca_of_its_own_is_answered(void **state)
{
    struct http_response response = ask("127.0.0.1", peer.certificate);

    (void)state;
    assert_string_equal(response.problem, "");
    assert_int_equal(response.transport, TRANSPORT_ANSWERED);
    assert_int_equal(response.status, 200);
    http_response_done(&response);
}

static void test_perform_tls_of_a_ca_the_system_does_not_know_is_not_sent(void **state)
{
    struct http_response response = ask("127.0.0.1", "");

    (void)state;
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_false(response.timed_out);
    http_response_done(&response);
}

static void test_perform_tls_for_another_name_is_not_sent(void **state)
{
    struct http_response response = ask("localhost", peer.certificate);

    (void)state;
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    assert_false(response.timed_out);
    http_response_done(&response);
}

static void test_perform_tls_with_a_ca_file_that_is_none_is_not_sent(void **state)
{
    struct http_response response = ask("127.0.0.1", peer.key);

    (void)state;
    assert_int_equal(response.transport, TRANSPORT_NOT_SENT);
    http_response_done(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_perform_tls_with_a_ca_of_its_own_is_answered),
        cmocka_unit_test(test_perform_tls_of_a_ca_the_system_does_not_know_is_not_sent),
        cmocka_unit_test(test_perform_tls_for_another_name_is_not_sent),
        cmocka_unit_test(test_perform_tls_with_a_ca_file_that_is_none_is_not_sent),
    };

    return cmocka_run_group_tests(tests, open_peer, close_peer);
}
