/*
 * ledger_client_rpc.h - the ledger at cache-service, as plain values.
 *
 * Every call is asynchronous and never retried here: what to do about a failure is the
 * writer's decision (writer.h). Outcome and error are in the reply.
 *
 * Threads: calls from any one thread at a time; `done` runs once a call, on a thread of the
 * rpc client, must not block, and owns the reply (ledger_reply_free).
 */
#ifndef LEDGER_CLIENT_RPC_H
#define LEDGER_CLIENT_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "core/error.h"
#include "quota_core.h"

#define LEDGER_LOOKUP_MAX 256 /* op ids, counters and cooldowns in one look-up, each */
#define LEDGER_NAME_MAX   96  /* of a writer */
#define LEDGER_PAGE_MAX   512 /* bytes of a page token */

enum ledger_call {
    LEDGER_OPEN,
    LEDGER_LIST_OPEN,
    LEDGER_COMMIT,
    LEDGER_GET_BATCH,
    LEDGER_GET_OPERATIONS,
    LEDGER_BEAT,
    LEDGER_GET_WRITER,
    LEDGER_LIST_USAGE,
};

/* What a look-up asks for. */
struct ledger_lookup {
    size_t id_count;
    struct op_id ids[LEDGER_LOOKUP_MAX];
    size_t counter_count;
    struct quota_needed_counter counters[LEDGER_LOOKUP_MAX];
    size_t cooldown_count;
    struct {
        uint32_t meter;
        char key[COOLDOWN_KEY_MAX + 1];
    } cooldowns[LEDGER_LOOKUP_MAX];
};

/* What a meter posted in the bucket that begins at start_us. */
struct ledger_usage {
    uint32_t meter;
    int64_t start_us;
    int64_t posted_milli;
};

struct ledger_reply {
    enum ledger_call call;
    struct error err; /* status ST_OK: the fields of the call are set */
    bool executed;    /* false: the ledger certainly never saw the call */

    uint64_t epoch;       /* OPEN: ours; all that read: the ledger's */
    uint64_t last_batch;  /* OPEN, GET_BATCH, GET_WRITER, GET_OPERATIONS: committed then */
    int64_t last_at_us;   /* OPEN */
    int64_t newest_op_us; /* OPEN: op ids of a later time are not in the ledger */
    bool committed;       /* GET_BATCH */
    size_t counter_count; /* OPEN, GET_OPERATIONS */
    struct quota_counter *counters;
    size_t limit_count; /* OPEN */
    struct limit_rule *limits;
    size_t alert_count; /* OPEN: not known to be published */
    struct quota_alert *alerts;
    size_t cooldown_count; /* GET_OPERATIONS */
    struct cooldown *cooldowns;
    size_t usage_count; /* LIST_USAGE */
    struct ledger_usage *usage;
    size_t sequence_count; /* COMMIT, GET_BATCH: of the batch's alerts, in order */
    uint64_t sequences[BATCH_ALERTS_MAX];
    uint64_t beat;                    /* GET_WRITER */
    char writer[LEDGER_NAME_MAX + 1]; /* GET_WRITER */
    size_t row_count;                 /* LIST_OPEN, GET_OPERATIONS */
    struct quota_row *rows;
    char next_page[LEDGER_PAGE_MAX]; /* LIST_OPEN; "": that was the last page */
    size_t skipped;                  /* rows of meters we do not have */
};

void ledger_reply_free(struct ledger_reply *reply); /* accepts NULL */

typedef void (*ledger_done)(void *context, struct ledger_reply *reply);

struct ledger_client;

struct ledger_client_options {
    const char *url;
    const char *token;
    const char *writer_name; /* of this instance: who it was that wrote last */
    const char *tls_ca_file; /* with tls+tcp://; NULL or "" else */
    const char *tls_cert_file;
    const char *tls_key_file;
    ledger_done done;
    void *context;
};

MUST_USE enum status ledger_client_open(struct ledger_client **out,
                                        const struct ledger_client_options *options,
                                        struct error *err);
/* Waits for the callbacks of calls in flight. Accepts NULL. */
void ledger_client_close(struct ledger_client *ledger);

void ledger_client_open_epoch(struct ledger_client *ledger);
void ledger_client_list_open(struct ledger_client *ledger, const char *page);
void ledger_client_commit(struct ledger_client *ledger, uint64_t epoch,
                          const struct quota_batch *batch);
void ledger_client_get_batch(struct ledger_client *ledger, uint64_t epoch, uint64_t batch);
void ledger_client_get_operations(struct ledger_client *ledger,
                                  const struct ledger_lookup *lookup);
void ledger_client_beat(struct ledger_client *ledger, uint64_t epoch);
/* resign_epoch 0: only ask. */
void ledger_client_get_writer(struct ledger_client *ledger, uint64_t resign_epoch);
void ledger_client_list_usage(struct ledger_client *ledger, int64_t from_us,
                              int64_t until_us, uint32_t bucket_seconds);

#endif /* LEDGER_CLIENT_RPC_H */
