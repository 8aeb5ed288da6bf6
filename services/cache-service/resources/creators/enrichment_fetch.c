#include "resources/creators/enrichment_fetch.h"

#include <string.h>

#include "cache_service.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "engine/persist.h"
#include "resources/creators/upstream_rpc.h"
#include "resources/events_rpc.h"

#define ARENA_BYTES     (1024 * 1024)
#define STORE_LIMIT_MS  10000
#define PROVIDER_NAME   "clay"
#define HOUR_US         (3600 * CLOCK_US_PER_SECOND)
#define RUN_KEPT_US     (24 * HOUR_US) /* the provider keeps results about a day */
#define UNKNOWN_KEPT_US HOUR_US
#define LONG_AGO_US     1

/* The provider wants a modest interval between polls. */
static const struct backoff_policy POLL = {.first_ms = 250, .max_ms = 5000};

struct enrichment_fetch {
    struct flight_job job; /* first: the flight knows this part alone */
    const struct cache_service *service;
    struct creator creator; /* texts owned by the job's arena */
    const char *run_id;
    const char *user;
    int64_t asked_at_us;
    struct arena texts;
};

static struct store_call store_call_of(const struct enrichment_fetch *fetch,
                                       struct arena *arena)
{
    return (struct store_call){
        .store = fetch->service->store,
        .arena = arena,
        .deadline_us = clock_deadline_ms(STORE_LIMIT_MS),
    };
}

/* The state of a look-up, on its way into the store. */
struct kept {
    const struct enrichment_fetch *fetch;
    struct creator_enrichment state;
    struct arena *arena;
};

static enum status store_once(void *context, struct error *err)
{
    const struct kept *kept = context;
    const struct creator *creator = &kept->fetch->creator;
    const struct creator_key key = {creator->platform, creator->provider_user_id, NULL};
    const struct store_call call = store_call_of(kept->fetch, kept->arena);

    return creators_store_enrichment_put(&call, &key, &kept->state, err);
}

static enum status store_state(const struct enrichment_fetch *fetch,
                               const struct creator_enrichment *state, struct arena *arena,
                               struct error *err)
{
    struct kept kept = {.fetch = fetch, .state = *state, .arena = arena};

    kept.state.provider = PROVIDER_NAME;
    kept.state.asked_at_us = fetch->asked_at_us;
    return persist(store_once, &kept, err);
}

static enum status store_answer(const struct enrichment_fetch *fetch,
                                const struct upstream_enrichment *answer,
                                struct arena *arena, struct error *err)
{
    const struct cache_config *config = fetch->service->config;
    int64_t now_us = clock_wall_us();
    struct creator_enrichment state = {
        .state = answer->state,
        .email = answer->email,
        .run_id = answer->run_id,
        .answered_at_us = now_us,
    };

    if (answer->state == CREATOR_ENRICHMENT_PENDING) {
        state.answered_at_us = 0;
        state.fresh_until_us = fetch->asked_at_us + RUN_KEPT_US;
    } else if (answer->state == CREATOR_ENRICHMENT_NOT_FOUND) {
        state.fresh_until_us =
            now_us + (int64_t)config->email_not_found_ms * CLOCK_US_PER_MS;
    }
    return store_state(fetch, &state, arena, err);
}

static bool is_reason(const struct error *err, const char *reason)
{
    return strcmp(err->reason, reason) == 0;
}

/*
 * A run whose start was sent and never answered may exist and have been paid for, and it
 * has no id to ask after: it is left alone for a while, never started again at once. A run
 * that the provider has lost or that failed is over: the next call starts another. Returns
 * what callers are told.
 */
static enum status store_failure(const struct enrichment_fetch *fetch, const char *run_id,
                                 struct arena *arena, struct error *failure)
{
    bool is_lost = is_reason(failure, "RUN_LOST");
    bool is_over = is_lost || is_reason(failure, "RUN_FAILED");
    bool is_unknown = run_id[0] == '\0' && (is_reason(failure, "PROVIDER_TIMEOUT") ||
                                            is_reason(failure, "PROVIDER_NO_ANSWER"));
    const struct creator_enrichment state = {
        .state = CREATOR_ENRICHMENT_PENDING,
        .run_id = "",
        .fresh_until_us = is_over ? LONG_AGO_US : clock_wall_us() + UNKNOWN_KEPT_US,
    };
    struct error err = ERROR_NONE;

    if ((is_over || is_unknown) && store_state(fetch, &state, arena, &err) != ST_OK)
        log_event(LOG_WARN, "the state of an enrichment could not be stored",
                  LOG_STR("message", err.message));
    if (is_lost) { /* it is the run that was not found, not the creator */
        (void)error_set(failure, ST_UNAVAILABLE,
                        "the provider has lost the look-up, ask again for another");
        (void)error_reason(failure, "RUN_LOST");
    }
    return failure->status;
}

