/* Rows and counters over the wire and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/mem.h"
#include "ledger_rows_rpc.h"
#include "quota_core.h"

static struct quota_batch batch;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    batch.rows = mem_alloc_array(BATCH_ROWS_MAX, sizeof(*batch.rows));
    batch.row_count = 0;
    batch.counter_count = 0;
    arena_init(&arena, LEDGER_ROWS_ARENA_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    mem_free(batch.rows);
    return 0;
}

static struct quota_row settle_row(void)
{
    const char *texts[] = {"modash", "report", "select", "42", "ada", "acme", "/Select"};
    struct quota_row row = {.op_id = op_id_make(5000000, 1, 2),
                            .reservation_id = op_id_make(4000000, 3, 4),
                            .body_hash = {1, 2, 3},
                            .kind = QUOTA_SETTLE,
                            .meter = 1,
                            .period_start_us = 1000,
                            .amount_milli = 1500,
                            .released_milli = 1000,
                            .overage_milli = 500,
                            .at_us = 6000000,
                            .limit_version = 7,
                            .call = {.outcome = 1,
                                     .http_status = 200,
                                     .started_at_us = 5500000,
                                     .latency_us = 1234,
                                     .detail = "fine"}};
    struct error err;

    assert_int_equal(purpose_pack(&row.purpose, 1, texts, &err), ST_OK);
    return row;
}

static void write(Metercache__V1__CommitBatchRequest *request)
{
    metercache__v1__commit_batch_request__init(request);
    ledger_rows_write(request, &batch, &arena);
}

static void test_ledger_rows_come_back_as_they_were(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    struct quota_row back;

    (void)state;
    batch.rows[0] = settle_row();
    batch.row_count = 1;
    write(&request);
    assert_int_equal(request.n_events, 1);
    memset(&back, 0, sizeof(back));
    assert_true(ledger_rows_read(&back, request.events[0]));
    assert_true(op_id_equal(&back.op_id, &batch.rows[0].op_id));
    assert_true(op_id_equal(&back.reservation_id, &batch.rows[0].reservation_id));
    assert_memory_equal(back.body_hash, batch.rows[0].body_hash, sizeof(back.body_hash));
    assert_int_equal(back.kind, QUOTA_SETTLE);
    assert_int_equal(back.meter, 1);
    assert_int_equal(back.amount_milli, 1500);
    assert_int_equal(back.released_milli, 1000);
    assert_int_equal(back.overage_milli, 500);
    assert_int_equal(back.purpose.size, batch.rows[0].purpose.size);
    assert_memory_equal(back.purpose.bytes, batch.rows[0].purpose.bytes, back.purpose.size);
}

/* C7: the call log has provider, action, reason, creator, user, time, outcome, credits and
 * latency. */
static void test_ledger_rows_settle_carries_the_call_log_row(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    const Metercache__V1__CallRecord *call;

    (void)state;
    batch.rows[0] = settle_row();
    batch.row_count = 1;
    write(&request);
    call = request.events[0]->call;
    assert_non_null(call);
    assert_memory_equal(call->op_id.data, batch.rows[0].reservation_id.bytes, OP_ID_SIZE);
    assert_string_equal(call->provider, "modash");
    assert_string_equal(call->action, "report");
    assert_string_equal(call->reason, "select");
    assert_string_equal(call->creator, "42");
    assert_string_equal(call->user, "ada");
    assert_string_equal(call->meter, "modash.reports");
    assert_string_equal(call->detail, "fine");
    assert_int_equal(call->credits_milli, 1500);
    assert_int_equal(call->latency_us, 1234);
    assert_int_equal(call->started_at_us, 5500000);
    assert_int_equal(call->outcome, METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK);
    assert_string_equal(request.events[0]->endpoint, "/Select");
}

static void test_ledger_rows_reserve_has_no_call(void **state)
{
    Metercache__V1__CommitBatchRequest request;

    (void)state;
    batch.rows[0] = settle_row();
    batch.rows[0].kind = QUOTA_RESERVE;
    batch.row_count = 1;
    write(&request);
    assert_null(request.events[0]->call);
}

static void test_ledger_rows_fullest_batch_fits_its_arena_and_a_frame(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    char longest[PURPOSE_SIZE_MAX];
    const char *texts[PURPOSE_TEXT_COUNT];
    struct error err;

    size_t packed_size;

    (void)state;
#define PURPOSE_LONGEST(name, limit) \
    texts[PURPOSE_##name] = longest + sizeof(longest) - 1 - (limit);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    PURPOSE_TEXTS(PURPOSE_LONGEST)
    for (size_t i = 0; i < BATCH_ROWS_MAX; i++) {
        batch.rows[i] = settle_row();
        assert_int_equal(purpose_pack(&batch.rows[i].purpose, 1, texts, &err), ST_OK);
        memset(batch.rows[i].call.detail, 'd', CALL_DETAIL_MAX);
    }
    batch.row_count = BATCH_BYTES_MAX / (600 + 2u * batch.rows[0].purpose.size);
    batch.counter_count = COUNTERS_MAX;
    memset(batch.counters, 0, sizeof(batch.counters));
    write(&request);
    packed_size = metercache__v1__commit_batch_request__get_packed_size(&request);
    assert_in_range(packed_size, BATCH_BYTES_MAX / 2, 1000 * 1024);
}

static void test_ledger_rows_read_unknown_meter_or_bad_id_is_skipped(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    Metercache__V1__Counter counter = METERCACHE__V1__COUNTER__INIT;
    struct quota_counter ours;
    struct quota_row back;

    (void)state;
    batch.rows[0] = settle_row();
    batch.row_count = 1;
    write(&request);
    request.events[0]->op_id.len = 15;
    assert_false(ledger_rows_read(&back, request.events[0]));
    request.events[0]->op_id.len = 16;
    request.events[0]->meter = (char *)(uintptr_t) "gone";
    assert_false(ledger_rows_read(&back, request.events[0]));
    counter.meter = (char *)(uintptr_t) "gone";
    assert_false(ledger_rows_read_counter(&ours, &counter));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_ledger_rows_come_back_as_they_were),
        TEST(test_ledger_rows_settle_carries_the_call_log_row),
        TEST(test_ledger_rows_reserve_has_no_call),
        TEST(test_ledger_rows_fullest_batch_fits_its_arena_and_a_frame),
        TEST(test_ledger_rows_read_unknown_meter_or_bad_id_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
