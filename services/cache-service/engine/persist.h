/*
 * persist.h - storing what has been paid for, also when the database is away for a moment.
 *
 * A fetch that is thrown away is bought again. So a store that fails for a reason that
 * passes (no connection, deadline, a lost race) is tried again with growing pauses, up to
 * PERSIST_LIMIT_MS. The store must be one that may be repeated.
 *
 * Threads: blocks the caller's; for fetchers.
 */
#ifndef ENGINE_PERSIST_H
#define ENGINE_PERSIST_H

#include <stdbool.h>

#include "core/error.h"

#define PERSIST_LIMIT_MS 30000

typedef enum status (*persist_store)(void *context, struct error *err);

/* The store's own answer once it is definite, or its last failure. */
MUST_USE enum status persist(persist_store store, void *context, struct error *err);

/* Pure: may the same store succeed a moment later? */
bool persist_may_pass(enum status failure);

#endif /* ENGINE_PERSIST_H */
