/* The guard against a listener that has stopped accepting. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/log.h"
#include "core/parse.h"
#include "rpc/guard.h"
#include "support/rpc_loopback.h"

#if defined(__SANITIZE_ADDRESS__)
/* nng 1.5 leaks connections that die in the middle of the handshake. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnng.so";
}
#endif

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

/* A peer that leaves in the middle of the handshake: FIN, then RST. Five of them stop
 * nng 1.5's listener for ever. */
static void attack(const struct loopback *loopback)
{
    struct linger at_once = {.l_onoff = 1};

    for (int i = 0; i < 20; i++) {
        int fd = connect_raw(loopback);

        shutdown(fd, SHUT_WR);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fd);
    }
}

/* A new connection is accepted and answered. */
static bool is_reachable(void *context)
{
    struct loopback *loopback = context;
    struct loopback probe;
    struct rpc_client_options options = {
        .endpoints = rpc_server_url(loopback->server),
        .bearer = "client:probe",
        .fail_fast_ms = 300,
    };
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    struct rpc_call_options call = {
        .method = ADMIN_METHOD("Ping"),
        .reply_type = &metercache__v1__ping_response__descriptor,
        .timeout_ms = 500,
        .no_retry = true,
    };
    ProtobufCMessage *reply;
    enum status st;

    loopback_init(&probe);
    assert_int_equal(rpc_client_open(&probe.client, &options, &probe.err), ST_OK);
    st = loopback_call(&probe, &call, &request.base, &reply);
    loopback_close(&probe);
    return st == ST_OK;
}

static void fail_guard(void *context)
{
    (void)context;
    fail_msg("the guard gave up");
}

static void test_guard_cures_a_listener_that_stopped(void **state)
{
    struct loopback loopback;
    struct rpc_server_options options;

    (void)state;
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.guard = true;
    options.on_guard_failure = fail_guard;
    loopback_open(&loopback, &options, "client:alice");
    assert_int_equal(loopback_ping(&loopback, NULL), ST_OK);
    attack(&loopback);
    loopback_await(is_reachable, &loopback);
    loopback_close(&loopback);
}

struct script {
    atomic_int probes;
    atomic_int restarts;
    atomic_int failures;
};

static bool probe_fails(void *context)
{
    ((struct script *)context)->probes++;
    return false;
}

static bool restart_fails(void *context)
{
    ((struct script *)context)->restarts++;
    return false;
}

static void note_failure(void *context)
{
    ((struct script *)context)->failures++;
}

static bool has_failed(void *context)
{
    return ((struct script *)context)->failures > 0;
}

static void test_guard_gives_up_after_two_and_two(void **state)
{
    struct script script = {.probes = 0};
    struct rpc_guard *guard;

    (void)state;
    guard = rpc_guard_start(&(struct rpc_guard_options){.name = "test",
                                                        .probe = probe_fails,
                                                        .restart = restart_fails,
                                                        .on_failure = note_failure,
                                                        .context = &script,
                                                        .failure_context = &script});
    loopback_await(has_failed, &script);
    rpc_guard_stop(guard);
    assert_int_equal(script.restarts, 1);
    assert_in_range(script.probes, 4, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_cures_a_listener_that_stopped),
        cmocka_unit_test(test_guard_gives_up_after_two_and_two),
    };

    log_setup("test", LOG_TEXT, LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
