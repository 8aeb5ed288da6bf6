/* Single flight, through a real server and client: however many ask, one fetch (C3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include "engine/flights.h"
#include "metercache/v1/admin.pb-c.h"
#include "rpc/client.h"
#include "rpc/server.h"

#define CALLS   24
#define WAIT_MS 10000

/* A service whose Ping needs a fetch of one key; the test says when the fetch may end. */
struct fixture {
    struct flights *flights;
    struct rpc_server *server;
    struct rpc_client *client;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool may_end;     /* under mutex */
    unsigned running; /* jobs that have begun; under mutex */
    enum status job_status;
    atomic_uint freed;
    atomic_uint joined;        /* calls that are parked, or were refused */
    atomic_uint separate_keys; /* not 0: every call wants a key of its own */
};

struct test_job {
    struct flight_job job;
    struct fixture *fixture;
};

static enum status run_job(struct flight_job *job, struct flight_receipt *receipt,
                           struct error *err)
{
    struct fixture *fixture = ((struct test_job *)job)->fixture;

    mutex_lock(&fixture->mutex);
    fixture->running++;
    condition_broadcast(&fixture->changed);
    while (!fixture->may_end)
        condition_wait(&fixture->changed, &fixture->mutex);
    mutex_unlock(&fixture->mutex);
    receipt->provider_calls = 1;
    if (fixture->job_status != ST_OK)
        return error_set(err, fixture->job_status, "the provider failed");
    return ST_OK;
}

static void free_job(struct flight_job *job)
{
    atomic_fetch_add(&((struct test_job *)job)->fixture->freed, 1);
    mem_free(job);
}

static enum status ping(struct rpc_call *call, const void *in, void *out, struct error *err)
{
    struct fixture *fixture = call->service;
    Metercache__V1__PingResponse *reply = out;

    (void)in;
    if (!call->is_resumed) {
        struct test_job *job = mem_alloc(sizeof(*job));
        unsigned number = atomic_load(&fixture->separate_keys) == 0
                              ? 0
                              : atomic_fetch_add(&fixture->separate_keys, 1);

        job->job = (struct flight_job){run_job, free_job};
        job->fixture = fixture;
        call->state = arena_alloc(call->arena, sizeof(struct flight_receipt));
        enum status st =
            flights_join(fixture->flights, arena_printf(call->arena, "key%u", number),
                         &job->job, call, call->state, err);
        atomic_fetch_add(&fixture->joined, 1);
        return st;
    }
    const struct flight_receipt *receipt = call->state;
    if (call->wake.status != ST_OK) {
        *err = call->wake;
        return err->status;
    }
    reply->uptime_us = receipt->provider_calls; /* what this call was told it cost */
    return ST_OK;
}

static const struct rpc_method methods[] = {
    {
        .service = &metercache__v1__admin_service__descriptor,
        .name = "Ping",
        .roles = RPC_ROLES_PUBLIC,
        .handler = ping,
    },
    {.service = NULL},
};

static void open_fixture(struct fixture *fixture, unsigned flights_max, uint64_t backoff_ms)
{
    static const struct rpc_method *const tables[] = {methods};
    struct error err = ERROR_NONE;

    memset(fixture, 0, sizeof(*fixture));
    mutex_init(&fixture->mutex);
    condition_init(&fixture->changed);
    const struct flights_options flights = {
        .fetchers = 2,
        .flights_max = flights_max,
        .waiters_max = 64,
        .backoff_first_ms = backoff_ms,
        .backoff_max_ms = backoff_ms,
    };
    fixture->flights = flights_open(&flights);
    const struct rpc_server_options server = {
        .name = "flights",
        .listen_url = "tcp://127.0.0.1:0",
        .tables = tables,
        .table_count = 1,
        .service = fixture,
        .workers = 2,
    };
    if (rpc_server_open(&fixture->server, &server, &err) != ST_OK)
        fail_msg("%s", err.message);
    const struct rpc_client_options client = {
        .endpoints = rpc_server_url(fixture->server),
    };
    if (rpc_client_open(&fixture->client, &client, &err) != ST_OK)
        fail_msg("%s", err.message);
}

