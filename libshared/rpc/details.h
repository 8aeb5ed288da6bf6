/*
 * details.h - struct error to google.rpc details in a Response, and back.
 *
 * reason -> ErrorInfo, retry_after_ms -> RetryInfo, violations -> QuotaFailure, field ->
 * BadRequest. Types that are not known here are skipped when read.
 */
#ifndef RPC_DETAILS_H
#define RPC_DETAILS_H

#include "core/arena.h"
#include "core/error.h"
#include "metercache/v1/rpc.pb-c.h"

/* Fill code, message, details and retry_after_ms from `err`. What does not fit into the
 * arena is left out. `err` and the arena outlive the response. */
void rpc_details_write(Metercache__V1__Response *response, const struct error *err,
                       struct arena *arena);

/* The error a Response carries; its status is ST_OK when it carries none. */
void rpc_details_read(struct error *out, const Metercache__V1__Response *response,
                      struct arena *arena);

#endif /* RPC_DETAILS_H */
