/* The order of checks, without a socket: bytes in, a verdict out. */
#include "rpc/dispatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "metercache/v1/admin.pb-c.h"
#include "rpc/frame.h"
#include "rpc/reply.h"

static enum status answer_ping(struct rpc_call *call, const void *request, void *reply,
                               struct error *err)
{
    (void)request;
    (void)err;
    ((Metercache__V1__PingResponse *)reply)->uptime_us = call->attempt;
    return ST_OK;
}

#define ADMIN (&metercache__v1__admin_service__descriptor)

static const struct rpc_method METHODS[] = {
    {ADMIN, "Ping", RPC_ROLE_CLIENT, RPC_INLINE, answer_ping},
    {ADMIN, "Drain", RPC_ROLE_ADMIN, 0, answer_ping},
    {ADMIN, "Describe", RPC_ROLES_PUBLIC, 0, answer_ping},
    {.service = NULL},
};

static enum status authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err)
{
    (void)context;
    if (size == 5 && memcmp(bearer, "alice", 5) == 0)
        out->role = RPC_ROLE_CLIENT;
    else if (size == 4 && memcmp(bearer, "root", 4) == 0)
        out->role = RPC_ROLE_ADMIN;
    else
        return error_set(err, ST_UNAUTHENTICATED, "the token is not known");
    memcpy(out->subject, bearer, size);
    out->subject[size] = '\0';
    memcpy(out->token_id, bearer, size);
    out->token_id[size] = '\0';
    return ST_OK;
}

static void no_job(void *context, struct rpc_job *job)
{
    (void)context;
    (void)job;
}

/* A dispatcher, one job, and a request that would pass. */
struct fixture {
    struct rpc_registry registry;
    struct rpc_admission admission;
    struct rpc_dispatcher dispatcher;
    struct rpc_job *job;
    Metercache__V1__Request request;
    Metercache__V1__Auth auth;
    struct op_id call_id;
    uint8_t bytes[16384];
    size_t size;
};

static void set_text(char **field, const char *text)
{
    union {
        const char *in;
        char *out;
    } both = {.in = text};

    *field = both.out;
}

static void set_bytes(ProtobufCBinaryData *field, const char *text)
{
    union {
        const char *in;
        uint8_t *out;
    } both = {.in = text};

    *field = (ProtobufCBinaryData){strlen(text), both.out};
}

static void open_fixture(struct fixture *f)
{
    static const struct rpc_method *const tables[] = {METHODS};
    struct error err = ERROR_NONE;

    memset(f, 0, sizeof(*f));
    assert_int_equal(rpc_registry_init(&f->registry, "test", tables, 1, &err), ST_OK);
    f->admission.limit = 10;
    f->dispatcher.registry = &f->registry;
    f->dispatcher.admission = &f->admission;
    f->dispatcher.idempotency = rpc_idempotency_new((struct rpc_idempotency_options){0});
    f->dispatcher.jobs = rpc_jobs_new(
        (struct rpc_jobs_owner){.run = no_job, .answer = no_job, .release = no_job},
        262144);
    f->dispatcher.authenticate = authenticate;
    f->dispatcher.default_timeout_us = 1000000;
    f->dispatcher.request_bytes = 4096;
    f->job = rpc_job_new(f->dispatcher.jobs);
    f->call_id = op_id_new();
    metercache__v1__request__init(&f->request);
    metercache__v1__auth__init(&f->auth);
    f->request.call_id = (ProtobufCBinaryData){OP_ID_SIZE, f->call_id.bytes};
    f->request.auth = &f->auth;
    set_text(&f->request.method, "/metercache.v1.AdminService/Ping");
    set_bytes(&f->auth.bearer, "alice");
}

static void close_fixture(struct fixture *f)
{
    rpc_job_free(f->job);
    rpc_jobs_release(f->dispatcher.jobs);
    rpc_idempotency_free(f->dispatcher.idempotency);
    rpc_registry_done(&f->registry);
}

static void pack(struct fixture *f)
{
    struct rpc_frame frame = {.envelope = &f->request.base};

    f->size = rpc_frame_measure(&frame);
    assert_true(f->size <= sizeof(f->bytes));
    rpc_frame_write(&frame, f->bytes);
}

static enum rpc_verdict dispatch_bytes(struct fixture *f)
{
    rpc_job_reset(f->job);
    f->job->connection_has_room = true;
    f->job->received_us = clock_mono_us() - 2; /* a deadline of 1 us has passed for sure */
    return rpc_dispatch_request(&f->dispatcher, f->job, f->bytes, f->size);
}

