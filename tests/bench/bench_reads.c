/*
 * bench_reads.c - reads from the database through the whole stack, beside a raw nng echo
 * in the same minute: at 1,000 a second, and as fast as they go.
 *
 * The promise: a read is answered in under 5 ms at the 99th percentile at 1,000 a second.
 */
#include <stdio.h>
#include <stdlib.h>

#include "client/creators.h"
#include "core/arena.h"
#include "core/mem.h"
#include "support/load.h"
#include "support/raw_echo.h"
#include "support/stack.h"

#define CALLERS         64
#define RATE            1000
#define SECONDS         8
#define CREATORS        200
#define MESSAGE_BYTES   256
#define P99_PROMISED_US 5000

struct reads {
    struct rpc_client *client;
    struct arena arenas[CALLERS];
    unsigned next[CALLERS];
    char *ids[CREATORS];
    size_t id_count;
};

static struct client_options patient = {.timeout_ms = 60000};

static Metercache__V1__SearchRequest search_request(void)
{
    Metercache__V1__SearchRequest request = METERCACHE__V1__SEARCH_REQUEST__INIT;

    request.platform = METERCACHE__V1__PLATFORM__PLATFORM_INSTAGRAM;
    request.filters_json = "{\"influencer\":{\"followers\":{\"min\":20000,\"max\":70000}}}";
    request.count = CREATORS;
    return request;
}

static void fail_with(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

/* Fills the cache, so that every read after it is one of the database. */
static void prepare(struct reads *reads)
{
    Metercache__V1__SearchRequest request = search_request();
    Metercache__V1__SearchResponse *reply = NULL;
    struct error err = ERROR_NONE;
    struct arena arena;

    arena_init(&arena, 8 << 20);
    if (client_creators_search(&reply, reads->client, &request, &patient, &arena, &err) !=
        ST_OK)
        fail_with("search", &err);
    for (size_t i = 0; i < reply->n_creators && i < CREATORS; i++)
        reads->ids[reads->id_count++] = mem_strdup(reply->creators[i]->provider_user_id);
    arena_done(&arena);
}

static bool get_creator(void *argument, unsigned caller)
{
    struct reads *reads = argument;
    Metercache__V1__GetCreatorRequest request = METERCACHE__V1__GET_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef creator = METERCACHE__V1__CREATOR_REF__INIT;
    Metercache__V1__GetCreatorResponse *reply = NULL;
    struct error err = ERROR_NONE;

    creator.platform = METERCACHE__V1__PLATFORM__PLATFORM_INSTAGRAM;
    creator.by_case = METERCACHE__V1__CREATOR_REF__BY_PROVIDER_USER_ID;
    creator.provider_user_id =
        reads->ids[(caller + reads->next[caller]++) % reads->id_count];
    request.creator = &creator;
    enum status st = client_creators_get_creator(&reply, reads->client, &request, &patient,
                                                 &reads->arenas[caller], &err);
    arena_reset(&reads->arenas[caller]);
    return st == ST_OK;
}

static bool search_cached(void *argument, unsigned caller)
{
    struct reads *reads = argument;
    Metercache__V1__SearchRequest request = search_request();
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;
    Metercache__V1__SearchResponse *reply = NULL;
    struct error err = ERROR_NONE;

    page.page_size = 20;
    request.page = &page;
    enum status st = client_creators_search(&reply, reads->client, &request, &patient,
                                            &reads->arenas[caller], &err);
    arena_reset(&reads->arenas[caller]);
    return st == ST_OK;
}

static struct load_result measure(const char *name, unsigned rate,
                                  bool (*call)(void *, unsigned), void *context)
{
    const struct load_options options = {
        .callers = CALLERS,
        .rate = rate,
        .seconds = SECONDS,
        .call = call,
        .context = context,
    };
    struct load_result result = load_run(&options);

    load_print(name, &result);
    return result;
}

static bool print_verdict(const char *name, const struct load_result *reads,
                          const struct load_result *raw)
{
    bool is_kept = reads->p99_us < P99_PROMISED_US && reads->failures == 0;

    printf("%-44s p99 %.1f times the raw echo's; under 5 ms: %s\n", name,
           (double)reads->p99_us / (double)(raw->p99_us ? raw->p99_us : 1),
           is_kept ? "yes" : "NO");
    return is_kept;
}

int main(void)
{
    struct raw_echo *raw = raw_echo_open(CALLERS, MESSAGE_BYTES);
    struct stack *stack = stack_up("reads", (const char *const[]){NULL});
    struct reads reads = {.client = stack_client(stack, STACK_CACHE, "alice")};

    for (unsigned i = 0; i < CALLERS; i++)
        arena_init(&reads.arenas[i], 4 << 20);
    prepare(&reads);

    struct load_result echo = measure("raw nng echo, 1,000/s", RATE, raw_echo_call, raw);
    struct load_result gets = measure("GetCreator, 1,000/s", RATE, get_creator, &reads);
    struct load_result searches =
        measure("Search from the cache, 1,000/s", RATE, search_cached, &reads);
    struct load_result echo_most =
        measure("raw nng echo, 64 callers", 0, raw_echo_call, raw);
    struct load_result gets_most =
        measure("GetCreator, 64 callers", 0, get_creator, &reads);
    bool gets_kept = print_verdict("GetCreator", &gets, &echo);
    bool searches_kept = print_verdict("Search from the cache", &searches, &echo);
    printf("%-44s %.2f of the raw echo's rate\n", "GetCreator, 64 callers",
           gets_most.per_second / echo_most.per_second);

    for (unsigned i = 0; i < CALLERS; i++)
        arena_done(&reads.arenas[i]);
    for (size_t i = 0; i < reads.id_count; i++)
        mem_free(reads.ids[i]);
    stack_down(stack);
    raw_echo_close(raw);
    return gets_kept && searches_kept ? 0 : 1;
}
