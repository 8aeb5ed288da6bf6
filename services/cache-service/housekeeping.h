/*
 * housekeeping.h - the thread that keeps the database ready: checks it may be trusted, and
 * makes the monthly partitions ahead.
 *
 * At the start it tries every second until the check has passed once; then it checks every
 * two seconds, so that the store learns that the database went, or is back, also while
 * nobody asks (store_is_reachable), and makes partitions once an hour. A check that fails
 * for good (settings, role, schema) ends the process with 78.
 */
#ifndef CACHE_HOUSEKEEPING_H
#define CACHE_HOUSEKEEPING_H

#include <stdbool.h>

#include "core/error.h"

struct housekeeping;
struct store;

struct housekeeping *housekeeping_open(struct store *store);
void housekeeping_close(struct housekeeping *housekeeping); /* accepts NULL */

/* Has the database passed its check? Never blocks; fills err with the reason if not. */
bool housekeeping_is_ready(struct housekeeping *housekeeping, struct error *err);

#endif /* CACHE_HOUSEKEEPING_H */
