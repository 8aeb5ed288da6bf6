#include "store/statement.h"

#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "core/base.h"
#include "store/db_session.h"
#include "store/db_status.h"
#include "store/pg_types.h"

#define BINARY 1

/* ---- waiting ---- */

/* The connection is of no use any more; whoever holds the session closes it. */
static enum status lost(struct db_session *session, struct error *err)
{
    session->broken = true;
    if (err->status == ST_DEADLINE)
        atomic_fetch_add(session->expired, 1);
    return err->status;
}

static enum status connection_failed(struct db_session *session, struct error *err)
{
    (void)error_set(err, ST_UNAVAILABLE, "the database connection broke");
    return lost(session, err);
}

static enum status flush(struct db_session *session, uint64_t deadline_us,
                         struct error *err)
{
    for (;;) {
        int left = PQflush(session->connection);

        if (left == 0)
            return ST_OK;
        if (left < 0)
            return connection_failed(session, err);
        if (db_session_wait(session, POLLIN | POLLOUT, deadline_us, err) != ST_OK)
            return lost(session, err);
        /* The server may have to be read before it reads on. */
        if (PQconsumeInput(session->connection) == 0)
            return connection_failed(session, err);
    }
}

/* The next result, or NULL in *out when the command is done. */
static enum status next_result(PGresult **out, struct db_session *session,
                               uint64_t deadline_us, struct error *err)
{
    while (PQisBusy(session->connection)) {
        if (db_session_wait(session, POLLIN, deadline_us, err) != ST_OK)
            return lost(session, err);
        if (PQconsumeInput(session->connection) == 0)
            return connection_failed(session, err);
    }
    *out = PQgetResult(session->connection);
    return ST_OK;
}

/* What was sent is answered by one result, a script by one a command up to the first that
 * fails: the last one tells. */
static enum status receive(PGresult **out, struct db_session *session, uint64_t deadline_us,
                           struct error *err)
{
    PGresult *last = NULL, *next = NULL;

    enum status st = flush(session, deadline_us, err);
    while (st == ST_OK) {
        st = next_result(&next, session, deadline_us, err);
        if (st != ST_OK || next == NULL)
            break;
        PQclear(last);
        last = next;
    }
    if (st == ST_OK && last == NULL)
        st = connection_failed(session, err);
    if (st != ST_OK) {
        PQclear(last);
        return st;
    }
    *out = last;
    return ST_OK;
}

/* ---- judging ---- */

static enum status refused(struct db_session *session, const struct db_statement *statement,
                           const PGresult *result, struct error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    struct db_fault fault = db_fault_of(sqlstate);

    (void)error_set(err, fault.status, "%s: %s%s%s%s (%s)", statement->name,
                    text == NULL ? "the database connection broke" : text,
                    constraint == NULL ? "" : " [", constraint == NULL ? "" : constraint,
                    constraint == NULL ? "" : "]", sqlstate == NULL ? "none" : sqlstate);
    if (fault.reason[0] != '\0')
        (void)error_reason(err, fault.reason);
    if (PQstatus(session->connection) == CONNECTION_BAD)
        session->broken = true;
    return fault.status;
}

static bool fits(char letter, Oid type)
{
    switch (letter) {
    case 'i':
        return type == PG_INT2 || type == PG_INT4 || type == PG_INT8;
    case 'b':
        return type == PG_BOOL;
    case 't':
        return type == PG_TEXT || type == PG_JSON;
    case 'u':
        return type == PG_UUID;
    case 'y':
        return type == PG_BYTEA;
    case 'T':
        return type == PG_TIMESTAMPTZ;
    case 'v':
        return type == PG_VOID;
    default:
        return false;
    }
}

static enum status check_shape(const struct db_statement *statement, const PGresult *result,
                               struct error *err)
{
    bool gives_rows = PQresultStatus(result) == PGRES_TUPLES_OK;
    int columns = PQnfields(result), rows = PQntuples(result);
    bool good = gives_rows == (statement->shape != DB_NONE) &&
                (size_t)columns == strlen(statement->columns) &&
                (statement->shape != DB_ONE || rows == 1) &&
                (statement->shape != DB_AT_MOST_ONE || rows <= 1);

