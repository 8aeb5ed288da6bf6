#include "rpc/nng_error.h"

#include <nng/nng.h>

enum status rpc_nng_error(struct error *err, int number, const char *what)
{
    enum status st = ST_UNAVAILABLE;

    if (number == NNG_EADDRINVAL || number == NNG_EINVAL || number == NNG_ENOTSUP)
        st = ST_INVALID;
    return error_set(err, st, "%s: %s", what, nng_strerror(number));
}
