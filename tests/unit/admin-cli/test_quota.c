/* What the quota commands ask for, at a service that notes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "core/clock.h"
#include "core/op_id.h"
#include "core/thread.h"
#include "metercache/v1/quota.pb-c.h"
#include "support/rpc_loopback.h"

#define DAY_US   (86400LL * CLOCK_US_PER_SECOND)
#define ID_TEXT  "01a211b3-f279-764d-9bae-116b27236e5a"
#define PARTS    3 /* of a check of the ledger */
#define PART_ROW 10

/* ---- the service ----------------------------------------------------------------------- */

/* What it was asked last. */
static struct {
    pthread_mutex_t mutex;
    int64_t amount_milli, from_us, until_us;
    struct op_id op_id, reservation_id;
    char meter[64], subject[64], reason[64];
    int scope, mode;
    uint32_t anchor_day, percents[8];
    size_t percent_count;
    uint64_t cooldown_ms;
    bool remove;
    unsigned verified; /* parts */

    unsigned fault_in_part; /* 0: none */
    bool is_stuck;
} seen;

static void note_text(char out[64], const char *text)
{
    (void)snprintf(out, 64, "%s", text);
}

static enum status get_usage_history(struct rpc_call *call, const void *in, void *out,
                                     struct error *err)
{
    const Metercache__V1__GetUsageHistoryRequest *request = in;

    (void)call;
    (void)out;
    (void)err;
    mutex_lock(&seen.mutex);
    note_text(seen.meter, request->meter);
    seen.from_us = request->from_us;
    seen.until_us = request->until_us;
    mutex_unlock(&seen.mutex);
    return ST_OK;
}

static enum status correct_unknown(struct rpc_call *call, const void *in, void *out,
                                   struct error *err)
{
    const Metercache__V1__CorrectUnknownRequest *request = in;

    (void)call;
    (void)out;
    (void)err;
    mutex_lock(&seen.mutex);
    (void)!op_id_from_bytes(&seen.op_id, request->op_id.data, request->op_id.len);
    (void)!op_id_from_bytes(&seen.reservation_id, request->reservation_id.data,
                            request->reservation_id.len);
    seen.amount_milli = request->actual_milli;
    note_text(seen.reason, request->reason);
    mutex_unlock(&seen.mutex);
    return ST_OK;
}

static enum status adjust_meter(struct rpc_call *call, const void *in, void *out,
                                struct error *err)
{
    const Metercache__V1__AdjustMeterRequest *request = in;
    Metercache__V1__AdjustMeterResponse *reply = out;

    (void)err;
    mutex_lock(&seen.mutex);
    (void)!op_id_from_bytes(&seen.op_id, request->op_id.data, request->op_id.len);
    seen.amount_milli = request->amount_milli;
    note_text(seen.meter, request->meter);
    note_text(seen.reason, request->reason);
    mutex_unlock(&seen.mutex);
    reply->meter = arena_alloc(call->arena, sizeof(*reply->meter));
    metercache__v1__meter_state__init(reply->meter);
    reply->meter->meter = request->meter;
    reply->meter->posted_milli = 4242;
    return ST_OK;
}

static enum status set_limit(struct rpc_call *call, const void *in, void *out,
                             struct error *err)
{
    const Metercache__V1__SetLimitRequest *request = in;
    const Metercache__V1__Limit *limit = request->limit;
    Metercache__V1__SetLimitResponse *reply = out;

    (void)call;
    (void)err;
    mutex_lock(&seen.mutex);
    note_text(seen.meter, limit->meter);
    note_text(seen.subject, limit->subject);
    note_text(seen.reason, request->reason);
    seen.scope = (int)limit->scope;
    seen.mode = (int)limit->mode;
    seen.amount_milli = limit->limit_milli;
    seen.anchor_day = limit->anchor_day;
    seen.cooldown_ms = limit->cooldown_ms;
    seen.percent_count = limit->n_threshold_percent;
    for (size_t i = 0; i < limit->n_threshold_percent && i < COUNT_OF(seen.percents); i++)
        seen.percents[i] = limit->threshold_percent[i];
    seen.remove = request->remove;
    mutex_unlock(&seen.mutex);
    reply->limit = request->limit;
    return ST_OK;
}

