/*
 * statement.h - one door to SQL: named constant statements, prepared once a connection,
 * deadline-bounded, with the shape of the answer stated and checked; prefix `db_`.
 *
 *     static const struct db_statement FIND = {
 *         "thing_find", "SELECT a, b FROM metercache.thing WHERE id = $1::uuid",
 *         1, "it", DB_AT_MOST_ONE};
 *
 * Answers come in binary form. Their memory is ours until db_result_done.
 */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/op_id.h"
#include "store/params.h"

struct db_session;

enum db_shape {
    DB_NONE, /* a command, no rows */
    DB_ONE,
    DB_AT_MOST_ONE,
    DB_MANY,
};

struct db_statement {
    const char *name; /* unique in the process */
    const char *sql;
    int parameters;
    /* A letter a column: i integer of any width, b boolean, t text or json, u uuid, y bytea,
     * T timestamptz, v void. */
    const char *columns;
    enum db_shape shape;
};

struct pg_result;

struct db_result {
    struct pg_result *raw; /* NULL: empty */
    int rows;
    struct arena *arena; /* texts are copied into it; set by the caller before reading */
    bool failed;         /* the arena was full, or a value has not the size asked for */
};

/*
 * Run it and wait for the answer. `out` NULL: the answer is checked and dropped; `params`
 * NULL: none. On success a caller with `out` owes db_result_done or db_result_finish.
 *
 * ST_DEADLINE and ST_UNAVAILABLE: it may have been executed; the session is broken. Other
 * errors are those of db_status.h, or ST_INTERNAL when the shape is not the stated one; in
 * a transaction they end its work.
 */
MUST_USE enum status db_execute(struct db_result *out, struct db_session *session,
                                const struct db_statement *statement,
                                const struct db_params *params, uint64_t deadline_us,
                                struct error *err);

/* A text of any number of commands, for migrations. Inside a transaction, which it must
 * leave open. */
MUST_USE enum status db_execute_script(struct db_session *session, const char *sql,
                                       uint64_t deadline_us, struct error *err);

/* NULL values read as 0, false, "" and all-zero; use db_is_null where that differs. */
bool db_is_null(const struct db_result *result, int row, int column);
int64_t db_i64(const struct db_result *result, int row, int column);
int64_t db_i64_or(const struct db_result *result, int row, int column, int64_t if_null);
bool db_bool(const struct db_result *result, int row, int column);
int64_t db_time_us(const struct db_result *result, int row, int column); /* unix, 0: NULL */
struct op_id db_uuid(const struct db_result *result, int row, int column);
/* Copies into result->arena; "" and result->failed when it is full. */
const char *db_text(struct db_result *result, int row, int column);
size_t db_size(const struct db_result *result, int row, int column); /* of text, bytea */
/* Exactly `size` bytes, else result->failed. */
void db_bytes(struct db_result *result, int row, int column, uint8_t *out, size_t size);

int64_t db_affected(const struct db_result *result); /* rows a command changed */
bool db_has_tag(const struct db_result *result, const char *tag); /* "COMMIT" */

void db_result_done(struct db_result *result);
/* db_result_done; ST_EXHAUSTED when a value could not be read. */
MUST_USE enum status db_result_finish(struct db_result *result, struct error *err);

#endif /* STORE_STATEMENT_H */
