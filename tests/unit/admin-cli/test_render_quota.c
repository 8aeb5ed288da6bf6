/* Budgets as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/op_id.h"
#include "render_quota.h"

#define DEC_US 1796083200000000LL

static char *text;
static size_t text_size;

static FILE *start(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &text_size);
}

static int teardown(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static ProtobufCBinaryData bytes_of(struct op_id *id)
{
    return (ProtobufCBinaryData){OP_ID_SIZE, id->bytes};
}

/* C6: usage can be read. */
static void test_render_quota_usage_in_credits_and_units(void **state)
{
    (void)state;
    Metercache__V1__MeterState meter = METERCACHE__V1__METER_STATE__INIT, *meters = &meter;
    Metercache__V1__GetUsageResponse reply = METERCACHE__V1__GET_USAGE_RESPONSE__INIT;
    FILE *out = start();

    meter.meter = "modash.discovery";
    meter.limit_milli = 1400000;
    meter.posted_milli = 300;
    meter.held_milli = 150;
    meter.left_milli = 1399550;
    meter.period_end_us = 1796083200000000;
    meter.unit = "result";
    meter.unit_price_milli = 10;
    meter.overage_milli = 20;
    reply.meters = &meters;
    reply.n_meters = 1;
    render_quota_usage(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "modash.discovery  1400.000  0.300  0.150  1399.550  "
                                 "2026-12-01T00:00:00Z  30 of 140000 results\n"));
    assert_non_null(strstr(text, "modash.discovery: 0.020 credits beyond"));
}

/* What the meter bears: soft limit, forecast. */
static void test_render_quota_usage_shows_soft_limit_and_forecast(void **state)
{
    (void)state;
    Metercache__V1__MeterState meter = METERCACHE__V1__METER_STATE__INIT, *meters = &meter;
    Metercache__V1__Forecast forecast = METERCACHE__V1__FORECAST__INIT;
    Metercache__V1__GetUsageResponse reply = METERCACHE__V1__GET_USAGE_RESPONSE__INIT;
    FILE *out = start();

    meter.meter = "modash.reports";
    meter.limit_milli = 1400000;
    meter.posted_milli = 900000;
    meter.soft_limit_milli = 800000;
    meter.period_end_us = DEC_US;
    meter.forecast = &forecast;
    forecast.exhausted_at_p90_us = DEC_US - 86400000000;
    forecast.safe_daily_milli = 83333;
    forecast.burn_rate_ppm = 1250000;
    reply.meters = &meters;
    reply.n_meters = 1;
    render_quota_usage(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "modash.reports: soft limit 800.000 credits, passed\n"));
    assert_non_null(
        strstr(text, "\nFORECAST        SPENT BY (P50)  SPENT BY (P90)        SAFE A DAY  "
                     "BURN RATE\n"
                     "modash.reports  -               2026-11-30T00:00:00Z      83.333    "
                     "125.00%\n"));
}

static void test_render_quota_usage_without_forecast_says_nothing_of_it(void **state)
{
    (void)state;
    Metercache__V1__MeterState meter = METERCACHE__V1__METER_STATE__INIT, *meters = &meter;
    Metercache__V1__GetUsageResponse reply = METERCACHE__V1__GET_USAGE_RESPONSE__INIT;
    FILE *out = start();

    meter.soft_limit_milli = -1;
    reply.meters = &meters;
    reply.n_meters = 1;
    render_quota_usage(out, &reply);
    fclose(out);
    assert_null(strstr(text, "FORECAST"));
    assert_null(strstr(text, "soft limit"));
}

static void test_render_quota_usage_of_users_names_them(void **state)
{
    (void)state;
    Metercache__V1__MeterState meter = METERCACHE__V1__METER_STATE__INIT, *meters = &meter;
    Metercache__V1__GetUsageResponse reply = METERCACHE__V1__GET_USAGE_RESPONSE__INIT;
    FILE *out = start();

    meter.meter = "modash.reports";
    meter.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER;
    meter.subject = "alice";
    meter.posted_milli = 3000;
    meter.soft_limit_milli = -1;
    reply.meters = &meters;
    reply.n_meters = 1;
    render_quota_usage(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "METER           SCOPE  SUBJECT  LIMIT  SPENT"));
    assert_non_null(strstr(text, "modash.reports  user   alice    0.000  3.000"));
}

