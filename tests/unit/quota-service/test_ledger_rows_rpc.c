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
    batch.cooldown_count = 0;
    batch.limit_count = 0;
    batch.alert_count = 0;
    batch.published_count = 0;
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
    const char *texts[] = {"modash", "report", "select",  "42",
                           "ada",    "acme",   "/Select", "talent-7"};
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

    assert_int_equal(purpose_pack(&row.purpose, 1, PURPOSE_SCHEDULED, texts, &err), ST_OK);
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
 * latency; what the event says already is not repeated in the call. */
static void test_ledger_rows_settle_carries_the_call_log_row(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    const Metercache__V1__LedgerEvent *event;

    (void)state;
    batch.rows[0] = settle_row();
    batch.row_count = 1;
    write(&request);
    event = request.events[0];
    assert_memory_equal(event->reservation_id.data, batch.rows[0].reservation_id.bytes,
                        OP_ID_SIZE);
    assert_string_equal(event->purpose->provider, "modash");
    assert_string_equal(event->purpose->action, "report");
    assert_string_equal(event->purpose->reason, "select");
    assert_string_equal(event->purpose->creator, "42");
    assert_string_equal(event->purpose->user, "ada");
    assert_string_equal(event->meter, "modash.reports");
    assert_string_equal(event->endpoint, "/Select");
    assert_non_null(event->call);
    assert_string_equal(event->call->detail, "fine");
    assert_int_equal(event->call->credits_milli, 1500);
    assert_int_equal(event->call->latency_us, 1234);
    assert_int_equal(event->call->started_at_us, 5500000);
    assert_int_equal(event->call->http_status, 200);
    assert_int_equal(event->call->outcome, METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK);
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

/* All that a batch may carry beside its rows. */
static void fill_with_longest(void)
{
    batch.counter_count = COUNTERS_TOUCHED_MAX;
    for (size_t i = 0; i < batch.counter_count; i++) {
        batch.counters[i] = (struct quota_counter){.meter = 1,
                                                   .scope = LIMIT_ENDPOINT,
                                                   .period = {INT64_MAX / 2, INT64_MAX},
                                                   .limit_milli = LIMIT_AMOUNT_MAX,
                                                   .posted_milli = LIMIT_AMOUNT_MAX,
                                                   .subject_size = LIMIT_SUBJECT_MAX};
        memset(batch.counters[i].subject, 's', LIMIT_SUBJECT_MAX);
    }
    batch.cooldown_count = COOLDOWNS_TOUCHED_MAX;
    for (size_t i = 0; i < batch.cooldown_count; i++) {
        batch.cooldowns[i] = (struct cooldown){
            .meter = 1, .until_us = INT64_MAX, .key_size = COOLDOWN_KEY_MAX};
        memset(batch.cooldowns[i].key, 'k', COOLDOWN_KEY_MAX);
    }
    batch.limit_count = BATCH_LIMITS_MAX;
    for (size_t i = 0; i < batch.limit_count; i++) {
        memset(&batch.limits[i], 0, sizeof(batch.limits[i]));
        memset(batch.limits[i].subject, 's', LIMIT_SUBJECT_MAX);
        memset(batch.limits[i].set_by, 'b', LIMIT_NAME_MAX);
        memset(batch.limits[i].reason, 'r', LIMIT_REASON_MAX);
    }
    batch.alert_count = BATCH_ALERTS_MAX;
    batch.published_count = BATCH_PUBLISHED_MAX;
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
        assert_int_equal(purpose_pack(&batch.rows[i].purpose, 1, 0, texts, &err), ST_OK);
        memset(batch.rows[i].call.detail, 'd', CALL_DETAIL_MAX);
    }
    batch.row_count = BATCH_BYTES_MAX / (600 + 3u * batch.rows[0].purpose.size);
    fill_with_longest();
    write(&request);
    packed_size = metercache__v1__commit_batch_request__get_packed_size(&request);
    assert_in_range(packed_size, BATCH_BYTES_MAX / 2, 1000 * 1024);
}

static void test_ledger_rows_flags_and_admins_words_come_along(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    struct quota_row back;
    const char *key;

    (void)state;
    batch.rows[0] = settle_row();
    batch.rows[0].kind = QUOTA_CORRECT;
    (void)snprintf(batch.rows[0].actor, sizeof(batch.rows[0].actor), "eve");
    (void)snprintf(batch.rows[0].note, sizeof(batch.rows[0].note), "the bill says so");
    batch.row_count = 1;
    write(&request);
    assert_true(request.events[0]->is_scheduled);
    assert_string_equal(request.events[0]->cooldown_key, "talent-7");
    assert_string_equal(request.events[0]->actor, "eve");
    assert_string_equal(request.events[0]->note, "the bill says so");
    assert_true(ledger_rows_read(&back, request.events[0]));
    assert_true(purpose_has(&back.purpose, PURPOSE_SCHEDULED));
    assert_int_equal(purpose_text(&back.purpose, PURPOSE_cooldown_key, &key), 8);
    assert_int_equal(back.call.outcome, 1);
}

