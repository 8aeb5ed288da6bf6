/*
 * message_field.h - what protobuf-c's descriptors do not say outright: how large a field's
 * elements are, which field or enum value a name stands for.
 *
 * Pure. Everything returned is borrowed from the descriptors.
 */
#ifndef CLIENT_MESSAGE_FIELD_H
#define CLIENT_MESSAGE_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base.h"

/* Bytes of one value in memory; of a message, of the pointer to it. */
size_t message_field_size(ProtobufCType type);

/* The field of this original_name or lowerCamelCase name; NULL when there is none. */
const ProtobufCFieldDescriptor *message_field_find(const ProtobufCMessageDescriptor *type,
                                                   const char *given);

/* The name of an enum's value without the enum's prefix, such as "INSTAGRAM"; NULL when the
 * number is none of them. */
const char *message_field_enum_name(const ProtobufCEnumDescriptor *type, int value);

/* The value named, in any case, with or without the prefix; false when there is none. */
bool message_field_enum_parse(int *out, const ProtobufCEnumDescriptor *type,
                              const char *name) MUST_USE;

#endif /* CLIENT_MESSAGE_FIELD_H */
