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
#include "core/op_id.h"
#include "op_results.h"
#include "purpose.h"

#define BATCH_ROWS_MAX  1024         /* the ledger takes no more */
#define BATCH_BYTES_MAX (900 * 1024) /* of its message; the ledger takes a frame of 1 MiB */
#define CALL_DETAIL_MAX 200

/* metercache.v1.CALL_OUTCOME_LAPSED */
#define QUOTA_OUTCOME_LAPSED 12

/* How a provider call ended; outcome is metercache.v1.CallOutcome. */
struct quota_call {
    uint32_t outcome;
    uint32_t http_status;
    int64_t started_at_us;
    uint64_t latency_us;
    char detail[CALL_DETAIL_MAX + 1];
};

/* One event of the ledger. Effect on its counter: RESERVE adds amount to held; all others
 * add amount to posted, overage to overage, and take released from held. */
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
    struct quota_call call; /* all kinds but RESERVE: the call-log row, charged amount */
};

struct quota_batch {
    uint64_t number;
    int64_t at_us; /* set when sealed */
    size_t row_count;
    size_t byte_count;      /* of the message, at most */
    struct quota_row *rows; /* BATCH_ROWS_MAX */
    size_t counter_count;   /* set when sealed */
    struct quota_counter counters[COUNTERS_MAX];
};

#endif /* BATCH_H */
