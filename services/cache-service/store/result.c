/*
 * Reading the binary answers of statement.h. That columns have the stated types was checked
 * when the answer came; a column or row that does not exist is a bug here, and libpq then
 * reads it as NULL.
 */
#include <endian.h>
#include <libpq-fe.h>
#include <string.h>

#include "core/parse.h"
#include "store/pg_types.h"
#include "store/statement.h"

bool db_is_null(const struct db_result *result, int row, int column)
{
    return PQgetisnull(result->raw, row, column) != 0;
}

int64_t db_i64_or(const struct db_result *result, int row, int column, int64_t if_null)
{
    if (db_is_null(result, row, column))
        return if_null;
    const char *value = PQgetvalue(result->raw, row, column);
    uint16_t wire16;
    uint32_t wire32;
    uint64_t wire64;
    switch (PQgetlength(result->raw, row, column)) {
    case 2:
        memcpy(&wire16, value, sizeof(wire16));
        return (int16_t)be16toh(wire16);
    case 4:
        memcpy(&wire32, value, sizeof(wire32));
        return (int32_t)be32toh(wire32);
    case 8:
        memcpy(&wire64, value, sizeof(wire64));
        return (int64_t)be64toh(wire64);
    default:
        return if_null;
    }
}

int64_t db_i64(const struct db_result *result, int row, int column)
{
    return db_i64_or(result, row, column, 0);
}

bool db_bool(const struct db_result *result, int row, int column)
{
    return PQgetlength(result->raw, row, column) == 1 &&
           PQgetvalue(result->raw, row, column)[0] != 0;
}

int64_t db_time_us(const struct db_result *result, int row, int column)
{
    if (db_is_null(result, row, column))
        return 0;
    return db_i64(result, row, column) + PG_EPOCH_UNIX_US;
}

struct op_id db_uuid(const struct db_result *result, int row, int column)
{
    struct op_id id = {{0}};

    if (PQgetlength(result->raw, row, column) == OP_ID_SIZE)
        memcpy(id.bytes, PQgetvalue(result->raw, row, column), OP_ID_SIZE);
    return id;
}

size_t db_size(const struct db_result *result, int row, int column)
{
    return (size_t)PQgetlength(result->raw, row, column);
}

const char *db_text(struct db_result *result, int row, int column)
{
    size_t size = db_size(result, row, column);

    if (size == 0)
        return "";
    const char *copy =
        arena_strndup(result->arena, PQgetvalue(result->raw, row, column), size);
    if (copy == NULL)
        result->failed = true;
    return copy == NULL ? "" : copy;
}

void db_bytes(struct db_result *result, int row, int column, uint8_t *out, size_t size)
{
    memset(out, 0, size);
    if (db_is_null(result, row, column))
        return;
    if (db_size(result, row, column) == size)
        memcpy(out, PQgetvalue(result->raw, row, column), size);
    else
        result->failed = true;
}

int64_t db_affected(const struct db_result *result)
{
    int64_t count = 0;

    (void)!parse_i64(&count, PQcmdTuples(result->raw), 0, INT64_MAX);
    return count;
}

bool db_has_tag(const struct db_result *result, const char *tag)
{
    return strcmp(PQcmdStatus(result->raw), tag) == 0;
}

void db_result_done(struct db_result *result)
{
    PQclear(result->raw);
    result->raw = NULL;
}

enum status db_result_finish(struct db_result *result, struct error *err)
{
    db_result_done(result);
    if (!result->failed)
        return ST_OK;
    return error_out_of_arena(err);
}
