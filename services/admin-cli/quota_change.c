#include "cli.h"
#include "core/parse.h"
#include "handlers.h"
#include "quota_words.h"
#include "render_quota.h"

#define COOLDOWN_MAX_MS (31ull * 24 * 3600 * 1000)

/* ---- corrections and adjustments ------------------------------------------------------- */

/* A fresh op id, or the one of an earlier attempt. */
static enum status read_op_id(struct op_id *out, const struct cli *cli, struct error *err)
{
    const char *text = cli_option(cli, "--op-id");

    if (text != NULL)
        return quota_words_op_id(out, "--op-id", text, err);
    *out = op_id_new();
    return ST_OK;
}

/* After doubt the same op id asks again without doing it twice. */
static void tell_op_id(const struct cli *cli, enum status st, const struct op_id *id)
{
    char text[OP_ID_TEXT_SIZE];

    if (st != ST_UNAVAILABLE && st != ST_DEADLINE && st != ST_CANCELLED)
        return;
    op_id_format(text, id);
    fprintf(cli->diagnostics, "perhaps done; to be sure, ask again with --op-id %s\n",
            text);
}

enum status quota_correct(struct cli *cli, struct error *err)
{
    Metercache__V1__CorrectUnknownRequest request =
        METERCACHE__V1__CORRECT_UNKNOWN_REQUEST__INIT;
    const Metercache__V1__CorrectUnknownResponse *answer;
    struct op_id id, reservation;
    const void *reply = NULL;
    enum status st =
        quota_words_op_id(&reservation, "RESERVATION_ID", cli_arg(cli, 0), err);

    if (st == ST_OK)
        st = quota_words_credits(&request.actual_milli, "CREDITS", cli_arg(cli, 1), err);
    if (st == ST_OK)
        st = read_op_id(&id, cli, err);
    if (st != ST_OK)
        return st;
    request.op_id = (ProtobufCBinaryData){OP_ID_SIZE, id.bytes};
    request.reservation_id = (ProtobufCBinaryData){OP_ID_SIZE, reservation.bytes};
    request.reason = (char *)cli_option(cli, "--reason");
    st = cli_ask(cli, "QuotaService/CorrectUnknown", &request.base, &reply, err);
    tell_op_id(cli, st, &id);
    answer = reply;
    if (st == ST_OK && answer != NULL && answer->operation != NULL)
        render_quota_operation(cli->out, answer->operation);
    return st;
}

static void print_adjusted(FILE *out, const Metercache__V1__AdjustMeterResponse *answer)
{
    Metercache__V1__GetUsageResponse usage = METERCACHE__V1__GET_USAGE_RESPONSE__INIT;
    Metercache__V1__MeterState *meter = answer->meter;

    usage.meters = &meter;
    usage.n_meters = meter != NULL ? 1 : 0;
    render_quota_usage(out, &usage);
}

enum status quota_adjust(struct cli *cli, struct error *err)
{
    Metercache__V1__AdjustMeterRequest request = METERCACHE__V1__ADJUST_METER_REQUEST__INIT;
    const void *reply = NULL;
    struct op_id id;
    enum status st =
        quota_words_credits(&request.amount_milli, "CREDITS", cli_arg(cli, 1), err);

    if (st == ST_OK)
        st = read_op_id(&id, cli, err);
    if (st != ST_OK)
        return st;
    request.op_id = (ProtobufCBinaryData){OP_ID_SIZE, id.bytes};
    request.meter = (char *)cli_arg(cli, 0);
    request.reason = (char *)cli_option(cli, "--reason");
    st = cli_ask(cli, "QuotaService/AdjustMeter", &request.base, &reply, err);
    tell_op_id(cli, st, &id);
    if (st == ST_OK && reply != NULL)
        print_adjusted(cli->out, reply);
    return st;
}

/* ---- limits ---------------------------------------------------------------------------- */

enum status quota_limits(struct cli *cli, struct error *err)
{
    Metercache__V1__ListLimitsRequest request = METERCACHE__V1__LIST_LIMITS_REQUEST__INIT;
    const Metercache__V1__ListLimitsResponse *answer;
    const void *reply = NULL;
    enum status st;

