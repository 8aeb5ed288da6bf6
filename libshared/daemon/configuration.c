#include "daemon/configuration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define DEFAULT_WORKERS 16
#define ALIGNMENT       _Alignof(max_align_t)

#define ROW(env_, kind_, field_, fallback_, min_, max_, help_) \
    SETTING_ROW(struct daemon_config, env_, kind_, field_, fallback_, min_, max_, help_)

// clang-format off
static const struct setting COMMON[] = {
    ROW("LISTEN_URL",       SETTING_TEXT,   listen_url,    "",     1, 256,
        "address of the service: tcp://host:port, tls+tcp://host:port or ipc:///path"),
    ROW("OPS_ADDRESS",      SETTING_TEXT,   ops_address,   "",     0, 128,
        "host:port of /livez, /readyz and /metrics; empty: none"),
    ROW("TOKENS_FILE",      SETTING_TEXT,   tokens_file,   "",     0, 4096,
        "file that says what each token may do; read again on SIGHUP"),
    ROW("LOG_LEVEL",        SETTING_TEXT,   log_level,     "info", 0, 16,
        "error, warn, info or debug"),
    ROW("LOG_FORMAT",       SETTING_TEXT,   log_format,    "text", 0, 16,
        "text or json"),
    ROW("WORKERS",          SETTING_COUNT,  workers,       "16",   1, 1024,
        "threads for requests that have to wait for something"),
    ROW("CONTEXTS",         SETTING_COUNT,  contexts,      "256",  1, 4096,
        "requests inside the process at once"),
    ROW("QUEUE",            SETTING_COUNT,  queue,         "256",  1, 4096,
        "requests that wait for a worker; more are refused"),
    ROW("CONNECTIONS",      SETTING_COUNT,  connections,   "1024", 1, 32768,
        "connections at once"),
    ROW("CONNECTIONS_PER_ADDRESS", SETTING_COUNT, connections_per_address, "256", 1, 32768,
        "connections at once from one address"),
    ROW("INFLIGHT_PER_CONNECTION", SETTING_COUNT, inflight_per_connection, "128", 1, 4096,
        "requests at once from one connection"),
    ROW("REQUEST_BYTES",    SETTING_BYTES,  request_bytes, "1MiB", 1024, 16 << 20,
        "largest request"),
    ROW("DRAIN_TIMEOUT",    SETTING_MILLIS, drain_ms,      "20s",  0, 600000,
        "longest wait for requests in flight when the service ends"),
    ROW("LISTENER_GUARD",   SETTING_BOOL,   guard,         "yes",  0, 0,
        "watch the listeners from inside and start them anew when they stop accepting"),
    ROW("TLS_CA_FILE",      SETTING_TEXT,   tls_ca_file,   "",     0, 4096,
        "CA that signs the callers' certificates, with tls+tcp://"),
    ROW("TLS_CERT_FILE",    SETTING_TEXT,   tls_cert_file, "",     0, 4096,
        "our certificate, with tls+tcp://"),
    ROW("TLS_KEY_FILE",     SETTING_TEXT,   tls_key_file,  "",     0, 4096,
        "key of that certificate"),
};
// clang-format on

