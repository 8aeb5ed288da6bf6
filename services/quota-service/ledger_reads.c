#include "ledger_reads.h"

#include "core/clock.h"
#include "core/mem.h"

#define FAIL_FAST_MS 1000

struct ledger_reads {
    struct rpc_client *client;
};

static const char *file_or_null(const char *path)
{
    return path != NULL && path[0] != '\0' ? path : NULL;
}

enum status ledger_reads_open(struct ledger_reads **out,
                              const struct ledger_reads_options *options, struct error *err)
{
    const struct rpc_client_options client = {
        .endpoints = options->url,
        .bearer = options->token,
        .tls_ca_file = file_or_null(options->tls_ca_file),
        .tls_cert_file = file_or_null(options->tls_cert_file),
        .tls_key_file = file_or_null(options->tls_key_file),
        .fail_fast_ms = FAIL_FAST_MS,
    };
    struct ledger_reads *reads = mem_alloc(sizeof(*reads));

    if (rpc_client_open(&reads->client, &client, err) != ST_OK) {
        mem_free(reads);
        return error_wrap(err, "connection to the ledger");
    }
    *out = reads;
    return ST_OK;
}

void ledger_reads_close(struct ledger_reads *reads)
{
    if (reads == NULL)
        return;
    rpc_client_close(reads->client);
    mem_free(reads);
}

/* Our credential is not the caller's: it was let in here. */
static enum status refused(struct error *err)
{
    struct error told = *err;

    return error_set(err, ST_UNAVAILABLE, "the ledger refuses quota-service: %s",
                     told.message);
}

enum status ledger_reads_ask(struct ledger_reads *reads, const struct rpc_call *call,
                             const struct ledger_question *question,
                             const ProtobufCMessage *request, ProtobufCMessage **reply,
                             struct error *err)
{
    const struct rpc_call_options options = {
        .method = question->method,
        .reply_type = question->reply_type,
        .is_idempotent = true,
        .timeout_ms = clock_left_ms(call->deadline_us),
        .priority = call->priority,
        .traceparent = call->traceparent,
    };

    if (options.timeout_ms == 0) /* which would stand for the client's default */
        return error_set(err, ST_DEADLINE, "no time is left to ask the ledger");
    switch (
        rpc_client_call(reads->client, &options, request, call->arena, reply, NULL, err)) {
    case ST_OK:
        return ST_OK;
    case ST_DENIED:
    case ST_UNAUTHENTICATED:
        return refused(err);
    default:
        return error_wrap(err, "ledger");
    }
}
