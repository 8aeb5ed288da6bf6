#include "gateway_rpc.h"

#include <string.h>

#include "gateway.h"
#include "metercache/v1/gateway.pb-c.h"

#define TEXT_BYTES ((size_t)256) /* of each text of a context */

/* The numbers go over the wire as they stand. */
#define SAME(ours, theirs)                                       \
    _Static_assert((int)(ours) == (int)METERCACHE__V1__##theirs, \
                   #ours " is another on the wire")
SAME(PLATFORM_NONE, PLATFORM__PLATFORM_UNSPECIFIED);
SAME(PLATFORM_INSTAGRAM, PLATFORM__PLATFORM_INSTAGRAM);
SAME(PLATFORM_TIKTOK, PLATFORM__PLATFORM_TIKTOK);
SAME(PLATFORM_YOUTUBE, PLATFORM__PLATFORM_YOUTUBE);
SAME(CLAY_FOUND, ENRICH_EMAIL_STATE__ENRICH_EMAIL_STATE_FOUND);
SAME(CLAY_NOT_FOUND, ENRICH_EMAIL_STATE__ENRICH_EMAIL_STATE_NOT_FOUND);
SAME(CLAY_PENDING, ENRICH_EMAIL_STATE__ENRICH_EMAIL_STATE_PENDING);

/* ---- messages to values and back ---- */

static bool fits(const char *text)
{
    return strlen(text) <= TEXT_BYTES;
}

/* `of` may be NULL: a caller that says nothing of itself. */
static enum status read_context(struct call_context *out, struct rpc_call *call,
                                const Metercache__V1__CallContext *of, struct error *err)
{
    *out = (struct call_context){
        .user = of != NULL && of->user[0] != '\0' ? of->user : rpc_call_user(call),
        .reason = of != NULL ? of->reason : "",
        .tenant = of != NULL ? of->tenant : "",
        .cooldown_key = of != NULL ? of->cooldown_key : "",
        .is_interactive = of != NULL && of->is_interactive,
        .is_dry_run = call->is_dry_run,
        .deadline_us = call->deadline_us,
        .arena = call->arena,
    };
    if (!fits(out->user) || !fits(out->reason) || !fits(out->tenant) ||
        !fits(out->cooldown_key))
        return error_field(err, "context", "a text is longer than %zu bytes", TEXT_BYTES);
    return ST_OK;
}

static Metercache__V1__CallReceipt *receipt_message(const struct call_receipt *receipt,
                                                    struct arena *arena)
{
    Metercache__V1__CallReceipt *message = arena_alloc(arena, sizeof(*message));
    uint8_t *id = arena_memdup(arena, receipt->reservation_id.bytes, OP_ID_SIZE);

    if (message == NULL || id == NULL)
        return NULL;
    metercache__v1__call_receipt__init(message);
    message->op_id = (ProtobufCBinaryData){.len = OP_ID_SIZE, .data = id};
    message->credits_milli = receipt->credits_milli;
    message->latency_us = receipt->latency_us;
    message->attempts = receipt->attempts;
    message->http_status = receipt->http_status;
    return message;
}

static void fill_creator(Metercache__V1__Creator *message, const struct creator *creator)
{
    metercache__v1__creator__init(message);
    message->platform = (Metercache__V1__Platform)creator->platform;
    message->provider_user_id = (char *)creator->user_id;
    message->handle = (char *)creator->handle;
    message->full_name = (char *)creator->full_name;
    message->url = (char *)creator->url;
    message->picture_url = (char *)creator->picture_url;
    message->followers = creator->followers;
    message->engagements = creator->engagements;
    message->engagement_rate_ppm = creator->engagement_rate_ppm;
    message->average_views = creator->average_views;
    message->is_private = creator->is_private;
    message->is_verified = creator->is_verified;
}

/* An array of messages for a list; NULL when the arena is full. */
static Metercache__V1__Creator **creator_messages(const struct creator_list *list,
                                                  struct arena *arena)
{
    Metercache__V1__Creator **messages =
        arena_alloc_array(arena, list->count + 1, sizeof(*messages));
    Metercache__V1__Creator *items =
        arena_alloc_array(arena, list->count + 1, sizeof(*items));

    if (messages == NULL || items == NULL)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        fill_creator(&items[i], &list->items[i]);
        messages[i] = &items[i];
    }
    return messages;
}

/* ---- handlers ---- */

