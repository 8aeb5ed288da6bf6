#include "support/calls.h"

#include <stdio.h>
#include <string.h>

#include "client/calls.h"
#include "client/client.h"
#include "client/creators.h"
#include "client/health.h"
#include "client/quota.h"
#include "core/op_id.h"

#define ARENA_BYTES (64u << 20)
#define PACKAGE     "/metercache.v1."

void caller_init(struct caller *caller, struct rpc_client *client)
{
    *caller = (struct caller){.client = client};
    arena_init(&caller->arena, ARENA_BYTES);
}

void caller_done(struct caller *caller)
{
    arena_done(&caller->arena);
}

void caller_forget(struct caller *caller)
{
    arena_reset(&caller->arena);
}

/* The last call's outcome and error start anew; the options every typed call takes. */
static struct client_options options_of(struct caller *caller)
{
    caller->err = ERROR_NONE;
    caller->outcome = (struct rpc_outcome){.attempts = 0};
    return (struct client_options){
        .timeout_ms = caller->timeout_ms == 0 ? CALLS_TIMEOUT_MS : caller->timeout_ms,
        .on_behalf_of = caller->on_behalf_of,
        .outcome = &caller->outcome,
    };
}

enum status call_method(struct caller *caller, const char *service, const char *method,
                        const ProtobufCMessageDescriptor *reply_type, const void *request,
                        void *reply)
{
    const struct client_options options = options_of(caller);
    ProtobufCMessage *answer = NULL;
    char name[128];
    enum status st;

    (void)snprintf(name, sizeof(name), PACKAGE "%s/%s", service, method);
    st = client_call(caller->client, name, reply_type, false, request, &options,
                     &caller->arena, &answer, &caller->err);
    if (st == ST_OK)
        *(ProtobufCMessage **)reply = answer;
    return st;
}

enum status call_search(struct caller *caller, const struct search_question *question,
                        search_reply **reply)
{
    Metercache__V1__SearchRequest request = METERCACHE__V1__SEARCH_REQUEST__INIT;
    Metercache__V1__PageRequest page = METERCACHE__V1__PAGE_REQUEST__INIT;

    request.platform = (Metercache__V1__Platform)question->platform;
    request.filters_json = (char *)(question->filters == NULL ? "" : question->filters);
    request.sort_json = (char *)(question->sort == NULL ? "" : question->sort);
    request.count = question->count;
    page.page_size = question->page_size;
    page.page_token = (char *)(question->page_token == NULL ? "" : question->page_token);
    request.page = &page;
    const struct client_options options = options_of(caller);
    return client_creators_search(reply, caller->client, &request, &options, &caller->arena,
                                  &caller->err);
}

static void name_creator(Metercache__V1__CreatorRef *out, int platform, const char *creator)
{
    metercache__v1__creator_ref__init(out);
    out->platform = (Metercache__V1__Platform)platform;
    if (creator[0] == '@') {
        out->by_case = METERCACHE__V1__CREATOR_REF__BY_HANDLE;
        out->handle = (char *)creator + 1;
    } else {
        out->by_case = METERCACHE__V1__CREATOR_REF__BY_PROVIDER_USER_ID;
        out->provider_user_id = (char *)creator;
    }
}

enum status call_select(struct caller *caller, int platform, const char *creator,
                        bool omit_report, select_reply **reply)
{
    Metercache__V1__SelectCreatorRequest request =
        METERCACHE__V1__SELECT_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref;

    name_creator(&ref, platform, creator);
    request.creator = &ref;
    request.omit_report = omit_report;
    const struct client_options options = options_of(caller);
    return client_creators_select_creator(reply, caller->client, &request, &options,
                                          &caller->arena, &caller->err);
}

enum status call_get(struct caller *caller, int platform, const char *creator,
                     Metercache__V1__GetCreatorResponse **reply)
{
    Metercache__V1__GetCreatorRequest request = METERCACHE__V1__GET_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref;

    name_creator(&ref, platform, creator);
    request.creator = &ref;
    const struct client_options options = options_of(caller);
    return client_creators_get_creator(reply, caller->client, &request, &options,
                                       &caller->arena, &caller->err);
}

enum status call_enrich(struct caller *caller, int platform, const char *creator,
                        enrich_reply **reply)
{
    Metercache__V1__EnrichCreatorRequest request =
        METERCACHE__V1__ENRICH_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref;

    name_creator(&ref, platform, creator);
    request.creator = &ref;
    const struct client_options options = options_of(caller);
    return client_creators_enrich_creator(reply, caller->client, &request, &options,
                                          &caller->arena, &caller->err);
}

static void name_page(Metercache__V1__PageRequest *out, uint32_t page_size,
                      const char *page_token)
{
    metercache__v1__page_request__init(out);
    out->page_size = page_size;
    out->page_token = (char *)(page_token == NULL ? "" : page_token);
}

enum status call_list_searches(struct caller *caller, uint32_t page_size,
                               const char *page_token,
                               Metercache__V1__ListSearchesResponse **reply)
{
    Metercache__V1__ListSearchesRequest request =
        METERCACHE__V1__LIST_SEARCHES_REQUEST__INIT;
    Metercache__V1__PageRequest page;

    name_page(&page, page_size, page_token);
    request.page = &page;
    const struct client_options options = options_of(caller);
    return client_creators_list_searches(reply, caller->client, &request, &options,
                                         &caller->arena, &caller->err);
}

enum status call_list_calls(struct caller *caller, uint32_t page_size,
                            const char *page_token,
                            Metercache__V1__ListCallsResponse **reply)
{
    Metercache__V1__ListCallsRequest request = METERCACHE__V1__LIST_CALLS_REQUEST__INIT;
    Metercache__V1__PageRequest page;

    name_page(&page, page_size, page_token);
    request.page = &page;
    const struct client_options options = options_of(caller);
    return client_calls_list_calls(reply, caller->client, &request, &options,
                                   &caller->arena, &caller->err);
}

enum status call_get_usage(struct caller *caller, const char *meter,
                           Metercache__V1__GetUsageResponse **reply)
{
    Metercache__V1__GetUsageRequest request = METERCACHE__V1__GET_USAGE_REQUEST__INIT;

    request.meter = (char *)meter;
    const struct client_options options = options_of(caller);
    return client_quota_get_usage(reply, caller->client, &request, &options, &caller->arena,
                                  &caller->err);
}

enum status call_health(struct caller *caller, Metercache__V1__HealthCheckResponse **reply)
{
    Metercache__V1__HealthCheckRequest request = METERCACHE__V1__HEALTH_CHECK_REQUEST__INIT;

    const struct client_options options = options_of(caller);
    return client_health_check(reply, caller->client, &request, &options, &caller->arena,
                               &caller->err);
}

enum status call_reserve(struct caller *caller, Metercache__V1__ReserveResponse **reply)
{
    Metercache__V1__ReserveRequest request = METERCACHE__V1__RESERVE_REQUEST__INIT;
    Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    struct op_id id = op_id_new();

    request.op_id.data = id.bytes;
    request.op_id.len = sizeof(id.bytes);
    request.meter = (char *)"modash.reports";
    request.amount_milli = 1000;
    request.hold_ms = 60000;
    purpose.provider = (char *)"modash";
    purpose.action = (char *)"report";
    purpose.reason = (char *)"test";
    request.purpose = &purpose;
    const struct client_options options = options_of(caller);
    return client_quota_reserve(reply, caller->client, &request, &options, &caller->arena,
                                &caller->err);
}
