#include "resources/creators/report_fetch.h"

#include <stdio.h>
#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "engine/persist.h"
#include "engine/policy.h"
#include "resources/creators/report_fields.h"
#include "resources/creators/upstream_rpc.h"
#include "resources/events_rpc.h"

#define ARENA_BYTES    (16 * 1024 * 1024)
#define STORE_LIMIT_MS 10000

struct report_fetch {
    struct flight_job job; /* first: the flight knows this part alone */
    const struct cache_service *service;
    int platform;
    char *provider_user_id; /* one of the two is NULL */
    char *handle;
    char *user;
};

static struct creator_key key_of(const struct report_fetch *fetch)
{
    return (struct creator_key){fetch->platform, fetch->provider_user_id, fetch->handle};
}

static struct store_call store_call_of(const struct report_fetch *fetch,
                                       struct arena *arena)
{
    return (struct store_call){
        .store = fetch->service->store,
        .arena = arena,
        .deadline_us = clock_deadline_ms(STORE_LIMIT_MS),
    };
}

/* So that the same "no" is not asked for again; a failure to note it harms nobody. */
static void remember_refusal(const struct report_fetch *fetch, const struct error *refusal,
                             struct arena *arena)
{
    const struct store_call call = store_call_of(fetch, arena);
    const struct creator_key key = key_of(fetch);
    const struct creator_negative negative = {
        .kind = CREATOR_NEGATIVE_REPORT,
        .reason = refusal->reason[0] != '\0' ? refusal->reason : "PROVIDER_NOT_FOUND",
        .until_us = clock_wall_us() +
                    (int64_t)fetch->service->config->not_found_ms * CLOCK_US_PER_MS,
    };
    struct error err = ERROR_NONE;

    if (creators_store_negative_put(&call, &key, &negative, &err) != ST_OK)
        log_event(LOG_WARN, "could not remember a refusal",
                  LOG_STR("message", err.message));
}

/* What is to be stored of a report that was bought. */
struct kept {
    const struct report_fetch *fetch;
    struct creator creator;
    struct creator_report report;
    struct arena *arena;
};

static enum status store_once(void *context, struct error *err)
{
    const struct kept *kept = context;
    const struct store_call call = store_call_of(kept->fetch, kept->arena);
    const struct creator_key asked = key_of(kept->fetch);

    return creators_store_report_put(&call, &asked, &kept->creator, &kept->report, err);
}

static enum status store_report(const struct report_fetch *fetch,
                                const struct upstream_report *bought, struct arena *arena,
                                struct error *err)
{
    int64_t now_us = clock_wall_us();
    struct kept kept = {
        .fetch = fetch,
        .creator = bought->creator,
        .report =
            {
                .document = bought->document,
                .document_size = strlen(bought->document),
                .fetched_at_us = now_us,
                .fresh_until_us =
                    now_us +
                    (int64_t)fetch->service->config->report_fresh_ms * CLOCK_US_PER_MS,
            },
        .arena = arena,
    };

    enum status st = report_fields_read(&kept.report, bought->document, arena, err);
    if (st != ST_OK)
        return st;
    if (bought->email[0] != '\0') {
        kept.creator.email = bought->email;
        kept.creator.email_source = "report";
    }
    return persist(store_once, &kept, err);
}

static void resolve(struct flight_receipt *receipt, const char *provider_user_id)
{
    (void)snprintf(receipt->resolved, sizeof(receipt->resolved), "%s", provider_user_id);
}

/*
 * Look again: the flight before may have landed between a caller's look-up and its join.
 * Without this the report would be bought twice.
 */
static enum status look_again(bool *is_held, const struct report_fetch *fetch,
                              struct flight_receipt *receipt, struct arena *arena,
                              struct error *err)
{
    const struct store_call call = store_call_of(fetch, arena);
    const struct creator_key asked = key_of(fetch);
    struct creator creator;
    struct creator_report report;
    bool found = false;

    *is_held = false;
    enum status st = creators_store_find(&creator, &found, &call, &asked, err);
    if (st != ST_OK || !found)
        return st;
    const struct creator_key key = {asked.platform, creator.provider_user_id, NULL};
    st = creators_store_report_find(&report, &found, &call, &key, false, err);
    if (st != ST_OK || !found)
        return st;
    *is_held = policy_state(report.fetched_at_us, report.fresh_until_us, clock_wall_us()) ==
               POLICY_FRESH;
    if (*is_held)
        resolve(receipt, creator.provider_user_id);
    return ST_OK;
}

static enum status buy(const struct report_fetch *fetch, struct flight_receipt *receipt,
                       struct arena *arena, struct error *err)
{
    const struct creator_key key = key_of(fetch);
    const struct upstream upstream = {
        .gateway = fetch->service->gateway,
        .timeout_ms = fetch->service->config->gateway_timeout_ms,
        .user = fetch->user,
        .reason = "select",
        .receipt = receipt,
    };
    struct upstream_report bought = {0};

    enum status st = upstream_fetch_report(&bought, &upstream, &key, arena, err);
    if (st == ST_NOT_FOUND)
        remember_refusal(fetch, err, arena);
    if (st == ST_OK)
        st = store_report(fetch, &bought, arena, err);
    if (st == ST_OK) {
        receipt->fetched = 1;
        resolve(receipt, bought.creator.provider_user_id);
        events_filled(fetch->service->events, EVENTS_KIND_REPORT,
                      bought.creator.provider_user_id, bought.creator.updated_at_us);
    }
    return st;
}

static enum status run(struct flight_job *job, struct flight_receipt *receipt,
                       struct error *err)
{
    const struct report_fetch *fetch = (const struct report_fetch *)job;
    struct arena arena;
    bool is_held = false;

    arena_init(&arena, ARENA_BYTES);
    enum status st = look_again(&is_held, fetch, receipt, &arena, err);
    if (st == ST_OK && !is_held)
        st = buy(fetch, receipt, &arena, err);
    arena_done(&arena);
    return st;
}

static void free_job(struct flight_job *job)
{
    struct report_fetch *fetch = (struct report_fetch *)job;

    mem_free(fetch->provider_user_id);
    mem_free(fetch->handle);
    mem_free(fetch->user);
    mem_free(fetch);
}

struct flight_job *report_fetch_new(const struct cache_service *service,
                                    const struct creator_key *key, const char *user)
{
    struct report_fetch *fetch = mem_alloc(sizeof(*fetch));

    fetch->job.run = run;
    fetch->job.free = free_job;
    fetch->service = service;
    fetch->platform = key->platform;
    if (key->provider_user_id != NULL)
        fetch->provider_user_id = mem_strdup(key->provider_user_id);
    else
        fetch->handle = mem_strdup(key->handle);
    fetch->user = mem_strdup(user);
    return &fetch->job;
}