static enum status search_creators(struct rpc_call *call, const void *in, void *out,
                                   struct error *err)
{
    const Metercache__V1__SearchCreatorsRequest *request = in;
    Metercache__V1__SearchCreatorsResponse *reply = out;
    struct gateway *gateway = call->service;
    struct modash_search search = {
        .platform = (enum platform)request->platform,
        .filters_json = request->filters_json,
        .sort_json = request->sort_json,
        .page = request->page,
    };
    struct call_context context;
    struct call_receipt receipt;
    struct modash_page page;
    enum status st = read_context(&context, call, request->context, err);

    if (st == ST_OK)
        st = modash_search_creators(&page, &receipt, &gateway->modash, &context, &search,
                                    err);
    if (st != ST_OK)
        return st;
    reply->creators = creator_messages(&page.creators, call->arena);
    reply->receipt = receipt_message(&receipt, call->arena);
    if (reply->creators == NULL || reply->receipt == NULL)
        return error_out_of_arena(err);
    reply->n_creators = page.creators.count;
    reply->total = page.total;
    reply->is_exact_match = page.is_exact_match;
    reply->returned = (uint32_t)page.returned;
    return ST_OK;
}

static enum status find_users(struct rpc_call *call, const void *in, void *out,
                              struct error *err)
{
    const Metercache__V1__FindUsersRequest *request = in;
    Metercache__V1__FindUsersResponse *reply = out;
    struct gateway *gateway = call->service;
    struct modash_user_query query = {
        .platform = (enum platform)request->platform,
        .query = request->query,
        .limit = request->limit,
    };
    struct call_context context;
    struct call_receipt receipt;
    struct creator_list users;
    enum status st = read_context(&context, call, request->context, err);

    if (st == ST_OK)
        st = modash_find_users(&users, &receipt, &gateway->modash, &context, &query, err);
    if (st != ST_OK)
        return st;
    reply->creators = creator_messages(&users, call->arena);
    reply->receipt = receipt_message(&receipt, call->arena);
    if (reply->creators == NULL || reply->receipt == NULL)
        return error_out_of_arena(err);
    reply->n_creators = users.count;
    return ST_OK;
}

static enum status read_creator_name(struct modash_creator_name *out,
                                     const Metercache__V1__CreatorRef *ref,
                                     struct error *err)
{
    if (ref == NULL)
        return error_field(err, "creator", "is missing");
    out->platform = (enum platform)ref->platform;
    switch (ref->by_case) {
    case METERCACHE__V1__CREATOR_REF__BY_PROVIDER_USER_ID:
        out->who = ref->provider_user_id;
        return ST_OK;
    case METERCACHE__V1__CREATOR_REF__BY_HANDLE:
        out->who = ref->handle;
        return ST_OK;
    default:
        return error_field(err, "creator", "names neither a user id nor a handle");
    }
}

static enum status fetch_report(struct rpc_call *call, const void *in, void *out,
                                struct error *err)
{
    const Metercache__V1__FetchReportRequest *request = in;
    Metercache__V1__FetchReportResponse *reply = out;
    struct gateway *gateway = call->service;
    struct modash_creator_name name;
    struct call_context context;
    struct call_receipt receipt;
    struct modash_report report;
    enum status st = read_creator_name(&name, request->creator, err);

    if (st == ST_OK)
        st = read_context(&context, call, request->context, err);
    if (st == ST_OK)
        st = modash_fetch_report(&report, &receipt, &gateway->modash, &context, &name, err);
    if (st != ST_OK)
        return st;
    reply->creator = arena_alloc(call->arena, sizeof(*reply->creator));
    reply->emails = arena_memdup(call->arena, report.emails, sizeof(report.emails));
    reply->receipt = receipt_message(&receipt, call->arena);
    if (reply->creator == NULL || reply->emails == NULL || reply->receipt == NULL)
        return error_out_of_arena(err);
    fill_creator(reply->creator, &report.creator);
    reply->creator->has_report = true;
    reply->report_json = (char *)report.report_json;
    reply->n_emails = report.email_count;
    return ST_OK;
}

static enum status get_provider_balance(struct rpc_call *call, const void *in, void *out,
                                        struct error *err)
{
    const Metercache__V1__GetProviderBalanceRequest *request = in;
    Metercache__V1__GetProviderBalanceResponse *reply = out;
    struct gateway *gateway = call->service;
    struct call_context context;
    struct call_receipt receipt;
    int64_t credits_milli;
    enum status st;

