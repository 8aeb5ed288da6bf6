/*
 * writer.h - the one thread that decides and writes.
 *
 *   handlers ──submit──> queue ──> core: step ──> open batch ──seal──> commit in flight
 *      ▲                                │ refusals                          │
 *      └────────── answered ────────────┴───────────────────────────────────┘
 *
 * Operations are stepped in order of arrival. While a commit is in flight the next batch
 * fills; it leaves the moment the former is known to be in the ledger: no timer. Each
 * operation is answered once, after its batch is committed; refusals at once.
 *
 * When the outcome of a commit is not known, its batch is kept: all who wait are told
 * UNAVAILABLE (their op ids find the answer later), the ledger is asked, and the batch is
 * acknowledged or sent again. Nothing is released on doubt. Meanwhile, and until the ledger
 * was opened, operations are refused at once. A writer that is fenced, or disagrees with
 * the ledger, never writes again and asks for the process to end.
 *
 * Threads: submit, is_ready and usage from any.
 */
#ifndef WRITER_H
#define WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "ledger_client_rpc.h"
#include "quota_core.h"
#include "usage.h"

struct writer;

/* One operation under way; the caller keeps it until `answered` was called. */
struct writer_op {
    struct quota_op op;
    /* Exactly once, on the writer's thread or the submitter's; never blocks. Either an
     * answer, or NULL and why there is none (always ST_UNAVAILABLE). */
    void (*answered)(struct writer_op *op, const struct quota_answer *answer,
                     const struct error *err);
    struct writer_op *next;     /* the writer's, but for the chain it is handed over in */
    struct quota_answer answer; /* the writer's */
};

struct writer_options {
    struct quota_core_options core;
    struct ledger_client_options ledger; /* without done and context */
    uint32_t queue_limit;                /* operations under way at once */
    void (*end)(int exit_status);        /* fenced, or in disagreement with the ledger */
};

/* Opens the connection and starts the thread, which opens the ledger when it can. */
MUST_USE enum status writer_open(struct writer **out, const struct writer_options *options,
                                 struct error *err);
/* Operations still under way are answered UNAVAILABLE. Accepts NULL. */
void writer_close(struct writer *writer);

/* Hand over an operation. It is always answered, maybe before this returns. */
void writer_submit(struct writer *writer, struct writer_op *op);
/* Hand over `count` of them, chained by `next` and ended by NULL, under one lock: judged in
 * that order, all answered on the writer's thread, or all refused before this returns. */
void writer_submit_chain(struct writer *writer, struct writer_op *first,
                         struct writer_op *last, uint32_t count);

/* False with the reason while operations would be refused. */
bool writer_is_ready(struct writer *writer, struct error *err);

struct usage *writer_usage(struct writer *writer);

#endif /* WRITER_H */
