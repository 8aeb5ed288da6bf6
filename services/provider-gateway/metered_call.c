#include "metered_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/parse.h"
#include "json_read.h"
#include "retry_after.h"

#define HOLD_MARGIN_MS  60000u
#define RESERVE_MAX_MS  5000u
#define SETTLE_MAX_MS   2000u
#define SETTLE_MIN_MS   100u
#define REPLY_MARGIN_MS 250u /* kept from the caller's time to settle and reply */
#define MIN_LEFT_MS     (REPLY_MARGIN_MS + 100u) /* with less there is no use to begin */

/* One call on its way through the door. */
struct passage {
    const struct metered_door *door;
    const struct metered_request *request;
    struct op_id reservation_id;
    struct budget_hold hold;
    char reservation_hex[2 * OP_ID_SIZE + 1];
    int64_t started_at_us;
    uint64_t latency_us;
    struct http_response response;
    struct outcome_facts facts;
    struct outcome outcome;
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static enum status quota_unavailable(struct error *err, const char *message)
{
    (void)error_set(err, ST_UNAVAILABLE, "%s", message);
    err->retry_after_ms = 1000;
    return error_reason(err, "QUOTA_UNAVAILABLE");
}

/* What a caller learns before anything is reserved. */
static enum status may_begin(const struct metered_request *request, struct error *err)
{
    const struct provider_description *provider = &request->provider->is;
    int64_t most = request->amount_milli;

    if (clock_left_ms(request->context->deadline_us) < MIN_LEFT_MS)
        return error_set(err, ST_DEADLINE, "too little time is left for a provider call");
    if (!provider_has_key(request->provider)) {
        (void)error_set(err, ST_PRECONDITION, "%s has no key: %s is not set",
                        provider->name, provider->key_setting);
        return error_reason(err, "PROVIDER_NOT_CONFIGURED");
    }
    if (request->context->is_dry_run) {
        (void)error_set(err, ST_PRECONDITION,
                        "dry run: would call %s.%s for at most %" PRId64
                        ".%03d credits of %s",
                        provider->name, request->action, most / 1000, (int)(most % 1000),
                        request->meter);
        return error_reason(err, "DRY_RUN");
    }
    return ST_OK;
}

static struct budget_settlement settlement_of(const struct passage *passage)
{
    return (struct budget_settlement){
        .id = op_id_new(),
        .reservation_id = passage->reservation_id,
        .started_at_us = passage->started_at_us,
        .latency_us = passage->latency_us,
        .http_status = passage->response.status,
    };
}

static enum status ask_budget(struct passage *passage, struct error *err)
{
    const struct metered_request *request = passage->request;
    const struct call_context *context = request->context;
    const struct budget *budget = passage->door->budget;
    const struct provider_description *provider = &request->provider->is;
    struct budget_reservation reservation = {
        .id = passage->reservation_id,
        .meter = request->meter,
        .amount_milli = request->amount_milli,
        .hold_ms = provider->timeout_ms + HOLD_MARGIN_MS + request->keep_ms,
        .provider = provider->name,
        .action = request->action,
        .reason = context->reason,
        .platform = (int)request->platform,
        .creator = request->creator,
        .user = context->user,
        .tenant = context->tenant,
        .endpoint = arena_printf(context->arena, "%s.%s", provider->name, request->action),
        .cooldown_key = context->cooldown_key,
        .is_interactive = context->is_interactive,
    };
    uint64_t left_ms = clock_left_ms(context->deadline_us);

    if (reservation.endpoint == NULL)
        return error_out_of_arena(err);
    return budget->reserve(budget->context, &reservation,
                           min_u64(left_ms + 1, RESERVE_MAX_MS), &passage->hold, err);
}

static void name_reservation(struct passage *passage)
{
    passage->reservation_id = op_id_new();
    parse_format_hex(passage->reservation_hex, passage->reservation_id.bytes, OP_ID_SIZE);
}

/* A place in the outbox is claimed; it stays so only on ST_OK. An id that is too old for
 * quota-service to tell what it had said to it, as after its restart, is replaced once. */
static enum status reserve(struct passage *passage, struct error *err)
{
    enum status st = ask_budget(passage, err);

    if (st == ST_ABORTED && !passage->hold.in_doubt) {
        name_reservation(passage);
        st = ask_budget(passage, err);
    }

