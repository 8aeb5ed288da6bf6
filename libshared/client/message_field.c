#include "client/message_field.h"

#include <string.h>
#include <strings.h>

size_t message_field_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(ProtobufCMessage *);
    default:
        return sizeof(int32_t);
    }
}

/* Is `given` the field's name, or its lowerCamelCase form? */
static bool is_name(const char *field, const char *given)
{
    if (strcmp(field, given) == 0)
        return true;
    for (; *field != '\0'; field++, given++) {
        char want = *field;

        if (want == '_') {
            want = *++field;
            if (want >= 'a' && want <= 'z')
                want = (char)(want - 'a' + 'A');
        }
        if (want != *given)
            return false;
    }
    return *given == '\0';
}

const ProtobufCFieldDescriptor *message_field_find(const ProtobufCMessageDescriptor *type,
                                                   const char *given)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (is_name(type->fields[i].name, given))
            return &type->fields[i];
    }
    return NULL;
}

/* Bytes of the prefix that all values share, taken from the zero's "..._UNSPECIFIED". */
static size_t enum_prefix_size(const ProtobufCEnumDescriptor *type)
{
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);
    const char *word = zero != NULL ? strstr(zero->name, "UNSPECIFIED") : NULL;

    return word != NULL ? (size_t)(word - zero->name) : 0;
}

const char *message_field_enum_name(const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);

    return known != NULL ? known->name + enum_prefix_size(type) : NULL;
}

bool message_field_enum_parse(int *out, const ProtobufCEnumDescriptor *type,
                              const char *name)
{
    size_t prefix_size = enum_prefix_size(type);

    for (unsigned i = 0; i < type->n_values; i++) {
        const ProtobufCEnumValue *value = &type->values[i];

        if (strcasecmp(name, value->name) == 0 ||
            strcasecmp(name, value->name + prefix_size) == 0) {
            *out = value->value;
            return true;
        }
    }
    return false;
}