/*
 * Look again: the flight before may have landed between a caller's look-up and its join. A
 * run it started is followed, not started twice; *is_settled: there is nothing left to ask.
 */
static enum status look_again(bool *is_settled, struct enrichment_fetch *fetch,
                              struct arena *arena, struct error *err)
{
    const struct store_call call = store_call_of(fetch, arena);
    const struct creator_key key = {fetch->creator.platform,
                                    fetch->creator.provider_user_id, NULL};
    struct creator_enrichment held;
    struct creator creator;
    bool found = false;

    *is_settled = false;
    enum status st = creators_store_find(&creator, &found, &call, &key, err);
    if (st != ST_OK)
        return st;
    *is_settled = found && creator.email[0] != '\0';
    if (*is_settled)
        return ST_OK;
    st = creators_store_enrichment_find(&held, &found, &call, &key, err);
    if (st != ST_OK || !found || clock_wall_us() >= held.fresh_until_us)
        return st;
    *is_settled = held.state == CREATOR_ENRICHMENT_NOT_FOUND ||
                  (held.state == CREATOR_ENRICHMENT_PENDING && held.run_id[0] == '\0');
    if (held.state == CREATOR_ENRICHMENT_PENDING) {
        fetch->run_id = arena_strdup(&fetch->texts, held.run_id);
        fetch->asked_at_us = held.asked_at_us;
    }
    return ST_OK;
}

/* A run that was started is stored before it is polled: a crash must not pay for it twice. */
static enum status ask(const struct enrichment_fetch *fetch, struct flight_receipt *receipt,
                       struct arena *arena, struct error *err)
{
    const struct cache_config *config = fetch->service->config;
    const struct upstream upstream = {
        .gateway = fetch->service->gateway,
        .timeout_ms = config->gateway_timeout_ms,
        .user = fetch->user,
        .reason = "enrich",
        .receipt = receipt,
    };
    uint64_t until_us = clock_deadline_ms(config->enrichment_wait_ms);
    struct upstream_enrichment answer = {.run_id = fetch->run_id};
    enum status st;

    for (unsigned attempt = 1;; attempt++) {
        st =
            upstream_enrich(&answer, &upstream, &fetch->creator, answer.run_id, arena, err);
        if (st != ST_OK)
            st = store_failure(fetch, answer.run_id, arena, err);
        else
            st = store_answer(fetch, &answer, arena, err);
        if (st != ST_OK || answer.state != CREATOR_ENRICHMENT_PENDING ||
            clock_left_ms(until_us) == 0)
            return st;
        thread_pause_ms(backoff_delay_ms(&POLL, attempt, rng_system_u64()));
    }
}

static enum status run(struct flight_job *job, struct flight_receipt *receipt,
                       struct error *err)
{
    struct enrichment_fetch *fetch = (struct enrichment_fetch *)job;
    struct arena arena;
    bool is_settled = false;

    arena_init(&arena, ARENA_BYTES);
    enum status st = look_again(&is_settled, fetch, &arena, err);
    if (st == ST_OK && !is_settled) {
        st = ask(fetch, receipt, &arena, err);
        receipt->fetched = st == ST_OK;
        if (st == ST_OK)
            events_filled(fetch->service->events, EVENTS_KIND_EMAIL,
                          fetch->creator.provider_user_id, clock_wall_us());
    }
    arena_done(&arena);
    return st;
}

static void free_job(struct flight_job *job)
{
    struct enrichment_fetch *fetch = (struct enrichment_fetch *)job;

    arena_done(&fetch->texts);
    mem_free(fetch);
}

struct flight_job *enrichment_fetch_new(const struct cache_service *service,
                                        const struct creator *creator,
                                        const struct enrichment_run *wanted,
                                        const char *user)
{
    struct enrichment_fetch *fetch = mem_alloc(sizeof(*fetch));

    arena_init(&fetch->texts, SIZE_MAX);
    fetch->job.run = run;
    fetch->job.free = free_job;
    fetch->service = service;
    fetch->creator = (struct creator){
        .platform = creator->platform,
        .provider_user_id = arena_strdup(&fetch->texts, creator->provider_user_id),
        .handle = arena_strdup(&fetch->texts, creator->handle),
        .full_name = arena_strdup(&fetch->texts, creator->full_name),
        .url = arena_strdup(&fetch->texts, creator->url),
    };
    fetch->run_id = arena_strdup(&fetch->texts, wanted->id);
    fetch->user = arena_strdup(&fetch->texts, user);
    fetch->asked_at_us = wanted->asked_at_us;
    return &fetch->job;
}