    if (st == ST_OK)
        return ST_OK;
    if (!passage->hold.in_doubt) {
        settlements_release(passage->door->settlements);
        return st;
    }
    /* Nothing was sent: what may be held is given back. */
    struct budget_settlement back = settlement_of(passage);
    back.is_void = true;
    back.outcome = CALL_NOT_SENT;
    (void)snprintf(back.detail, sizeof(back.detail), "reservation in doubt");
    settlements_put(passage->door->settlements, &back);
    return st;
}

static void perform(struct passage *passage)
{
    const struct metered_request *request = passage->request;
    struct provider *provider = request->provider;
    uint64_t caller_us = request->context->deadline_us;
    uint64_t margin_us = REPLY_MARGIN_MS * 1000;
    struct http_request http = {
        .url = request->url,
        .body = request->body,
        .body_size = request->body == NULL ? 0 : strlen(request->body),
        .headers = {provider->is.key},
        .header_count = 1,
        .to_loopback = provider->is.is_loopback,
        .deadline_us = min_u64(caller_us > margin_us ? caller_us - margin_us : 0,
                               clock_deadline_ms(provider->is.timeout_ms)),
    };
    uint64_t begin_us = clock_mono_us();

    if (provider->is.is_loopback) { /* the simulator counts reservations it has seen */
        http.headers[http.header_count++] = (struct http_header){
            .name = "X-Metercache-Op", .prefix = "", .value = passage->reservation_hex};
    }
    passage->started_at_us = clock_wall_us();
    http_client_perform(passage->door->http, &http, &passage->response);
    passage->latency_us = clock_mono_us() - begin_us;
}

static void classify(struct passage *passage)
{
    struct http_response *response = &passage->response;
    const struct metered_request *request = passage->request;
    json_t *root = NULL;
    char text[64];

    passage->facts = (struct outcome_facts){
        .provider = request->provider->is.kind,
        .transport = response->transport,
        .timed_out = response->timed_out,
        .is_too_large = response->is_too_large,
        .http_status = response->status,
    };
    if (response->transport == TRANSPORT_ANSWERED) {
        if (http_response_is_json(response))
            root = json_read_document(response->body.data, response->body.size);
        request->read(request->read_context, response->status, root,
                      &passage->facts.reading);
        json_decref(root);
    }
    passage->outcome = outcome_decide(&passage->facts);
    if (http_response_header(response, "retry-after", text, sizeof(text)))
        (void)retry_after_parse(&passage->outcome.retry_after_ms, text,
                                clock_wall_us() / CLOCK_US_PER_SECOND);
}

/* In few words what came back, for the log and the call log: never text of the provider's. */
static void describe(const struct passage *passage, char *out, size_t size)
{
    const char *code = passage->facts.reading.code;

    if (passage->response.transport != TRANSPORT_ANSWERED)
        (void)snprintf(out, size, "%s", passage->response.problem);
    else if (code[0] != '\0')
        (void)snprintf(out, size, "%s", code);
    else if (passage->outcome.status != ST_OK)
        (void)snprintf(out, size, "http %u%s", passage->response.status,
                       passage->response.status <= 299 ? ", unusable" : "");
    else
        out[0] = '\0';
}

/* Tell quota-service, now if it can be reached. Returns what was posted. */
static int64_t settle(struct passage *passage)
{
    const struct metered_door *door = passage->door;
    uint64_t left_ms = clock_left_ms(passage->request->context->deadline_us);
    uint64_t timeout_ms = left_ms / 2 < SETTLE_MIN_MS ? SETTLE_MIN_MS : left_ms / 2;
    struct budget_settlement settlement = settlement_of(passage);
    struct error err = ERROR_NONE;
    enum status st;

    if (passage->request->keep_ms > 0 && passage->outcome.outcome == CALL_OK) {
        settlements_release(door->settlements);
        return passage->request->amount_milli;
    }
    settlement.is_void = passage->outcome.charge == CHARGE_VOID;
    settlement.outcome = passage->outcome.outcome;
    settlement.actual_milli =
        outcome_cost_milli(passage->outcome.charge, passage->request->amount_milli,
                           passage->facts.reading.cost_milli);
    describe(passage, settlement.detail, sizeof(settlement.detail));
    st = door->budget->settle(door->budget->context, &settlement,
                              min_u64(timeout_ms, SETTLE_MAX_MS), &err);
    if (!settlements_is_definite(st)) {
        settlements_put(door->settlements, &settlement);
        return settlement.actual_milli;
    }
    settlements_release(door->settlements);
    if (st != ST_OK)
        log_event(LOG_ERROR, "settlement refused",
                  LOG_STR("reservation", passage->reservation_hex),
                  LOG_STR("status", status_name(st)), LOG_STR("error", err.message));
    return settlement.actual_milli;
}

/* A failure of the provider's own, as opposed to an answer that says no. */
static bool is_outage(enum call_outcome outcome)
{
    switch (outcome) {
    case CALL_THROTTLED:
    case CALL_REJECTED:
    case CALL_AUTH_FAILED:
    case CALL_NO_CREDIT:
    case CALL_PROVIDER_ERROR:
    case CALL_NOT_SENT:
    case CALL_UNKNOWN:
        return true;
    default:
        return false;
    }
}

static void record(const struct passage *passage)
{
    const struct metered_request *request = passage->request;
    char detail[PROVIDER_ERROR_SIZE];
    bool failed = is_outage(passage->outcome.outcome);

    describe(passage, detail, sizeof(detail));
    provider_end(request->provider, passage->latency_us, failed ? detail : NULL);
    if (failed)
        log_event(LOG_WARN, "provider call failed",
                  LOG_STR("provider", request->provider->is.name),
                  LOG_STR("action", request->action),
                  LOG_STR("outcome", outcome_name(passage->outcome.outcome)),
                  LOG_STR("detail", detail),
                  LOG_U64("http_status", passage->response.status),
                  LOG_U64("ms", passage->latency_us / 1000),
                  LOG_STR("reservation", passage->reservation_hex));
}

static enum status answer(const struct passage *passage, struct error *err)
{
    const struct outcome *outcome = &passage->outcome;
    char detail[PROVIDER_ERROR_SIZE];