    if (strcmp(request->provider, gateway->modash.provider.is.name) != 0)
        return error_field(err, "provider", "'%s' is no provider that tells its balance",
                           request->provider);
    st = read_context(&context, call, NULL, err);
    context.reason = "balance";
    if (st == ST_OK)
        st =
            modash_fetch_balance(&credits_milli, &receipt, &gateway->modash, &context, err);
    if (st != ST_OK)
        return st;
    reply->credits_left_milli = credits_milli;
    reply->receipt = receipt_message(&receipt, call->arena);
    return reply->receipt == NULL ? error_out_of_arena(err) : ST_OK;
}

static enum status enrich_email(struct rpc_call *call, const void *in, void *out,
                                struct error *err)
{
    const Metercache__V1__EnrichEmailRequest *request = in;
    Metercache__V1__EnrichEmailResponse *reply = out;
    struct gateway *gateway = call->service;
    struct clay_enrichment enrichment = {
        .platform = (enum platform)request->platform,
        .item_id = request->item_id,
        .run_id = request->run_id,
        .person = {.full_name = request->full_name,
                   .handle = request->handle,
                   .profile_url = request->profile_url,
                   .company_name = request->company_name,
                   .company_domain = request->company_domain},
    };
    struct call_context context;
    struct call_receipt receipt;
    struct clay_result result;
    enum status st = read_context(&context, call, request->context, err);

    if (st == ST_OK)
        st = clay_enrich_email(&result, &receipt, &gateway->clay, &context, &enrichment,
                               err);
    if (st != ST_OK)
        return st;
    reply->state = (Metercache__V1__EnrichEmailState)result.state;
    reply->email = (char *)result.email;
    reply->run_id = (char *)result.run_id;
    reply->result_json = (char *)result.result_json;
    reply->receipt = receipt_message(&receipt, call->arena);
    return reply->receipt == NULL ? error_out_of_arena(err) : ST_OK;
}

static Metercache__V1__ProviderState *state_message(struct provider *provider,
                                                    struct arena *arena)
{
    Metercache__V1__ProviderState *message = arena_alloc(arena, sizeof(*message));
    struct provider_record record;

    if (message == NULL)
        return NULL;
    provider_read_record(provider, &record);
    metercache__v1__provider_state__init(message);
    message->provider = (char *)provider->is.name;
    message->has_credentials = provider_has_key(provider);
    message->base_url = (char *)provider->is.base_url;
    message->inflight = record.inflight;
    message->calls = record.calls;
    message->failures = record.failures;
    message->last_error = arena_strdup(arena, record.last_error);
    message->last_error_at_us = record.last_error_at_us;
    return message->last_error == NULL ? NULL : message;
}

static enum status list_providers(struct rpc_call *call, const void *in, void *out,
                                  struct error *err)
{
    Metercache__V1__ListProvidersResponse *reply = out;
    struct gateway *gateway = call->service;

    (void)in;
    reply->providers =
        arena_alloc_array(call->arena, GATEWAY_PROVIDERS, sizeof(*reply->providers));
    if (reply->providers == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < GATEWAY_PROVIDERS; i++) {
        reply->providers[i] = state_message(gateway->providers[i], call->arena);
        if (reply->providers[i] == NULL)
            return error_out_of_arena(err);
    }
    reply->n_providers = GATEWAY_PROVIDERS;
    return ST_OK;
}

/* ---- who may call what ---- */

#define SERVICE &metercache__v1__gateway_service__descriptor
#define INSIDE  RPC_ROLE_SERVICE
#define OFFICE  (RPC_ROLE_STAFF | RPC_ROLE_ADMIN | RPC_ROLE_SERVICE)

// clang-format off
const struct rpc_method GATEWAY_METHODS[] = {
    {SERVICE, "SearchCreators",     INSIDE,        0,              search_creators},
    {SERVICE, "FindUsers",          INSIDE,        0,              find_users}, /* a log row each */
    {SERVICE, "FetchReport",        INSIDE,        0,              fetch_report},
    {SERVICE, "GetProviderBalance", OFFICE,        RPC_IDEMPOTENT, get_provider_balance},
    {SERVICE, "EnrichEmail",        INSIDE,        0,              enrich_email},
    {SERVICE, "ListProviders",      RPC_ROLES_ANY, RPC_INLINE | RPC_IDEMPOTENT, list_providers},
    {0},
};
// clang-format on
