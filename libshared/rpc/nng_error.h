/*
 * nng_error.h - nng's error numbers as struct error.
 */
#ifndef RPC_NNG_ERROR_H
#define RPC_NNG_ERROR_H

#include "core/error.h"

/* ST_UNAVAILABLE "what: nng's words"; returns the status. `what` may name a URL. */
enum status rpc_nng_error(struct error *err, int number, const char *what);

#endif /* RPC_NNG_ERROR_H */
