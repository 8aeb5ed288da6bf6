/* LedgerService and CallLogService as their callers see them: rights, paging (C7, S2). */
#include "store_fixture.h"

#include "cache_service.h"
#include "ledger/ledger_rpc.h"
#include "metercache/v1/calls.pb-c.h"
#include "metercache/v1/ledger.pb-c.h"
#include "resources/calls/calls_rpc.h"

#define NOW  1795300000000000LL
#define HOLD 1000

#define KIND(name) METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_##name

static struct cache_service service;
static uint64_t epoch, batch, ids;

static struct rpc_call a_rpc(enum rpc_role role, const char *subject)
{
    service = (struct cache_service){.store = store, .ledger = store};
    struct rpc_call call = {.arena = &arena,
                            .service = &service,
                            .deadline_us = clock_deadline_ms(CALL_MS),
                            .caller = {.role = role}};
    (void)snprintf(call.caller.subject, sizeof(call.caller.subject), "%s", subject);
    return call;
}

static enum status run(const struct rpc_method *table, const char *name,
                       struct rpc_call call, const void *request, void *reply)
{
    const struct rpc_method *row = table;

    while (row->service != NULL && strcmp(row->name, name) != 0)
        row++;
    assert_non_null(row->service);
    return row->handler(&call, request, reply, &err);
}

static enum status as_writer(const char *name, const void *request, void *reply)
{
    return run(ledger_methods, name, a_rpc(RPC_ROLE_SERVICE, "quota-service"), request,
               reply);
}

static void open_ledger(void)
{
    Metercache__V1__OpenLedgerRequest request = METERCACHE__V1__OPEN_LEDGER_REQUEST__INIT;
    Metercache__V1__OpenLedgerResponse reply = METERCACHE__V1__OPEN_LEDGER_RESPONSE__INIT;

    request.writer = "test";
    assert_status(ST_OK, as_writer("OpenLedger", &request, &reply));
    assert_true(reply.epoch > epoch);
    epoch = reply.epoch;
    batch = reply.last_batch;
}

static ProtobufCBinaryData bytes_of(const struct op_id *id)
{
    return (ProtobufCBinaryData){OP_ID_SIZE, arena_memdup(&arena, id->bytes, OP_ID_SIZE)};
}

/* One event of a meter that has `held` and `posted` after it. */
static enum status commit(Metercache__V1__LedgerEvent *event, int64_t held, int64_t posted)
{
    Metercache__V1__CommitBatchRequest request = METERCACHE__V1__COMMIT_BATCH_REQUEST__INIT;
    Metercache__V1__CommitBatchResponse reply = METERCACHE__V1__COMMIT_BATCH_RESPONSE__INIT;
    Metercache__V1__Counter counter = METERCACHE__V1__COUNTER__INIT,
                            *counters[] = {&counter};

    counter.meter = event->meter;
    counter.period_start_us = event->period_start_us;
    counter.period_end_us = event->period_start_us + 86400 * SECOND_US;
    counter.limit_milli = 1400000;
    counter.held_milli = held;
    counter.posted_milli = posted;
    request.epoch = epoch;
    request.batch = batch + 1;
    request.at_us = NOW;
    request.n_events = 1;
    request.events = &event;
    request.n_counters = 1;
    request.counters = counters;
    enum status st = as_writer("CommitBatch", &request, &reply);
    if (st == ST_OK)
        assert_int_equal(reply.batch, ++batch);
    return st;
}

static Metercache__V1__LedgerEvent an_event(Metercache__V1__OperationKind kind, char *meter,
                                            const struct op_id *id,
                                            const struct op_id *reservation)
{
    Metercache__V1__LedgerEvent event = METERCACHE__V1__LEDGER_EVENT__INIT;

    event.op_id = bytes_of(id);
    event.kind = kind;
    event.reservation_id = bytes_of(reservation);
    event.meter = meter;
    event.period_start_us = NOW - 1000;
    event.amount_milli = HOLD;
    event.at_us = NOW + (int64_t)ids;
    return event;
}