static enum rpc_verdict dispatch(struct fixture *f)
{
    pack(f);
    return dispatch_bytes(f);
}

/* The request is refused with this status, before any handler ran. */
static void assert_refused(struct fixture *f, enum status status)
{
    assert_int_equal(dispatch(f), RPC_VERDICT_ANSWER);
    assert_int_equal(f->job->outcome.status, status);
    assert_false(f->job->executed);
}

static void test_request_good_runs_inline_or_queued(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    assert_int_equal(dispatch(&f), RPC_VERDICT_INLINE);
    assert_true(f.job->is_admitted);
    assert_true(rpc_dispatch_run(f.job));
    assert_int_equal(f.job->outcome.status, ST_OK);
    assert_true(f.job->executed);
    set_text(&f.request.method, "/metercache.v1.AdminService/Drain");
    set_bytes(&f.auth.bearer, "root");
    assert_int_equal(dispatch(&f), RPC_VERDICT_QUEUE);
    close_fixture(&f);
}

static void test_request_garbage_is_invalid(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    memcpy(f.bytes, "GET / HTTP/1.1\r\n", 16);
    f.size = 16;
    assert_int_equal(dispatch_bytes(&f), RPC_VERDICT_ANSWER);
    assert_int_equal(f.job->outcome.status, ST_INVALID);
    f.size = 0;
    assert_int_equal(dispatch_bytes(&f), RPC_VERDICT_ANSWER);
    assert_int_equal(f.job->outcome.status, ST_INVALID);
    close_fixture(&f);
}

/* Each fault beats those that come after it in the order: the request has all of them, and
 * loses one a step. */
static void test_request_faults_are_found_in_order(void **state)
{
    static uint8_t zstd_rubbish[] = {1, 2, 3};
    struct fixture f;

    (void)state;
    open_fixture(&f);
    set_text(&f.request.method, "/metercache.v1.AdminService/None");
    set_bytes(&f.auth.bearer, "mallory");
    set_text(&f.request.traceparent, "0123456789012345678901234567890123456789"
                                     "0123456789012345678901234567890123456789"
                                     "0123456789012345678901234567890123456789"
                                     "0123456789");
    f.request.timeout_us = 1;
    f.request.call_id.len = 3;
    f.request.encoding = METERCACHE__V1__ENCODING__ENCODING_ZSTD;
    f.request.payload = (ProtobufCBinaryData){sizeof(zstd_rubbish), zstd_rubbish};
    f.admission.limit = 1;
    atomic_store(&f.admission.inflight, 1);
    atomic_store(&f.dispatcher.is_draining, true);

    assert_refused(&f, ST_INVALID);
    assert_string_equal(f.job->outcome.field, "call_id");
    f.request.call_id.len = OP_ID_SIZE;
    assert_refused(&f, ST_INVALID);
    assert_string_equal(f.job->outcome.field, "traceparent");
    set_text(&f.request.traceparent, "");
    assert_refused(&f, ST_UNAUTHENTICATED); /* also for a method that does not exist */
    set_bytes(&f.auth.bearer, "alice");
    assert_refused(&f, ST_UNIMPLEMENTED);
    set_text(&f.request.method, "/metercache.v1.AdminService/GetStats"); /* no row */
    assert_refused(&f, ST_UNIMPLEMENTED);
    set_text(&f.request.method, "/metercache.v1.AdminService/Drain");
    assert_refused(&f, ST_DENIED);
    assert_non_null(strstr(f.job->outcome.message, "'client'"));
    set_bytes(&f.auth.bearer, "root");
    assert_refused(&f, ST_DEADLINE);
    f.request.timeout_us = 0;
    assert_refused(&f, ST_UNAVAILABLE);
    assert_string_equal(f.job->outcome.reason, "DRAINING");
    atomic_store(&f.dispatcher.is_draining, false);
    assert_refused(&f, ST_EXHAUSTED);
    assert_string_equal(f.job->outcome.reason, "OVERLOADED");
    atomic_store(&f.admission.inflight, 0);
    assert_refused(&f, ST_INVALID);
    assert_string_equal(f.job->outcome.field, "payload");
    close_fixture(&f);
}

static void test_request_version_is_checked_first(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    set_bytes(&f.auth.bearer, "mallory");
    pack(&f);
    f.bytes[f.size - 1] = 9; /* the version is the last byte */
    assert_int_equal(dispatch_bytes(&f), RPC_VERDICT_ANSWER);
    assert_int_equal(f.job->outcome.status, ST_UNIMPLEMENTED);
    assert_non_null(strstr(f.job->outcome.message, "version 9"));
    close_fixture(&f);
}