static void let_jobs_end(struct fixture *fixture)
{
    mutex_lock(&fixture->mutex);
    fixture->may_end = true;
    condition_broadcast(&fixture->changed);
    mutex_unlock(&fixture->mutex);
}

static void wait_until_running(struct fixture *fixture, unsigned count)
{
    uint64_t until_us = clock_deadline_ms(WAIT_MS);

    mutex_lock(&fixture->mutex);
    while (fixture->running < count)
        assert_true(condition_wait_until(&fixture->changed, &fixture->mutex, until_us));
    mutex_unlock(&fixture->mutex);
}

static void close_fixture(struct fixture *fixture)
{
    rpc_client_close(fixture->client);
    flights_close(fixture->flights);
    rpc_server_close(fixture->server);
    condition_done(&fixture->changed);
    mutex_done(&fixture->mutex);
}

/* Calls under way at once, and what became of them. */
struct answers {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned count;
    unsigned ok;
    uint64_t told_cost;
    enum status last_status;
    struct error last_error;
};

static void on_answer(void *context, enum status status, const ProtobufCMessage *reply,
                      const struct rpc_outcome *outcome, const struct error *err)
{
    struct answers *answers = context;

    (void)outcome;
    mutex_lock(&answers->mutex);
    answers->count++;
    answers->last_status = status;
    if (status == ST_OK) {
        answers->ok++;
        answers->told_cost += ((const Metercache__V1__PingResponse *)reply)->uptime_us;
    } else {
        answers->last_error = *err;
    }
    condition_broadcast(&answers->changed);
    mutex_unlock(&answers->mutex);
}

static void answers_init(struct answers *answers)
{
    memset(answers, 0, sizeof(*answers));
    mutex_init(&answers->mutex);
    condition_init(&answers->changed);
}

static void answers_done(struct answers *answers)
{
    condition_done(&answers->changed);
    mutex_done(&answers->mutex);
}

static void start_calls(struct fixture *fixture, struct answers *answers, unsigned count,
                        uint64_t timeout_ms)
{
    Metercache__V1__PingRequest request = METERCACHE__V1__PING_REQUEST__INIT;
    const struct rpc_call_options options = {
        .method = "/metercache.v1.AdminService/Ping",
        .reply_type = &metercache__v1__ping_response__descriptor,
        .timeout_ms = timeout_ms,
        .no_retry = true,
    };

    for (unsigned i = 0; i < count; i++)
        rpc_client_start(fixture->client, &options, &request.base, on_answer, answers);
}

static void wait_for_answers(struct answers *answers, unsigned count)
{
    uint64_t until_us = clock_deadline_ms(WAIT_MS);

    mutex_lock(&answers->mutex);
    while (answers->count < count)
        assert_true(condition_wait_until(&answers->changed, &answers->mutex, until_us));
    mutex_unlock(&answers->mutex);
}

static void wait_until_joined(struct fixture *fixture, unsigned count)
{
    uint64_t until_us = clock_deadline_ms(WAIT_MS);

    while (atomic_load(&fixture->joined) < count) {
        assert_true(clock_left_ms(until_us) > 0);
        thread_pause_ms(1);
    }
}

static void test_join_many_calls_of_one_key_share_one_fetch(void **state)
{
    (void)state;
    struct fixture fixture;
    struct answers answers;

    open_fixture(&fixture, 16, 1);
    answers_init(&answers);
    start_calls(&fixture, &answers, CALLS, WAIT_MS);
    wait_until_running(&fixture, 1);
    wait_until_joined(&fixture, CALLS);
    let_jobs_end(&fixture);
    wait_for_answers(&answers, CALLS);

    assert_int_equal(answers.ok, CALLS);
    assert_int_equal(answers.told_cost, 1); /* what it cost is told once */
    assert_int_equal(fixture.running, 1);
    close_fixture(&fixture);
    assert_int_equal(atomic_load(&fixture.freed), CALLS); /* each call brought a job */
    answers_done(&answers);
}

