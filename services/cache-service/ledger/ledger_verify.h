/*
 * ledger_verify.h - is the ledger what was written? Every batch's hash is made anew from its
 * events, up to the head that the writer's row keeps; counters and open reservations are
 * recomputed from the events.
 *
 * Threads: any, each with its own call.
 */
#ifndef LEDGER_LEDGER_VERIFY_H
#define LEDGER_LEDGER_VERIFY_H

#include "store/ledger_store.h"

struct ledger_verdict {
    uint64_t events;
    uint64_t batches;
    uint64_t counters;
    char fault[256];    /* "": none; else the first wrong row */
    int64_t next_batch; /* 0: all was looked at; else go on from here */
};

/* From a batch on (0: the first), until all was looked at or `until_us` (monotonic) passed. */
MUST_USE enum status ledger_verify(struct ledger_verdict *out,
                                   const struct store_call *call, int64_t from_batch,
                                   uint64_t until_us, struct error *err);

#endif /* LEDGER_LEDGER_VERIFY_H */
