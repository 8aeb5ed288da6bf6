#include "store/params.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

#include "core/base.h"
#include "store/pg_types.h"

static const struct column_kind {
    uint32_t oid;
    size_t size; /* of an element; 0: varies */
} KINDS[] = {
    [DB_COLUMN_I16] = {PG_INT2, 2},         [DB_COLUMN_I32] = {PG_INT4, 4},
    [DB_COLUMN_KNOWN_I16] = {PG_INT2, 2},   [DB_COLUMN_I64] = {PG_INT8, 8},
    [DB_COLUMN_KNOWN_I64] = {PG_INT8, 8},   [DB_COLUMN_BOOL] = {PG_BOOL, 1},
    [DB_COLUMN_TIME] = {PG_TIMESTAMPTZ, 8}, [DB_COLUMN_UUID] = {PG_UUID, 16},
    [DB_COLUMN_TEXT] = {PG_TEXT, 0},        [DB_COLUMN_BYTES16] = {PG_BYTEA, 16},
};

#define ARRAY_HEADER_SIZE 20

void db_params_init(struct db_params *params)
{
    arena_init(&params->arena, DB_PARAMS_ARENA_SIZE);
    params->count = 0;
    params->failed = false;
}

void db_params_done(struct db_params *params)
{
    arena_done(&params->arena);
}

static void add(struct db_params *params, const void *value, size_t size)
{
    if (params->count == DB_PARAMS_MAX || size > INT_MAX) {
        params->failed = true;
        return;
    }
    params->values[params->count] = value;
    params->lengths[params->count] = (int)size;
    params->count++;
}

static void add_copy(struct db_params *params, const void *value, size_t size)
{
    const void *copy = arena_memdup(&params->arena, value, size);

    if (copy == NULL)
        params->failed = true;
    add(params, copy, size);
}

void db_param_i64(struct db_params *params, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    add_copy(params, &wire, sizeof(wire));
}

void db_param_known_i64(struct db_params *params, int64_t value)
{
    if (value < 0)
        add(params, NULL, 0);
    else
        db_param_i64(params, value);
}

void db_param_i32(struct db_params *params, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);

    add_copy(params, &wire, sizeof(wire));
}

void db_param_i16(struct db_params *params, int value)
{
    uint16_t wire = htobe16((uint16_t)value);

    add_copy(params, &wire, sizeof(wire));
}

void db_param_bool(struct db_params *params, bool value)
{
    uint8_t wire = value;

    add_copy(params, &wire, sizeof(wire));
}

/* A time far out of range wraps to one that Postgres refuses or that is as far out. */
static int64_t pg_time(int64_t unix_us)
{
    return (int64_t)((uint64_t)unix_us - (uint64_t)PG_EPOCH_UNIX_US);
}

void db_param_time(struct db_params *params, int64_t unix_us)
{
    if (unix_us == 0)
        add(params, NULL, 0);
    else
        db_param_i64(params, pg_time(unix_us));
}

void db_param_uuid(struct db_params *params, const struct op_id *id)
{
    add_copy(params, id->bytes, sizeof(id->bytes));
}

void db_param_text(struct db_params *params, const char *text)
{
    if (text == NULL)
        text = "";
    add(params, text, strlen(text));
}

void db_param_bytes(struct db_params *params, const void *data, size_t size)
{
    add(params, size == 0 ? "" : data, size);
}

/* ---- arrays ---- */

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    uint32_t wire = htobe32(value);

    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}

static uint8_t *put64(uint8_t *at, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}

static const char *text_at(const void *field)
{
    const char *text;

    memcpy(&text, field, sizeof(text));
    return text == NULL ? "" : text;
}

static int64_t i64_at(const void *field)
{
    int64_t value;

    memcpy(&value, field, sizeof(value));
    return value;
}

static int int_at(const void *field)
{
    int value;

    memcpy(&value, field, sizeof(value));
    return value;
}

static bool is_null(const void *field, enum db_column kind)
{
    return (kind == DB_COLUMN_KNOWN_I64 && i64_at(field) < 0) ||
           (kind == DB_COLUMN_TIME && i64_at(field) == 0) ||
           (kind == DB_COLUMN_KNOWN_I16 && int_at(field) == 0);
}

