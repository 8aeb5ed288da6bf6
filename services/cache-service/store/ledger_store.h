/*
 * ledger_store.h - the quota ledger: what quota-service decided, kept.
 *
 * One writer at a time. Opening hands out an epoch and fences every older one. A batch is
 * all or nothing; events are append-only; the counters the writer passes must be what the
 * stored ones and the events give. See migrations/0009_ledger_closings.sql.
 *
 * Beside the errors of store.h (ST_UNAVAILABLE and ST_DEADLINE of a commit: its outcome is
 * not known, ask ledger_store_find_batch) a commit fails with
 *   ST_PRECONDITION, reason FENCED                a newer epoch writes
 *                           WRONG_BATCH           batch is not last_batch + 1
 *                           COUNTERS_DISAGREE     with the ledger and the events
 *                           RESERVATION_NOT_OPEN  or of another amount, meter or period
 *                           CONSTRAINT            overspent, a negative hold, or an op id
 *                                                 from a future without a partition
 *   ST_EXISTS, reason DUPLICATE   an op id is in the ledger already
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

#define LEDGER_STORE_COOLDOWNS_MAX  256
#define LEDGER_STORE_LIMITS_MAX     16
#define LEDGER_STORE_ALERTS_MAX     256
#define LEDGER_STORE_THRESHOLDS_MAX 8
#define LEDGER_STORE_DIGEST_SIZE    32

/* Scopes of counters: Metercache__V1__LimitScope. */
enum {
    LEDGER_SCOPE_METER = 1,
    LEDGER_SCOPE_USER = 2,
    LEDGER_SCOPE_ENDPOINT = 3,
    LEDGER_SCOPE_TENANT = 4,
    LEDGER_SCOPE_SCHEDULED = 5,
};

struct ledger_counter {
    const char *meter;
    int scope;
    const char *subject;
    int64_t period_start_us;
    int64_t period_end_us;
    int64_t limit_milli; /* -1: no hard limit */
    int crossed_percent;
    bool soft_passed;
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
    bool is_scheduled;
    const char *cooldown_key;
    const char *actor; /* CORRECT, ADJUST */
    const char *note;
    bool has_call; /* never for RESERVE */
    struct ledger_call call;
    /* Where it stands; set by the store. */
    int64_t batch;
    int64_t epoch; /* of that batch, of ledger_store_operations alone */
    int position;  /* in the batch, from 1; of a commit alone */
};

struct ledger_cooldown {
    const char *meter;
    const char *key;
    int64_t until_us; /* 0: free */
    struct op_id reservation_id;
};

/* A change of a rule: the fields of Metercache__V1__Limit. */
struct ledger_limit {
    int64_t version;
    int scope;
    const char *meter;
    const char *subject;
    int mode;
    int64_t limit_milli;
    int anchor_day;
    int64_t cooldown_ms;
    const char *thresholds; /* "{50,80}" */
    bool removed;
    int64_t set_at_us;
    const char *set_by;
    const char *reason;
};

struct ledger_alert {
    int64_t sequence; /* out only */
    int kind;         /* Metercache__V1__AlertKind */
    const char *meter;
    int64_t period_start_us;
    int64_t period_end_us;
    int percent;
    int64_t at_us;
    int64_t limit_milli;
    int64_t posted_milli;
    int64_t held_milli;
    int64_t amount_milli;
};

struct ledger_state {
    int64_t epoch;
    int64_t last_batch;                    /* over all epochs */
    int64_t last_at_us;                    /* 0: no batch yet */
    struct op_id newest_op_id;             /* the largest in the ledger; all zero: none */
    const struct ledger_counter *counters; /* of meters */
    size_t counter_count;
    const struct ledger_limit *limits; /* the last change of every rule, by version */
    size_t limit_count;
    int64_t limit_version;
    const struct ledger_alert *alerts; /* not published yet, at most ALERTS_MAX */
    size_t alert_count;
};

/*
 * Become the writer: a new epoch, and the meters' counters of periods that end after
 * `ended_after_us` (0: all), or with open holds however long ago they ended. Waits for a
 * batch in flight. `writer` is the instance's name.
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
    const struct ledger_cooldown *cooldowns;
    size_t cooldown_count; /* at most LEDGER_STORE_COOLDOWNS_MAX */
    const struct ledger_limit *limits;
    size_t limit_count; /* at most LEDGER_STORE_LIMITS_MAX */
    const struct ledger_alert *alerts;
    size_t alert_count;
    const int64_t *published;
    size_t published_count; /* with alerts: at most LEDGER_STORE_ALERTS_MAX each */
    uint8_t digest[LEDGER_STORE_DIGEST_SIZE]; /* of all of the above */
};

/* `sequences`, of alert_count, get the alerts' numbers. */
MUST_USE enum status ledger_store_commit(const struct store_call *call,
                                         const struct ledger_batch *batch,
                                         int64_t *sequences, struct error *err);
/* The alerts' numbers of a committed batch, in its order. */
MUST_USE enum status ledger_store_alert_sequences(int64_t *sequences, size_t *count,
                                                  const struct store_call *call,
                                                  int64_t batch, struct error *err);

