/*
 * ledger_store.h - the quota ledger: what quota-service decided, kept.
 *
 * One writer at a time. Opening hands out an epoch and fences every older one. A batch is
 * all or nothing; events are append-only; the counters the writer passes must be what the
 * stored ones and the events give. See migrations/0006_ledger_commit.sql.
 *
 * Beside the errors of store.h (ST_UNAVAILABLE and ST_DEADLINE of a commit: its outcome is
 * not known, ask ledger_store_find_batch) a commit fails with
 *   ST_PRECONDITION, reason FENCED                a newer epoch writes
 *                           WRONG_BATCH           batch is not last_batch + 1
 *                           COUNTERS_DISAGREE     with the events
 *                           RESERVATION_NOT_OPEN  or of another amount, meter or period
 *                           CONSTRAINT            overspent, a negative hold, or an op id
 *                                                 from a future without a partition
 *   ST_EXISTS, reason DUPLICATE   an op id is in the ledger already
 *   ST_DATA_LOSS                  the hash chain has lost its head
 * and then has changed nothing.
 *
 * Threads: store.h.
 */
#ifndef STORE_LEDGER_STORE_H
#define STORE_LEDGER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/op_id.h"
#include "store/store.h"

#define LEDGER_STORE_EVENTS_MAX       1024
#define LEDGER_STORE_COUNTERS_MAX     1024
#define LEDGER_STORE_RESERVATIONS_MAX 2000
#define LEDGER_STORE_OPERATIONS_MAX   256
#define LEDGER_STORE_BODY_HASH_SIZE   16

struct ledger_counter {
    const char *meter;
    int64_t period_start_us;
    int64_t period_end_us;
    int64_t limit_milli;
    int64_t posted_milli; /* overage included */
    int64_t held_milli;
    int64_t overage_milli;
};

struct ledger_purpose {
    const char *provider;
    const char *action;
    const char *reason;
    int platform;
    const char *creator;
    const char *user;
    const char *tenant;
};

/* The call-log row of an event; what it shares with the event is not repeated. */
struct ledger_call {
    int64_t started_at_us;
    int outcome; /* Metercache__V1__CallOutcome */
    int64_t latency_us;
    int http_status;
    const char *detail;
};

/* Kinds are those of Metercache__V1__OperationKind; amounts as in ledger.proto. */
struct ledger_event {
    struct op_id op_id;
    int kind;
    struct op_id reservation_id;
    const char *meter;
    int64_t period_start_us;
    int64_t amount_milli;
    int64_t released_milli;
    int64_t overage_milli;
    int64_t at_us;
    int64_t expires_at_us; /* 0 unless RESERVE */
    uint8_t body_hash[LEDGER_STORE_BODY_HASH_SIZE];
    int64_t limit_version;
    struct ledger_purpose purpose;
    const char *endpoint;
    bool has_call; /* never for RESERVE */
    struct ledger_call call;
    int64_t batch; /* out only, of ledger_store_operations: where it stands */
    int64_t epoch; /* of that batch */
};

struct ledger_state {
    int64_t epoch;
    int64_t last_batch;        /* over all epochs */
    int64_t last_at_us;        /* 0: no batch yet */
    struct op_id newest_op_id; /* the largest in the ledger; all zero: none */
    const struct ledger_counter *counters;
    size_t counter_count;
};

/*
 * Become the writer: a new epoch, and the counters of periods that end after
 * `ended_after_us` (0: all), or with open holds however long ago they ended. Waits for a
 * batch in flight. `writer` is a name for people.
 */
MUST_USE enum status ledger_store_open(struct ledger_state *out,
                                       const struct store_call *call, const char *writer,
                                       int64_t ended_after_us, struct error *err);

struct ledger_batch {
    int64_t epoch;
    int64_t batch;
    int64_t at_us;
    const struct ledger_event *events;
    size_t event_count; /* at most LEDGER_STORE_EVENTS_MAX */
    const struct ledger_counter *counters;
    size_t counter_count; /* at most LEDGER_STORE_COUNTERS_MAX, each once */
};

MUST_USE enum status ledger_store_commit(const struct store_call *call,
                                         const struct ledger_batch *batch,
                                         struct error *err);

struct ledger_batch_state {
    bool committed;
    int64_t current_epoch;
    int64_t last_batch;
};

/* Waits for a batch in flight, so that the answer is final. */
MUST_USE enum status ledger_store_find_batch(struct ledger_batch_state *out,
                                             const struct store_call *call, int64_t epoch,
                                             int64_t batch, struct error *err);

/* Open reservations by id from behind *after (all zero: the first), at most `limit` (up to
 * LEDGER_STORE_RESERVATIONS_MAX), as RESERVE events. */
MUST_USE enum status ledger_store_list_reservations(const struct ledger_event **out,
                                                    size_t *count,
                                                    const struct store_call *call,
                                                    const struct op_id *after, size_t limit,
                                                    struct error *err);

/* The events with these op ids, and all events of their reservations, in ledger order. */
MUST_USE enum status ledger_store_operations(const struct ledger_event **out, size_t *count,
                                             const struct store_call *call,
                                             const struct op_id *op_ids, size_t op_id_count,
                                             struct error *err);

#endif /* STORE_LEDGER_STORE_H */
