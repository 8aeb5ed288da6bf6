#include "render_quota.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "core/op_id.h"
#include "output.h"
#include "quota_words.h"
#include "render.h"

#define DAY_TEXT "2026-11-25" /* the part of a time that names its day */

static void add_op_id(struct output_table *table, ProtobufCBinaryData bytes)
{
    char text[OP_ID_TEXT_SIZE] = "-";
    struct op_id id;

    if (op_id_from_bytes(&id, bytes.data, bytes.len))
        op_id_format(text, &id);
    output_table_add(table, text);
}

static void add_text(struct output_table *table, const char *text)
{
    output_table_add(table, text[0] != '\0' ? text : "-");
}

/* ---- usage ----------------------------------------------------------------------------- */

static bool is_of_subjects(const Metercache__V1__GetUsageResponse *reply)
{
    return reply->n_meters > 0 &&
           reply->meters[0]->scope > METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER;
}

static void add_amounts(struct output_table *table, const Metercache__V1__MeterState *meter)
{
    output_table_add_milli(table, meter->limit_milli);
    output_table_add_milli(table, meter->posted_milli);
    output_table_add_milli(table, meter->held_milli);
    output_table_add_milli(table, meter->left_milli);
    output_table_add_time(table, meter->period_end_us);
    output_table_add(table, output_units(meter->posted_milli, meter->limit_milli,
                                         meter->unit_price_milli, meter->unit)
                                .text);
}

static void print_meters(FILE *out, const Metercache__V1__GetUsageResponse *reply)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"METER", ">LIMIT", ">SPENT", ">HELD", ">LEFT",
                                            "RESETS AT", ">SPENT IN UNITS", NULL});
    for (size_t i = 0; i < reply->n_meters; i++) {
        output_table_add(&table, reply->meters[i]->meter);
        add_amounts(&table, reply->meters[i]);
    }
    output_table_print(out, &table);
    output_table_done(&table);
}

static void print_subjects(FILE *out, const Metercache__V1__GetUsageResponse *reply)
{
    struct output_table table;

    output_table_init(&table, (const char *const[]){"METER", "SCOPE", "SUBJECT", ">LIMIT",
                                                    ">SPENT", ">HELD", ">LEFT", "RESETS AT",
                                                    ">SPENT IN UNITS", NULL});
    for (size_t i = 0; i < reply->n_meters; i++) {
        output_table_add(&table, reply->meters[i]->meter);
        output_table_add(&table, quota_words_scope_name(reply->meters[i]->scope));
        add_text(&table, reply->meters[i]->subject);
        add_amounts(&table, reply->meters[i]);
    }
    output_table_print(out, &table);
    output_table_done(&table);
}

/* "modash.reports: soft limit 1000.000 credits" */
static void print_remarks(FILE *out, const Metercache__V1__MeterState *meter)
{
    if (meter->soft_limit_milli > 0) {
        output_print_text(out, meter->meter);
        fprintf(
            out, ": soft limit %s credits%s\n", output_milli(meter->soft_limit_milli).text,
            meter->posted_milli + meter->held_milli > meter->soft_limit_milli ? ", passed"
                                                                              : "");
    }
    if (meter->overage_milli > 0) {
        output_print_text(out, meter->meter);
        fprintf(out, ": %s credits beyond what was reserved\n",
                output_milli(meter->overage_milli).text);
    }
}

/* When the limit is reached at the present pace, and what pace it bears. */
static void print_forecasts(FILE *out, const Metercache__V1__GetUsageResponse *reply)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"FORECAST", "SPENT BY (P50)", "SPENT BY (P90)",
                                            ">SAFE A DAY", ">BURN RATE", NULL});
    for (size_t i = 0; i < reply->n_meters; i++) {
        const Metercache__V1__Forecast *forecast = reply->meters[i]->forecast;

        if (forecast == NULL)
            continue;
        output_table_add(&table, reply->meters[i]->meter);
        output_table_add_time(&table, forecast->exhausted_at_p50_us);
        output_table_add_time(&table, forecast->exhausted_at_p90_us);
        output_table_add_milli(&table, forecast->safe_daily_milli);
        output_table_add(&table, output_percent(forecast->burn_rate_ppm).text);
    }
    if (table.cell_count > 0) {
        fputc('\n', out);
        output_table_print(out, &table);
    }
    output_table_done(&table);
}

