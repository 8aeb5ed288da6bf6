/* What a batch may hold before the database is asked. */
#include "support/test.h"

#include <string.h>

#include "core/base.h"
#include "ledger/ledger_messages_rpc.h"

#define KIND(name) METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_##name
#define NOW        1795300000000000LL

static struct arena arena;
static uint8_t id_bytes[16] = {1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10};
static uint8_t other_bytes[16] = {9, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10};
static uint8_t hash_bytes[16] = {7};

static ProtobufCBinaryData bytes(uint8_t *data, size_t size)
{
    return (ProtobufCBinaryData){size, data};
}

static Metercache__V1__LedgerEvent a_reserve(void)
{
    Metercache__V1__LedgerEvent event = METERCACHE__V1__LEDGER_EVENT__INIT;

    event.op_id = bytes(id_bytes, 16);
    event.kind = KIND(RESERVE);
    event.reservation_id = bytes(id_bytes, 16);
    event.meter = "modash.reports";
    event.period_start_us = NOW - 1000;
    event.amount_milli = 1000;
    event.at_us = NOW;
    event.expires_at_us = NOW + 1000;
    event.body_hash = bytes(hash_bytes, 16);
    event.limit_version = 3;
    event.endpoint = "select";
    return event;
}

static Metercache__V1__LedgerEvent a_settle(Metercache__V1__CallRecord *call)
{
    Metercache__V1__LedgerEvent event = a_reserve();

    metercache__v1__call_record__init(call);
    call->provider = "modash";
    call->user = "alice";
    call->outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    call->latency_us = 55;
    call->started_at_us = NOW;
    call->http_status = 200;
    event.kind = KIND(SETTLE);
    event.op_id = bytes(other_bytes, 16);
    event.expires_at_us = 0;
    event.released_milli = 1000;
    event.call = call;
    return event;
}

static enum status read_one(struct ledger_batch *out, Metercache__V1__LedgerEvent *event)
{
    Metercache__V1__CommitBatchRequest request = METERCACHE__V1__COMMIT_BATCH_REQUEST__INIT;
    struct error err;

    request.epoch = 1;
    request.batch = 1;
    request.at_us = NOW;
    request.n_events = event == NULL ? 0 : 1;
    request.events = &event;
    return ledger_messages_read_batch(out, &arena, &request, &err);
}

static void test_ledger_messages_read_batch_takes_a_sound_event_whole(void **state)
{
    (void)state;
    struct ledger_batch batch;
    Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    Metercache__V1__LedgerEvent event = a_reserve();
    purpose.provider = "modash";
    purpose.user = "alice";
    purpose.tenant = "acme";
    purpose.platform = METERCACHE__V1__PLATFORM__PLATFORM_TIKTOK;
    event.purpose = &purpose;
    assert_int_equal(read_one(&batch, &event), ST_OK);
    assert_int_equal(batch.event_count, 1);
    const struct ledger_event *read = &batch.events[0];
    assert_memory_equal(read->op_id.bytes, id_bytes, 16);
    assert_memory_equal(read->body_hash, hash_bytes, 16);
    assert_string_equal(read->meter, "modash.reports");
    assert_string_equal(read->purpose.tenant, "acme");
    assert_int_equal(read->purpose.platform, 2);
    assert_int_equal(read->limit_version, 3);
    assert_false(read->has_call);
}

static void test_ledger_messages_read_batch_purpose_comes_from_the_call_else(void **state)
{
    (void)state;
    struct ledger_batch batch;
    Metercache__V1__CallRecord call;
    Metercache__V1__LedgerEvent event = a_settle(&call);
    assert_int_equal(read_one(&batch, &event), ST_OK);
    assert_string_equal(batch.events[0].purpose.provider, "modash");
    assert_string_equal(batch.events[0].purpose.user, "alice");
    assert_true(batch.events[0].has_call);
    assert_int_equal(batch.events[0].call.latency_us, 55);
}

static void test_ledger_messages_read_batch_odd_call_details_do_not_stop_it(void **state)
{
    (void)state;
    struct ledger_batch batch;
    Metercache__V1__CallRecord call;
    Metercache__V1__LedgerEvent event = a_settle(&call);
    call.latency_us = UINT64_MAX;
    call.http_status = UINT32_MAX;
    call.started_at_us = INT64_MIN;
    call.outcome = (Metercache__V1__CallOutcome)4711;
    assert_int_equal(read_one(&batch, &event), ST_OK);
    const struct ledger_call *read = &batch.events[0].call;
    assert_true(read->latency_us > 0);
    assert_int_equal(read->http_status, 0);
    assert_int_equal(read->started_at_us, 0);
    assert_int_equal(read->outcome, METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_UNKNOWN);
}