/* In PARTS parts. */
static enum status verify_ledger(struct rpc_call *call, const void *in, void *out,
                                 struct error *err)
{
    const Metercache__V1__VerifyLedgerRequest *request = in;
    Metercache__V1__VerifyLedgerResponse *reply = out;

    (void)call;
    (void)err;
    mutex_lock(&seen.mutex);
    seen.verified++;
    reply->consistent = seen.verified != seen.fault_in_part;
    if (!reply->consistent)
        reply->first_fault = (char *)"batch 17: its hash is another";
    reply->events = 100;
    reply->batches = 10;
    reply->counters = 3;
    if (seen.verified < PARTS)
        reply->next_batch = seen.is_stuck ? PART_ROW : request->from_batch + PART_ROW;
    mutex_unlock(&seen.mutex);
    return ST_OK;
}

// clang-format off
#define QUOTA &metercache__v1__quota_service__descriptor
static const struct rpc_method METHODS[] = {
    {QUOTA, "GetUsageHistory", RPC_ROLES_ANY,  0, get_usage_history},
    {QUOTA, "CorrectUnknown",  RPC_ROLE_ADMIN, 0, correct_unknown},
    {QUOTA, "AdjustMeter",     RPC_ROLE_ADMIN, 0, adjust_meter},
    {QUOTA, "SetLimit",        RPC_ROLE_ADMIN, 0, set_limit},
    {QUOTA, "VerifyLedger",    RPC_ROLE_ADMIN, 0, verify_ledger},
    {.service = NULL},
};
// clang-format on

/* ---- the fixture ----------------------------------------------------------------------- */

static struct loopback loopback;
static char *printed, *diagnostics;

static int set_up(void **state)
{
    static const struct rpc_method *const tables[] = {METHODS};
    struct rpc_server_options options;

    (void)state;
    memset(&seen, 0, sizeof(seen));
    mutex_init(&seen.mutex);
    loopback_init(&loopback);
    options = loopback_options(&loopback);
    options.tables = tables;
    options.table_count = COUNT_OF(tables);
    loopback_open(&loopback, &options, "admin:root");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loopback_close(&loopback);
    mutex_done(&seen.mutex);
    free(printed);
    free(diagnostics);
    printed = diagnostics = NULL;
    return 0;
}

/* `metercache quota WORDS`, ended by NULL; the exit status. */
static int run(char *const *words)
{
    char *const environment[] = {(char *)"METERCACHE_TOKEN=admin:root", NULL};
    char *argv[24] = {(char *)"metercache", (char *)"--quota-endpoint",
                      (char *)rpc_server_url(loopback.server), (char *)"quota"};
    int argc = 4, status;
    size_t size;
    FILE *out, *err;

    free(printed);
    free(diagnostics);
    out = open_memstream(&printed, &size);
    err = open_memstream(&diagnostics, &size);
    for (size_t i = 0; words[i] != NULL; i++)
        argv[argc++] = words[i];
    status = cli_run(&COMMANDS, argc, argv, environment, out, err);
    fclose(out);
    fclose(err);
    return status;
}

#define QUOTA_RUN(...) run((char *const[]){__VA_ARGS__, NULL})

/* ---- tests ----------------------------------------------------------------------------- */

static void test_quota_history_asks_for_so_many_days_with_today(void **state)
{
    int64_t today_us = clock_wall_us() - clock_wall_us() % DAY_US;

    (void)state;
    assert_int_equal(QUOTA_RUN("history", "modash.reports"), 0);
    assert_int_equal((seen.until_us - seen.from_us) / DAY_US, 30);
    assert_in_range(seen.until_us, today_us + DAY_US, today_us + 2 * DAY_US);
    assert_int_equal(seen.until_us % DAY_US, 0);
    assert_string_equal(seen.meter, "modash.reports");
    assert_int_equal(QUOTA_RUN("history", "--last", "25h"), 0);
    assert_int_equal((seen.until_us - seen.from_us) / DAY_US, 2);
    assert_int_equal(QUOTA_RUN("history", "--last", "400d"), 0);
    assert_int_equal((seen.until_us - seen.from_us) / DAY_US, 400);
}