    if (cli_arg(cli, 0) != NULL)
        request.meter = (char *)cli_arg(cli, 0);
    st = cli_ask(cli, "QuotaService/ListLimits", &request.base, &reply, err);
    answer = reply;
    if (st == ST_OK && answer != NULL)
        render_quota_limits(cli->out, answer->limits, answer->n_limits);
    return st;
}

/* Which rule it is: what `set` and `remove` have in common. */
static enum status read_rule(Metercache__V1__Limit *out, const struct cli *cli,
                             struct error *err)
{
    enum status st =
        quota_words_scope(&out->scope, "--scope", cli_option(cli, "--scope"), err);

    if (st == ST_OK)
        st = quota_words_mode(&out->mode, "--mode", cli_option(cli, "--mode"), err);
    out->meter = (char *)cli_arg(cli, 0);
    if (cli_option(cli, "--subject") != NULL)
        out->subject = (char *)cli_option(cli, "--subject");
    return st;
}

/* A rule without its amount would be one of 0: no slip of the finger may set that. */
static enum status read_amount(Metercache__V1__Limit *out, const struct cli *cli,
                               struct error *err)
{
    const char *credits = cli_option(cli, "--credits");
    const char *cooldown = cli_option(cli, "--cooldown");
    bool is_cooldown = out->scope == METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN;

    if ((credits == NULL) != is_cooldown || (cooldown != NULL) != is_cooldown)
        return cli_usage(err,
                         "a limit of scope cooldown wants --cooldown and no --credits, "
                         "any other --credits and no --cooldown");
    if (!is_cooldown)
        return quota_words_credits(&out->limit_milli, "--credits", credits, err);
    if (!parse_duration_ms(&out->cooldown_ms, cooldown, 1, COOLDOWN_MAX_MS))
        return cli_usage(err, "--cooldown wants a time up to 31d such as 1h, not '%s'",
                         cooldown);
    return ST_OK;
}

static enum status change_limit(struct cli *cli, Metercache__V1__SetLimitRequest *request,
                                struct error *err)
{
    const Metercache__V1__SetLimitResponse *answer;
    const void *reply = NULL;
    enum status st;

    request->reason = (char *)cli_option(cli, "--reason");
    st = cli_ask(cli, "QuotaService/SetLimit", &request->base, &reply, err);
    answer = reply;
    if (st != ST_OK || answer == NULL)
        return st;
    if (request->remove)
        fputs("removed:\n", cli->out);
    if (answer->limit != NULL)
        render_quota_limits(cli->out, &answer->limit, 1);
    return ST_OK;
}

enum status quota_limit_set(struct cli *cli, struct error *err)
{
    Metercache__V1__SetLimitRequest request = METERCACHE__V1__SET_LIMIT_REQUEST__INIT;
    Metercache__V1__Limit limit = METERCACHE__V1__LIMIT__INIT;
    const char *thresholds = cli_option(cli, "--thresholds");
    uint32_t percents[QUOTA_WORDS_PERCENTS_MAX];
    uint64_t anchor_day = 0;
    enum status st = read_rule(&limit, cli, err);

    if (st == ST_OK)
        st = read_amount(&limit, cli, err);
    if (st == ST_OK)
        st = cli_option_number(&anchor_day, cli, "--anchor-day", 1, 31, err);
    if (st == ST_OK && thresholds != NULL)
        st = quota_words_percents(percents, &limit.n_threshold_percent, "--thresholds",
                                  thresholds, err);
    if (st != ST_OK)
        return st;
    limit.anchor_day = (uint32_t)anchor_day;
    limit.threshold_percent = percents;
    request.limit = &limit;
    return change_limit(cli, &request, err);
}

enum status quota_limit_remove(struct cli *cli, struct error *err)
{
    Metercache__V1__SetLimitRequest request = METERCACHE__V1__SET_LIMIT_REQUEST__INIT;
    Metercache__V1__Limit limit = METERCACHE__V1__LIMIT__INIT;
    enum status st = read_rule(&limit, cli, err);

    request.limit = &limit;
    request.remove = true;
    return st == ST_OK ? change_limit(cli, &request, err) : st;
}