void render_quota_usage(FILE *out, const Metercache__V1__GetUsageResponse *reply)
{
    if (is_of_subjects(reply))
        print_subjects(out, reply);
    else
        print_meters(out, reply);
    for (size_t i = 0; i < reply->n_meters; i++)
        print_remarks(out, reply->meters[i]);
    print_forecasts(out, reply);
}

void render_quota_history(FILE *out, const Metercache__V1__GetUsageHistoryResponse *reply)
{
    struct output_table table;
    int64_t posted_milli = 0;
    uint64_t calls = 0;

    output_table_init(&table, (const char *const[]){"DAY", ">SPENT", ">CALLS", NULL});
    for (size_t i = 0; i < reply->n_days; i++) {
        const Metercache__V1__UsageDay *day = reply->days[i];
        struct output_text text = output_time(day->day_at_us);

        text.text[strlen(DAY_TEXT)] = '\0';
        output_table_add(&table, text.text);
        output_table_add_milli(&table, day->posted_milli);
        output_table_add_count(&table, (int64_t)day->calls);
        posted_milli += day->posted_milli;
        calls += day->calls;
    }
    output_table_print(out, &table);
    output_table_done(&table);
    fprintf(out, "\n%s credits, %" PRIu64 " call%s\n", output_milli(posted_milli).text,
            calls, calls == 1 ? "" : "s");
}

/* ---- operations ------------------------------------------------------------------------ */

static void print_op_id(FILE *out, const char *label, ProtobufCBinaryData bytes)
{
    char text[OP_ID_TEXT_SIZE] = "";
    struct op_id id;

    if (op_id_from_bytes(&id, bytes.data, bytes.len))
        op_id_format(text, &id);
    output_print_line(out, label, text);
}

static void print_purpose(FILE *out, const Metercache__V1__CallPurpose *purpose)
{
    if (purpose == NULL)
        return;
    output_print_line(out, "provider", purpose->provider);
    output_print_line(out, "action", purpose->action);
    output_print_line(out, "called for", purpose->reason);
    output_print_line(out, "creator", purpose->creator);
    output_print_line(out, "user", purpose->user);
    output_print_line(out, "tenant", purpose->tenant);
}

static void print_call(FILE *out, const Metercache__V1__CallRecord *call)
{
    if (call == NULL)
        return;
    output_print_line(
        out, "outcome",
        output_enum(&metercache__v1__call_outcome__descriptor, (int)call->outcome).text);
    output_print_line(out, "started at", output_time(call->started_at_us).text);
    output_print_line(out, "latency", output_millis(call->latency_us).text);
    if (call->http_status > 0)
        output_print_line(out, "http", output_count(call->http_status).text);
    output_print_line(out, "detail", call->detail);
}

void render_quota_operation(FILE *out, const Metercache__V1__Operation *operation)
{
    print_op_id(out, "op id", operation->op_id);
    output_print_line(
        out, "kind",
        output_enum(&metercache__v1__operation_kind__descriptor, (int)operation->kind)
            .text);
    print_op_id(out, "reservation", operation->reservation_id);
    output_print_line(out, "meter", operation->meter);
    output_print_line(out, "credits", output_milli(operation->amount_milli).text);
    if (operation->released_milli != 0)
        output_print_line(out, "released", output_milli(operation->released_milli).text);
    if (operation->overage_milli != 0)
        output_print_line(out, "overage", output_milli(operation->overage_milli).text);
    output_print_line(out, "at", output_time(operation->at_us).text);
    output_print_line(out, "period from", output_time(operation->period_start_us).text);
    if (operation->expires_at_us != 0)
        output_print_line(out, "lapses at", output_time(operation->expires_at_us).text);
    output_print_line(out, "batch", output_count((int64_t)operation->batch).text);
    output_print_line(out, "epoch", output_count((int64_t)operation->epoch).text);
    print_purpose(out, operation->purpose);
    output_print_line(out, "endpoint", operation->endpoint);
    output_print_line(out, "cooldown key", operation->cooldown_key);
    print_call(out, operation->call);
    output_print_line(out, "by", operation->actor);
    output_print_line(out, "reason", operation->reason);
}

