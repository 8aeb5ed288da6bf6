#include "ledger_client_rpc.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "ledger_rows_rpc.h"
#include "metercache/v1/ledger.pb-c.h"
#include "metercache/v1/rpc.pb-c.h"
#include "rpc/client.h"

#define BEAT_TIMEOUT_MS   1000
#define METHOD(name)      "/metercache.v1.LedgerService/" name
#define OPEN_TIMEOUT_MS   5000
#define COMMIT_TIMEOUT_MS 2000
#define LOOKUP_TIMEOUT_MS 1000
#define PAGE_SIZE         2000

struct ledger_client {
    struct rpc_client *client;
    char *writer_name;
    ledger_done done;
    void *context;
    struct arena arena; /* of the commit being built */
};

/* One call under way. */
struct flight {
    struct ledger_client *ledger;
    struct ledger_reply *reply;
};

void ledger_reply_free(struct ledger_reply *reply)
{
    if (reply == NULL)
        return;
    mem_free(reply->counters);
    mem_free(reply->limits);
    mem_free(reply->alerts);
    mem_free(reply->cooldowns);
    mem_free(reply->usage);
    mem_free(reply->rows);
    mem_free(reply);
}

/* ---- replies --------------------------------------------------------------------------- */

/* A repeated field into an array of ours; what cannot be read is counted. */
#define READ_LIST(out, field, counter, messages, message_count, read)               \
    do {                                                                            \
        (out)->field = mem_alloc_array((message_count) + 1, sizeof(*(out)->field)); \
        for (size_t i = 0; i < (message_count); i++) {                              \
            if (read(&(out)->field[(out)->counter], (messages)[i]))                 \
                (out)->counter++;                                                   \
            else                                                                    \
                (out)->skipped++;                                                   \
        }                                                                           \
    } while (0)

static int64_t newest_op_us(const Metercache__V1__OpenLedgerResponse *message)
{
    const ProtobufCBinaryData *bytes = &message->newest_op_id;
    struct op_id id;

    return op_id_from_bytes(&id, bytes->data, bytes->len) ? op_id_time_us(&id) : 0;
}

static void read_opened(struct ledger_reply *out,
                        const Metercache__V1__OpenLedgerResponse *message)
{
    out->epoch = message->epoch;
    out->last_batch = message->last_batch;
    out->last_at_us = message->last_at_us;
    out->newest_op_us = newest_op_us(message);
    READ_LIST(out, counters, counter_count, message->counters, message->n_counters,
              ledger_rows_read_counter);
    READ_LIST(out, limits, limit_count, message->limits, message->n_limits,
              ledger_rows_read_limit);
    READ_LIST(out, alerts, alert_count, message->unpublished, message->n_unpublished,
              ledger_rows_read_alert);
}

static void read_open_rows(struct ledger_reply *out,
                           const Metercache__V1__ListOpenReservationsResponse *message)
{
    const char *next = message->page != NULL ? message->page->next_page_token : "";

    if (strlen(next) >= sizeof(out->next_page)) {
        error_set(&out->err, ST_INTERNAL, "page token of the ledger is too long");
        return;
    }
    snprintf(out->next_page, sizeof(out->next_page), "%s", next);
    out->epoch = message->epoch;
    READ_LIST(out, rows, row_count, message->reservations, message->n_reservations,
              ledger_rows_read);
}

static void read_sequences(struct ledger_reply *out, const uint64_t *sequences,
                           size_t count)
{
    out->sequence_count = count < BATCH_ALERTS_MAX ? count : BATCH_ALERTS_MAX;
    if (out->sequence_count > 0)
        memcpy(out->sequences, sequences, out->sequence_count * sizeof(sequences[0]));
}

static void read_batch_state(struct ledger_reply *out,
                             const Metercache__V1__GetBatchResponse *message)
{
    out->committed = message->committed;
    out->epoch = message->current_epoch;
    out->last_batch = message->last_batch;
    read_sequences(out, message->alert_sequences, message->n_alert_sequences);
}

static void read_committed(struct ledger_reply *out,
                           const Metercache__V1__CommitBatchResponse *message)
{
    read_sequences(out, message->alert_sequences, message->n_alert_sequences);
}

static void read_found(struct ledger_reply *out,
                       const Metercache__V1__GetOperationsResponse *message)
{
    out->last_batch = message->last_batch;
    out->epoch = message->epoch;
    READ_LIST(out, rows, row_count, message->events, message->n_events, ledger_rows_read);
    READ_LIST(out, counters, counter_count, message->counters, message->n_counters,
              ledger_rows_read_counter);
    READ_LIST(out, cooldowns, cooldown_count, message->cooldowns, message->n_cooldowns,
              ledger_rows_read_cooldown);
}

static void read_writer(struct ledger_reply *out,
                        const Metercache__V1__GetWriterResponse *message)
{
    out->epoch = message->epoch;
    out->last_batch = message->last_batch;
    out->beat = message->beat;
    snprintf(out->writer, sizeof(out->writer), "%s", message->writer);
}

