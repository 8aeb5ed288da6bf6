/*
 * answer.h - what became of an operation.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "periods.h"
#include "quota_limits.h"

/* The kinds of operation; the numbers up to ADJUST are metercache.v1.OperationKind's. */
enum quota_kind {
    QUOTA_RESERVE = 1,
    QUOTA_SETTLE = 2,
    QUOTA_VOID = 3,
    QUOTA_LAPSE = 4,
    QUOTA_CORRECT = 5,
    QUOTA_ADJUST = 6,
    QUOTA_SET_LIMIT = 7, /* no event of the ledger: a change of the rules */
};

enum quota_verdict {
    QUOTA_DONE,
    QUOTA_REFUSED,         /* limits were hit; sticky for its op id */
    QUOTA_OP_ID_REUSED,    /* the op id was used for another body */
    QUOTA_OP_ID_TIME,      /* no UUIDv7 of the last 62 days */
    QUOTA_OP_ID_STALE,     /* was never granted, may have been refused: needs a new id */
    QUOTA_ALREADY_SETTLED, /* by another op id, or corrected already */
    QUOTA_OUTCOME_KNOWN,   /* correct: nothing is presumed of this call */
    QUOTA_NO_RESERVATION,  /* unknown in memory and in the ledger */
    QUOTA_BELOW_ZERO,      /* adjust, correct: takes off more than is posted */
    QUOTA_TOO_MANY_OPEN,   /* no room for another reservation */
    QUOTA_TOO_MANY_COUNTERS,
    QUOTA_TOO_MANY_LIMITS,
    /* Not answers: the caller acts, then presents the operation again. */
    QUOTA_LOOK_UP,    /* ask the ledger for what quota_core_needs says first */
    QUOTA_NEXT_BATCH, /* this batch cannot take it */
};

#define QUOTA_HITS_MAX 8

/* A limit that did not have enough left. */
struct quota_hit {
    uint8_t scope; /* enum limit_scope */
    uint8_t mode;  /* enum limit_mode */
    int64_t limit_milli;
    int64_t left_milli;
    int64_t resets_at_us;
};

/* A meter in one of its periods. */
struct quota_meter_view {
    uint32_t meter;
    struct period period;
    int64_t limit_milli;
    int64_t soft_limit_milli; /* LIMIT_NONE: none */
    int64_t posted_milli;
    int64_t held_milli;
    int64_t overage_milli;
    uint64_t limit_version;
};

struct quota_answer {
    enum quota_verdict verdict;
    bool replayed;                 /* stored before; this is a repetition */
    bool corrected;                /* settle, void: the reservation had lapsed */
    uint64_t batch;                /* to be told once this batch is committed; 0: at once */
    struct quota_meter_view meter; /* after it; of a repetition: as it is now */
    int64_t expires_at_us;         /* reserve */
    int64_t posted_milli;          /* settle */
    int64_t overage_milli;         /* settle */
    uint64_t limit_version;        /* set limit: of the set after it */
    int64_t limit_set_at_us;       /* set limit */
    unsigned hit_count; /* refused: by these; reserve: soft and shadow limits passed */
    struct quota_hit hits[QUOTA_HITS_MAX];
};

#endif /* ANSWER_H */
