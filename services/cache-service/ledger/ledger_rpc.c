/*
 *     quota-service -> CommitBatch -> ledger_messages_read_batch -> ledger_store_commit
 *
 * What a message may hold is checked on the way, event by event; whether the batch may be
 * committed is decided in the database (migrations/0009_ledger_closings.sql).
 */
#include "ledger/ledger_rpc.h"

#include <string.h>

#include "cache_service.h"
#include "core/clock.h"
#include "core/parse.h"
#include "ledger/ledger_digest.h"
#include "ledger/ledger_messages_rpc.h"
#include "ledger/ledger_reads_rpc.h"
#include "metercache/v1/ledger.pb-c.h"
#include "resources/page_rpc.h"
#include "store/ledger_store.h"

#define WRITER_SUBJECT   "quota-service"
#define COUNTERS_KEPT_US (62LL * 24 * 3600 * CLOCK_US_PER_SECOND)

/* The one place that says who may use the ledger. */
enum status ledger_rpc_begin(struct store_call *out, const struct rpc_call *call,
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

    enum status st = ledger_rpc_begin(&store, call, err);
    if (st == ST_OK)
        st = ledger_store_open(&state, &store, request->writer,
                               clock_wall_us() - COUNTERS_KEPT_US, err);
    if (st != ST_OK)
        return st;
    reply->counters =
        ledger_messages_write_counters(call->arena, state.counters, state.counter_count);
    reply->limits =
        ledger_messages_write_limits(call->arena, state.limits, state.limit_count);
    reply->unpublished =
        ledger_messages_write_alerts(call->arena, state.alerts, state.alert_count);
    if (reply->counters == NULL || reply->limits == NULL || reply->unpublished == NULL)
        return error_out_of_arena(err);
    reply->n_counters = state.counter_count;
    reply->n_limits = state.limit_count;
    reply->n_unpublished = state.alert_count;
    reply->limit_version = (uint64_t)state.limit_version;
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
    int64_t *sequences;

    enum status st = ledger_rpc_begin(&store, call, err);
    if (st == ST_OK)
        st = ledger_messages_read_batch(&batch, call->arena, request, err);
    if (st != ST_OK)
        return st;
    ledger_digest(batch.digest, batch.at_us, batch.events, batch.event_count, batch.limits,
                  batch.limit_count);
    sequences = arena_alloc_array(call->arena, LEDGER_STORE_ALERTS_MAX, sizeof(*sequences));
    if (sequences == NULL)
        return error_out_of_arena(err);
    st = ledger_store_commit(&store, &batch, sequences, err);
    if (st != ST_OK)
        return st;
    reply->batch = request->batch;
    reply->alert_sequences = (uint64_t *)sequences;
    reply->n_alert_sequences = batch.alert_count;
    return ST_OK;
}

static enum status get_batch(struct rpc_call *call, const void *request_message,
                             void *reply_message, struct error *err)
{
    const Metercache__V1__GetBatchRequest *request = request_message;
    Metercache__V1__GetBatchResponse *reply = reply_message;
    struct store_call store;
    struct ledger_batch_state state;

    enum status st = ledger_rpc_begin(&store, call, err);
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
    if (!state.committed)
        return ST_OK;
    reply->alert_sequences = arena_alloc_array(call->arena, LEDGER_STORE_ALERTS_MAX,
                                               sizeof(*reply->alert_sequences));
    if (reply->alert_sequences == NULL)
        return error_out_of_arena(err);
    return ledger_store_alert_sequences((int64_t *)reply->alert_sequences,
                                        &reply->n_alert_sequences, &store,
                                        (int64_t)request->batch, err);
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
    struct ledger_writer writer;
    size_t count, limit;

    enum status st = ledger_rpc_begin(&store, call, err);
    if (st == ST_OK)
        st = read_page(&after, &limit, request->page, err);
    if (st == ST_OK)
        st = ledger_store_list_reservations(&events, &count, &store, &after, limit, err);
    if (st == ST_OK)
        st = ledger_store_writer(&writer, &store, 0, err);
    if (st != ST_OK)
        return st;
    reply->epoch = (uint64_t)writer.epoch;
    if (count == limit)
        parse_format_hex(token, events[count - 1].op_id.bytes, OP_ID_SIZE);
    reply->page = page_response(arena_strdup(call->arena, token), call->arena);
    reply->reservations = ledger_messages_write_events(call->arena, events, count);
    if (reply->page == NULL || reply->reservations == NULL)
        return error_out_of_arena(err);
    reply->n_reservations = count;
    return ST_OK;
}

static enum status read_ids(struct op_id *out,
                            const Metercache__V1__GetOperationsRequest *request,
                            struct error *err)
{
    if (request->n_op_ids > LEDGER_STORE_OPERATIONS_MAX ||
        request->n_counters > LEDGER_STORE_OPERATIONS_MAX ||
        request->n_cooldowns > LEDGER_STORE_OPERATIONS_MAX)
        return error_field(err, "op_ids", "more than %d op ids or keys",
                           LEDGER_STORE_OPERATIONS_MAX);
    for (size_t i = 0; i < request->n_op_ids; i++)
        if (!ledger_messages_read_id(&out[i], request->op_ids[i]))
            return error_field(err, "op_ids", "op id %zu has not 16 bytes", i);
    return ST_OK;
}