static void test_quota_correct_and_adjust_make_an_op_id_or_take_one(void **state)
{
    char text[OP_ID_TEXT_SIZE];
    struct op_id first;

    (void)state;
    assert_int_equal(QUOTA_RUN("correct", ID_TEXT, "0.15", "--reason", "bill"), 0);
    op_id_format(text, &seen.reservation_id);
    assert_string_equal(text, ID_TEXT);
    assert_int_equal(seen.amount_milli, 150);
    assert_string_equal(seen.reason, "bill");
    assert_true(op_id_is_v7(&seen.op_id));
    first = seen.op_id;
    assert_int_equal(QUOTA_RUN("adjust", "modash.reports", "-2.5", "--reason", "bill"), 0);
    assert_int_equal(seen.amount_milli, -2500);
    assert_string_equal(seen.meter, "modash.reports");
    assert_true(op_id_is_v7(&seen.op_id));
    assert_false(op_id_equal(&seen.op_id, &first));
    assert_non_null(strstr(printed, "4.242"));
    assert_int_equal(QUOTA_RUN("adjust", "m", "1", "--reason", "bill", "--op-id", ID_TEXT),
                     0);
    op_id_format(text, &seen.op_id);
    assert_string_equal(text, ID_TEXT);
}

static void test_quota_limit_set_and_remove_name_the_rule(void **state)
{
    (void)state;
    assert_int_equal(QUOTA_RUN("limit", "set", "modash.reports", "--scope", "meter",
                               "--credits", "1200.5", "--anchor-day", "15", "--thresholds",
                               "60,90", "--reason", "new plan"),
                     0);
    assert_string_equal(seen.meter, "modash.reports");
    assert_int_equal(seen.scope, METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER);
    assert_int_equal(seen.mode, METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_HARD);
    assert_int_equal(seen.amount_milli, 1200500);
    assert_int_equal(seen.anchor_day, 15);
    assert_int_equal(seen.percent_count, 2);
    assert_int_equal(seen.percents[0], 60);
    assert_int_equal(seen.percents[1], 90);
    assert_false(seen.remove);
    assert_string_equal(seen.reason, "new plan");
    assert_non_null(strstr(printed, "1200.500"));
    assert_int_equal(QUOTA_RUN("limit", "set", "modash.reports", "--scope", "cooldown",
                               "--cooldown", "1h", "--subject", "report:", "--mode",
                               "shadow", "--reason", "kind"),
                     0);
    assert_int_equal(seen.cooldown_ms, 3600000);
    assert_string_equal(seen.subject, "report:");
    assert_int_equal(seen.mode, METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SHADOW);
    assert_int_equal(QUOTA_RUN("limit", "remove", "modash.reports", "--scope", "user",
                               "--subject", "alice", "--mode", "soft", "--reason", "over"),
                     0);
    assert_true(seen.remove);
    assert_int_equal(seen.scope, METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER);
    assert_int_equal(seen.mode, METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SOFT);
    assert_string_equal(seen.subject, "alice");
    assert_memory_equal(printed, "removed:\n", 9);
}

static void test_quota_verify_goes_on_until_all_is_checked(void **state)
{
    (void)state;
    assert_int_equal(QUOTA_RUN("verify"), 0);
    assert_int_equal(seen.verified, PARTS);
    assert_string_equal(printed, "consistent: 300 events, 30 batches, 3 counters\n");
}

static void test_quota_verify_ends_at_the_first_fault_with_25(void **state)
{
    (void)state;
    seen.fault_in_part = 2;
    assert_int_equal(QUOTA_RUN("verify"), 25);
    assert_int_equal(seen.verified, 2);
    assert_string_equal(printed, "not consistent: 200 events, 20 batches, 3 counters\n");
    assert_string_equal(diagnostics, "error: DATA_LOSS: batch 17: its hash is another\n");
    assert_int_equal(QUOTA_RUN("verify", "--json"), 0); /* the third part has none */
    assert_non_null(strstr(printed, "\"consistent\": true"));
}

static void test_quota_verify_that_does_not_get_on_ends(void **state)
{
    (void)state;
    seen.is_stuck = true;
    assert_int_equal(QUOTA_RUN("verify"), 23);
    assert_int_equal(seen.verified, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_quota_history_asks_for_so_many_days_with_today),
        TEST(test_quota_correct_and_adjust_make_an_op_id_or_take_one),
        TEST(test_quota_limit_set_and_remove_name_the_rule),
        TEST(test_quota_verify_goes_on_until_all_is_checked),
        TEST(test_quota_verify_ends_at_the_first_fault_with_25),
        TEST(test_quota_verify_that_does_not_get_on_ends),
    };

    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
