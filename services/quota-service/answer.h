/*
 * answer.h - what became of an operation: the part that is stored and told again.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

/* The kinds of operation; the numbers are metercache.v1.OperationKind's. */
enum quota_kind {
    QUOTA_RESERVE = 1,
    QUOTA_SETTLE = 2,
    QUOTA_VOID = 3,
    QUOTA_LAPSE = 4,
    QUOTA_CORRECT = 5,
    QUOTA_ADJUST = 6,
};

enum quota_verdict {
    QUOTA_DONE,
    QUOTA_METER_SPENT,     /* refused: more than is left; sticky for its op id */
    QUOTA_OP_ID_REUSED,    /* the op id was used for another body */
    QUOTA_OP_ID_TIME,      /* no UUIDv7 of the last 62 days */
    QUOTA_ALREADY_SETTLED, /* by another op id, or corrected already */
    QUOTA_NO_RESERVATION,  /* unknown in memory and in the ledger */
    QUOTA_TOO_MANY_OPEN,   /* no room for another reservation */
    /* Not answers: the caller acts, then presents the operation again. */
    QUOTA_LOOK_UP,    /* ask the ledger for the op id and the reservation first */
    QUOTA_NEXT_BATCH, /* this batch cannot take it */
};

struct quota_answer {
    enum quota_verdict verdict;
    bool replayed;  /* stored before; this is a repetition */
    bool corrected; /* settle, void: the reservation had lapsed */
    uint64_t batch; /* to be told once this batch is committed; 0: at once */
    /* reserve: state after it, or what it was refused by */
    struct quota_counter counter;
    int64_t expires_at_us; /* reserve */
    int64_t posted_milli;  /* settle */
    int64_t overage_milli; /* settle */
};

#endif /* ANSWER_H */