static bool read_bucket(struct ledger_usage *out, const Metercache__V1__UsageBucket *bucket)
{
    *out = (struct ledger_usage){meters_find(bucket->meter), bucket->start_us,
                                 bucket->posted_milli};
    return out->meter != METERS_NONE;
}

static void read_usage(struct ledger_reply *out,
                       const Metercache__V1__ListUsageResponse *message)
{
    READ_LIST(out, usage, usage_count, message->buckets, message->n_buckets, read_bucket);
}

static void read_reply(struct ledger_reply *out, const ProtobufCMessage *message)
{
    switch (out->call) {
    case LEDGER_OPEN:
        read_opened(out, (const Metercache__V1__OpenLedgerResponse *)message);
        break;
    case LEDGER_LIST_OPEN:
        read_open_rows(out, (const Metercache__V1__ListOpenReservationsResponse *)message);
        break;
    case LEDGER_GET_BATCH:
        read_batch_state(out, (const Metercache__V1__GetBatchResponse *)message);
        break;
    case LEDGER_GET_OPERATIONS:
        read_found(out, (const Metercache__V1__GetOperationsResponse *)message);
        break;
    case LEDGER_COMMIT:
        read_committed(out, (const Metercache__V1__CommitBatchResponse *)message);
        break;
    case LEDGER_GET_WRITER:
        read_writer(out, (const Metercache__V1__GetWriterResponse *)message);
        break;
    case LEDGER_LIST_USAGE:
        read_usage(out, (const Metercache__V1__ListUsageResponse *)message);
        break;
    case LEDGER_BEAT:
        break;
    }
}

static void arrived(void *context, enum status status, const ProtobufCMessage *message,
                    const struct rpc_outcome *outcome, const struct error *err)
{
    struct flight *flight = context;
    struct ledger_client *ledger = flight->ledger;
    struct ledger_reply *reply = flight->reply;

    mem_free(flight);
    reply->executed = outcome == NULL || outcome->executed;
    if (status == ST_OK)
        read_reply(reply, message);
    else
        reply->err = *err;
    ledger->done(ledger->context, reply);
}

/* ---- calls ----------------------------------------------------------------------------- */

static void start(struct ledger_client *ledger, enum ledger_call call, const char *method,
                  const ProtobufCMessageDescriptor *reply_type, uint64_t timeout_ms,
                  const ProtobufCMessage *request)
{
    struct rpc_call_options options = {.method = method,
                                       .reply_type = reply_type,
                                       .timeout_ms = timeout_ms,
                                       .priority =
                                           METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL,
                                       .no_retry = true};
    struct flight *flight = mem_alloc(sizeof(*flight));

    flight->ledger = ledger;
    flight->reply = mem_alloc(sizeof(*flight->reply));
    flight->reply->call = call;
    rpc_client_start(ledger->client, &options, request, arrived, flight);
}

static const char *file_or_null(const char *path)
{
    return path != NULL && path[0] != '\0' ? path : NULL;
}

enum status ledger_client_open(struct ledger_client **out,
                               const struct ledger_client_options *options,
                               struct error *err)
{
    struct rpc_client_options client = {
        .endpoints = options->url,
        .bearer = options->token,
        .tls_ca_file = file_or_null(options->tls_ca_file),
        .tls_cert_file = file_or_null(options->tls_cert_file),
        .tls_key_file = file_or_null(options->tls_key_file),
        .fail_fast_ms = 250,
    };
    struct ledger_client *ledger = mem_alloc(sizeof(*ledger));

    if (rpc_client_open(&ledger->client, &client, err) != ST_OK) {
        mem_free(ledger);
        return error_wrap(err, "connection to the ledger");
    }
    ledger->writer_name = mem_strdup(options->writer_name);
    ledger->done = options->done;
    ledger->context = options->context;
    arena_init(&ledger->arena, LEDGER_ROWS_ARENA_BYTES);
    *out = ledger;
    return ST_OK;
}

void ledger_client_close(struct ledger_client *ledger)
{
    if (ledger == NULL)
        return;
    rpc_client_close(ledger->client);
    arena_done(&ledger->arena);
    mem_free(ledger->writer_name);
    mem_free(ledger);
}

void ledger_client_open_epoch(struct ledger_client *ledger)
{
    Metercache__V1__OpenLedgerRequest request = METERCACHE__V1__OPEN_LEDGER_REQUEST__INIT;

    request.writer = ledger->writer_name;
    start(ledger, LEDGER_OPEN, METHOD("OpenLedger"),
          &metercache__v1__open_ledger_response__descriptor, OPEN_TIMEOUT_MS,
          &request.base);
}

