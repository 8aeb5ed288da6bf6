#include "services.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "metercache/v1/admin.pb-c.h"
#include "metercache/v1/ads.pb-c.h"
#include "metercache/v1/cache.pb-c.h"
#include "metercache/v1/calls.pb-c.h"
#include "metercache/v1/creators.pb-c.h"
#include "metercache/v1/events.pb-c.h"
#include "metercache/v1/gateway.pb-c.h"
#include "metercache/v1/health.pb-c.h"
#include "metercache/v1/insights.pb-c.h"
#include "metercache/v1/intelligence.pb-c.h"
#include "metercache/v1/ledger.pb-c.h"
#include "metercache/v1/profiles.pb-c.h"
#include "metercache/v1/quota.pb-c.h"

#define PACKAGE "metercache.v1."

// clang-format off
static const struct cli_service SERVICES[] = {
    {&metercache__v1__creator_service__descriptor,      "creators",     CLI_CACHE,   false},
    {&metercache__v1__profile_service__descriptor,      "profiles",     CLI_CACHE,   false},
    {&metercache__v1__insights_service__descriptor,     "insights",     CLI_CACHE,   false},
    {&metercache__v1__ads_service__descriptor,          "ads",          CLI_CACHE,   false},
    {&metercache__v1__intelligence_service__descriptor, "intelligence", CLI_CACHE,   false},
    {&metercache__v1__cache_service__descriptor,        "cache",        CLI_CACHE,   false},
    {&metercache__v1__call_log_service__descriptor,     "calls",        CLI_CACHE,   false},
    {&metercache__v1__events_service__descriptor,       "events",       CLI_CACHE,   false},
    {&metercache__v1__ledger_service__descriptor,       "ledger",       CLI_CACHE,   false},
    {&metercache__v1__quota_service__descriptor,        "quota",        CLI_QUOTA,   false},
    {&metercache__v1__gateway_service__descriptor,      "gateway",      CLI_GATEWAY, false},
    {&metercache__v1__health_service__descriptor,       "health",       CLI_CACHE,   true},
    {&metercache__v1__admin_service__descriptor,        "admin",        CLI_CACHE,   true},
};

/* Methods that only read. Not those that may fetch: a failed fetch may have been charged. */
static const char *const IDEMPOTENT_VERBS[] = {
    "Get", "List", "Find", "Check", "Ping", "Describe", "Match", "Since", "Show", "Verify",
};

static const char *const TARGETS[CLI_TARGET_COUNT][2] = {
    [CLI_CACHE] =   {"cache-service",    "cache"},
    [CLI_QUOTA] =   {"quota-service",    "quota"},
    [CLI_GATEWAY] = {"provider-gateway", "gateway"},
};
// clang-format on

const struct cli_service *services_all(size_t *count)
{
    *count = COUNT_OF(SERVICES);
    return SERVICES;
}

static bool is_idempotent(const char *method)
{
    for (size_t i = 0; i < COUNT_OF(IDEMPOTENT_VERBS); i++) {
        if (strncmp(method, IDEMPOTENT_VERBS[i], strlen(IDEMPOTENT_VERBS[i])) == 0)
            return true;
    }
    return false;
}

/* Is `text` of `size` bytes the service's short name, that without "Service", or its alias?
 * No text fits every service. */
static bool fits_service(const struct cli_service *service, const char *text, size_t size)
{
    const char *name = service->descriptor->short_name;
    size_t bare = strlen(name) - strlen("Service");

    return size == 0 || (size == strlen(name) && strncasecmp(name, text, size) == 0) ||
           (size == bare && strncasecmp(name, text, size) == 0) ||
           (size == strlen(service->alias) && strncasecmp(service->alias, text, size) == 0);
}

static void fill(struct cli_method *out, const struct cli_service *service,
                 const ProtobufCMethodDescriptor *method)
{
    *out = (struct cli_method){.service = service,
                               .descriptor = method,
                               .request = method->input,
                               .reply = method->output,
                               .is_idempotent = is_idempotent(method->name)};
    snprintf(out->full_name, sizeof(out->full_name), "/%s/%s", service->descriptor->name,
             method->name);
}

enum status services_find(struct cli_method *out, const char *name, struct error *err)
{
    const char *rest = name[0] == '/' ? name + 1 : name;
    const char *method, *slash;
    struct cli_method found = {0};

    if (strncasecmp(rest, PACKAGE, strlen(PACKAGE)) == 0)
        rest += strlen(PACKAGE);
    slash = strrchr(rest, '/') != NULL ? strrchr(rest, '/') : strrchr(rest, '.');
    method = slash != NULL ? slash + 1 : rest;
    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        const ProtobufCServiceDescriptor *service = SERVICES[i].descriptor;

        if (!fits_service(&SERVICES[i], rest, slash != NULL ? (size_t)(slash - rest) : 0))
            continue;
        for (unsigned j = 0; j < service->n_methods; j++) {
            if (strcasecmp(service->methods[j].name, method) != 0)
                continue;
            if (found.service != NULL)
                return error_set(err, ST_INVALID, "'%s' may be %s or /%s/%s", name,
                                 found.full_name, service->name, service->methods[j].name);
            fill(&found, &SERVICES[i], &service->methods[j]);
        }
    }
    if (found.service == NULL)
        return error_set(err, ST_NOT_FOUND, "there is no method '%s'", name);
    *out = found;
    return ST_OK;
}

const char *services_target_name(enum cli_target target)
{
    return TARGETS[target][0];
}

bool services_target_parse(enum cli_target *out, const char *name)
{
    for (size_t i = 0; i < CLI_TARGET_COUNT; i++) {
        if (strcmp(name, TARGETS[i][0]) == 0 || strcmp(name, TARGETS[i][1]) == 0) {
            *out = (enum cli_target)i;
            return true;
        }
    }
    return false;
}
