/*
 *     quota-service -> CommitBatch -> ledger_messages_read_batch -> ledger_store_commit
 *
 * What a message may hold is checked on the way, event by event; whether the batch may be
 * committed is decided in the database (migrations/0006_ledger_commit.sql).
 */
#include "ledger/ledger_rpc.h"

#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/parse.h"
#include "ledger/ledger_messages_rpc.h"
#include "metercache/v1/ledger.pb-c.h"
#include "resources/page_rpc.h"
#include "store/ledger_store.h"

#define WRITER_SUBJECT   "quota-service"
#define COUNTERS_KEPT_US (62LL * 24 * 3600 * CLOCK_US_PER_SECOND)

/* The one place that says who may use the ledger. */
static enum status begin(struct store_call *out, const struct rpc_call *call,
                         struct error *err)
{
    if (call->caller.role != RPC_ROLE_SERVICE ||
        strcmp(call->caller.subject, WRITER_SUBJECT) != 0)
        return error_set(err, ST_DENIED, "the ledger is for '%s' alone", WRITER_SUBJECT);
    const struct cache_service *service = call->service;

    *out = cache_service_store_call(call);
    out->store = service->ledger;
    return ST_OK;
}

/* ---- handlers ---- */

static enum status open_ledger(struct rpc_call *call, const void *request_message,
                               void *reply_message, struct error *err)
{
    const Metercache__V1__OpenLedgerRequest *request = request_message;
    Metercache__V1__OpenLedgerResponse *reply = reply_message;
    struct store_call store;
    struct ledger_state state;

    enum status st = begin(&store, call, err);
    if (st == ST_OK)
        st = ledger_store_open(&state, &store, request->writer,
                               clock_wall_us() - COUNTERS_KEPT_US, err);
    if (st != ST_OK)
        return st;
    reply->counters =
        ledger_messages_write_counters(call->arena, state.counters, state.counter_count);
    if (reply->counters == NULL)
        return error_out_of_arena(err);
    reply->n_counters = state.counter_count;
    reply->epoch = (uint64_t)state.epoch;
    reply->last_batch = (uint64_t)state.last_batch;
    reply->last_at_us = state.last_at_us;
    if (op_id_is_zero(&state.newest_op_id))
        return ST_OK;
    reply->newest_op_id.data =
        arena_memdup(call->arena, state.newest_op_id.bytes, OP_ID_SIZE);
    if (reply->newest_op_id.data == NULL)
        return error_out_of_arena(err);
    reply->newest_op_id.len = OP_ID_SIZE;
    return ST_OK;
}

static enum status commit_batch(struct rpc_call *call, const void *request_message,
                                void *reply_message, struct error *err)
{
    const Metercache__V1__CommitBatchRequest *request = request_message;
    Metercache__V1__CommitBatchResponse *reply = reply_message;
    struct store_call store;
    struct ledger_batch batch;

    enum status st = begin(&store, call, err);
    if (st == ST_OK)
        st = ledger_messages_read_batch(&batch, call->arena, request, err);
    if (st == ST_OK)
        st = ledger_store_commit(&store, &batch, err);
    if (st == ST_OK)
        reply->batch = request->batch;
    return st;
}

static enum status get_batch(struct rpc_call *call, const void *request_message,
                             void *reply_message, struct error *err)
{
    const Metercache__V1__GetBatchRequest *request = request_message;
    Metercache__V1__GetBatchResponse *reply = reply_message;
    struct store_call store;
    struct ledger_batch_state state;

    enum status st = begin(&store, call, err);
    if (st == ST_OK && (request->epoch > INT64_MAX || request->batch > INT64_MAX))
        st = error_field(err, "batch", "epoch or batch is out of range");
    if (st == ST_OK)
        st = ledger_store_find_batch(&state, &store, (int64_t)request->epoch,
                                     (int64_t)request->batch, err);
    if (st != ST_OK)
        return st;
    reply->committed = state.committed;
    reply->current_epoch = (uint64_t)state.current_epoch;
    reply->last_batch = (uint64_t)state.last_batch;
    return ST_OK;
}

