/*
 * store.h - the database behind one door; every SQL statement of cache-service lies here.
 *
 *     resources, ledger  ->  *_store.h (plain structs in and out, one file a domain)
 *                        ->  statement.h (named statements, shapes, deadlines)
 *                        ->  db.h (pool of connections)  ->  libpq
 *
 * Every function of a domain store takes a struct store_call and fails with:
 *   ST_UNAVAILABLE   no database, or the connection broke: a write may have happened; reason
 *                    DATABASE_BUSY: no free connection in time, nothing was tried
 *   ST_DEADLINE      the deadline passed; a write may have happened
 *   ST_EXHAUSTED     the arena is full
 *   ST_ABORTED       lost against a concurrent writer: look again
 *   ST_INTERNAL      a statement and the schema disagree: a bug
 * and with what its header says beside these.
 *
 * Threads: any number, each with its own store_call.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"

struct store;

struct store_options {
    const char *conninfo;         /* URL or keywords, role metercache_runtime */
    const char *replica_conninfo; /* for calls with may_lag; NULL or "": none */
    unsigned connections;         /* at most, to each; 0: 8 */
    uint64_t statement_ms;        /* the server's own limit on a statement; 0: 10000 */
};

/* What every call needs. Results are copied into `arena`. */
struct store_call {
    struct store *store;
    struct arena *arena;
    uint64_t deadline_us; /* monotonic */
    bool may_lag; /* a replica that is behind may answer; it gets half of the time */
};

/* Checks the connection strings only; connections open when they are needed. */
MUST_USE enum status store_open(struct store **out, const struct store_options *options,
                                struct error *err);
void store_close(struct store *store); /* after the last call; accepts NULL */

/*
 * May this database be trusted with the ledger? ST_PRECONDITION names what is wrong: fsync,
 * full_page_writes or synchronous_commit off, a role that escapes row-level security, a
 * schema that is not the one this binary was built for. Then the process must not serve
 * (exit 78). ST_UNAVAILABLE: ask again.
 */
MUST_USE enum status store_check(const struct store_call *call, struct error *err);

/* Make the monthly partitions up to the end of the month of `until_us`, where missing. */
MUST_USE enum status store_ensure_partitions(const struct store_call *call,
                                             int64_t until_us, struct error *err);

/* As far as the last use shows, without asking: false after a failed connect. */
bool store_is_reachable(struct store *store);

#endif /* STORE_STORE_H */
