/*
 * status.h - the one set of outcomes, with the numbers of google.rpc.Code.
 *
 * The numbers go over the wire as they stand; never renumber.
 */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <stdbool.h>

/* name in C, number on the wire, canonical name */
// clang-format off
#define STATUS_MAP(X)                                  \
    X(ST_OK,               0, "OK")                    \
    X(ST_CANCELLED,        1, "CANCELLED")             \
    X(ST_UNKNOWN,          2, "UNKNOWN")               \
    X(ST_INVALID,          3, "INVALID_ARGUMENT")      \
    X(ST_DEADLINE,         4, "DEADLINE_EXCEEDED")     \
    X(ST_NOT_FOUND,        5, "NOT_FOUND")             \
    X(ST_EXISTS,           6, "ALREADY_EXISTS")        \
    X(ST_DENIED,           7, "PERMISSION_DENIED")     \
    X(ST_EXHAUSTED,        8, "RESOURCE_EXHAUSTED")    \
    X(ST_PRECONDITION,     9, "FAILED_PRECONDITION")   \
    X(ST_ABORTED,         10, "ABORTED")               \
    X(ST_RANGE,           11, "OUT_OF_RANGE")          \
    X(ST_UNIMPLEMENTED,   12, "UNIMPLEMENTED")         \
    X(ST_INTERNAL,        13, "INTERNAL")              \
    X(ST_UNAVAILABLE,     14, "UNAVAILABLE")           \
    X(ST_DATA_LOSS,       15, "DATA_LOSS")             \
    X(ST_UNAUTHENTICATED, 16, "UNAUTHENTICATED")
// clang-format on

enum status {
#define STATUS_ENUM(name, number, text) name = (number),
    STATUS_MAP(STATUS_ENUM)
#undef STATUS_ENUM
};

#define STATUS_COUNT 17

/* The canonical name, such as "NOT_FOUND"; "UNKNOWN" for a number out of range. */
const char *status_name(enum status status);

/* A number from the wire as a status; ST_UNKNOWN when it is none of them. */
enum status status_from_wire(int number);

#endif /* CORE_STATUS_H */
