/*
 * params.h - the parameters of one statement, in Postgres' binary form; prefix `db_`.
 *
 * Values are added in the order of $1, $2 ... A statement names their types itself
 * ($1::bigint), so that the form is never guessed. Set-based statements take one array a
 * column: db_param_column takes it from an array of structs.
 *
 * A parameter too many, or too large for the arena, makes db_execute fail.
 */
#ifndef STORE_PARAMS_H
#define STORE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/op_id.h"

#define DB_PARAMS_MAX        64
#define DB_PARAMS_ARENA_SIZE (32u << 20)

struct db_params {
    struct arena arena;
    int count;
    bool failed;
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX];
};

void db_params_init(struct db_params *params);
void db_params_done(struct db_params *params);

void db_param_i64(struct db_params *params, int64_t value);       /* bigint */
void db_param_known_i64(struct db_params *params, int64_t value); /* negative: NULL */
void db_param_i32(struct db_params *params, int32_t value);       /* integer */
void db_param_i16(struct db_params *params, int value);           /* smallint */
void db_param_bool(struct db_params *params, bool value);
void db_param_time(struct db_params *params, int64_t unix_us); /* timestamptz; 0: NULL */
void db_param_uuid(struct db_params *params, const struct op_id *id);
/* Borrowed until db_params_done. NULL text is the empty text. */
void db_param_text(struct db_params *params, const char *text);
void db_param_bytes(struct db_params *params, const void *data, size_t size);

/* What lies at `offset` of each struct, and what it becomes. */
enum db_column {
    DB_COLUMN_I16,       /* int -> smallint[] */
    DB_COLUMN_KNOWN_I16, /* int -> smallint[], 0: NULL */
    DB_COLUMN_I32,       /* int -> integer[] */
    DB_COLUMN_I64,       /* int64_t -> bigint[] */
    DB_COLUMN_KNOWN_I64, /* int64_t -> bigint[], negative: NULL */
    DB_COLUMN_BOOL,      /* bool -> boolean[] */
    DB_COLUMN_TIME,      /* int64_t unix us -> timestamptz[], 0: NULL */
    DB_COLUMN_UUID,      /* struct op_id -> uuid[] */
    DB_COLUMN_TEXT,      /* const char * -> text[], NULL: '' */
    DB_COLUMN_BYTES16,   /* uint8_t[16] -> bytea[] */
};

struct db_rows {
    const void *first;
    size_t count;
    size_t stride;
};

void db_param_column(struct db_params *params, struct db_rows rows, enum db_column kind,
                     size_t offset);

/* One column of a row type, in the order of its attributes. */
struct db_attribute {
    enum db_column kind;
    size_t offset;
};

/* An array of rows of the type with this oid: each row of `rows`, its attributes as said. */
void db_param_rows(struct db_params *params, struct db_rows rows, uint32_t type_oid,
                   const struct db_attribute *attributes, size_t attribute_count);

#endif /* STORE_PARAMS_H */