static void test_join_failed_fetch_fails_all_and_the_next_one_tries_again(void **state)
{
    (void)state;
    struct fixture fixture;
    struct answers answers;

    open_fixture(&fixture, 16, 1);
    answers_init(&answers);
    fixture.job_status = ST_UNAVAILABLE;
    start_calls(&fixture, &answers, 4, WAIT_MS);
    wait_until_running(&fixture, 1);
    wait_until_joined(&fixture, 4);
    let_jobs_end(&fixture);
    wait_for_answers(&answers, 4);
    assert_int_equal(answers.ok, 0);
    assert_int_equal(answers.last_status, ST_UNAVAILABLE);
    assert_non_null(strstr(answers.last_error.message, "the provider failed"));

    fixture.job_status = ST_OK;
    for (unsigned asked = 5; answers.ok == 0; asked++) { /* its pause is a millisecond */
        assert_true(asked < 10000);
        start_calls(&fixture, &answers, 1, WAIT_MS);
        wait_for_answers(&answers, asked);
    }
    assert_int_equal(fixture.running, 2);
    close_fixture(&fixture);
    answers_done(&answers);
}

static void test_join_more_keys_than_allowed_are_refused_with_a_hint(void **state)
{
    (void)state;
    struct fixture fixture;
    struct answers answers;

    open_fixture(&fixture, 2, 1);
    answers_init(&answers);
    atomic_store(&fixture.separate_keys, 1);
    start_calls(&fixture, &answers, 3, WAIT_MS);
    wait_for_answers(&answers, 1);
    assert_int_equal(answers.last_status, ST_UNAVAILABLE);
    assert_string_equal(answers.last_error.reason, "FETCH_QUEUE_FULL");
    assert_true(answers.last_error.retry_after_ms > 0);

    let_jobs_end(&fixture);
    wait_for_answers(&answers, 3);
    assert_int_equal(answers.ok, 2);
    close_fixture(&fixture);
    answers_done(&answers);
}

static void test_join_deadline_ends_the_wait_and_not_the_flight(void **state)
{
    (void)state;
    struct fixture fixture;
    struct answers answers;

    open_fixture(&fixture, 16, 1);
    answers_init(&answers);
    start_calls(&fixture, &answers, 1, 200);
    wait_for_answers(&answers, 1);
    assert_int_equal(answers.last_status, ST_UNAVAILABLE); /* within the deadline (C8) */
    assert_string_equal(answers.last_error.reason, "FETCH_SLOW");
    assert_int_equal(flights_count(fixture.flights), 1);

    start_calls(&fixture, &answers, 1, WAIT_MS);
    wait_until_joined(&fixture, 2);
    let_jobs_end(&fixture);
    wait_for_answers(&answers, 2);
    assert_int_equal(answers.ok, 1);
    assert_int_equal(fixture.running, 1);
    close_fixture(&fixture);
    answers_done(&answers);
}

static void test_join_after_a_failure_is_refused_until_the_pause_is_over(void **state)
{
    (void)state;
    struct fixture fixture;
    struct answers answers;

    open_fixture(&fixture, 16, 60000);
    answers_init(&answers);
    fixture.job_status = ST_UNAVAILABLE;
    let_jobs_end(&fixture);
    start_calls(&fixture, &answers, 1, WAIT_MS);
    wait_for_answers(&answers, 1);

    start_calls(&fixture, &answers, 1, WAIT_MS);
    wait_for_answers(&answers, 2);
    assert_int_equal(answers.last_status, ST_UNAVAILABLE);
    assert_in_range(answers.last_error.retry_after_ms, 30000, 60000);
    assert_int_equal(fixture.running, 1); /* it may have cost money: not tried at once */
    close_fixture(&fixture);
    answers_done(&answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_many_calls_of_one_key_share_one_fetch),
        cmocka_unit_test(test_join_failed_fetch_fails_all_and_the_next_one_tries_again),
        cmocka_unit_test(test_join_more_keys_than_allowed_are_refused_with_a_hint),
        cmocka_unit_test(test_join_deadline_ends_the_wait_and_not_the_flight),
        cmocka_unit_test(test_join_after_a_failure_is_refused_until_the_pause_is_over),
    };

    return cmocka_run_group_tests_name("flights", tests, NULL, NULL);
}
