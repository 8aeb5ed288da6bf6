#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/message_bytes.h"
#include "client/message_field.h"
#include "client/message_json.h"
#include "core/parse.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: reals up to it are exact integers */

/* Where in the text the reader is, and what it was given. */
struct reader {
    struct arena *arena;
    struct error *err;
    size_t path_size;
    char path[sizeof(((struct error *)0)->field)]; /* "creators[3].platform" */
};

static size_t path_push(struct reader *reader, const char *name, size_t index)
{
    size_t former = reader->path_size, room = sizeof(reader->path) - former;
    int written;

    if (name != NULL)
        written =
            snprintf(reader->path + former, room, "%s%s", former > 0 ? "." : "", name);
    else
        written = snprintf(reader->path + former, room, "[%zu]", index);
    reader->path_size = former + ((size_t)written < room ? (size_t)written : room - 1);
    return former;
}

static void path_pop(struct reader *reader, size_t former)
{
    reader->path_size = former;
    reader->path[former] = '\0';
}

static enum status fail(struct reader *reader, const char *wanted)
{
    return error_field(reader->err, reader->path, "field '%s': %s", reader->path, wanted);
}

static enum status full(struct reader *reader)
{
    return error_set(reader->err, ST_EXHAUSTED, "field '%s': the message is too large",
                     reader->path);
}

static bool read_signed(int64_t *out, const json_t *json, int64_t min, int64_t max)
{
    double real;

    if (json_is_string(json))
        return parse_i64(out, json_string_value(json), min, max);
    if (json_is_integer(json)) {
        int64_t value = json_integer_value(json);

        if (value < min || value > max)
            return false;
        *out = value;
        return true;
    }
    real = json_is_real(json) ? json_real_value(json) : NAN;
    /* NAN fails both comparisons; max as a double may round up, past it by one. */
    if (!(fabs(real) <= EXACT_MAX) || real != floor(real) || (int64_t)real < min ||
        (int64_t)real > max)
        return false;
    *out = (int64_t)real;
    return true;
}

static bool read_unsigned(uint64_t *out, const json_t *json, uint64_t max)
{
    int64_t value;

    if (json_is_string(json))
        return parse_u64(out, json_string_value(json), 0, max);
    if (!read_signed(&value, json, 0, INT64_MAX) || (uint64_t)value > max)
        return false;
    *out = (uint64_t)value;
    return true;
}

static enum status read_integer(struct reader *reader, ProtobufCType type, json_t *json,
                                void *where)
{
    int64_t number;
    uint64_t natural;

    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        if (!read_unsigned(&natural, json, UINT32_MAX))
            return fail(reader, "wants an integer from 0 to 4294967295");
        *(uint32_t *)where = (uint32_t)natural;
        return ST_OK;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        if (!read_unsigned(&natural, json, UINT64_MAX))
            return fail(reader, "wants an integer of 64 bits that is not negative");
        *(uint64_t *)where = natural;
        return ST_OK;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        if (!read_signed(&number, json, INT64_MIN, INT64_MAX))
            return fail(reader, "wants an integer of 64 bits");
        *(int64_t *)where = number;
        return ST_OK;
    default:
        if (!read_signed(&number, json, INT32_MIN, INT32_MAX))
            return fail(reader, "wants an integer of 32 bits");
        *(int32_t *)where = (int32_t)number;
        return ST_OK;
    }
}

static enum status read_enum(struct reader *reader, const ProtobufCEnumDescriptor *type,
                             json_t *json, void *where)
{
    int64_t number;
    int value;

    if (json_is_string(json) &&
        message_field_enum_parse(&value, type, json_string_value(json))) {
        *(int *)where = value;
        return ST_OK;
    }
    if (read_signed(&number, json, INT32_MIN, INT32_MAX)) {
        *(int *)where = (int)number;
        return ST_OK;
    }
    if (json_is_string(json))
        return error_field(reader->err, reader->path, "field '%s': '%s' is no %s",
                           reader->path, json_string_value(json), type->short_name);
    return fail(reader, "wants a name or a number");
}

static enum status read_string(struct reader *reader, json_t *json, void *where)
{
    char *copy;

    if (!json_is_string(json))
        return fail(reader, "wants a string");
    copy = arena_strndup(reader->arena, json_string_value(json), json_string_length(json));
    if (copy == NULL)
        return full(reader);
    *(char **)where = copy;
    return ST_OK;
}

static enum status read_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field,
                              json_t *json, void *where)
{
    ProtobufCBinaryData bytes = {0};
    size_t text_size;

    if (!json_is_string(json))
        return fail(reader, "wants a string of base64, a UUID or hex");
    text_size = json_string_length(json);
    bytes.data = arena_alloc(reader->arena, message_bytes_room(text_size));
    if (bytes.data == NULL)
        return full(reader);
    if (!message_bytes_parse(bytes.data, &bytes.len, field->name, json_string_value(json),
                             text_size))
        return fail(reader, "is neither base64 nor, in an id or a hash, a UUID or hex");
    *(ProtobufCBinaryData *)where = bytes;
    return ST_OK;
}