static struct op_id next_id(void)
{
    ids++;
    return op_id_make(NOW + (int64_t)ids * 1000, ids, ids);
}

static struct op_id reserve(char *meter, int64_t held)
{
    struct op_id id = next_id();
    Metercache__V1__LedgerEvent event = an_event(KIND(RESERVE), meter, &id, &id);

    event.expires_at_us = NOW + SECOND_US;
    assert_status(ST_OK, commit(&event, held, 0));
    return id;
}

/* ---- LedgerService ---- */

static void test_ledger_methods_are_for_the_quota_service_alone(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"OpenLedger", "CommitBatch", "GetBatch",
                                        "ListOpenReservations", "GetOperations"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_int_equal(ledger_methods[i].roles, RPC_ROLE_SERVICE);
        assert_status(ST_DENIED, run(ledger_methods, NAMES[i],
                                     a_rpc(RPC_ROLE_SERVICE, "cache-service"), NULL, NULL));
        assert_status(ST_DENIED, run(ledger_methods, NAMES[i],
                                     a_rpc(RPC_ROLE_ADMIN, "quota-service"), NULL, NULL));
    }
}

static void test_ledger_methods_commit_then_look_up(void **state)
{
    (void)state;
    open_ledger();
    struct op_id id = reserve("r.look", HOLD);
    Metercache__V1__GetBatchRequest get = METERCACHE__V1__GET_BATCH_REQUEST__INIT;
    Metercache__V1__GetBatchResponse got = METERCACHE__V1__GET_BATCH_RESPONSE__INIT;
    get.epoch = epoch;
    get.batch = batch;
    assert_status(ST_OK, as_writer("GetBatch", &get, &got));
    assert_true(got.committed);
    assert_int_equal(got.current_epoch, epoch);
    assert_int_equal(got.last_batch, batch);

    Metercache__V1__GetOperationsRequest ask_for =
        METERCACHE__V1__GET_OPERATIONS_REQUEST__INIT;
    Metercache__V1__GetOperationsResponse answer =
        METERCACHE__V1__GET_OPERATIONS_RESPONSE__INIT;
    ProtobufCBinaryData wanted = bytes_of(&id);
    ask_for.n_op_ids = 1;
    ask_for.op_ids = &wanted;
    assert_status(ST_OK, as_writer("GetOperations", &ask_for, &answer));
    assert_int_equal(answer.n_events, 1);
    assert_int_equal(answer.events[0]->amount_milli, HOLD);
    assert_int_equal(answer.events[0]->batch, batch);
    assert_int_equal(answer.events[0]->epoch, epoch);
    wanted.len = 3;
    assert_status(ST_INVALID, as_writer("GetOperations", &ask_for, &answer));
}

static void test_ledger_methods_list_open_reservations_pages(void **state)
{
    (void)state;
    open_ledger();
    assert_status(ST_OK, command("owner", "DELETE FROM metercache.quota_reservation"));
    for (int i = 1; i <= 3; i++)
        (void)reserve("r.pages", i * HOLD);
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    Metercache__V1__ListOpenReservationsRequest request =
        METERCACHE__V1__LIST_OPEN_RESERVATIONS_REQUEST__INIT;
    Metercache__V1__ListOpenReservationsResponse reply =
        METERCACHE__V1__LIST_OPEN_RESERVATIONS_RESPONSE__INIT;
    request.page = &page;
    page.page_size = 2;
    assert_status(ST_OK, as_writer("ListOpenReservations", &request, &reply));
    assert_int_equal(reply.n_reservations, 2);
    assert_int_equal(strlen(reply.page->next_page_token), 32);
    page.page_token = reply.page->next_page_token;
    assert_status(ST_OK, as_writer("ListOpenReservations", &request, &reply));
    assert_int_equal(reply.n_reservations, 1);
    assert_string_equal(reply.page->next_page_token, "");
    page.page_token = "nonsense";
    assert_status(ST_INVALID, as_writer("ListOpenReservations", &request, &reply));
    assert_string_equal(err.field, "page.page_token");
}

