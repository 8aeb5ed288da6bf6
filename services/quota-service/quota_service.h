/*
 * quota_service.h - what the handlers of quota-service share (rpc_call.service).
 */
#ifndef QUOTA_SERVICE_H
#define QUOTA_SERVICE_H

#include <stdbool.h>

#include "config.h"
#include "core/error.h"
#include "quota_submit_rpc.h"
#include "writer.h"

struct quota_service {
    const struct quota_config *config;
    struct writer *writer;
    struct submissions *submissions;
};

/* For struct daemon_spec. `config` is a struct quota_config and outlives the service. */
MUST_USE enum status quota_service_open(void **service, const void *config,
                                        struct error *err);
void quota_service_close(void *service);
bool quota_service_is_ready(void *service, struct error *err);

#endif /* QUOTA_SERVICE_H */
