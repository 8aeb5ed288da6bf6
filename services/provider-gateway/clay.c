#include "clay.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/parse.h"
#include "url.h"

#define METER     "clay.enrichment"
#define RUN_MILLI 1000
/* What is asked for, so that an ending finds its reservation open. */
#define KEEP_MS ((uint64_t)12 * 3600 * 1000)

struct reading {
    struct arena *arena;
    const struct clay *clay;
    const char *item_id;
    struct clay_result result;
};

static bool is_missing(unsigned http_status)
{
    return http_status == 404 || http_status == 410;
}

static void read_run(void *context, unsigned http_status, const json_t *root,
                     struct outcome_reading *out)
{
    struct reading *reading = context;

    if (is_missing(http_status))
        outcome_copy_code(out->code, CLAY_NO_ROUTINE);
    if (http_status > 299)
        return; /* error bodies hold free text only */
    out->is_usable = clay_parse_run(&reading->result, root, reading->arena);
    out->outcome = CALL_OK;
    out->cost_milli = RUN_MILLI;
}

static void read_results(void *context, unsigned http_status, const json_t *root,
                         struct outcome_reading *out)
{
    struct reading *reading = context;
    struct clay_result *result = &reading->result;

    if (is_missing(http_status))
        outcome_copy_code(out->code, CLAY_RUN_LOST);
    if (http_status > 299)
        return;
    out->is_usable = clay_parse_results(result, root, reading->item_id,
                                        reading->clay->email_key, reading->arena);
    if (out->is_usable && result->state == CLAY_FAILED)
        outcome_copy_code(out->code, CLAY_ITEM_FAILED);
    out->outcome = result->state == CLAY_FOUND     ? CALL_OK
                   : result->state == CLAY_PENDING ? CALL_PENDING
                                                   : CALL_EMPTY;
}

static enum status not_configured(struct error *err)
{
    (void)error_set(err, ST_PRECONDITION, "CLAY_API_KEY and CLAY_ROUTINE_ID are not set");
    return error_reason(err, "PROVIDER_NOT_CONFIGURED");
}

/* A run id as given to callers: Clay's, and the reservation that waits for the run's end. */
static const char *join_run_id(const char *run_id, const struct op_id *reservation_id,
                               struct arena *arena)
{
    char hex[2 * OP_ID_SIZE + 1];

    parse_format_hex(hex, reservation_id->bytes, OP_ID_SIZE);
    return arena_printf(arena, "%s~%s", run_id, hex);
}

/* Clay's part of it, NULL when the arena is full; *reservation_id is zero when none waits. */
static const char *split_run_id(struct op_id *reservation_id, const char *joined,
                                struct arena *arena)
{
    const char *tilde = strrchr(joined, '~');

    *reservation_id = (struct op_id){{0}};
    if (tilde == NULL || !parse_hex(reservation_id->bytes, OP_ID_SIZE, tilde + 1))
        return joined;
    return arena_strndup(arena, joined, (size_t)(tilde - joined));
}

static void tell_if_held_for_less(const struct call_receipt *receipt, const char *run_id)
{
    int64_t wanted_until_us = clock_wall_us() + (int64_t)KEEP_MS * CLOCK_US_PER_MS;
    char until[CLOCK_TEXT_SIZE];

    if (receipt->held_until_us >= wanted_until_us)
        return;
    clock_format_utc(until, receipt->held_until_us);
    log_event(LOG_INFO, "a run is presumed spent from then on, until its end is learnt",
              LOG_STR("run", run_id), LOG_STR("from", until));
}

static enum status start_run(struct reading *reading, struct call_receipt *receipt,
                             struct clay *clay, const struct call_context *context,
                             const struct clay_enrichment *enrichment, struct error *err)
{
    struct buf url, body;
    enum status st;

    buf_init(&url, URL_SIZE_MAX);
    buf_init(&body, CLAY_BODY_BYTES);
    st = clay_request_run(&url, &body, clay->provider.is.base_url, clay->routine_id,
                          enrichment->item_id, &enrichment->person, err);
    if (st == ST_OK) {
        struct metered_request request = {
            .provider = &clay->provider,
            .context = context,
            .action = "enrich",
            .meter = METER,
            .amount_milli = RUN_MILLI,
            .platform = enrichment->platform,
            .creator = enrichment->person.handle,
            .url = buf_text(&url),
            .body = buf_text(&body),
            .read = read_run,
            .read_context = reading,
            .keep_ms = clay->charges_not_found ? 0 : KEEP_MS,
        };
        st = metered_call(receipt, clay->door, &request, err);
    }
    buf_done(&body);
    buf_done(&url);
    if (st == ST_OK && !clay->charges_not_found) {
        tell_if_held_for_less(receipt, reading->result.run_id);
        reading->result.run_id =
            join_run_id(reading->result.run_id, &receipt->reservation_id, context->arena);
    }
    if (st == ST_OK && reading->result.run_id == NULL)
        return error_out_of_arena(err);
    return st;
}

static void end_run(const struct clay *clay, const struct op_id *reservation_id,
                    enum clay_state state, const struct call_receipt *receipt)
{
    struct metered_ending ending = {
        .reservation_id = *reservation_id,
        .outcome = state == CLAY_FOUND ? CALL_OK : CALL_EMPTY,
        .actual_milli = state == CLAY_FOUND ? RUN_MILLI : 0,
        .learnt_by = receipt,
    };

    if (state != CLAY_PENDING)
        metered_settle_late(clay->door, &ending);
}

static enum status ask_after_run(struct reading *reading, struct call_receipt *receipt,
                                 struct clay *clay, const struct call_context *context,
                                 const struct clay_enrichment *enrichment,
                                 struct error *err)
{
    struct op_id kept;
    const char *run_id = split_run_id(&kept, enrichment->run_id, context->arena);
    struct buf url;
    enum status st;

    if (run_id == NULL)
        return error_out_of_arena(err);
    buf_init(&url, URL_SIZE_MAX);
    st = clay_request_results(&url, clay->provider.is.base_url, run_id, err);
    if (st == ST_OK) {
        struct metered_request request = {
            .provider = &clay->provider,
            .context = context,
            .action = "enrich_poll",
            .meter = METER,
            .platform = enrichment->platform,
            .creator = enrichment->person.handle,
            .url = buf_text(&url),
            .read = read_results,
            .read_context = reading,
        };
        st = metered_call(receipt, clay->door, &request, err);
    }
    buf_done(&url);
    if (st != ST_OK)
        return st;
    reading->result.run_id = enrichment->run_id;
    if (!op_id_is_zero(&kept))
        end_run(clay, &kept, reading->result.state, receipt);
    return ST_OK;
}

enum status clay_enrich_email(struct clay_result *out, struct call_receipt *receipt,
                              struct clay *clay, const struct call_context *context,
                              const struct clay_enrichment *enrichment, struct error *err)
{
    struct reading reading = {.arena = context->arena,
                              .clay = clay,
                              .item_id = enrichment->item_id,
                              .result = {.state = CLAY_PENDING}};
    enum status st;

    if (!provider_has_key(&clay->provider) || clay->routine_id[0] == '\0')
        return not_configured(err);
    if (enrichment->run_id[0] == '\0')
        st = start_run(&reading, receipt, clay, context, enrichment, err);
    else
        st = ask_after_run(&reading, receipt, clay, context, enrichment, err);
    if (st == ST_OK)
        *out = reading.result;
    return st;
}
