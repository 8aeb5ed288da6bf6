#include "rpc/wire_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/parse.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

#define VARINT_BYTES_MAX 10
#define FIELD_NUMBER_MAX 536870911u

/* One message on the way from the outermost to the one being read. */
struct level {
    const ProtobufCMessageDescriptor *type;
    const ProtobufCFieldDescriptor *field; /* of `type`, being read; NULL: unknown field */
    const uint8_t *end;
};

struct walk {
    struct level levels[RPC_WIRE_DEPTH_MAX];
    size_t depth;
    const uint8_t *at;
    size_t elements;
    struct error *err;
};

static enum status fail(struct walk *walk, const char *what)
{
    char path[sizeof(walk->err->field)] = "";
    size_t used = 0;

    for (size_t i = 0; i < walk->depth && walk->levels[i].field != NULL; i++) {
        int wrote = snprintf(path + used, sizeof(path) - used, "%s%s", i > 0 ? "." : "",
                             walk->levels[i].field->name);

        if (wrote < 0 || (size_t)wrote >= sizeof(path) - used)
            break;
        used += (size_t)wrote;
    }
    if (path[0] == '\0')
        return error_set(walk->err, ST_INVALID, "malformed message: %s", what);
    return error_field(walk->err, path, "%s: %s", path, what);
}

static struct level *top(struct walk *walk)
{
    return &walk->levels[walk->depth - 1];
}

static size_t bytes_left(struct walk *walk)
{
    return (size_t)(top(walk)->end - walk->at);
}

static bool read_varint(struct walk *walk, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        uint8_t byte;

        if (walk->at == top(walk)->end)
            return false;
        byte = *walk->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *out = value;
            return true;
        }
    }
    return false;
}

static enum wire_type wire_type_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    default:
        return WIRE_VARINT;
    }
}

/* An array of numbers in one field: count them and see that the last one is whole. */
static enum status check_packed(struct walk *walk, const ProtobufCFieldDescriptor *field,
                                size_t size)
{
    const uint8_t *end = walk->at + size;
    enum wire_type element = wire_type_of(field);

    if (element == WIRE_VARINT) {
        if (size > 0 && (end[-1] & 0x80) != 0)
            return fail(walk, "array of numbers is cut off");
        for (const uint8_t *at = walk->at; at < end; at++)
            walk->elements += (*at & 0x80) == 0;
    } else {
        size_t width = element == WIRE_FIXED32 ? 4 : 8;

        if (size % width != 0)
            return fail(walk, "array of numbers is cut off");
        walk->elements += size / width;
    }
    walk->at = end;
    return ST_OK;
}

static enum status check_text(struct walk *walk, size_t size)
{
    const char *text = (const char *)walk->at;

    if (memchr(text, '\0', size) != NULL)
        return fail(walk, "contains a NUL character");
    if (!parse_is_utf8(text, size))
        return fail(walk, "is not valid UTF-8");
    walk->at += size;
    return ST_OK;
}

static enum status enter_message(struct walk *walk, const ProtobufCFieldDescriptor *field,
                                 size_t size)
{
    const uint8_t *end = walk->at + size;

    if (walk->depth == RPC_WIRE_DEPTH_MAX)
        return fail(walk, "messages nest too deeply");
    walk->levels[walk->depth++] = (struct level){.type = field->descriptor, .end = end};
    return ST_OK;
}

static enum status check_bytes_field(struct walk *walk,
                                     const ProtobufCFieldDescriptor *field)
{
    uint64_t size;

    if (!read_varint(walk, &size) || size > bytes_left(walk))
        return fail(walk, "is cut off");
    if (field == NULL || field->type == PROTOBUF_C_TYPE_BYTES) {
        walk->at += size;
        return ST_OK;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return check_text(walk, (size_t)size);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return enter_message(walk, field, (size_t)size);
    return check_packed(walk, field, (size_t)size);
}

static enum status check_value(struct walk *walk, unsigned wire)
{
    const ProtobufCFieldDescriptor *field = top(walk)->field;
    uint64_t ignored;
    size_t width;

    if (field != NULL && wire != wire_type_of(field) &&
        !(wire == WIRE_BYTES && field->label == PROTOBUF_C_LABEL_REPEATED))
        return fail(walk, "has the wrong type on the wire");
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(walk, &ignored) ? ST_OK : fail(walk, "is cut off");
    case WIRE_BYTES:
        return check_bytes_field(walk, field);
    case WIRE_FIXED32:
    case WIRE_FIXED64:
        width = wire == WIRE_FIXED32 ? 4 : 8;
        if (bytes_left(walk) < width)
            return fail(walk, "is cut off");
        walk->at += width;
        return ST_OK;
    default:
        return fail(walk, "has a wire type that is not in use");
    }
}

enum status rpc_wire_check(const ProtobufCMessageDescriptor *type, const uint8_t *data,
                           size_t size, struct error *err)
{
    struct walk walk = {.depth = 1, .at = data, .err = err};

    if (size == 0)
        return ST_OK;
    walk.levels[0] = (struct level){.type = type, .end = data + size};
    while (walk.depth > 0) {
        uint64_t tag;
        enum status st;

        top(&walk)->field = NULL;
        if (walk.at == top(&walk)->end) {
            walk.depth--;
            continue;
        }
        if (!read_varint(&walk, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
            return fail(&walk, "no field starts where one should");
        if (++walk.elements > RPC_WIRE_ELEMENTS_MAX)
            return fail(&walk, "too many elements");
        top(&walk)->field =
            protobuf_c_message_descriptor_get_field(top(&walk)->type, (unsigned)(tag >> 3));
        st = check_value(&walk, (unsigned)(tag & 7));
        if (st != ST_OK)
            return st;
    }
    if (walk.elements > RPC_WIRE_ELEMENTS_MAX)
        return error_set(err, ST_INVALID, "malformed message: too many elements");
    return ST_OK;
}