static void test_render_quota_history_sums_its_days(void **state)
{
    (void)state;
    Metercache__V1__UsageDay one = METERCACHE__V1__USAGE_DAY__INIT;
    Metercache__V1__UsageDay two = METERCACHE__V1__USAGE_DAY__INIT;
    Metercache__V1__UsageDay *days[] = {&one, &two};
    Metercache__V1__GetUsageHistoryResponse reply =
        METERCACHE__V1__GET_USAGE_HISTORY_RESPONSE__INIT;
    FILE *out = start();

    one.day_at_us = DEC_US;
    one.posted_milli = 1500;
    one.calls = 10;
    two.day_at_us = DEC_US + 86400000000;
    two.posted_milli = -250; /* corrected */
    reply.days = days;
    reply.n_days = 2;
    render_quota_history(out, &reply);
    fclose(out);
    assert_string_equal(text, "DAY          SPENT  CALLS\n"
                              "2026-12-01   1.500     10\n"
                              "2026-12-02  -0.250      0\n"
                              "\n1.250 credits, 10 calls\n");
}

static void test_render_quota_operation_and_those_of_its_reservation(void **state)
{
    (void)state;
    struct op_id reserve_id = op_id_make(1796083200000000, 1, 2);
    struct op_id settle_id = op_id_make(1796083201000000, 3, 4);
    Metercache__V1__Operation settle = METERCACHE__V1__OPERATION__INIT;
    Metercache__V1__Operation reserve = METERCACHE__V1__OPERATION__INIT;
    Metercache__V1__Operation *related = &reserve;
    Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    Metercache__V1__CallRecord call = METERCACHE__V1__CALL_RECORD__INIT;
    Metercache__V1__GetOperationResponse reply =
        METERCACHE__V1__GET_OPERATION_RESPONSE__INIT;
    char id[OP_ID_TEXT_SIZE], line[128];
    FILE *out = start();

    purpose.provider = "modash";
    purpose.reason = "select";
    purpose.user = "alice";
    call.outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    call.latency_us = 42100;
    settle.op_id = bytes_of(&settle_id);
    settle.reservation_id = reserve.op_id = reserve.reservation_id = bytes_of(&reserve_id);
    settle.kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_SETTLE;
    settle.meter = "modash.reports";
    settle.amount_milli = 1000;
    settle.at_us = DEC_US;
    settle.purpose = &purpose;
    settle.call = &call;
    reserve.kind = METERCACHE__V1__OPERATION_KIND__OPERATION_KIND_RESERVE;
    reply.operation = &settle;
    reply.related = &related;
    reply.n_related = 1;
    render_quota_related(out, &reply);
    fclose(out);
    op_id_format(id, &settle_id);
    snprintf(line, sizeof(line), "op id          %s\n", id);
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "kind           settle\n"));
    assert_non_null(strstr(text, "credits        1.000\n"));
    assert_non_null(strstr(text, "called for     select\n"));
    assert_non_null(strstr(text, "outcome        ok\n"));
    assert_null(strstr(text, "overage"));
    assert_null(strstr(text, "lapses at"));
    op_id_format(id, &reserve_id);
    snprintf(line, sizeof(line), "-   reserve  %s    0.000     0.000  -\n", id);
    assert_non_null(strstr(text, line));
}

static void test_render_quota_unknown_names_what_correct_wants(void **state)
{
    (void)state;
    struct op_id id = op_id_make(DEC_US, 1, 2);
    Metercache__V1__Operation lapse = METERCACHE__V1__OPERATION__INIT, *operations = &lapse;
    Metercache__V1__CallRecord call = METERCACHE__V1__CALL_RECORD__INIT;
    Metercache__V1__PageResponse page = METERCACHE__V1__PAGE_RESPONSE__INIT;
    Metercache__V1__ListUnknownResponse reply = METERCACHE__V1__LIST_UNKNOWN_RESPONSE__INIT;
    char wanted[OP_ID_TEXT_SIZE];
    FILE *out = start();

    lapse.reservation_id = bytes_of(&id);
    lapse.meter = "modash.reports";
    lapse.amount_milli = 1000;
    lapse.call = &call;
    call.outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_LAPSED;
    page.next_page_token = "abc";
    reply.operations = &operations;
    reply.n_operations = 1;
    reply.page = &page;
    render_quota_unknown(out, &reply);
    fclose(out);
    op_id_format(wanted, &id);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, "  modash.reports    1.000  lapsed   -"));
    assert_non_null(strstr(text, "more: --page-token abc\n"));
}

