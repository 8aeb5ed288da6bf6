/* Many operations in one message: each judged by itself, in order, answered when the last
 * is committed. */

#include "client/quota.h"
#include "support/calls.h"
#include "support/expect.h"
#include "support/stack.h"

#define OPERATIONS   256
#define REPORTS      20
#define REPORT_MILLI 1000

static const char *const SETTINGS[] = {"QUOTA_REPORTS_PER_MONTH=20",
                                       "QUOTA_ENRICHMENTS_PER_MONTH=1000", NULL};

static Metercache__V1__OperationRequest operations[OPERATIONS + 1];
static Metercache__V1__OperationRequest *pointers[OPERATIONS + 1];
static Metercache__V1__ReserveRequest reserves[OPERATIONS + 1];
static Metercache__V1__SettleRequest settles[OPERATIONS + 1];
static struct op_id ids[2 * (OPERATIONS + 1)];
static size_t count;

static ProtobufCBinaryData new_id(void)
{
    struct op_id *id = &ids[count];

    *id = op_id_new();
    return (ProtobufCBinaryData){OP_ID_SIZE, id->bytes};
}

static Metercache__V1__ReserveRequest *add_reserve(char *meter)
{
    Metercache__V1__ReserveRequest *request = &reserves[count];

    metercache__v1__reserve_request__init(request);
    request->op_id = new_id();
    request->meter = meter;
    request->amount_milli = REPORT_MILLI;
    request->hold_ms = 60000;
    metercache__v1__operation_request__init(&operations[count]);
    operations[count].operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_RESERVE;
    operations[count].reserve = request;
    pointers[count] = &operations[count];
    count++;
    return request;
}

static void add_settle(ProtobufCBinaryData reservation_id)
{
    Metercache__V1__SettleRequest *request = &settles[count];

    metercache__v1__settle_request__init(request);
    request->op_id = new_id();
    request->reservation_id = reservation_id;
    request->actual_milli = REPORT_MILLI / 2;
    request->outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    metercache__v1__operation_request__init(&operations[count]);
    operations[count].operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_SETTLE;
    operations[count].settle = request;
    pointers[count] = &operations[count];
    count++;
}

static enum status submit(struct stack *stack, struct caller *caller,
                          Metercache__V1__SubmitResponse **reply)
{
    Metercache__V1__SubmitRequest request = METERCACHE__V1__SUBMIT_REQUEST__INIT;
    const struct client_options options = {.timeout_ms = CALLS_TIMEOUT_MS};

    caller_init(caller, stack_client(stack, STACK_QUOTA, "provider-gateway"));
    request.n_operations = count;
    request.operations = pointers;
    return client_quota_submit(reply, caller->client, &request, &options, &caller->arena,
                               &caller->err);
}

static int begin(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static void test_submit_gives_a_result_for_each_in_order(void **state)
{
    struct caller caller;
    Metercache__V1__SubmitResponse *reply = NULL;
    Metercache__V1__ReserveRequest *first = add_reserve("clay.enrichment");

    add_reserve("clay.enrichment")->hold_ms = 1;
    add_settle(first->op_id);
    add_reserve("no.such.meter");
    metercache__v1__operation_request__init(&operations[count]);
    pointers[count] = &operations[count];
    count++;
    assert_ok(submit(*state, &caller, &reply), &caller.err);
    assert_int_equal(reply->n_results, 5);
    assert_int_equal(reply->results[0]->code, ST_OK);
    assert_true(reply->results[0]->reserve->expires_at_us > 0);
    assert_string_equal(reply->results[0]->reserve->meter->meter, "clay.enrichment");
    assert_int_equal(reply->results[1]->code, ST_INVALID);
    assert_string_equal(reply->results[1]->field, "hold_ms");
    assert_int_equal(reply->results[2]->code, ST_OK);
    assert_int_equal(reply->results[2]->settle->posted_milli, REPORT_MILLI / 2);
    assert_int_equal(reply->results[3]->code, ST_NOT_FOUND);
    assert_string_equal(reply->results[3]->reason, "UNKNOWN_METER");
    assert_int_equal(reply->results[4]->code, ST_INVALID);
    caller_done(&caller);
}

static void test_submit_of_only_invalid_ones_answers_each(void **state)
{
    struct caller caller;
    Metercache__V1__SubmitResponse *reply = NULL;

    add_reserve("clay.enrichment")->amount_milli = -1;
    assert_ok(submit(*state, &caller, &reply), &caller.err);
    assert_int_equal(reply->n_results, 1);
    assert_string_equal(reply->results[0]->field, "amount_milli");
    caller_done(&caller);
}

static void test_submit_beyond_a_limit_refuses_those_beyond_it(void **state)
{
    struct caller caller;
    Metercache__V1__SubmitResponse *reply = NULL;

    for (int i = 0; i < OPERATIONS; i++)
        add_reserve("modash.reports");
    assert_ok(submit(*state, &caller, &reply), &caller.err);
    assert_int_equal(reply->n_results, OPERATIONS);
    for (size_t i = 0; i < OPERATIONS; i++) {
        const Metercache__V1__OperationResult *result = reply->results[i];

        assert_int_equal(result->code, i < REPORTS ? ST_OK : ST_EXHAUSTED);
        if (i < REPORTS)
            continue;
        assert_string_equal(result->reason, "METER_SPENT");
        assert_true(result->retry_after_ms > 0);
        assert_int_equal(result->n_violations, 1);
        assert_string_equal(result->violations[0]->name, "modash.reports");
        assert_int_equal(result->violations[0]->left_milli, 0);
        assert_true(result->violations[0]->resets_at_us > 0);
    }
    caller_done(&caller);
}

static void test_submit_again_gives_the_same_answers_and_costs_nothing(void **state)
{
    struct caller caller;
    struct caller again;
    Metercache__V1__SubmitResponse *reply = NULL;
    Metercache__V1__SubmitResponse *repeated = NULL;

    add_settle(add_reserve("clay.enrichment")->op_id);
    assert_ok(submit(*state, &caller, &reply), &caller.err);
    assert_ok(submit(*state, &again, &repeated), &again.err);
    assert_int_equal(repeated->n_results, 2);
    assert_int_equal(repeated->results[0]->reserve->expires_at_us,
                     reply->results[0]->reserve->expires_at_us);
    assert_int_equal(repeated->results[1]->settle->posted_milli, REPORT_MILLI / 2);
    caller_done(&caller);
    caller_done(&again);
}

static void test_submit_of_none_or_too_many_is_invalid(void **state)
{
    struct caller caller;
    Metercache__V1__SubmitResponse *reply = NULL;

    assert_status(submit(*state, &caller, &reply), &caller.err, ST_INVALID);
    assert_field(&caller.err, "operations");
    caller_done(&caller);
    for (int i = 0; i <= OPERATIONS; i++)
        add_reserve("clay.enrichment");
    assert_status(submit(*state, &caller, &reply), &caller.err, ST_INVALID);
    assert_field(&caller.err, "operations");
    caller_done(&caller);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

static int set_up(void **state)
{
    *state = stack_up("submit", SETTINGS);
    return 0;
}

static int tear_down(void **state)
{
    stack_down(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_submit_gives_a_result_for_each_in_order),
        TEST(test_submit_of_only_invalid_ones_answers_each),
        TEST(test_submit_beyond_a_limit_refuses_those_beyond_it),
        TEST(test_submit_again_gives_the_same_answers_and_costs_nothing),
        TEST(test_submit_of_none_or_too_many_is_invalid),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