static const char *outcome_of(const Metercache__V1__Operation *operation,
                              struct output_text *text)
{
    if (operation->call == NULL)
        return "-";
    *text = output_enum(&metercache__v1__call_outcome__descriptor,
                        (int)operation->call->outcome);
    return text->text;
}

void render_quota_related(FILE *out, const Metercache__V1__GetOperationResponse *reply)
{
    struct output_table table;
    struct output_text outcome;

    if (reply->operation != NULL)
        render_quota_operation(out, reply->operation);
    if (reply->n_related == 0)
        return;
    fputs("\nof the same reservation:\n", out);
    output_table_init(&table, (const char *const[]){"AT", "KIND", "OP ID", ">CREDITS",
                                                    ">RELEASED", "OUTCOME", NULL});
    for (size_t i = 0; i < reply->n_related; i++) {
        const Metercache__V1__Operation *operation = reply->related[i];

        output_table_add_time(&table, operation->at_us);
        output_table_add_enum(&table, &metercache__v1__operation_kind__descriptor,
                              (int)operation->kind);
        add_op_id(&table, operation->op_id);
        output_table_add_milli(&table, operation->amount_milli);
        output_table_add_milli(&table, operation->released_milli);
        output_table_add(&table, outcome_of(operation, &outcome));
    }
    output_table_print(out, &table);
    output_table_done(&table);
}

void render_quota_unknown(FILE *out, const Metercache__V1__ListUnknownResponse *reply)
{
    static const Metercache__V1__CallPurpose none = METERCACHE__V1__CALL_PURPOSE__INIT;
    struct output_table table;
    struct output_text outcome;

    output_table_init(&table, (const char *const[]){"AT", "RESERVATION", "METER",
                                                    ">CREDITS", "OUTCOME", "ACTION",
                                                    "REASON", "CREATOR", "USER", NULL});
    for (size_t i = 0; i < reply->n_operations; i++) {
        const Metercache__V1__Operation *operation = reply->operations[i];
        const Metercache__V1__CallPurpose *purpose =
            operation->purpose != NULL ? operation->purpose : &none;

        output_table_add_time(&table, operation->at_us);
        add_op_id(&table, operation->reservation_id);
        output_table_add(&table, operation->meter);
        output_table_add_milli(&table, operation->amount_milli);
        output_table_add(&table, outcome_of(operation, &outcome));
        add_text(&table, purpose->action);
        add_text(&table, purpose->reason);
        add_text(&table, purpose->creator);
        add_text(&table, purpose->user);
    }
    output_table_print(out, &table);
    output_table_done(&table);
    render_next_page(out, reply->page);
}

/* ---- alerts ---------------------------------------------------------------------------- */

static void add_alert(struct output_table *table,
                      const Metercache__V1__ThresholdCrossing *alert)
{
    struct output_text text =
        output_enum(&metercache__v1__alert_kind__descriptor, (int)alert->kind);
    bool has_amount = alert->kind == METERCACHE__V1__ALERT_KIND__ALERT_KIND_OVERAGE ||
                      alert->kind == METERCACHE__V1__ALERT_KIND__ALERT_KIND_BURN_RATE;

    if (alert->kind == METERCACHE__V1__ALERT_KIND__ALERT_KIND_THRESHOLD)
        snprintf(text.text, sizeof(text.text), "threshold %" PRIu32 "%%", alert->percent);
    output_table_add(table, text.text);
    output_table_add(table, has_amount ? output_milli(alert->amount_milli).text : "-");
}

void render_quota_alerts(FILE *out, const Metercache__V1__ListThresholdsResponse *reply)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"AT", "METER", "ALERT", ">AMOUNT", ">SPENT",
                                            ">HELD", ">LIMIT", "RESETS AT", NULL});
    for (size_t i = 0; i < reply->n_crossings; i++) {
        const Metercache__V1__ThresholdCrossing *alert = reply->crossings[i];

        output_table_add_time(&table, alert->at_us);
        output_table_add(&table, alert->meter);
        add_alert(&table, alert);
        output_table_add_milli(&table, alert->posted_milli);
        output_table_add_milli(&table, alert->held_milli);
        output_table_add_milli(&table, alert->limit_milli);
        output_table_add_time(&table, alert->period_end_us);
    }
    output_table_print(out, &table);
    output_table_done(&table);
    render_next_page(out, reply->page);
}
