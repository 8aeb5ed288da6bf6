#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "client/message_bytes.h"
#include "client/message_field.h"
#include "client/message_json.h"

#define EXACT_MAX (INT64_C(1) << 53) /* largest integer every JSON reader keeps exact */

static void print_indent(struct buf *out, unsigned depth)
{
    buf_printf(out, "\n%*s", (int)(2 * depth), "");
}

static void print_text(struct buf *out, const char *text)
{
    buf_append(out, "\"", 1);
    buf_append_json_escaped(out, text, strlen(text));
    buf_append(out, "\"", 1);
}

static void print_signed(struct buf *out, int64_t value)
{
    const char *quote = value >= EXACT_MAX || value <= -EXACT_MAX ? "\"" : "";

    buf_printf(out, "%s%" PRId64 "%s", quote, value, quote);
}

static void print_unsigned(struct buf *out, uint64_t value)
{
    const char *quote = value >= (uint64_t)EXACT_MAX ? "\"" : "";

    buf_printf(out, "%s%" PRIu64 "%s", quote, value, quote);
}

static void print_real(struct buf *out, double value, int digits)
{
    if (isfinite(value))
        buf_printf(out, "%.*g", digits, value);
    else
        print_text(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

static void print_enum(struct buf *out, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);

    if (known != NULL)
        print_text(out, known->name);
    else
        print_signed(out, value);
}

/* A value of a field that is no message; `where` points to it. */
static void print_scalar(struct buf *out, const ProtobufCFieldDescriptor *field,
                         const void *where)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        print_signed(out, *(const int32_t *)where);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        print_signed(out, *(const int64_t *)where);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        print_unsigned(out, *(const uint32_t *)where);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        print_unsigned(out, *(const uint64_t *)where);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        print_real(out, (double)*(const float *)where, 9);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        print_real(out, *(const double *)where, 17);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        buf_append_text(out, *(const protobuf_c_boolean *)where ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(out, field->descriptor, *(const int *)where);
        break;
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)where;

        print_text(out, text != NULL ? text : "");
        break;
    }
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = where;

        buf_append(out, "\"", 1);
        message_bytes_print(out, field->name, bytes->data, bytes->len);
        buf_append(out, "\"", 1);
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
}

static void print_value(struct buf *out, const ProtobufCFieldDescriptor *field,
                        const void *where, unsigned depth)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        message_json_print(out, *(const ProtobufCMessage *const *)where, depth);
    else
        print_scalar(out, field, where);
}

static void print_list(struct buf *out, const ProtobufCFieldDescriptor *field,
                       const ProtobufCMessage *message, unsigned depth)
{
    const char *base = (const char *)message;
    size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
    const char *items = *(const char *const *)(const void *)(base + field->offset);

    buf_append(out, "[", 1);
    for (size_t i = 0; i < count; i++) {
        buf_append_text(out, i > 0 ? "," : "");
        print_indent(out, depth + 1);
        print_value(out, field, items + i * message_field_size(field->type), depth + 1);
    }
    if (count > 0)
        print_indent(out, depth);
    buf_append(out, "]", 1);
}

/* Is there something to print? Unset messages and oneof members are not. */
static bool is_set(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    const char *base = (const char *)message;

    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
        return false;
    return field->label == PROTOBUF_C_LABEL_REPEATED ||
           field->type != PROTOBUF_C_TYPE_MESSAGE ||
           *(const ProtobufCMessage *const *)(const void *)(base + field->offset) != NULL;
}

/* Calls itself through print_value as deep as the types nest: they form no cycle. */
void message_json_print(struct buf *out, const ProtobufCMessage *message, unsigned depth)
{
    const char *base = (const char *)message;
    bool is_first = true;

    buf_append(out, "{", 1);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

        if (!is_set(field, message))
            continue;
        buf_append_text(out, is_first ? "" : ",");
        print_indent(out, depth + 1);
        buf_printf(out, "\"%s\": ", field->name);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            print_list(out, field, message, depth + 1);
        else
            print_value(out, field, base + field->offset, depth + 1);
        is_first = false;
    }
    if (!is_first)
        print_indent(out, depth);
    buf_append(out, "}", 1);
}
