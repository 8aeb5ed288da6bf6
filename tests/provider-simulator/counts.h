/*
 * counts.h - what the simulator was really called for: the judge's side of the ledger.
 *
 * received = valid, authorised requests; each of them ends as answered or as dropped (cut,
 * closed, client left), or is held still. A charge is counted when the provider's effect
 * happens, whether or not the answer reaches the client.
 *
 * Threads: the HTTP thread only.
 */
#ifndef SIMULATOR_COUNTS_H
#define SIMULATOR_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"
#include "text.h"

struct endpoint_counts {
    uint64_t refused;       /* 401, or a request the provider calls invalid */
    uint64_t received;      /* valid and authorised */
    uint64_t answered;      /* a whole answer was handed to the network */
    uint64_t dropped;       /* no whole answer will come */
    uint64_t charged;       /* successes that cost something or would, had they results */
    uint64_t charged_milli; /* milli-credits */
    uint64_t results;       /* creators, rows or items returned */
};

struct counts;

struct counts *counts_new(void);
void counts_free(struct counts *counts);
void counts_reset(struct counts *counts);

struct endpoint_counts *counts_of(struct counts *counts, enum endpoint endpoint);

/* Note the operation id of a received request; `hex` may be NULL (none was sent). */
void counts_note_op(struct counts *counts, const char *hex);

/* The whole as JSON; with `list_ops` every distinct op id with the times it was seen. */
void counts_print(const struct counts *counts, int64_t balance_milli, bool list_ops,
                  struct text *out);

#endif