static void test_ledger_rows_adjust_has_no_call(void **state)
{
    Metercache__V1__CommitBatchRequest request;

    (void)state;
    batch.rows[0] = settle_row();
    batch.rows[0].kind = QUOTA_ADJUST;
    batch.row_count = 1;
    write(&request);
    assert_null(request.events[0]->call);
}

static void test_ledger_rows_counter_and_cooldown_come_back_as_they_were(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    struct quota_counter counter;
    struct cooldown cell;

    (void)state;
    batch.counters[0] = (struct quota_counter){.meter = 2,
                                               .scope = LIMIT_USER,
                                               .period = {10, 20},
                                               .limit_milli = LIMIT_NONE,
                                               .posted_milli = 30,
                                               .held_milli = 40,
                                               .overage_milli = 5,
                                               .crossed_percent = 80,
                                               .soft_passed = true,
                                               .subject_size = 3,
                                               .subject = "ada"};
    batch.counter_count = 1;
    batch.cooldowns[0] = (struct cooldown){.meter = 1,
                                           .until_us = 77,
                                           .reservation_id = op_id_make(4000000, 3, 4),
                                           .key_size = 2,
                                           .key = "k1"};
    batch.cooldown_count = 1;
    write(&request);
    assert_true(ledger_rows_read_counter(&counter, request.counters[0]));
    assert_memory_equal(&counter, &batch.counters[0], sizeof(counter));
    assert_true(ledger_rows_read_cooldown(&cell, request.cooldowns[0]));
    assert_int_equal(cell.meter, 1);
    assert_int_equal(cell.until_us, 77);
    assert_int_equal(cell.key_size, 2);
    assert_memory_equal(cell.key, "k1", 2);
    assert_true(op_id_equal(&cell.reservation_id, &batch.cooldowns[0].reservation_id));
}

static void test_ledger_rows_limit_and_alert_come_back_as_they_were(void **state)
{
    Metercache__V1__CommitBatchRequest request;
    struct limit_rule rule;
    struct quota_alert alert;

    (void)state;
    batch.limits[0] = (struct limit_rule){.scope = LIMIT_COOLDOWN,
                                          .mode = LIMIT_SHADOW,
                                          .meter = 2,
                                          .amount_milli = 12,
                                          .cooldown_us = 3600000000,
                                          .anchor_day = 15,
                                          .threshold_count = 2,
                                          .thresholds = {50, 90},
                                          .is_removed = true,
                                          .version = 9,
                                          .set_at_us = 1234,
                                          .subject_size = 2,
                                          .subject = "k1",
                                          .set_by = "eve",
                                          .reason = "why"};
    batch.limit_count = 1;
    batch.alerts[0] = (struct quota_alert){.kind = QUOTA_ALERT_OVERAGE,
                                           .meter = 1,
                                           .period = {1, 2},
                                           .percent = 3,
                                           .at_us = 4,
                                           .limit_milli = 5,
                                           .posted_milli = 6,
                                           .held_milli = 7,
                                           .amount_milli = 8,
                                           .sequence = 9};
    batch.alert_count = 1;
    write(&request);
    assert_true(ledger_rows_read_limit(&rule, request.limits[0]));
    assert_memory_equal(&rule, &batch.limits[0], sizeof(rule));
    assert_true(ledger_rows_read_alert(&alert, request.alerts[0]));
    assert_memory_equal(&alert, &batch.alerts[0], sizeof(alert));
}

static void test_ledger_rows_read_limit_of_unknown_kind_is_skipped(void **state)
{
    Metercache__V1__Limit limit = METERCACHE__V1__LIMIT__INIT;
    Metercache__V1__LimitChange change = METERCACHE__V1__LIMIT_CHANGE__INIT;
    struct limit_rule rule;

    (void)state;
    assert_false(ledger_rows_read_limit(&rule, &change)); /* no limit in it */
    change.limit = &limit;
    limit.meter = (char *)(uintptr_t) "modash.reports";
    limit.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER;
    limit.mode = METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_HARD;
    assert_true(ledger_rows_read_limit(&rule, &change));
    limit.scope = (Metercache__V1__LimitScope)7;
    assert_false(ledger_rows_read_limit(&rule, &change));
    limit.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER;
    limit.mode = METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_UNSPECIFIED;
    assert_false(ledger_rows_read_limit(&rule, &change));
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
        TEST(test_ledger_rows_adjust_has_no_call),
        TEST(test_ledger_rows_flags_and_admins_words_come_along),
        TEST(test_ledger_rows_counter_and_cooldown_come_back_as_they_were),
        TEST(test_ledger_rows_limit_and_alert_come_back_as_they_were),
        TEST(test_ledger_rows_read_limit_of_unknown_kind_is_skipped),
        TEST(test_ledger_rows_fullest_batch_fits_its_arena_and_a_frame),
        TEST(test_ledger_rows_read_unknown_meter_or_bad_id_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