/* A sign of life. ST_PRECONDITION, reason FENCED: not the writer any more. */
MUST_USE enum status ledger_store_beat(const struct store_call *call, int64_t epoch,
                                       struct error *err);

struct ledger_writer {
    int64_t epoch;
    int64_t last_batch;
    int64_t beat;
    const char *name; /* "": nobody */
};

/* resign_epoch over 0: that writer leaves. */
MUST_USE enum status ledger_store_writer(struct ledger_writer *out,
                                         const struct store_call *call,
                                         int64_t resign_epoch, struct error *err);

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

/* Several questions, one snapshot. */
struct ledger_question {
    const struct op_id *op_ids;
    size_t op_id_count;                      /* at most LEDGER_STORE_OPERATIONS_MAX */
    const struct ledger_counter *counters;   /* meter, scope, subject and period are set */
    size_t counter_count;                    /* at most LEDGER_STORE_OPERATIONS_MAX */
    const struct ledger_cooldown *cooldowns; /* meter and key are set */
    size_t cooldown_count;                   /* at most LEDGER_STORE_OPERATIONS_MAX */
};

struct ledger_answer {
    int64_t epoch;
    int64_t last_batch;
    const struct ledger_event *events;
    size_t event_count;
    const struct ledger_counter *counters; /* one a question; not stored: what events say */
    size_t counter_count;
    const struct ledger_cooldown *cooldowns; /* one a question */
    size_t cooldown_count;
};

MUST_USE enum status ledger_store_ask(struct ledger_answer *out,
                                      const struct store_call *call,
                                      const struct ledger_question *question,
                                      struct error *err);

/* Counters of a scope in the periods that hold at_us, most used first, at most
 * LEDGER_STORE_RESERVATIONS_MAX. "" does not filter. */
MUST_USE enum status ledger_store_list_counters(
    const struct ledger_counter **out, size_t *count, const struct store_call *call,
    const char *meter, int scope, const char *subject, int64_t at_us, struct error *err);

/* Events of presumed outcomes that nothing corrected, by op id, newest first, from behind
 * *behind (all zero: the newest end). */
MUST_USE enum status ledger_store_list_unknown(const struct ledger_event **out,
                                               size_t *count, const struct store_call *call,
                                               const struct op_id *behind, size_t limit,
                                               struct error *err);

struct ledger_usage {
    const char *meter;
    int64_t start_us;
    int64_t posted_milli;
    int64_t calls;
};

/* Buckets of `seconds` in [from, until), by meter and time. */
MUST_USE enum status ledger_store_list_usage(const struct ledger_usage **out, size_t *count,
                                             const struct store_call *call,
                                             const char *meter, int64_t from_us,
                                             int64_t until_us, int64_t seconds,
                                             size_t limit, struct error *err);

/* Newest first, of a smaller sequence than `before` (0: all). */
MUST_USE enum status ledger_store_list_alerts(const struct ledger_alert **out,
                                              size_t *count, const struct store_call *call,
                                              const char *meter, int64_t before,
                                              size_t limit, struct error *err);

/* What verification reads: batches from `first` on with their stored hashes, and events. */
struct ledger_stored_batch {
    int64_t batch;
    int64_t epoch;
    int64_t at_us;
    int format;
    int64_t events;
    uint8_t hash[LEDGER_STORE_DIGEST_SIZE];
};

MUST_USE enum status ledger_store_batches(const struct ledger_stored_batch **out,
                                          size_t *count, const struct store_call *call,
                                          int64_t first, size_t limit, struct error *err);
/* Events of batches first to last, in ledger order. */
MUST_USE enum status ledger_store_batch_events(const struct ledger_event **out,
                                               size_t *count, const struct store_call *call,
                                               int64_t first, int64_t last,
                                               struct error *err);
/* Limit changes of batches first to last, by version; `batch_of` gets the batch of each. */
MUST_USE enum status ledger_store_batch_limits(const struct ledger_limit **out,
                                               const int64_t **batch_of, size_t *count,
                                               const struct store_call *call, int64_t first,
                                               int64_t last, struct error *err);
/* The hash of a batch of format 1 after `former`, from the database's own text. */
MUST_USE enum status ledger_store_text_hash(uint8_t out[LEDGER_STORE_DIGEST_SIZE],
                                            const struct store_call *call, int64_t batch,
                                            const uint8_t *former, size_t former_size,
                                            struct error *err);
/* Whatever else must agree: counters with events, open reservations with events; *fault ""
 * when all does. */
MUST_USE enum status ledger_store_cross_check(const char **fault, int64_t *counters,
                                              const struct store_call *call,
                                              struct error *err);
/* *size 0: nothing was committed yet. */
MUST_USE enum status ledger_store_head(uint8_t out[LEDGER_STORE_DIGEST_SIZE], size_t *size,
                                       int64_t *last_batch, const struct store_call *call,
                                       struct error *err);

#endif /* STORE_LEDGER_STORE_H */