/* A page token is the id of the last reservation of the page before, in hex. */
static enum status read_page(struct op_id *after, size_t *limit,
                             const Metercache__V1__PageRequest *page, struct error *err)
{
    const char *token = page_token(page);

    *after = (struct op_id){{0}};
    *limit = page_size(page, LEDGER_STORE_RESERVATIONS_MAX, LEDGER_STORE_RESERVATIONS_MAX);
    if (token[0] != '\0' && !parse_hex(after->bytes, OP_ID_SIZE, token))
        return error_field(err, "page.page_token", "not a page token");
    return ST_OK;
}

static enum status list_open_reservations(struct rpc_call *call,
                                          const void *request_message, void *reply_message,
                                          struct error *err)
{
    const Metercache__V1__ListOpenReservationsRequest *request = request_message;
    Metercache__V1__ListOpenReservationsResponse *reply = reply_message;
    struct store_call store;
    struct op_id after;
    char token[2 * OP_ID_SIZE + 1] = "";
    const struct ledger_event *events;
    size_t count, limit;

    enum status st = begin(&store, call, err);
    if (st == ST_OK)
        st = read_page(&after, &limit, request->page, err);
    if (st == ST_OK)
        st = ledger_store_list_reservations(&events, &count, &store, &after, limit, err);
    if (st != ST_OK)
        return st;
    if (count == limit)
        parse_format_hex(token, events[count - 1].op_id.bytes, OP_ID_SIZE);
    reply->page = page_response(arena_strdup(call->arena, token), call->arena);
    reply->reservations = ledger_messages_write_events(call->arena, events, count);
    if (reply->page == NULL || reply->reservations == NULL)
        return error_out_of_arena(err);
    reply->n_reservations = count;
    return ST_OK;
}

static enum status get_operations(struct rpc_call *call, const void *request_message,
                                  void *reply_message, struct error *err)
{
    const Metercache__V1__GetOperationsRequest *request = request_message;
    Metercache__V1__GetOperationsResponse *reply = reply_message;
    struct op_id ids[LEDGER_STORE_OPERATIONS_MAX];
    struct store_call store;
    const struct ledger_event *events;
    size_t count;

    enum status st = begin(&store, call, err);
    if (st == ST_OK && request->n_op_ids > COUNT_OF(ids))
        st = error_field(err, "op_ids", "more than %zu op ids", COUNT_OF(ids));
    for (size_t i = 0; st == ST_OK && i < request->n_op_ids; i++)
        if (!ledger_messages_read_id(&ids[i], request->op_ids[i]))
            st = error_field(err, "op_ids", "op id %zu has not 16 bytes", i);
    if (st == ST_OK)
        st = ledger_store_operations(&events, &count, &store, ids, request->n_op_ids, err);
    if (st != ST_OK)
        return st;
    reply->events = ledger_messages_write_events(call->arena, events, count);
    if (reply->events == NULL)
        return error_out_of_arena(err);
    reply->n_events = count;
    return ST_OK;
}

#define ROW(name_, flags_, handler_)                                             \
    {                                                                            \
        .service = &metercache__v1__ledger_service__descriptor, .name = (name_), \
        .roles = RPC_ROLE_SERVICE, .flags = (flags_), .handler = (handler_)      \
    }

/* A commit repeated is no commit: the writer looks its batch up instead. */
// clang-format off
const struct rpc_method ledger_methods[] = {
    ROW("OpenLedger",           0,              open_ledger),
    ROW("CommitBatch",          0,              commit_batch),
    ROW("GetBatch",             RPC_IDEMPOTENT, get_batch),
    ROW("ListOpenReservations", RPC_IDEMPOTENT, list_open_reservations),
    ROW("GetOperations",        RPC_IDEMPOTENT, get_operations),
    {.service = NULL},
};
// clang-format on