static void test_ledger_methods_fenced_commit_says_so(void **state)
{
    (void)state;
    open_ledger();
    struct op_id id = next_id();
    Metercache__V1__LedgerEvent event = an_event(KIND(RESERVE), "r.fence", &id, &id);
    event.expires_at_us = NOW + SECOND_US;
    epoch--;
    assert_status(ST_PRECONDITION, commit(&event, HOLD, 0));
    assert_string_equal(err.reason, "FENCED");
    epoch++;
}

/* ---- CallLogService ---- */

static void log_call(char *user)
{
    static int64_t posted;
    Metercache__V1__CallRecord record = METERCACHE__V1__CALL_RECORD__INIT;
    struct op_id reservation = next_id();
    Metercache__V1__LedgerEvent event =
        an_event(KIND(RESERVE), "r.calls", &reservation, &reservation);

    event.expires_at_us = NOW + SECOND_US;
    assert_status(ST_OK, commit(&event, HOLD, posted));
    posted += HOLD;
    struct op_id id = next_id();
    event = an_event(KIND(SETTLE), "r.calls", &id, &reservation);
    event.released_milli = HOLD;
    record.provider = "modash";
    record.user = user;
    record.outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    event.call = &record;
    assert_status(ST_OK, commit(&event, 0, posted));
}

static enum status list_calls(Metercache__V1__ListCallsResponse *reply, enum rpc_role role,
                              const char *subject, const char *user, const char *token)
{
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    Metercache__V1__ListCallsRequest request = METERCACHE__V1__LIST_CALLS_REQUEST__INIT;

    metercache__v1__list_calls_response__init(reply);
    page.page_size = 2;
    page.page_token = (char *)token;
    request.page = &page;
    request.user = (char *)user;
    return run(calls_methods, "ListCalls", a_rpc(role, subject), &request, reply);
}

/* C7, C10 */
static void test_calls_methods_clients_see_their_own_calls_staff_all(void **state)
{
    (void)state;
    Metercache__V1__ListCallsResponse reply;
    open_ledger();
    for (int i = 0; i < 3; i++)
        log_call(i == 1 ? "bob" : "alice");
    assert_status(ST_OK, list_calls(&reply, RPC_ROLE_CLIENT, "bob", "", ""));
    assert_int_equal(reply.n_calls, 1);
    assert_string_equal(reply.calls[0]->user, "bob");
    assert_int_equal(reply.calls[0]->credits_milli, HOLD);
    assert_string_equal(reply.page->next_page_token, "");
    assert_status(ST_OK, list_calls(&reply, RPC_ROLE_CLIENT, "bob", "bob", ""));
    assert_status(ST_DENIED, list_calls(&reply, RPC_ROLE_CLIENT, "bob", "alice", ""));
    assert_status(ST_OK, list_calls(&reply, RPC_ROLE_STAFF, "sam", "alice", ""));
    assert_int_equal(reply.n_calls, 2);

    assert_status(ST_OK, list_calls(&reply, RPC_ROLE_STAFF, "sam", "", ""));
    assert_int_equal(reply.n_calls, 2);
    int64_t newest_us = reply.calls[0]->started_at_us;
    assert_status(
        ST_OK, list_calls(&reply, RPC_ROLE_STAFF, "sam", "", reply.page->next_page_token));
    assert_int_equal(reply.n_calls, 1);
    assert_string_equal(reply.page->next_page_token, "");
    assert_true(reply.calls[0]->started_at_us <= newest_us);
    assert_status(ST_INVALID, list_calls(&reply, RPC_ROLE_STAFF, "sam", "", "zz"));
    assert_status(ST_INVALID,
                  list_calls(&reply, RPC_ROLE_STAFF, "sam", "",
                             "ffffffffffffffff00000000000000000000000000000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_methods_are_for_the_quota_service_alone),
        cmocka_unit_test(test_ledger_methods_commit_then_look_up),
        cmocka_unit_test(test_ledger_methods_list_open_reservations_pages),
        cmocka_unit_test(test_ledger_methods_fenced_commit_says_so),
        cmocka_unit_test(test_calls_methods_clients_see_their_own_calls_staff_all),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
