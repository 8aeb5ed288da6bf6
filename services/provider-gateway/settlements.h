/*
 * settlements.h - what quota-service has not been told yet: a bounded outbox.
 *
 * A call claims a place before it reserves, so that its settlement always has one; with no
 * place free there is no call (fail closed). Settlements that could not be delivered at
 * once stay here and are tried again, with the same op id, until quota-service gives a
 * definite answer. Those left when the process ends lapse in the ledger: presumed spent,
 * never lost.
 *
 * Threads: any; deliveries run on one thread of its own.
 */
#ifndef GATEWAY_SETTLEMENTS_H
#define GATEWAY_SETTLEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"

struct settlements;

/* `budget` is borrowed and must outlive it. limit >= 1. */
struct settlements *settlements_open(const struct budget *budget, size_t limit);
/* Tries what is left until the deadline; returns how many remain. Accepts NULL. */
size_t settlements_close(struct settlements *settlements, uint64_t deadline_us);

/* Take a place; false when none is free. Ends with _release or with _put. */
bool settlements_claim(struct settlements *settlements) MUST_USE;
void settlements_release(struct settlements *settlements);
/* Hand over a settlement, copied into the place claimed. */
void settlements_put(struct settlements *settlements,
                     const struct budget_settlement *settlement);

/* Asking again would change nothing: quota-service has decided. */
bool settlements_is_definite(enum status status);

#endif /* GATEWAY_SETTLEMENTS_H */
