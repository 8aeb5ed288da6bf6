/*
 * quota_rpc.h - the budget (budget.h) over RPC: quota-service's Reserve, Settle and Void.
 *
 * Threads: any number may use the budget at once.
 */
#ifndef GATEWAY_QUOTA_RPC_H
#define GATEWAY_QUOTA_RPC_H

#include <stdbool.h>

#include "budget.h"
#include "core/error.h"

struct quota_rpc;

/* Text is copied. */
struct quota_rpc_options {
    const char *url;         /* one or more endpoints */
    const char *token;       /* this service's own */
    const char *tls_ca_file; /* with tls+tcp:// all three; else NULL or "" */
    const char *tls_cert_file;
    const char *tls_key_file;
};

MUST_USE enum status quota_rpc_open(struct quota_rpc **out,
                                    const struct quota_rpc_options *options,
                                    struct error *err);
void quota_rpc_close(struct quota_rpc *quota); /* accepts NULL */

/* Borrowed; lives as long as `quota`. */
const struct budget *quota_rpc_budget(const struct quota_rpc *quota);
bool quota_rpc_is_connected(struct quota_rpc *quota);

#endif /* GATEWAY_QUOTA_RPC_H */
