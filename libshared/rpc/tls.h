/*
 * tls.h - nng TLS configuration: both sides present a certificate of one CA.
 *
 * TLS proves the CA; who calls is proved by the token in the envelope (identity.h).
 */
#ifndef RPC_TLS_H
#define RPC_TLS_H

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <stdbool.h>

#include "core/error.h"

struct rpc_tls_files {
    const char *ca_file;
    const char *cert_file;
    const char *key_file;
};

bool rpc_tls_is_url(const char *url);

/* Requires and verifies client certificates. Free with nng_tls_config_free. */
MUST_USE enum status rpc_tls_server(nng_tls_config **out, const struct rpc_tls_files *files,
                                    struct error *err);
/* Verifies that the server's certificate is for `host`; NULL: any of the CA (only for the
 * guard, which calls its own process). */
MUST_USE enum status rpc_tls_client(nng_tls_config **out, const struct rpc_tls_files *files,
                                    const char *host, struct error *err);
/* The host of a URL into `out`; false when it does not parse or fit. */
bool rpc_tls_host(char *out, size_t size, const char *url) MUST_USE;

#endif /* RPC_TLS_H */
