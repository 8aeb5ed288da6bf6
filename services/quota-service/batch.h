/*
 * batch.h - what one commit carries to the ledger: events in order, and counters after them.
 *
 * Plain values: the core fills a batch, the writer keeps it until its outcome is known, the
 * ledger connection turns it into a message. At most one event of a reservation is in a
 * batch, so the events of a batch may be applied as sets.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "cooldowns.h"
#include "core/op_id.h"
#include "counters.h"
#include "op_results.h"
#include "purpose.h"

#define BATCH_BYTES_MAX (900 * 1024) /* of its message; the ledger takes a frame of 1 MiB */
#define CALL_DETAIL_MAX 200

/* Smaller ones are for the simulator alone (tests/quota-simulator/sizes.h). */
#ifndef BATCH_ROWS_MAX
#define BATCH_ROWS_MAX      1024 /* the ledger takes no more */
#define BATCH_LIMITS_MAX    16
#define BATCH_ALERTS_MAX    32
#define BATCH_PUBLISHED_MAX 256
#endif

/* metercache.v1.CallOutcome's: sent, no definite answer; nobody settled in time. */
#define QUOTA_OUTCOME_UNKNOWN 11
#define QUOTA_OUTCOME_LAPSED  12

/* How a provider call ended; outcome is metercache.v1.CallOutcome. */
struct quota_call {
    uint32_t outcome;
    uint32_t http_status;
    int64_t started_at_us;
    uint64_t latency_us;
    char detail[CALL_DETAIL_MAX + 1];
};

/* One event of the ledger. Effect on its counters (of ADJUST: the meter's alone): RESERVE
 * adds amount to held; all others add amount to posted, overage to overage, and take
 * released from held. */
struct quota_row {
    struct op_id op_id;
    struct op_id reservation_id;
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    enum quota_kind kind;
    uint32_t meter;
    int64_t period_start_us;
    int64_t amount_milli;
    int64_t released_milli;
    int64_t overage_milli;
    int64_t at_us;
    int64_t expires_at_us; /* RESERVE only */
    uint64_t limit_version;
    struct purpose purpose;
    struct quota_call call;          /* all but RESERVE and ADJUST: the call-log row */
    char actor[LIMIT_NAME_MAX + 1];  /* CORRECT, ADJUST by an admin */
    char note[LIMIT_REASON_MAX + 1]; /* and the reason given */
};

/* The numbers are metercache.v1.AlertKind's. */
enum quota_alert_kind {
    QUOTA_ALERT_THRESHOLD = 1,
    QUOTA_ALERT_SOFT_LIMIT = 2,
    QUOTA_ALERT_OVERAGE = 3,
    QUOTA_ALERT_BURN_RATE = 4,
};

struct quota_alert {
    enum quota_alert_kind kind;
    uint32_t meter;
    struct period period;
    uint32_t percent; /* THRESHOLD */
    int64_t at_us;
    int64_t limit_milli;
    int64_t posted_milli;
    int64_t held_milli;
    int64_t amount_milli; /* OVERAGE: beyond the hold; BURN_RATE: posted in the hour */
    uint64_t sequence;    /* given by the ledger; 0: not known */
};

struct quota_batch {
    uint64_t number;
    int64_t at_us; /* set when sealed */
    size_t row_count;
    size_t byte_count;      /* of the message, at most */
    struct quota_row *rows; /* BATCH_ROWS_MAX */
    size_t limit_count;
    struct limit_rule limits[BATCH_LIMITS_MAX];
    size_t alert_count;
    struct quota_alert alerts[BATCH_ALERTS_MAX];
    size_t published_count; /* alerts that readers have been told of */
    uint64_t published[BATCH_PUBLISHED_MAX];
    /* set when sealed */
    size_t counter_count;
    struct quota_counter counters[COUNTERS_TOUCHED_MAX];
    size_t cooldown_count;
    struct cooldown cooldowns[COOLDOWNS_TOUCHED_MAX];
};

#endif /* BATCH_H */
