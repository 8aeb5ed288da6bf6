/*
 * quota_client_rpc.h - the budget (budget.h) over RPC: Reserve, Settle and Void of
 * quota-service.
 *
 * Threads: any number may use the budget at once.
 */
#ifndef GATEWAY_QUOTA_CLIENT_RPC_H
#define GATEWAY_QUOTA_CLIENT_RPC_H

#include <stdbool.h>

#include "budget.h"
#include "core/error.h"

struct quota_client;

/* Text is copied. */
struct quota_client_options {
    const char *url;         /* one or more endpoints */
    const char *token;       /* this service's own */
    const char *tls_ca_file; /* with tls+tcp:// all three; else NULL or "" */
    const char *tls_cert_file;
    const char *tls_key_file;
};

MUST_USE enum status quota_client_open(struct quota_client **out,
                                       const struct quota_client_options *options,
                                       struct error *err);
void quota_client_close(struct quota_client *quota); /* accepts NULL */

/* Borrowed; lives as long as `quota`. */
const struct budget *quota_client_budget(const struct quota_client *quota);
bool quota_client_is_connected(struct quota_client *quota);

#endif /* GATEWAY_QUOTA_CLIENT_RPC_H */
