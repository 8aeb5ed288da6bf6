/* The budget over RPC: what a failed reservation means (C7, C8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "core/arena.h"
#include "core/base.h"
#include "core/clock.h"
#include "core/thread.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_client_rpc.h"
#include "rpc/server.h"
#include "support/expect.h"

#define REPLIES_MAX 4

/* A quota-service that says what it is told, then the last of it again. */
struct quota_peer {
    struct rpc_server *server;
    pthread_mutex_t lock; /* guards what follows */
    struct error says[REPLIES_MAX];
    size_t count;
    size_t asked;
    uint64_t hold_ms;
};

static struct quota_peer quota_peer;
#define CONNECTED_MS 10000

static struct quota_client *quota;

static struct error next_word(struct quota_peer *peer, uint64_t hold_ms)
{
    struct error says = ERROR_NONE;

    mutex_lock(&peer->lock);
    if (peer->count > 0)
        says = peer->says[peer->asked < peer->count ? peer->asked : peer->count - 1];
    peer->asked++;
    peer->hold_ms = hold_ms;
    mutex_unlock(&peer->lock);
    return says;
}

/* As quota-service: UNAVAILABLE for the whole message, all else as the operation's result. */
static enum status submit(struct rpc_call *call, const void *request_, void *reply_,
                          struct error *err)
{
    const Metercache__V1__SubmitRequest *request = request_;
    Metercache__V1__SubmitResponse *reply = reply_;
    Metercache__V1__OperationResult *result = arena_alloc(call->arena, sizeof(*result));
    Metercache__V1__LimitHit *hit = arena_alloc(call->arena, sizeof(*hit));

    assert_int_equal(request->n_operations, 1);
    *err = next_word(call->service, request->operations[0]->reserve->hold_ms);
    if (err->status == ST_UNAVAILABLE)
        return err->status;
    metercache__v1__operation_result__init(result);
    result->reserve = arena_alloc(call->arena, sizeof(*result->reserve));
    metercache__v1__reserve_response__init(result->reserve);
    result->code = (uint32_t)err->status;
    result->reason = arena_strdup(call->arena, err->reason);
    result->reserve->expires_at_us = 77;
    result->response_case = METERCACHE__V1__OPERATION_RESULT__RESPONSE_RESERVE;
    metercache__v1__limit_hit__init(hit);
    result->violations = arena_alloc(call->arena, sizeof(hit));
    result->violations[0] = hit;
    result->n_violations = err->violation_count;
    reply->results = arena_alloc(call->arena, sizeof(result));
    reply->results[0] = result;
    reply->n_results = 1;
    return ST_OK;
}

static enum status authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err)
{
    (void)context;
    (void)bearer;
    (void)size;
    (void)err;
    *out = (struct rpc_identity){.role = RPC_ROLE_SERVICE, .subject = "gateway"};
    return ST_OK;
}

static const struct rpc_method METHODS[] = {
    {&metercache__v1__quota_service__descriptor, "Submit", RPC_ROLE_SERVICE, RPC_IDEMPOTENT,
     submit},
    {0},
};

static int set_up(void **state)
{
    static const struct rpc_method *const TABLES[] = {METHODS};
    const struct rpc_server_options options = {
        .name = "quota-service",
        .listen_url = "tcp://127.0.0.1:0",
        .tables = TABLES,
        .table_count = COUNT_OF(TABLES),
        .service = &quota_peer,
        .authenticate = authenticate,
        .workers = 2,
    };
    struct error err;

    (void)state;
    quota_peer = (struct quota_peer){.count = 0};
    mutex_init(&quota_peer.lock);
    if (rpc_server_open(&quota_peer.server, &options, &err) != ST_OK)
        return -1;
    return quota_client_open(
               &quota,
               &(struct quota_client_options){.url = rpc_server_url(quota_peer.server),
                                              .token = "token"},
               &err) == ST_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    quota_client_close(quota);
    rpc_server_close(quota_peer.server);
    mutex_done(&quota_peer.lock);
    return 0;
}

static void will_say(enum status status, const char *reason)
{
    struct error *says = &quota_peer.says[quota_peer.count++];

    (void)error_set(says, status, "as told");
    (void)error_reason(says, reason);
}

static enum status ask(struct budget_hold *hold, struct error *err)
{
    const struct budget *budget = quota_client_budget(quota);
    const struct budget_reservation reservation = {
        .id = op_id_new(),
        .meter = "modash.reports",
        .amount_milli = 1000,
        .hold_ms = 60000,
        .provider = "modash",
        .action = "report",
        .reason = "select",
        .creator = "",
        .user = "alice",
        .tenant = "",
        .endpoint = "modash.report",
        .cooldown_key = "",
    };

    *err = ERROR_NONE;
    *hold = (struct budget_hold){.in_doubt = false};
    return budget->reserve(budget->context, &reservation, 5000, hold, err);
}

static void test_reserve_held_is_ok(void **state)
{
    struct error err;
    struct budget_hold hold;

    (void)state;
    assert_int_equal(ask(&hold, &err), ST_OK);
    assert_false(hold.in_doubt);
    assert_int_equal(quota_peer.hold_ms, 60000);
    assert_int_equal(hold.expires_at_us, 77);
}

static void test_reserve_spent_meter_is_passed_on_and_holds_nothing(void **state)
{
    struct error err;
    struct budget_hold hold;

    (void)state;
    will_say(ST_EXHAUSTED, "METER_SPENT");
    error_add_violation(&quota_peer.says[0], "modash.reports", 0, 1);
    assert_int_equal(ask(&hold, &err), ST_EXHAUSTED);
    assert_string_equal(err.reason, "METER_SPENT");
    assert_int_equal(err.violation_count, 1);
    assert_false(hold.in_doubt);
}

/* Whatever ends a call of which an earlier attempt may have been held, it may be held. */
static void test_reserve_any_other_refusal_after_an_attempt_is_in_doubt(void **state)
{
    static const struct {
        enum status status;
        const char *reason;
    } LAST[] = {
        {ST_EXHAUSTED, "TOO_MANY_OPEN"}, {ST_EXHAUSTED, ""},
        {ST_NOT_FOUND, "UNKNOWN_METER"}, {ST_EXISTS, "OP_ID_REUSED"},
        {ST_PRECONDITION, ""},           {ST_INTERNAL, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(LAST); i++) {
        struct error err;
        struct budget_hold hold;

        quota_peer.count = 0;
        quota_peer.asked = 0;
        will_say(ST_UNAVAILABLE, "LEDGER_UNAVAILABLE");
        will_say(LAST[i].status, LAST[i].reason);
        assert_int_equal(ask(&hold, &err), ST_UNAVAILABLE);
        assert_string_equal(err.reason, "QUOTA_UNAVAILABLE");
        assert_true(quota_peer.asked >= 2);
        assert_true(hold.in_doubt);
    }
}

static void test_reserve_refused_before_the_handler_is_not_in_doubt(void **state)
{
    struct error err;
    struct budget_hold hold;

    (void)state;
    rpc_server_close(quota_peer.server);
    quota_peer.server = NULL;
    /* What leaves on a connection that is dying already may have arrived. */
    assert_eventually(!quota_client_is_connected(quota), CONNECTED_MS);
    assert_int_equal(ask(&hold, &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "QUOTA_UNAVAILABLE");
    assert_false(hold.in_doubt);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reserve_held_is_ok),
        TEST(test_reserve_spent_meter_is_passed_on_and_holds_nothing),
        TEST(test_reserve_any_other_refusal_after_an_attempt_is_in_doubt),
        TEST(test_reserve_refused_before_the_handler_is_not_in_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