static enum status read_question(struct ledger_question *out,
                                 const Metercache__V1__GetOperationsRequest *request,
                                 struct arena *arena, struct error *err)
{
    struct op_id *ids = arena_alloc_array(arena, request->n_op_ids + 1, sizeof(*ids));
    struct ledger_counter *counters =
        arena_alloc_array(arena, request->n_counters + 1, sizeof(*counters));
    struct ledger_cooldown *cells =
        arena_alloc_array(arena, request->n_cooldowns + 1, sizeof(*cells));

    if (ids == NULL || counters == NULL || cells == NULL)
        return error_out_of_arena(err);
    if (read_ids(ids, request, err) != ST_OK)
        return err->status;
    for (size_t i = 0; i < request->n_counters; i++)
        counters[i] = (struct ledger_counter){
            .meter = request->counters[i]->meter,
            .scope = (int)request->counters[i]->scope,
            .subject = request->counters[i]->subject,
            .period_start_us = request->counters[i]->period_start_us,
            .period_end_us = request->counters[i]->period_end_us,
        };
    for (size_t i = 0; i < request->n_cooldowns; i++)
        cells[i] = (struct ledger_cooldown){.meter = request->cooldowns[i]->meter,
                                            .key = request->cooldowns[i]->key};
    *out = (struct ledger_question){
        ids, request->n_op_ids, counters, request->n_counters, cells, request->n_cooldowns};
    return ST_OK;
}

static enum status get_operations(struct rpc_call *call, const void *request_message,
                                  void *reply_message, struct error *err)
{
    Metercache__V1__GetOperationsResponse *reply = reply_message;
    struct ledger_question question;
    struct ledger_answer answer;
    struct store_call store;

    enum status st = ledger_rpc_begin(&store, call, err);
    if (st == ST_OK)
        st = read_question(&question, request_message, call->arena, err);
    if (st == ST_OK)
        st = ledger_store_ask(&answer, &store, &question, err);
    if (st != ST_OK)
        return st;
    reply->events =
        ledger_messages_write_events(call->arena, answer.events, answer.event_count);
    reply->counters =
        ledger_messages_write_counters(call->arena, answer.counters, answer.counter_count);
    reply->cooldowns = ledger_messages_write_cooldowns(call->arena, answer.cooldowns,
                                                       answer.cooldown_count);
    if (reply->events == NULL || reply->counters == NULL || reply->cooldowns == NULL)
        return error_out_of_arena(err);
    reply->n_events = answer.event_count;
    reply->n_counters = answer.counter_count;
    reply->n_cooldowns = answer.cooldown_count;
    reply->last_batch = (uint64_t)answer.last_batch;
    reply->epoch = (uint64_t)answer.epoch;
    return ST_OK;
}

static enum status beat(struct rpc_call *call, const void *request_message,
                        void *reply_message, struct error *err)
{
    const Metercache__V1__BeatRequest *request = request_message;
    struct store_call store;
    enum status st = ledger_rpc_begin(&store, call, err);

    (void)reply_message;
    if (st == ST_OK && request->epoch > INT64_MAX)
        st = error_field(err, "epoch", "is out of range");
    return st == ST_OK ? ledger_store_beat(&store, (int64_t)request->epoch, err) : st;
}

static enum status get_writer(struct rpc_call *call, const void *request_message,
                              void *reply_message, struct error *err)
{
    const Metercache__V1__GetWriterRequest *request = request_message;
    Metercache__V1__GetWriterResponse *reply = reply_message;
    struct ledger_writer writer;
    struct store_call store;
    enum status st = ledger_rpc_begin(&store, call, err);

    if (st == ST_OK && request->resign_epoch > INT64_MAX)
        st = error_field(err, "resign_epoch", "is out of range");
    if (st == ST_OK)
        st = ledger_store_writer(&writer, &store, (int64_t)request->resign_epoch, err);
    if (st != ST_OK)
        return st;
    reply->epoch = (uint64_t)writer.epoch;
    reply->last_batch = (uint64_t)writer.last_batch;
    reply->beat = (uint64_t)writer.beat;
    reply->writer = (char *)writer.name;
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
    ROW("Beat",                 RPC_IDEMPOTENT, beat),
    ROW("GetWriter",            RPC_IDEMPOTENT, get_writer),
    ROW("ListCounters",         RPC_IDEMPOTENT, ledger_list_counters),
    ROW("ListUnknownOutcomes",  RPC_IDEMPOTENT, ledger_list_unknown_outcomes),
    ROW("ListUsage",            RPC_IDEMPOTENT, ledger_list_usage),
    ROW("ListAlerts",           RPC_IDEMPOTENT, ledger_list_alerts),
    ROW("Verify",               RPC_IDEMPOTENT, ledger_verify_all),
    {.service = NULL},
};
// clang-format on