static void spoil(int which, Metercache__V1__LedgerEvent *event)
{
    static Metercache__V1__CallRecord call = METERCACHE__V1__CALL_RECORD__INIT;

    switch (which) {
    case 0:
        event->op_id.len = 15;
        break;
    case 1:
        event->reservation_id = bytes(other_bytes, 16);
        break;
    case 2:
        event->kind = KIND(UNSPECIFIED);
        break;
    case 3:
        event->kind = (Metercache__V1__OperationKind)7;
        break;
    case 4:
        event->meter = "";
        break;
    case 5:
        event->period_start_us = 0;
        break;
    case 6:
        event->amount_milli = -1;
        break;
    case 7:
        event->amount_milli = INT64_MAX;
        break;
    case 8:
        event->released_milli = 1;
        break;
    case 9:
        event->expires_at_us = 0;
        break;
    case 10:
        event->body_hash.len = 15;
        break;
    case 11:
        event->call = &call; /* a hold is no call yet */
        break;
    case 12:
        event->at_us = INT64_MIN;
        break;
    case 13:
        event->kind = KIND(SETTLE); /* charged, and not in the log */
        event->expires_at_us = 0;
        break;
    default:
        event->limit_version = UINT64_MAX;
        break;
    }
}

static void test_ledger_messages_read_batch_unsound_event_is_invalid(void **state)
{
    (void)state;
    for (int which = 0; which < 15; which++) {
        struct ledger_batch batch;
        Metercache__V1__LedgerEvent event = a_reserve();

        spoil(which, &event);
        if (read_one(&batch, &event) != ST_INVALID)
            fail_msg("case %d is taken", which);
    }
}

static void test_ledger_messages_read_batch_too_many_events_are_invalid(void **state)
{
    (void)state;
    static Metercache__V1__LedgerEvent *events[LEDGER_STORE_EVENTS_MAX + 1];
    Metercache__V1__CommitBatchRequest request = METERCACHE__V1__COMMIT_BATCH_REQUEST__INIT;
    struct ledger_batch batch;
    struct error err;
    request.batch = 1;
    request.at_us = NOW;
    request.events = events;
    request.n_events = COUNT_OF(events);
    assert_int_equal(ledger_messages_read_batch(&batch, &arena, &request, &err),
                     ST_INVALID);
    assert_string_equal(err.field, "events");
    request.n_events = 0;
    request.batch = 0;
    assert_int_equal(ledger_messages_read_batch(&batch, &arena, &request, &err),
                     ST_INVALID);
    request.batch = UINT64_MAX;
    assert_int_equal(ledger_messages_read_batch(&batch, &arena, &request, &err),
                     ST_INVALID);
}

static void test_ledger_messages_read_batch_adjust_is_no_call(void **state)
{
    (void)state;
    struct ledger_batch batch;
    Metercache__V1__CallRecord call;
    Metercache__V1__LedgerEvent event = a_settle(&call);
    event.kind = KIND(ADJUST);
    event.released_milli = 0;
    event.amount_milli = -5;
    event.actor = "eve";
    event.note = "why";
    assert_int_equal(read_one(&batch, &event), ST_INVALID);
    event.call = NULL;
    assert_int_equal(read_one(&batch, &event), ST_OK);
    assert_string_equal(batch.events[0].actor, "eve");
    assert_string_equal(batch.events[0].note, "why");
    event.released_milli = 1;
    assert_int_equal(read_one(&batch, &event), ST_INVALID);
}

/* What a batch has beside its events: sound at first, then spoilt as `which` says. */
static enum status read_extras(struct ledger_batch *out, int which)
{
    Metercache__V1__CommitBatchRequest request = METERCACHE__V1__COMMIT_BATCH_REQUEST__INIT;
    Metercache__V1__Counter counter = METERCACHE__V1__COUNTER__INIT, *counters = &counter;
    Metercache__V1__Cooldown cell = METERCACHE__V1__COOLDOWN__INIT, *cells = &cell;
    Metercache__V1__Limit limit = METERCACHE__V1__LIMIT__INIT;
    Metercache__V1__LimitChange change = METERCACHE__V1__LIMIT_CHANGE__INIT,
                                *changes = &change;
    Metercache__V1__ThresholdCrossing alert = METERCACHE__V1__THRESHOLD_CROSSING__INIT,
                                      *alerts = &alert;
    static uint32_t percents[] = {50, 80};
    struct error err;