static size_t own_offset(void)
{
    return (sizeof(struct daemon_config) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The fallback of a common row in this daemon; owned. Never NULL: commands do without the
 * settings that serving needs. */
static char *common_fallback(const struct setting *row, const struct daemon_spec *spec)
{
    const char *text = row->fallback;

    if (row->offset == offsetof(struct daemon_config, workers))
        return mem_printf("%" PRIu64, spec->default_workers != 0 ? spec->default_workers
                                                                 : DEFAULT_WORKERS);
    if (row->offset == offsetof(struct daemon_config, listen_url) &&
        spec->default_listen_url != NULL)
        text = spec->default_listen_url;
    if (row->offset == offsetof(struct daemon_config, ops_address) &&
        spec->default_ops_address != NULL)
        text = spec->default_ops_address;
    return mem_strdup(text);
}

void configuration_init(struct configuration *configuration, const struct daemon_spec *spec)
{
    size_t count = COUNT_OF(COMMON) + spec->setting_count;
    struct setting *rows = mem_alloc_array(count, sizeof *rows);

    for (size_t i = 0; i < COUNT_OF(COMMON); i++) {
        rows[i] = COMMON[i];
        rows[i].env = mem_printf("%s%s", spec->prefix, COMMON[i].env);
        rows[i].fallback = common_fallback(&COMMON[i], spec);
    }
    for (size_t i = 0; i < spec->setting_count; i++) {
        struct setting *row = &rows[COUNT_OF(COMMON) + i];

        *row = spec->settings[i];
        row->offset += own_offset();
    }
    *configuration = (struct configuration){
        .rows = rows,
        .row_count = count,
        .common_count = COUNT_OF(COMMON),
    };
}

/* The spec's prefixes and the one it is named for, NULL-ended; owned. */
static const char **all_prefixes(const struct daemon_spec *spec)
{
    size_t count = 0;

    while (spec->foreign_prefixes != NULL && spec->foreign_prefixes[count] != NULL)
        count++;

    const char **prefixes = mem_alloc_array(count + 2, sizeof *prefixes);

    prefixes[0] = spec->prefix;
    for (size_t i = 0; i < count; i++)
        prefixes[i + 1] = spec->foreign_prefixes[i];
    return prefixes;
}

enum status configuration_load(struct configuration *configuration,
                               const struct daemon_spec *spec, char *const *environment,
                               struct error *err)
{
    const char **prefixes = all_prefixes(spec);
    void *block = mem_alloc(own_offset() + spec->config_size);
    enum status status = settings_load(configuration->rows, configuration->row_count, block,
                                       environment, prefixes, err);

    mem_free(prefixes);
    if (status != ST_OK) {
        mem_free(block);
        return status;
    }
    configuration->block = block;
    configuration->common = block;
    configuration->own = (const char *)block + own_offset();
    return ST_OK;
}

void configuration_done(struct configuration *configuration)
{
    if (configuration->block != NULL)
        settings_release(configuration->rows, configuration->row_count,
                         configuration->block);
    mem_free(configuration->block);
    for (size_t i = 0; i < configuration->common_count; i++) {
        mem_free((char *)configuration->rows[i].env);
        mem_free((char *)configuration->rows[i].fallback);
    }
    mem_free(configuration->rows);
    *configuration = (struct configuration){.rows = NULL};
}

static enum status check_tls(const struct daemon_config *config, const char *prefix,
                             struct error *err)
{
    bool has_ca = config->tls_ca_file[0] != '\0';
    bool has_cert = config->tls_cert_file[0] != '\0';
    bool has_key = config->tls_key_file[0] != '\0';

    if (has_ca != has_cert || has_cert != has_key)
        return error_set(
            err, ST_INVALID,
            "%sTLS_CA_FILE, %sTLS_CERT_FILE and %sTLS_KEY_FILE go together: set all "
            "three or none",
            prefix, prefix, prefix);
    if (strncmp(config->listen_url, "tls+", 4) == 0 && !has_ca)
        return error_set(err, ST_INVALID,
                         "%sLISTEN_URL is '%s', but %sTLS_CA_FILE is not set", prefix,
                         config->listen_url, prefix);
    return ST_OK;
}

enum status configuration_check_serving(const struct configuration *configuration,
                                        const struct daemon_spec *spec, struct error *err)
{
    const struct daemon_config *config = configuration->common;

    if (config->listen_url[0] == '\0')
        return error_set(err, ST_INVALID, "%sLISTEN_URL is not set", spec->prefix);
    if (config->tokens_file[0] == '\0')
        return error_set(err, ST_INVALID, "%sTOKENS_FILE is not set", spec->prefix);
    return check_tls(config, spec->prefix, err);
}