/* The element's length and value; returns what follows it. */
static uint8_t *put_element(uint8_t *at, const void *field, enum db_column kind)
{
    if (is_null(field, kind))
        return put32(at, UINT32_MAX);
    size_t size = kind == DB_COLUMN_TEXT ? strlen(text_at(field)) : KINDS[kind].size;
    at = put32(at, (uint32_t)size);
    switch (kind) {
    case DB_COLUMN_I16:
    case DB_COLUMN_KNOWN_I16: {
        uint16_t wire = htobe16((uint16_t)int_at(field));
        memcpy(at, &wire, sizeof(wire));
        return at + size;
    }
    case DB_COLUMN_I32:
        return put32(at, (uint32_t)int_at(field));
    case DB_COLUMN_I64:
    case DB_COLUMN_KNOWN_I64:
        return put64(at, i64_at(field));
    case DB_COLUMN_TIME:
        return put64(at, pg_time(i64_at(field)));
    case DB_COLUMN_TEXT:
        memcpy(at, text_at(field), size);
        return at + size;
    case DB_COLUMN_BOOL:
    case DB_COLUMN_UUID:
    case DB_COLUMN_BYTES16:
        memcpy(at, field, size);
        return at + size;
    }
    return at;
}

static size_t array_size(struct db_rows rows, enum db_column kind, size_t offset)
{
    size_t size = ARRAY_HEADER_SIZE + rows.count * (4 + KINDS[kind].size);

    if (kind == DB_COLUMN_TEXT)
        for (size_t i = 0; i < rows.count; i++)
            size += strlen(text_at((const char *)rows.first + i * rows.stride + offset));
    return size;
}

void db_param_column(struct db_params *params, struct db_rows rows, enum db_column kind,
                     size_t offset)
{
    uint8_t *array = arena_alloc(&params->arena, array_size(rows, kind, offset));

    if (array == NULL) {
        params->failed = true;
        return;
    }
    bool has_null = false;
    for (size_t i = 0; i < rows.count; i++)
        has_null |= is_null((const char *)rows.first + i * rows.stride + offset, kind);

    uint8_t *at = put32(array, rows.count == 0 ? 0 : 1); /* dimensions */
    at = put32(at, has_null);
    at = put32(at, KINDS[kind].oid);
    if (rows.count > 0) {
        at = put32(at, (uint32_t)rows.count);
        at = put32(at, 1); /* lower bound */
    }
    for (size_t i = 0; i < rows.count; i++)
        at = put_element(at, (const char *)rows.first + i * rows.stride + offset, kind);
    add(params, array, (size_t)(at - array));
}

static size_t element_size(const void *field, enum db_column kind)
{
    if (is_null(field, kind))
        return 4;
    return 4 + (kind == DB_COLUMN_TEXT ? strlen(text_at(field)) : KINDS[kind].size);
}

static size_t row_size(const char *row, const struct db_attribute *attributes, size_t count)
{
    size_t size = 4;

    for (size_t i = 0; i < count; i++)
        size += 4 + element_size(row + attributes[i].offset, attributes[i].kind);
    return size;
}

static uint8_t *put_row(uint8_t *at, const char *row, const struct db_attribute *attributes,
                        size_t count)
{
    at = put32(at, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        at = put32(at, KINDS[attributes[i].kind].oid);
        at = put_element(at, row + attributes[i].offset, attributes[i].kind);
    }
    return at;
}

void db_param_rows(struct db_params *params, struct db_rows rows, uint32_t type_oid,
                   const struct db_attribute *attributes, size_t attribute_count)
{
    size_t size = ARRAY_HEADER_SIZE;
    uint8_t *array;
    uint8_t *at;

    for (size_t i = 0; i < rows.count; i++)
        size += 4 + row_size((const char *)rows.first + i * rows.stride, attributes,
                             attribute_count);
    array = arena_alloc(&params->arena, size);
    if (array == NULL) {
        params->failed = true;
        return;
    }
    at = put32(array, rows.count == 0 ? 0 : 1); /* dimensions */
    at = put32(at, 0);                          /* no row is NULL */
    at = put32(at, type_oid);
    if (rows.count > 0) {
        at = put32(at, (uint32_t)rows.count);
        at = put32(at, 1); /* lower bound */
    }
    for (size_t i = 0; i < rows.count; i++) {
        const char *row = (const char *)rows.first + i * rows.stride;

        at = put32(at, (uint32_t)row_size(row, attributes, attribute_count));
        at = put_row(at, row, attributes, attribute_count);
    }
    add(params, array, (size_t)(at - array));
}
