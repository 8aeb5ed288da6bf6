/*
 * db_session.h - one connection, for the files of the database layer only.
 */
#ifndef STORE_DB_SESSION_H
#define STORE_DB_SESSION_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/list.h"
#include "store/conninfo.h"

#define DB_SESSION_STATEMENTS_MAX 96

struct db_statement;

struct db_session {
    struct list_link idle; /* in the pool's list while nobody has it */
    struct db *db;
    atomic_uint_fast64_t *expired; /* the pool's count of cut statements */
    PGconn *connection;            /* NULL: not open */
    bool broken;                   /* close it at release */
    size_t prepared_count;
    const struct db_statement *prepared[DB_SESSION_STATEMENTS_MAX];
};

/* Connect within the deadline; ST_UNAVAILABLE with the server's words in `err`. */
MUST_USE enum status db_session_connect(struct db_session *session,
                                        const struct conninfo *info, uint64_t deadline_us,
                                        struct error *err);
void db_session_disconnect(struct db_session *session);
/* False when the server has closed the idle connection, or says something unasked. */
bool db_session_is_alive(const struct db_session *session);

/* Poll the socket; ST_DEADLINE, or ST_UNAVAILABLE when it cannot be polled. */
MUST_USE enum status db_session_wait(struct db_session *session, short events,
                                     uint64_t deadline_us, struct error *err);

#endif /* STORE_DB_SESSION_H */