static void test_request_public_method_takes_strangers(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    set_text(&f.request.method, "/metercache.v1.AdminService/Describe");
    set_bytes(&f.auth.bearer, "expired");
    assert_int_equal(dispatch(&f), RPC_VERDICT_QUEUE);
    assert_int_equal(f.job->call.caller.role, RPC_ROLE_NONE);
    f.request.auth = NULL;
    assert_int_equal(dispatch(&f), RPC_VERDICT_QUEUE);
    close_fixture(&f);
}

static void test_request_metadata_is_bounded_and_lower_case(void **state)
{
    static char big[8193];
    Metercache__V1__Metadata pair = METERCACHE__V1__METADATA__INIT;
    Metercache__V1__Metadata *pairs[] = {&pair};
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.request.n_metadata = 1;
    f.request.metadata = pairs;
    set_text(&pair.key, "X-Upper");
    assert_refused(&f, ST_INVALID);
    set_text(&pair.key, "x-lower");
    memset(big, 'v', sizeof(big) - 1);
    set_bytes(&pair.value, big);
    assert_refused(&f, ST_INVALID);
    assert_string_equal(f.job->outcome.field, "metadata");
    set_bytes(&pair.value, "v");
    assert_int_equal(dispatch(&f), RPC_VERDICT_INLINE);
    close_fixture(&f);
}

static void test_request_client_may_not_act_for_others(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    set_text(&f.auth.on_behalf_of, "bob");
    assert_refused(&f, ST_DENIED);
    set_text(&f.auth.on_behalf_of, "alice");
    assert_int_equal(dispatch(&f), RPC_VERDICT_INLINE);
    assert_string_equal(rpc_call_user(&f.job->call), "alice");
    close_fixture(&f);
}

static void test_request_with_bad_payload_is_not_executed(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    set_bytes(&f.request.payload, "\x0a");
    assert_int_equal(dispatch(&f), RPC_VERDICT_INLINE);
    assert_true(rpc_dispatch_run(f.job));
    assert_int_equal(f.job->outcome.status, ST_INVALID);
    assert_false(f.job->executed);
    close_fixture(&f);
}

static void test_request_past_its_deadline_is_not_run(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    assert_int_equal(dispatch(&f), RPC_VERDICT_INLINE);
    f.job->call.deadline_us = clock_mono_us() - 1;
    assert_true(rpc_dispatch_run(f.job));
    assert_int_equal(f.job->outcome.status, ST_DEADLINE);
    assert_false(f.job->executed);
    close_fixture(&f);
}

static void test_request_cancel_frame_is_answered_at_once(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f);
    f.request.cancel = true;
    assert_int_equal(dispatch(&f), RPC_VERDICT_ANSWER);
    assert_int_equal(f.job->outcome.status, ST_OK);
    set_bytes(&f.auth.bearer, "mallory");
    assert_refused(&f, ST_UNAUTHENTICATED);
    close_fixture(&f);
}

static void test_registry_refuses_rows_that_cannot_be_served(void **state)
{
    static const struct rpc_method none[] = {
        {ADMIN, "NoSuchMethod", RPC_ROLES_ANY, 0, answer_ping}, {.service = NULL}};
    static const struct rpc_method twice[] = {
        {ADMIN, "Ping", RPC_ROLES_ANY, 0, answer_ping},
        {ADMIN, "Ping", RPC_ROLES_ANY, 0, answer_ping},
        {.service = NULL}};
    const struct rpc_method *tables[] = {none};
    struct rpc_registry registry;
    struct error err = ERROR_NONE;

    (void)state;
    assert_int_equal(rpc_registry_init(&registry, "test", tables, 1, &err), ST_INVALID);
    tables[0] = twice;
    assert_int_equal(rpc_registry_init(&registry, "test", tables, 1, &err), ST_INVALID);
    assert_non_null(strstr(err.message, "two rows"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_good_runs_inline_or_queued),
        cmocka_unit_test(test_request_garbage_is_invalid),
        cmocka_unit_test(test_request_faults_are_found_in_order),
        cmocka_unit_test(test_request_version_is_checked_first),
        cmocka_unit_test(test_request_public_method_takes_strangers),
        cmocka_unit_test(test_request_metadata_is_bounded_and_lower_case),
        cmocka_unit_test(test_request_client_may_not_act_for_others),
        cmocka_unit_test(test_request_with_bad_payload_is_not_executed),
        cmocka_unit_test(test_request_past_its_deadline_is_not_run),
        cmocka_unit_test(test_request_cancel_frame_is_answered_at_once),
        cmocka_unit_test(test_registry_refuses_rows_that_cannot_be_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
