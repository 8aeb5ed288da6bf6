/*
 * books.h - do the four accounts of provider calls agree?
 *
 * The simulator (what was really called), the ledger's events, its counters, and the call
 * log. Each test opens the books, and afterwards says what must have been added.
 */
#ifndef SUPPORT_BOOKS_H
#define SUPPORT_BOOKS_H

#include <stdint.h>

#include "support/database.h"
#include "support/stack.h"

enum books_meter {
    BOOKS_DISCOVERY,
    BOOKS_REPORTS,
    BOOKS_ENRICHMENT,
    BOOKS_METER_COUNT,
};

extern const char *const BOOKS_METERS[BOOKS_METER_COUNT]; /* "modash.discovery" ... */

struct books_page {
    int64_t reservations; /* ledger: RESERVE events */
    int64_t open;         /* reservations nobody closed yet */
    int64_t posted_milli; /* ledger */
    int64_t counter_milli;
    int64_t held_milli; /* counter */
    int64_t log_milli;
    int64_t log_calls; /* that may have reached the provider */
};

struct books {
    struct stack *stack;
    struct database *database;
    struct books_page at_start[BOOKS_METER_COUNT];
};

struct books_page books_read(struct database *database, enum books_meter meter);

/* Resets the simulator, waits for settlements under way, notes where the ledger stands. */
void books_open(struct books *books, struct stack *stack, struct database *database);

/*
 * Since then: `calls` were made on the meter, the ledger posted `milli` for them, and the
 * provider charged `provider_milli`. Waits for settlements under way. Fails unless ledger,
 * counter and log agree, nothing is held any more, and the simulator saw as many calls.
 */
void books_expect(const struct books *books, enum books_meter meter, int64_t calls,
                  int64_t milli, int64_t provider_milli);
/* Nothing was called or posted on any meter. */
void books_expect_nothing(const struct books *books);

#endif /* SUPPORT_BOOKS_H */