    request.batch = 1;
    request.at_us = NOW;
    counter.meter = cell.meter = limit.meter = alert.meter = "modash.reports";
    counter.scope = which == 1 ? 6 : 2;
    counter.subject = "ada";
    counter.period_start_us = alert.period_start_us = NOW;
    counter.period_end_us = alert.period_end_us = NOW + 1;
    counter.crossed_percent = which == 2 ? 101 : 50;
    cell.key = which == 3 ? "" : "talent-7";
    cell.until_us = which == 4 ? -1 : NOW;
    cell.reservation_id = bytes(id_bytes, which == 5 ? 15 : 16);
    limit.version = which == 6 ? 0 : 3;
    limit.scope = which == 7 ? 7 : 2;
    limit.mode = which == 8 ? 0 : 1;
    limit.set_at_us = NOW;
    limit.anchor_day = which == 9 ? 32 : 1;
    limit.threshold_percent = percents;
    limit.n_threshold_percent = 2;
    percents[1] = which == 10 ? 101 : 80;
    change.limit = which == 11 ? NULL : &limit;
    alert.kind = which == 12 ? 5 : 1;
    alert.at_us = which == 13 ? 0 : NOW;
    alert.percent = 50;
    request.n_counters = request.n_cooldowns = request.n_limits = request.n_alerts = 1;
    request.counters = &counters;
    request.cooldowns = &cells;
    request.limits = &changes;
    request.alerts = &alerts;
    return ledger_messages_read_batch(out, &arena, &request, &err);
}

static void test_ledger_messages_read_batch_checks_all_that_comes_with_events(void **state)
{
    (void)state;
    struct ledger_batch batch;
    assert_int_equal(read_extras(&batch, 0), ST_OK);
    assert_int_equal(batch.counters[0].scope, LEDGER_SCOPE_USER);
    assert_string_equal(batch.counters[0].subject, "ada");
    assert_string_equal(batch.cooldowns[0].key, "talent-7");
    assert_string_equal(batch.limits[0].thresholds, "{50,80}"); /* as the database says */
    assert_int_equal(batch.alerts[0].percent, 50);
    for (int which = 1; which <= 13; which++) {
        if (read_extras(&batch, which) != ST_INVALID)
            fail_msg("case %d is taken", which);
    }
}

static void test_ledger_messages_write_events_gives_back_what_was_read(void **state)
{
    (void)state;
    struct ledger_batch batch;
    Metercache__V1__CallRecord call;
    Metercache__V1__LedgerEvent event = a_settle(&call);
    assert_int_equal(read_one(&batch, &event), ST_OK);
    Metercache__V1__LedgerEvent **written =
        ledger_messages_write_events(&arena, batch.events, 1);
    assert_non_null(written);
    assert_int_equal(written[0]->kind, KIND(SETTLE));
    assert_int_equal(written[0]->op_id.len, 16);
    assert_memory_equal(written[0]->op_id.data, other_bytes, 16);
    assert_int_equal(written[0]->released_milli, 1000);
    assert_string_equal(written[0]->purpose->user, "alice");
    assert_int_equal(written[0]->call->credits_milli, 1000);
    assert_memory_equal(written[0]->call->op_id.data, id_bytes, 16);
    assert_string_equal(written[0]->call->meter, "modash.reports");
}

static int open_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_messages_read_batch_takes_a_sound_event_whole),
        cmocka_unit_test(test_ledger_messages_read_batch_purpose_comes_from_the_call_else),
        cmocka_unit_test(test_ledger_messages_read_batch_odd_call_details_do_not_stop_it),
        cmocka_unit_test(test_ledger_messages_read_batch_unsound_event_is_invalid),
        cmocka_unit_test(test_ledger_messages_read_batch_too_many_events_are_invalid),
        cmocka_unit_test(test_ledger_messages_read_batch_adjust_is_no_call),
        cmocka_unit_test(test_ledger_messages_read_batch_checks_all_that_comes_with_events),
        cmocka_unit_test(test_ledger_messages_write_events_gives_back_what_was_read),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
