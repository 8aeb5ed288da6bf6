/*
 * gateway.h - the service: its providers, the door they share, and quota-service's client.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

#include "clay.h"
#include "config.h"
#include "core/error.h"
#include "metered_call.h"
#include "modash.h"
#include "quota_client_rpc.h"

#define GATEWAY_PROVIDERS 2

struct gateway {
    struct quota_client *quota;
    struct metered_door door;
    struct modash modash;
    struct clay clay;
    struct provider *providers[GATEWAY_PROVIDERS]; /* all of them, for ListProviders */
};

/* For struct daemon_spec. `config` is a struct gateway_config and outlives the gateway. */
MUST_USE enum status gateway_open(void **service, const void *config, struct error *err);
void gateway_close(void *service); /* accepts NULL */

/* The keys that must be there are, and quota-service is connected. Never blocks. */
bool gateway_is_ready(void *service, struct error *why_not);

#endif /* GATEWAY_GATEWAY_H */