    for (int i = 0; good && i < columns; i++)
        good = fits(statement->columns[i], PQftype(result, i));
    if (good)
        return ST_OK;
    return error_set(err, ST_INTERNAL,
                     "%s: an answer of %d columns and %d rows is not '%s'", statement->name,
                     columns, rows, statement->columns);
}

/* ---- executing ---- */

static bool is_prepared(const struct db_session *session,
                        const struct db_statement *statement)
{
    for (size_t i = 0; i < session->prepared_count; i++)
        if (session->prepared[i] == statement)
            return true;
    return false;
}

static enum status prepare(struct db_session *session, const struct db_statement *statement,
                           uint64_t deadline_us, struct error *err)
{
    PGresult *result;

    if (session->prepared_count == DB_SESSION_STATEMENTS_MAX)
        return error_set(err, ST_INTERNAL, "more than %d statements",
                         DB_SESSION_STATEMENTS_MAX);
    if (PQsendPrepare(session->connection, statement->name, statement->sql, 0, NULL) == 0)
        return connection_failed(session, err);
    enum status st = receive(&result, session, deadline_us, err);
    if (st != ST_OK)
        return st;
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        st = refused(session, statement, result, err);
    else
        session->prepared[session->prepared_count++] = statement;
    PQclear(result);
    return st;
}

static enum status check_params(const struct db_statement *statement,
                                const struct db_params *params, struct error *err)
{
    int count = params == NULL ? 0 : params->count;

    if (params != NULL && params->failed)
        return error_set(err, ST_EXHAUSTED, "%s: the parameters are too large",
                         statement->name);
    if (count != statement->parameters)
        return error_set(err, ST_INTERNAL, "%s: %d parameters instead of %d",
                         statement->name, count, statement->parameters);
    return ST_OK;
}

static enum status send(struct db_session *session, const struct db_statement *statement,
                        const struct db_params *params, struct error *err)
{
    int formats[DB_PARAMS_MAX];

    for (int i = 0; i < statement->parameters; i++)
        formats[i] = BINARY;
    int sent =
        PQsendQueryPrepared(session->connection, statement->name, statement->parameters,
                            params == NULL ? NULL : params->values,
                            params == NULL ? NULL : params->lengths, formats, BINARY);
    return sent == 1 ? ST_OK : connection_failed(session, err);
}

enum status db_execute(struct db_result *out, struct db_session *session,
                       const struct db_statement *statement, const struct db_params *params,
                       uint64_t deadline_us, struct error *err)
{
    if (session->broken)
        return error_set(err, ST_UNAVAILABLE, "the database connection broke");
    enum status st = check_params(statement, params, err);
    if (st == ST_OK && !is_prepared(session, statement))
        st = prepare(session, statement, deadline_us, err);
    if (st == ST_OK)
        st = send(session, statement, params, err);
    PGresult *result = NULL;
    if (st == ST_OK)
        st = receive(&result, session, deadline_us, err);
    if (st != ST_OK)
        return st;

    ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK)
        st = refused(session, statement, result, err);
    else
        st = check_shape(statement, result, err);
    if (st != ST_OK || out == NULL) {
        PQclear(result);
        return st;
    }
    *out = (struct db_result){.raw = result, .rows = PQntuples(result)};
    return ST_OK;
}

enum status db_execute_script(struct db_session *session, const char *sql,
                              uint64_t deadline_us, struct error *err)
{
    static const struct db_statement SCRIPT = {.name = "script"};
    PGresult *result;

    if (session->broken || PQsendQuery(session->connection, sql) == 0)
        return connection_failed(session, err);
    enum status st = receive(&result, session, deadline_us, err);
    if (st != ST_OK)
        return st;
    ExecStatusType kind = PQresultStatus(result);
    if (kind == PGRES_FATAL_ERROR || kind == PGRES_BAD_RESPONSE)
        st = refused(session, &SCRIPT, result, err);
    else if (PQtransactionStatus(session->connection) != PQTRANS_INTRANS)
        st = error_set(err, ST_PRECONDITION, "the script ends the transaction");
    PQclear(result);
    return st;
}
