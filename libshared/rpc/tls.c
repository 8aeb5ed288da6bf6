#include "rpc/tls.h"

#include <errno.h>
#include <nng/nng.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "rpc/nng_error.h"

#define PEM_BYTES_MAX ((size_t)64 * 1024)

bool rpc_tls_is_url(const char *url)
{
    return strncmp(url, "tls+tcp", strlen("tls+tcp")) == 0;
}

bool rpc_tls_host(char *out, size_t size, const char *url)
{
    nng_url *parsed;
    int wrote;

    if (nng_url_parse(&parsed, url) != 0)
        return false;
    wrote = snprintf(out, size, "%s", parsed->u_hostname == NULL ? "" : parsed->u_hostname);
    nng_url_free(parsed);
    return wrote > 0 && (size_t)wrote < size;
}

/* A whole PEM file as text; it may hold a key, so free it with mem_free_secret. */
static enum status read_pem(char **out, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t size;
    bool is_bad;

    if (file == NULL)
        return error_set(err, ST_INVALID, "cannot open '%s': %s", path, strerror(errno));
    text = mem_alloc(PEM_BYTES_MAX);
    size = fread(text, 1, PEM_BYTES_MAX - 1, file);
    is_bad = ferror(file) != 0 || !feof(file);
    fclose(file);
    if (size > 0 && !is_bad) {
        *out = text;
        return ST_OK;
    }
    mem_free_secret(text, PEM_BYTES_MAX);
    return error_set(err, ST_INVALID, "'%s' is no PEM file of less than %zu bytes", path,
                     PEM_BYTES_MAX);
}

static enum status load_own(nng_tls_config *config, const struct rpc_tls_files *files,
                            struct error *err)
{
    char *cert;
    char *key;
    int number;
    enum status st = read_pem(&cert, files->cert_file, err);

    if (st != ST_OK)
        return st;
    st = read_pem(&key, files->key_file, err);
    if (st == ST_OK) {
        number = nng_tls_config_own_cert(config, cert, key, NULL);
        mem_free_secret(key, PEM_BYTES_MAX);
        if (number != 0)
            st = rpc_nng_error(err, number, files->cert_file);
    }
    mem_free_secret(cert, PEM_BYTES_MAX);
    return st;
}

static enum status load(nng_tls_config *config, const struct rpc_tls_files *files,
                        const char *host, struct error *err)
{
    int number;

    if (files->ca_file == NULL || files->cert_file == NULL || files->key_file == NULL)
        return error_set(err, ST_INVALID, "TLS needs a CA, a certificate and a key file");
    number = nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
    if (number == 0 && host != NULL)
        number = nng_tls_config_server_name(config, host);
    if (number != 0)
        return rpc_nng_error(err, number, "TLS");
    number = nng_tls_config_ca_file(config, files->ca_file);
    if (number != 0)
        return rpc_nng_error(err, number, files->ca_file);
    return load_own(config, files, err);
}

static enum status make(nng_tls_config **out, nng_tls_mode mode,
                        const struct rpc_tls_files *files, const char *host,
                        struct error *err)
{
    nng_tls_config *config;
    enum status st;
    int number = nng_tls_config_alloc(&config, mode);

    if (number != 0)
        return rpc_nng_error(err, number, "TLS");
    st = load(config, files, host, err);
    if (st == ST_OK)
        *out = config;
    else
        nng_tls_config_free(config);
    return st;
}

enum status rpc_tls_server(nng_tls_config **out, const struct rpc_tls_files *files,
                           struct error *err)
{
    return make(out, NNG_TLS_MODE_SERVER, files, NULL, err);
}

enum status rpc_tls_client(nng_tls_config **out, const struct rpc_tls_files *files,
                           const char *host, struct error *err)
{
    return make(out, NNG_TLS_MODE_CLIENT, files, host, err);
}