static void test_render_quota_limits_say_for_whom_and_by_whom(void **state)
{
    (void)state;
    Metercache__V1__Limit meter = METERCACHE__V1__LIMIT__INIT;
    Metercache__V1__Limit cooldown = METERCACHE__V1__LIMIT__INIT;
    Metercache__V1__Limit *limits[] = {&meter, &cooldown};
    uint32_t percents[] = {50, 80, 95, 100};
    FILE *out = start();

    meter.meter = cooldown.meter = "modash.reports";
    meter.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER;
    meter.mode = METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_HARD;
    meter.limit_milli = 1400000;
    meter.anchor_day = 31;
    meter.threshold_percent = percents;
    meter.n_threshold_percent = COUNT_OF(percents);
    cooldown.scope = METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN;
    cooldown.mode = METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SHADOW;
    cooldown.cooldown_ms = 5400000;
    cooldown.version = 3;
    cooldown.set_at_us = DEC_US;
    cooldown.set_by = "admin";
    cooldown.reason = "be kind";
    render_quota_limits(out, limits, 2);
    fclose(out);
    assert_string_equal(
        text, "METER           SCOPE     SUBJECT  MODE     CREDITS  ANCHOR DAY  COOLDOWN  "
              "THRESHOLDS    VERSION  SET AT                BY        REASON\n"
              "modash.reports  meter     -        hard    1400.000          31         -  "
              "50,80,95,100        0  -                     settings  \n"
              "modash.reports  cooldown  each     shadow         -           -       90m  "
              "-                   3  2026-12-01T00:00:00Z  admin     be kind\n");
}

static void test_render_quota_alerts_name_the_threshold_or_the_amount(void **state)
{
    (void)state;
    Metercache__V1__ThresholdCrossing crossed = METERCACHE__V1__THRESHOLD_CROSSING__INIT;
    Metercache__V1__ThresholdCrossing over = METERCACHE__V1__THRESHOLD_CROSSING__INIT;
    Metercache__V1__ThresholdCrossing *alerts[] = {&over, &crossed};
    Metercache__V1__ListThresholdsResponse reply =
        METERCACHE__V1__LIST_THRESHOLDS_RESPONSE__INIT;
    FILE *out = start();

    crossed.meter = over.meter = "modash.reports";
    crossed.at_us = over.at_us = DEC_US;
    crossed.kind = METERCACHE__V1__ALERT_KIND__ALERT_KIND_THRESHOLD;
    crossed.percent = 80;
    crossed.posted_milli = 700;
    crossed.held_milli = 100;
    crossed.limit_milli = 1000;
    over.kind = METERCACHE__V1__ALERT_KIND__ALERT_KIND_OVERAGE;
    over.amount_milli = 20;
    reply.crossings = alerts;
    reply.n_crossings = 2;
    render_quota_alerts(out, &reply);
    fclose(out);
    assert_non_null(strstr(text, "modash.reports  overage         0.020  0.000  0.000"));
    assert_non_null(
        strstr(text, "modash.reports  threshold 80%       -  0.700  0.100  1.000  -\n"));
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_render_quota_usage_in_credits_and_units),
        TEST(test_render_quota_usage_shows_soft_limit_and_forecast),
        TEST(test_render_quota_usage_without_forecast_says_nothing_of_it),
        TEST(test_render_quota_usage_of_users_names_them),
        TEST(test_render_quota_history_sums_its_days),
        TEST(test_render_quota_operation_and_those_of_its_reservation),
        TEST(test_render_quota_unknown_names_what_correct_wants),
        TEST(test_render_quota_limits_say_for_whom_and_by_whom),
        TEST(test_render_quota_alerts_name_the_threshold_or_the_amount),
    };

    return cmocka_run_group_tests_name("render_quota", tests, NULL, NULL);
}
