#include "resources/creators/enrichment_fetch.h"

#include <string.h>

#include "cache_service.h"
#include "core/backoff.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "resources/creators/upstream_rpc.h"

#define ARENA_BYTES       (1024 * 1024)
#define STORE_LIMIT_MS    10000
#define PROVIDER_NAME     "clay"
#define RUN_LOST_AFTER_US (24LL * 3600 * CLOCK_US_PER_SECOND)

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

static enum status store_state(const struct enrichment_fetch *fetch,
                               const struct upstream_enrichment *answer,
                               struct arena *arena, struct error *err)
{
    const struct cache_config *config = fetch->service->config;
    const struct store_call call = {
        .store = fetch->service->store,
        .arena = arena,
        .deadline_us = clock_deadline_ms(STORE_LIMIT_MS),
    };
    const struct creator_key key = {fetch->creator.platform,
                                    fetch->creator.provider_user_id, NULL};
    int64_t now_us = clock_wall_us();
    struct creator_enrichment state = {
        .state = answer->state,
        .email = answer->email,
        .provider = PROVIDER_NAME,
        .run_id = answer->run_id,
        .asked_at_us = fetch->asked_at_us,
        .answered_at_us = now_us,
    };

    switch (answer->state) {
    case CREATOR_ENRICHMENT_FOUND:
        state.fresh_until_us = now_us + (int64_t)config->email_fresh_ms * CLOCK_US_PER_MS;
        break;
    case CREATOR_ENRICHMENT_PENDING: /* results are kept a day by the provider */
        state.answered_at_us = 0;
        state.fresh_until_us = now_us + RUN_LOST_AFTER_US;
        break;
    default:
        state.fresh_until_us =
            now_us + (int64_t)config->email_not_found_ms * CLOCK_US_PER_MS;
        break;
    }
    return creators_store_enrichment_put(&call, &key, &state, err);
}

/* A run that was started is stored before it is polled: a crash must not pay for it twice. */
static enum status run(struct flight_job *job, struct flight_receipt *receipt,
                       struct error *err)
{
    const struct enrichment_fetch *fetch = (const struct enrichment_fetch *)job;
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
    struct arena arena;
    enum status st;

    arena_init(&arena, ARENA_BYTES);
    for (unsigned attempt = 1;; attempt++) {
        st = upstream_enrich(&answer, &upstream, &fetch->creator, answer.run_id, &arena,
                             err);
        if (st == ST_OK)
            st = store_state(fetch, &answer, &arena, err);
        if (st != ST_OK || answer.state != CREATOR_ENRICHMENT_PENDING ||
            clock_left_ms(until_us) == 0)
            break;
        thread_pause_ms(backoff_delay_ms(&POLL, attempt, rng_system_u64()));
    }
    if (st == ST_OK)
        receipt->fetched = 1;
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
                                        const struct creator *creator, const char *run_id,
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
    fetch->run_id = arena_strdup(&fetch->texts, run_id);
    fetch->user = arena_strdup(&fetch->texts, user);
    fetch->asked_at_us = clock_wall_us();
    return &fetch->job;
}
