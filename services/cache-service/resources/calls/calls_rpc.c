#include "resources/calls/calls_rpc.h"

#include <string.h>

#include "cache_service.h"
#include "core/parse.h"
#include "metercache/v1/calls.pb-c.h"
#include "resources/page_rpc.h"
#include "store/calls_store.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX     500
#define TIME_MAX_US  253402300799999999LL /* the end of the year 9999 */

/* A page token is the event id of the last call of the page before, in hex. */
static enum status read_token(struct calls_cursor *out, const char *token,
                              struct error *err)
{
    if (token[0] != '\0' && !parse_hex(out->event_id.bytes, OP_ID_SIZE, token))
        return error_field(err, "page.page_token", "not a page token");
    return ST_OK;
}

static void write_token(char out[2 * OP_ID_SIZE + 1], const struct call_record *last)
{
    parse_format_hex(out, last->event_id.bytes, OP_ID_SIZE);
}

/* Clients see their own user's calls, whatever they ask for; others see all. */
static enum status read_user(const char **out, const struct rpc_call *call,
                             const char *asked, struct error *err)
{
    bool sees_all =
        (call->caller.role & (RPC_ROLE_STAFF | RPC_ROLE_ADMIN | RPC_ROLE_SERVICE)) != 0;
    const char *own = rpc_call_user(call);

    if (sees_all)
        *out = asked;
    else if (own[0] == '\0' || (asked[0] != '\0' && strcmp(asked, own) != 0))
        return error_set(err, ST_DENIED, "the calls of another user");
    else
        *out = own;
    return ST_OK;
}

static bool is_bound(int64_t unix_us)
{
    return unix_us >= 0 && unix_us <= TIME_MAX_US;
}

static enum status read_filter(struct calls_filter *out, const struct rpc_call *call,
                               const Metercache__V1__ListCallsRequest *request,
                               struct error *err)
{
    if (!is_bound(request->from_us))
        return error_field(err, "from_us", "not a time");
    if (!is_bound(request->until_us))
        return error_field(err, "until_us", "not a time");
    if (request->outcome < 0 || request->outcome > INT16_MAX)
        return error_field(err, "outcome", "not an outcome");
    *out = (struct calls_filter){
        .provider = request->provider,
        .action = request->action,
        .from_us = request->from_us,
        .until_us = request->until_us,
        .outcome = (int)request->outcome,
    };
    return read_user(&out->user, call, request->user, err);
}

static void write_call(Metercache__V1__CallRecord *out, const struct call_record *call)
{
    metercache__v1__call_record__init(out);
    out->op_id = (ProtobufCBinaryData){OP_ID_SIZE, (uint8_t *)call->op_id.bytes};
    out->provider = (char *)call->provider;
    out->action = (char *)call->action;
    out->reason = (char *)call->reason;
    out->platform = (Metercache__V1__Platform)call->platform;
    out->creator = (char *)call->creator;
    out->user = (char *)call->user;
    out->started_at_us = call->started_at_us;
    out->outcome = (Metercache__V1__CallOutcome)call->outcome;
    out->credits_milli = call->credits_milli;
    out->latency_us = (uint64_t)call->latency_us;
    out->http_status = (uint32_t)call->http_status;
    out->meter = (char *)call->meter;
    out->detail = (char *)call->detail;
}

/* `count` calls of a page, and its token when `has_more`. */
static enum status write_reply(Metercache__V1__ListCallsResponse *reply,
                               struct arena *arena, const struct call_record *calls,
                               size_t count, bool has_more, struct error *err)
{
    Metercache__V1__CallRecord *messages =
        arena_alloc_array(arena, count + 1, sizeof(*messages));
    Metercache__V1__CallRecord **list =
        arena_alloc_array(arena, count + 1, sizeof(Metercache__V1__CallRecord *));
    char token[2 * OP_ID_SIZE + 1] = "";

    if (messages == NULL || list == NULL)
        return error_out_of_arena(err);
    for (size_t i = 0; i < count; i++) {
        write_call(&messages[i], &calls[i]);
        list[i] = &messages[i];
    }
    if (has_more)
        write_token(token, &calls[count - 1]);
    reply->page = page_response(arena_strdup(arena, token), arena);
    if (reply->page == NULL)
        return error_out_of_arena(err);
    reply->n_calls = count;
    reply->calls = list;
    return ST_OK;
}

static enum status list_calls(struct rpc_call *call, const void *request_message,
                              void *reply_message, struct error *err)
{
    const Metercache__V1__ListCallsRequest *request = request_message;
    struct store_call store = cache_service_store_call(call);
    struct calls_cursor behind = {0};
    struct calls_filter filter;
    const struct call_record *calls;
    size_t limit = page_size(request->page, PAGE_DEFAULT, PAGE_MAX);
    size_t count;

    enum status st = read_filter(&filter, call, request, err);
    if (st == ST_OK)
        st = read_token(&behind, page_token(request->page), err);
    if (st != ST_OK)
        return st;
    store.may_lag = true;
    st = calls_store_list(&calls, &count, &store, &filter, &behind, limit + 1, err);
    if (st != ST_OK)
        return st;
    bool has_more = count > limit;
    return write_reply(reply_message, call->arena, calls, has_more ? limit : count,
                       has_more, err);
}

const struct rpc_method calls_methods[] = {
    {
        .service = &metercache__v1__call_log_service__descriptor,
        .name = "ListCalls",
        .roles = RPC_ROLES_ANY,
        .flags = RPC_IDEMPOTENT,
        .handler = list_calls,
    },
    {.service = NULL},
};