    if (outcome->status == ST_OK)
        return ST_OK;
    describe(passage, detail, sizeof(detail));
    (void)error_set(err, outcome->status, "%s %s (%s)", passage->request->provider->is.name,
                    outcome->text, detail);
    err->retry_after_ms = outcome->retry_after_ms;
    return error_reason(err, outcome->reason);
}

enum status metered_call(struct call_receipt *receipt, const struct metered_door *door,
                         const struct metered_request *request, struct error *err)
{
    struct passage passage = {.door = door, .request = request};
    enum status st = may_begin(request, err);

    if (st != ST_OK)
        return st;
    if (!settlements_claim(door->settlements))
        return quota_unavailable(err, "too many settlements wait for quota-service");
    name_reservation(&passage);
    st = reserve(&passage, err);
    if (st != ST_OK)
        return st;
    provider_begin(request->provider);
    perform(&passage);
    classify(&passage);
    record(&passage);
    *receipt = (struct call_receipt){
        .reservation_id = passage.reservation_id,
        .held_until_us = passage.hold.expires_at_us,
        .credits_milli = settle(&passage),
        .latency_us = passage.latency_us,
        .attempts = 1,
        .http_status = passage.response.status,
        .outcome = passage.outcome.outcome,
    };
    st = answer(&passage, err);
    http_response_done(&passage.response);
    return st;
}

void metered_settle_late(const struct metered_door *door,
                         const struct metered_ending *ending)
{
    struct budget_settlement settlement = {
        .id = op_id_new(),
        .reservation_id = ending->reservation_id,
        .actual_milli = ending->actual_milli,
        .outcome = ending->outcome,
        .started_at_us = clock_wall_us(),
        .latency_us = ending->learnt_by->latency_us,
        .http_status = ending->learnt_by->http_status,
    };
    struct error err = ERROR_NONE;
    enum status st;

    if (!settlements_claim(door->settlements)) {
        char id[2 * OP_ID_SIZE + 1];

        parse_format_hex(id, ending->reservation_id.bytes, OP_ID_SIZE);
        log_event(LOG_ERROR, "the outbox is full: an ending is dropped, presumed spent",
                  LOG_STR("reservation", id),
                  LOG_STR("outcome", outcome_name(ending->outcome)),
                  LOG_I64("actual_milli", ending->actual_milli));
        return;
    }
    st = door->budget->settle(door->budget->context, &settlement, SETTLE_MAX_MS, &err);
    if (settlements_is_definite(st)) /* refused: ended already, by a poll repeated */
        settlements_release(door->settlements);
    else
        settlements_put(door->settlements, &settlement);
}