void ledger_client_list_open(struct ledger_client *ledger, const char *page)
{
    Metercache__V1__ListOpenReservationsRequest request =
        METERCACHE__V1__LIST_OPEN_RESERVATIONS_REQUEST__INIT;
    Metercache__V1__PageRequest page_request = METERCACHE__V1__PAGE_REQUEST__INIT;

    page_request.page_size = PAGE_SIZE;
    page_request.page_token = (char *)(uintptr_t)page; /* packed, never written to */
    request.page = &page_request;
    start(ledger, LEDGER_LIST_OPEN, METHOD("ListOpenReservations"),
          &metercache__v1__list_open_reservations_response__descriptor, OPEN_TIMEOUT_MS,
          &request.base);
}

void ledger_client_commit(struct ledger_client *ledger, uint64_t epoch,
                          const struct quota_batch *batch)
{
    Metercache__V1__CommitBatchRequest request = METERCACHE__V1__COMMIT_BATCH_REQUEST__INIT;

    arena_reset(&ledger->arena);
    request.epoch = epoch;
    ledger_rows_write(&request, batch, &ledger->arena);
    start(ledger, LEDGER_COMMIT, METHOD("CommitBatch"),
          &metercache__v1__commit_batch_response__descriptor, COMMIT_TIMEOUT_MS,
          &request.base);
}

void ledger_client_get_batch(struct ledger_client *ledger, uint64_t epoch, uint64_t batch)
{
    Metercache__V1__GetBatchRequest request = METERCACHE__V1__GET_BATCH_REQUEST__INIT;

    request.epoch = epoch;
    request.batch = batch;
    start(ledger, LEDGER_GET_BATCH, METHOD("GetBatch"),
          &metercache__v1__get_batch_response__descriptor, LOOKUP_TIMEOUT_MS,
          &request.base);
}

void ledger_client_get_operations(struct ledger_client *ledger,
                                  const struct ledger_lookup *lookup)
{
    Metercache__V1__GetOperationsRequest request =
        METERCACHE__V1__GET_OPERATIONS_REQUEST__INIT;
    ProtobufCBinaryData ids[LEDGER_LOOKUP_MAX];
    Metercache__V1__CounterKey keys[LEDGER_LOOKUP_MAX];
    Metercache__V1__CounterKey *key_list[LEDGER_LOOKUP_MAX];
    Metercache__V1__CooldownKey cooldowns[LEDGER_LOOKUP_MAX];
    Metercache__V1__CooldownKey *cooldown_list[LEDGER_LOOKUP_MAX];

    for (size_t i = 0; i < lookup->id_count; i++)
        ids[i] =
            (ProtobufCBinaryData){OP_ID_SIZE, (uint8_t *)(uintptr_t)lookup->ids[i].bytes};
    for (size_t i = 0; i < lookup->counter_count; i++) {
        ledger_rows_write_key(&keys[i], &lookup->counters[i]);
        key_list[i] = &keys[i];
    }
    for (size_t i = 0; i < lookup->cooldown_count; i++) {
        metercache__v1__cooldown_key__init(&cooldowns[i]);
        cooldowns[i].meter = (char *)(uintptr_t)METERS[lookup->cooldowns[i].meter].name;
        cooldowns[i].key = (char *)(uintptr_t)lookup->cooldowns[i].key;
        cooldown_list[i] = &cooldowns[i];
    }
    request.op_ids = ids;
    request.n_op_ids = lookup->id_count;
    request.counters = key_list;
    request.n_counters = lookup->counter_count;
    request.cooldowns = cooldown_list;
    request.n_cooldowns = lookup->cooldown_count;
    start(ledger, LEDGER_GET_OPERATIONS, METHOD("GetOperations"),
          &metercache__v1__get_operations_response__descriptor, LOOKUP_TIMEOUT_MS,
          &request.base);
}

void ledger_client_beat(struct ledger_client *ledger, uint64_t epoch)
{
    Metercache__V1__BeatRequest request = METERCACHE__V1__BEAT_REQUEST__INIT;

    request.epoch = epoch;
    start(ledger, LEDGER_BEAT, METHOD("Beat"), &metercache__v1__beat_response__descriptor,
          BEAT_TIMEOUT_MS, &request.base);
}

void ledger_client_get_writer(struct ledger_client *ledger, uint64_t resign_epoch)
{
    Metercache__V1__GetWriterRequest request = METERCACHE__V1__GET_WRITER_REQUEST__INIT;

    request.resign_epoch = resign_epoch;
    start(ledger, LEDGER_GET_WRITER, METHOD("GetWriter"),
          &metercache__v1__get_writer_response__descriptor, BEAT_TIMEOUT_MS, &request.base);
}

void ledger_client_list_usage(struct ledger_client *ledger, int64_t from_us,
                              int64_t until_us, uint32_t bucket_seconds)
{
    Metercache__V1__ListUsageRequest request = METERCACHE__V1__LIST_USAGE_REQUEST__INIT;

    request.from_us = from_us;
    request.until_us = until_us;
    request.bucket_seconds = bucket_seconds;
    start(ledger, LEDGER_LIST_USAGE, METHOD("ListUsage"),
          &metercache__v1__list_usage_response__descriptor, LOOKUP_TIMEOUT_MS,
          &request.base);
}
