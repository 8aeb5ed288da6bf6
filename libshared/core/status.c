#include "core/status.h"

const char *status_name(enum status status)
{
    switch (status) {
#define STATUS_NAME(name, number, text) \
    case name:                          \
        return text;
        STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return "UNKNOWN";
}

enum status status_from_wire(int number)
{
    if (number < 0 || number >= STATUS_COUNT)
        return ST_UNKNOWN;
    return (enum status)number;
}
