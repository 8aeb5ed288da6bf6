/*
 * TLS between client and server: both sides show a certificate, and strangers stay outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/health.h"
#include "core/arena.h"
#include "metercache/v1/health.pb-c.h"
#include "rpc/health.h"
#include "rpc/server.h"

#define PATH_SIZE 256

/* A certificate that is its own CA. */
struct identity {
    char certificate[PATH_SIZE + 16];
    char key[PATH_SIZE + 16];
};

static char folder[PATH_SIZE];
static struct identity ours;
static struct identity strangers;

static void make_identity(struct identity *identity, const char *name)
{
    (void)snprintf(identity->certificate, sizeof(identity->certificate), "%s/%s.pem",
                   folder, name);
    (void)snprintf(identity->key, sizeof(identity->key), "%s/%s.key", folder, name);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        (void)execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-batch", "-days", "2",
                     "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                     "-keyout", identity->key, "-out", identity->certificate, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Before anything of nng: it does not survive a fork. */
static int set_up(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/metercache-tls.XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(folder));
    make_identity(&ours, "ours");
    make_identity(&strangers, "strangers");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(ours.certificate);
    (void)unlink(ours.key);
    (void)unlink(strangers.certificate);
    (void)unlink(strangers.key);
    return rmdir(folder);
}

static struct rpc_server *serve(void)
{
    static const struct rpc_method *const tables[] = {rpc_health_methods};
    const struct rpc_server_options options = {
        .name = "tls",
        .listen_url = "tls+tcp://localhost:0",
        .tls_ca_file = ours.certificate,
        .tls_cert_file = ours.certificate,
        .tls_key_file = ours.key,
        .tables = tables,
        .table_count = 1,
    };
    struct rpc_server *server = NULL;
    struct error err = ERROR_NONE;

    if (rpc_server_open(&server, &options, &err) != ST_OK)
        fail_msg("%s", err.message);
    return server;
}

/* What a health check by that identity ends with. */
static enum status check_as(const struct identity *identity, const char *url,
                            struct rpc_outcome *outcome)
{
    const struct rpc_client_options options = {
        .endpoints = url,
        .tls_ca_file = ours.certificate,
        .tls_cert_file = identity->certificate,
        .tls_key_file = identity->key,
        .fail_fast_ms = 5000,
    };
    const struct client_options call = {.timeout_ms = 6000, .outcome = outcome};
    Metercache__V1__HealthCheckRequest request = METERCACHE__V1__HEALTH_CHECK_REQUEST__INIT;
    Metercache__V1__HealthCheckResponse *reply = NULL;
    struct rpc_client *client = NULL;
    struct error err = ERROR_NONE;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    if (rpc_client_open(&client, &options, &err) != ST_OK)
        fail_msg("%s", err.message);
    enum status st = client_health_check(&reply, client, &request, &call, &arena, &err);
    if (st == ST_OK)
        assert_int_equal(reply->status,
                         METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_SERVING);
    rpc_client_close(client);
    arena_done(&arena);
    return st;
}

static void test_call_with_a_certificate_of_the_ca_is_answered(void **state)
{
    (void)state;
    struct rpc_server *server = serve();
    struct rpc_outcome outcome = {0};

    assert_int_equal(check_as(&ours, rpc_server_url(server), &outcome), ST_OK);
    assert_true(outcome.executed);
    rpc_server_close(server);
}

static void test_call_with_a_strangers_certificate_never_arrives(void **state)
{
    (void)state;
    struct rpc_server *server = serve();
    struct rpc_outcome outcome = {.executed = true};

    assert_int_not_equal(check_as(&strangers, rpc_server_url(server), &outcome), ST_OK);
    assert_false(outcome.executed);
    rpc_server_close(server);
}

static void test_open_without_a_key_is_refused(void **state)
{
    (void)state;
    const struct rpc_client_options options = {
        .endpoints = "tls+tcp://localhost:1",
        .tls_ca_file = ours.certificate,
    };
    struct rpc_client *client = NULL;
    struct error err = ERROR_NONE;

    assert_int_equal(rpc_client_open(&client, &options, &err), ST_INVALID);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_with_a_certificate_of_the_ca_is_answered),
        cmocka_unit_test(test_call_with_a_strangers_certificate_never_arrives),
        cmocka_unit_test(test_open_without_a_key_is_refused),
    };

    return cmocka_run_group_tests_name("tls", tests, set_up, tear_down);
}
