/*
 * db.h - a pool of connections to one Postgres; prefix `db_`.
 *
 * A fixed number of sessions. Each connects when it is first needed and again after it
 * broke; a broken one is never handed out twice. No call outlives its deadline: all waits
 * are poll(2) with what is left of it. When a deadline cuts a statement the connection is
 * closed, and the server, which watches it (client_connection_check_interval), cancels.
 *
 * After a failed connect, callers that would have to connect too are refused for a moment
 * instead of piling up.
 *
 * Threads: the pool any; a session belongs to one thread between acquire and release.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct db;
struct db_session;

struct db_options {
    const char *conninfo;
    const char *application;
    unsigned connections;
    uint64_t statement_ms; /* the server's limits, see conninfo.h */
    uint64_t lock_ms;
    uint64_t idle_in_transaction_ms;
};

/* ST_INVALID for a conninfo that does not parse; connects to nothing. */
MUST_USE enum status db_open(struct db **out, const struct db_options *options,
                             struct error *err);
void db_close(struct db *db); /* all sessions released; accepts NULL */

/* ST_UNAVAILABLE: no database, or all sessions stayed busy until the deadline (reason
 * DATABASE_BUSY). */
MUST_USE enum status db_acquire(struct db_session **out, struct db *db,
                                uint64_t deadline_us, struct error *err);
/* A session left inside a transaction loses it with its connection. Accepts NULL. */
void db_release(struct db_session *session);

/*
 * A transaction; `user` NULL: nobody's. With a user, row-level security shows that user's
 * rows until the end of the transaction and not after it.
 */
MUST_USE enum status db_begin_as(struct db_session *session, const char *user,
                                 uint64_t deadline_us, struct error *err);
/* On ST_UNAVAILABLE and ST_DEADLINE it is not known whether the transaction happened. */
MUST_USE enum status db_commit(struct db_session *session, uint64_t deadline_us,
                               struct error *err);
void db_rollback(struct db_session *session);

/* The metrics page has the same over all pools: metercache_database_... */
struct db_load {
    unsigned open;
    unsigned busy;
    uint64_t opened;
    uint64_t expired;
    bool reachable; /* the last connect did not fail */
};
void db_load(struct db *db, struct db_load *out);

#endif /* STORE_DB_H */