static enum status read_real(struct reader *reader, ProtobufCType type, json_t *json,
                             void *where)
{
    if (!json_is_number(json))
        return fail(reader, "wants a number");
    if (type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)where = (float)json_number_value(json);
    else
        *(double *)where = json_number_value(json);
    return ST_OK;
}

static enum status read_object(ProtobufCMessage **out, struct reader *reader,
                               const ProtobufCMessageDescriptor *type, json_t *json,
                               unsigned depth);

static enum status read_value(struct reader *reader, const ProtobufCFieldDescriptor *field,
                              json_t *json, void *where, unsigned depth)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_object(where, reader, field->descriptor, json, depth + 1);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(reader, json, where);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reader, field, json, where);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field->descriptor, json, where);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(reader, field->type, json, where);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(json))
            return fail(reader, "wants true or false");
        *(protobuf_c_boolean *)where = json_is_true(json);
        return ST_OK;
    default:
        return read_integer(reader, field->type, json, where);
    }
}

static enum status read_list(struct reader *reader, const ProtobufCFieldDescriptor *field,
                             json_t *json, char *base, unsigned depth)
{
    size_t count = json_array_size(json), size = message_field_size(field->type);
    char *items;

    if (!json_is_array(json))
        return fail(reader, "wants a list");
    items = arena_alloc_array(reader->arena, count > 0 ? count : 1, size);
    if (items == NULL)
        return full(reader);
    for (size_t i = 0; i < count; i++) {
        size_t former = path_push(reader, NULL, i);
        enum status st =
            read_value(reader, field, json_array_get(json, i), items + i * size, depth);

        if (st != ST_OK)
            return st;
        path_pop(reader, former);
    }
    *(size_t *)(void *)(base + field->quantifier_offset) = count;
    *(char **)(void *)(base + field->offset) = items;
    return ST_OK;
}

static enum status read_field(struct reader *reader, const ProtobufCFieldDescriptor *field,
                              json_t *json, char *base, unsigned depth)
{
    uint32_t *quantifier = (uint32_t *)(void *)(base + field->quantifier_offset);
    enum status st;

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_list(reader, field, json, base, depth);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && *quantifier != 0)
        return fail(reader, "another one of the same group is given too");
    st = read_value(reader, field, json, base + field->offset, depth);
    if (st == ST_OK && (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        *quantifier = field->id;
    return st;
}

/* Every member of the object into the message at `base`. */
static enum status read_members(struct reader *reader,
                                const ProtobufCMessageDescriptor *type, json_t *json,
                                char *base, bool *seen, unsigned depth)
{
    const char *name;
    json_t *value;

    json_object_foreach(json, name, value) {
        const ProtobufCFieldDescriptor *field = message_field_find(type, name);
        size_t former = path_push(reader, name, 0);
        enum status st;

        if (field == NULL)
            return error_field(reader->err, reader->path,
                               "field '%s': %s has none of this "
                               "name",
                               reader->path, type->short_name);
        if (seen[field - type->fields])
            return fail(reader, "is given twice, under two names");
        seen[field - type->fields] = true;
        st = json_is_null(value) ? ST_OK : read_field(reader, field, value, base, depth);
        if (st != ST_OK)
            return st;
        path_pop(reader, former);
    }
    return ST_OK;
}

/* Calls itself through read_members as deep as the types nest; `depth` is the second net. */
static enum status read_object(ProtobufCMessage **out, struct reader *reader,
                               const ProtobufCMessageDescriptor *type, json_t *json,
                               unsigned depth)
{
    ProtobufCMessage *message;
    bool *seen;
    enum status st;

    if (!json_is_object(json))
        return fail(reader, "wants an object");
    if (depth > MESSAGE_JSON_DEPTH)
        return fail(reader, "lies too deep");
    message = arena_alloc(reader->arena, type->sizeof_message);
    seen = arena_alloc_array(reader->arena, (size_t)type->n_fields + 1, sizeof(*seen));
    if (message == NULL || seen == NULL)
        return full(reader);
    protobuf_c_message_init(type, message);
    st = read_members(reader, type, json, (char *)message, seen, depth);
    if (st == ST_OK)
        *out = message;
    return st;
}

enum status message_json_parse(ProtobufCMessage **out,
                               const ProtobufCMessageDescriptor *type, const char *text,
                               size_t size, struct arena *arena, struct error *err)
{
    struct reader reader = {.arena = arena, .err = err};
    json_error_t fault;
    json_t *json;
    enum status st;

    if (size > MESSAGE_JSON_TEXT_MAX)
        return error_set(err, ST_INVALID, "%zu bytes of JSON; at most %u are taken", size,
                         MESSAGE_JSON_TEXT_MAX);
    if (size == 0) {
        text = "{}";
        size = strlen(text);
    }
    json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
    if (json == NULL)
        return error_set(err, ST_INVALID, "not JSON at line %d, column %d: %s", fault.line,
                         fault.column, fault.text);
    if (!json_is_object(json))
        st = error_set(err, ST_INVALID, "the JSON text is no object");
    else
        st = read_object(out, &reader, type, json, 1);
    json_decref(json);
    return st;
}
