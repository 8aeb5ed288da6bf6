#include <inttypes.h>

#include "cli.h"
#include "core/clock.h"
#include "core/parse.h"
#include "handlers.h"
#include "quota_words.h"
#include "render_quota.h"

#define PAGE_SIZE_MAX    500
#define HISTORY_DAYS_MAX 400
#define MS_PER_DAY       (24ull * 3600 * 1000)
#define US_PER_DAY       ((int64_t)MS_PER_DAY * CLOCK_US_PER_MS)

enum status quota_usage(struct cli *cli, struct error *err)
{
    Metercache__V1__GetUsageRequest request = METERCACHE__V1__GET_USAGE_REQUEST__INIT;
    const char *scope = cli_option(cli, "--scope");
    const void *reply = NULL;
    enum status st = ST_OK;

    if (cli_arg(cli, 0) != NULL)
        request.meter = (char *)cli_arg(cli, 0);
    if (cli_option(cli, "--subject") != NULL)
        request.subject = (char *)cli_option(cli, "--subject");
    if (scope != NULL)
        st = quota_words_scope(&request.scope, "--scope", scope, err);
    else if (request.subject[0] != '\0')
        st = cli_usage(err, "--subject wants a --scope, such as user");
    if (st == ST_OK)
        st = cli_ask(cli, "QuotaService/GetUsage", &request.base, &reply, err);
    if (st == ST_OK && reply != NULL)
        render_quota_usage(cli->out, reply);
    return st;
}

/* So many days, today with them: the service widens to whole days, which may not become one
 * more than it gives. */
static enum status read_days(Metercache__V1__GetUsageHistoryRequest *out,
                             const struct cli *cli, struct error *err)
{
    const char *text = cli_option(cli, "--last");
    int64_t now_us = clock_wall_us();
    uint64_t last_ms, days;

    if (!parse_duration_ms(&last_ms, text, 1, HISTORY_DAYS_MAX * MS_PER_DAY))
        return cli_usage(err, "--last wants a time up to %dd such as 30d, not '%s'",
                         HISTORY_DAYS_MAX, text);
    days = (last_ms + MS_PER_DAY - 1) / MS_PER_DAY;
    out->until_us = now_us - now_us % US_PER_DAY + US_PER_DAY;
    out->from_us = out->until_us - (int64_t)days * US_PER_DAY;
    return ST_OK;
}

enum status quota_history(struct cli *cli, struct error *err)
{
    Metercache__V1__GetUsageHistoryRequest request =
        METERCACHE__V1__GET_USAGE_HISTORY_REQUEST__INIT;
    const void *reply = NULL;
    enum status st = read_days(&request, cli, err);

    if (cli_arg(cli, 0) != NULL)
        request.meter = (char *)cli_arg(cli, 0);
    if (st == ST_OK)
        st = cli_ask(cli, "QuotaService/GetUsageHistory", &request.base, &reply, err);
    if (st == ST_OK && reply != NULL)
        render_quota_history(cli->out, reply);
    return st;
}

enum status quota_operation(struct cli *cli, struct error *err)
{
    Metercache__V1__GetOperationRequest request =
        METERCACHE__V1__GET_OPERATION_REQUEST__INIT;
    const void *reply = NULL;
    struct op_id id;
    enum status st = quota_words_op_id(&id, "OP_ID", cli_arg(cli, 0), err);

    request.op_id = (ProtobufCBinaryData){OP_ID_SIZE, id.bytes};
    if (st == ST_OK)
        st = cli_ask(cli, "QuotaService/GetOperation", &request.base, &reply, err);
    if (st == ST_OK && reply != NULL)
        render_quota_related(cli->out, reply);
    return st;
}

enum status quota_unknown(struct cli *cli, struct error *err)
{
    Metercache__V1__ListUnknownRequest request = METERCACHE__V1__LIST_UNKNOWN_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    const void *reply = NULL;
    enum status st = cli_read_page(&page, cli, PAGE_SIZE_MAX, err);

    request.page = &page;
    if (st == ST_OK)
        st = cli_ask(cli, "QuotaService/ListUnknown", &request.base, &reply, err);
    if (st == ST_OK && reply != NULL)
        render_quota_unknown(cli->out, reply);
    return st;
}

enum status quota_alerts(struct cli *cli, struct error *err)
{
    Metercache__V1__ListThresholdsRequest request =
        METERCACHE__V1__LIST_THRESHOLDS_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    const void *reply = NULL;
    enum status st = cli_read_page(&page, cli, PAGE_SIZE_MAX, err);

    request.page = &page;
    if (cli_arg(cli, 0) != NULL)
        request.meter = (char *)cli_arg(cli, 0);
    if (st == ST_OK)
        st = cli_ask(cli, "QuotaService/ListThresholds", &request.base, &reply, err);
    if (st == ST_OK && reply != NULL)
        render_quota_alerts(cli->out, reply);
    return st;
}

/* Adds a part of the chain; counters are checked whole, whichever part it is. */
static void add_verified(Metercache__V1__VerifyLedgerResponse *sum,
                         const Metercache__V1__VerifyLedgerResponse *part)
{
    sum->consistent = part->consistent;
    sum->first_fault = part->first_fault;
    sum->events += part->events;
    sum->batches += part->batches;
    if (part->counters > sum->counters)
        sum->counters = part->counters;
    sum->next_batch = part->next_batch;
}

/* From part to part until all is checked or a row is wrong. */
static enum status verify(Metercache__V1__VerifyLedgerResponse *sum, struct cli *cli,
                          struct error *err)
{
    Metercache__V1__VerifyLedgerRequest request =
        METERCACHE__V1__VERIFY_LEDGER_REQUEST__INIT;

    do {
        ProtobufCMessage *reply;
        enum status st =
            cli_call(cli, "QuotaService/VerifyLedger", &request.base, &reply, err);

        if (st != ST_OK)
            return st;
        add_verified(sum, (const Metercache__V1__VerifyLedgerResponse *)reply);
        if (sum->next_batch != 0 && sum->next_batch <= request.from_batch)
            return error_set(err, ST_INTERNAL,
                             "the check of the ledger does not get beyond batch %" PRIu64,
                             request.from_batch);
        request.from_batch = sum->next_batch;
    } while (sum->consistent && sum->next_batch != 0);
    return ST_OK;
}

enum status quota_verify(struct cli *cli, struct error *err)
{
    Metercache__V1__VerifyLedgerResponse sum = METERCACHE__V1__VERIFY_LEDGER_RESPONSE__INIT;
    enum status st = verify(&sum, cli, err);

    if (st != ST_OK)
        return st;
    if (cli->is_json)
        cli_print_json(cli, &sum.base);
    else
        fprintf(cli->out,
                "%s: %" PRIu64 " events, %" PRIu64 " batches, %" PRIu64 " counters\n",
                sum.consistent ? "consistent" : "not consistent", sum.events, sum.batches,
                sum.counters);
    return sum.consistent ? ST_OK : error_set(err, ST_DATA_LOSS, "%s", sum.first_fault);
}
