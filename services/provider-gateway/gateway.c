#include "gateway.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "url.h"

#define CONNECT_MS   5000u
#define FLUSH_MS     3000u
#define HEADER_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* A key becomes a header value: nothing in it may end the line. */
static enum status check_key(const char *key, const char *setting, struct error *err)
{
    for (const char *c = key; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            return error_set(err, ST_INVALID,
                             "%s holds a space or another character no key has", setting);
    }
    return ST_OK;
}

static enum status check_header_name(const char *name, struct error *err)
{
    if (name[0] == '\0' || name[strspn(name, HEADER_CHARS)] != '\0')
        return error_set(err, ST_INVALID, "CLAY_AUTH_HEADER is no header name");
    return ST_OK;
}

/* Found out at the start, not by the first call. */
static enum status check_ca_file(const char *path, struct error *err)
{
    if (path[0] != '\0' && access(path, R_OK) != 0)
        return error_set(err, ST_INVALID, "GATEWAY_PROVIDER_CA_FILE: '%s' cannot be read",
                         path);
    return ST_OK;
}

static enum status check_base(bool *is_loopback, const char *base, const char *setting,
                              const struct gateway_config *config, struct error *err)
{
    enum status st = url_check_base(is_loopback, base, config->allow_loopback, err);

    return st == ST_OK ? ST_OK : error_wrap(err, "%s", setting);
}

static enum status describe_modash(struct provider_description *out,
                                   const struct gateway_config *config, struct error *err)
{
    bool is_loopback = false;
    enum status st =
        check_base(&is_loopback, config->modash_base_url, "MODASH_BASE_URL", config, err);

    if (st == ST_OK)
        st = check_key(config->modash_key, "MODASH_API_KEY", err);
    if (st != ST_OK)
        return st;
    *out = (struct provider_description){
        .name = "modash",
        .kind = PROVIDER_MODASH,
        .base_url = config->modash_base_url,
        .is_loopback = is_loopback,
        .key = {.name = "Authorization", .prefix = "Bearer ", .value = config->modash_key},
        .key_setting = "MODASH_API_KEY",
        .timeout_ms = config->modash_timeout_ms,
    };
    return ST_OK;
}

static enum status describe_clay(struct provider_description *out,
                                 const struct gateway_config *config, struct error *err)
{
    bool is_bearer = strcasecmp(config->clay_auth_header, "authorization") == 0;
    bool is_loopback = false;
    enum status st =
        check_base(&is_loopback, config->clay_base_url, "CLAY_BASE_URL", config, err);

    if (st == ST_OK)
        st = check_key(config->clay_key, "CLAY_API_KEY", err);
    if (st == ST_OK)
        st = check_header_name(config->clay_auth_header, err);
    if (st != ST_OK)
        return st;
    *out = (struct provider_description){
        .name = "clay",
        .kind = PROVIDER_CLAY,
        .base_url = config->clay_base_url,
        .is_loopback = is_loopback,
        .key = {.name = config->clay_auth_header,
                .prefix = is_bearer ? "Bearer " : "",
                .value = config->clay_key},
        .key_setting = "CLAY_API_KEY",
        .timeout_ms = config->clay_timeout_ms,
    };
    return ST_OK;
}

static enum status open_links(struct gateway *gateway, const struct gateway_config *config,
                              struct error *err)
{
    struct http_client_options options = {
        .response_bytes = (size_t)config->response_bytes,
        .connections_per_host = (unsigned)config->connections_per_host,
        .connect_timeout_ms = CONNECT_MS,
        .ca_file = config->provider_ca_file,
    };
    const struct quota_client_options link = {
        .url = config->quota_url,
        .token = config->service_token,
        .tls_ca_file = config->tls_ca_file,
        .tls_cert_file = config->tls_cert_file,
        .tls_key_file = config->tls_key_file,
    };
    enum status st = http_client_open(&gateway->door.http, &options, err);

    if (st != ST_OK)
        return st;
    st = quota_client_open(&gateway->quota, &link, err);
    if (st != ST_OK)
        return error_wrap(err, "GATEWAY_QUOTA_URL");
    gateway->door.budget = quota_client_budget(gateway->quota);
    gateway->door.settlements =
        settlements_open(gateway->door.budget, (size_t)config->settle_backlog);
    return ST_OK;
}

static void close_links(struct gateway *gateway)
{
    size_t left = settlements_close(gateway->door.settlements, clock_deadline_ms(FLUSH_MS));

    if (left > 0)
        log_event(LOG_WARN, "settlements not delivered; their reservations will lapse",
                  LOG_U64("count", left));
    http_client_close(gateway->door.http);
    quota_client_close(gateway->quota);
}

enum status gateway_open(void **service, const void *settings, struct error *err)
{
    const struct gateway_config *config = settings;
    struct provider_description modash, clay;
    struct gateway *gateway;
    enum status st = describe_modash(&modash, config, err);

    if (st == ST_OK)
        st = describe_clay(&clay, config, err);
    if (st == ST_OK)
        st = check_ca_file(config->provider_ca_file, err);
    if (st != ST_OK)
        return st;
    gateway = mem_alloc(sizeof(*gateway));
    st = open_links(gateway, config, err);
    if (st != ST_OK) {
        close_links(gateway);
        mem_free(gateway);
        return st;
    }
    provider_init(&gateway->modash.provider, &modash);
    gateway->modash.door = &gateway->door;
    provider_init(&gateway->clay.provider, &clay);
    gateway->clay.door = &gateway->door;
    gateway->clay.routine_id = config->clay_routine_id;
    gateway->clay.email_key = config->clay_result_email_key;
    gateway->clay.charges_not_found = config->clay_charge_not_found;
    gateway->providers[0] = &gateway->modash.provider;
    gateway->providers[1] = &gateway->clay.provider;
    *service = gateway;
    return ST_OK;
}

void gateway_close(void *service)
{
    struct gateway *gateway = service;

    if (gateway == NULL)
        return;
    close_links(gateway);
    for (size_t i = 0; i < GATEWAY_PROVIDERS; i++)
        provider_done(gateway->providers[i]);
    mem_free(gateway);
}

bool gateway_is_ready(void *service, struct error *why_not)
{
    struct gateway *gateway = service;

    if (!provider_has_key(&gateway->modash.provider)) {
        (void)error_set(why_not, ST_PRECONDITION, "MODASH_API_KEY is not set");
        return false;
    }
    if (!quota_client_is_connected(gateway->quota)) {
        (void)error_set(why_not, ST_UNAVAILABLE, "quota-service is not connected");
        return false;
    }
    return true;
}
