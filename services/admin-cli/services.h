/*
 * services.h - every service of the API: by which names it goes and which process serves it.
 *
 * Constant tables; any thread.
 */
#ifndef ADMIN_CLI_SERVICES_H
#define ADMIN_CLI_SERVICES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/* The processes a command can talk to. */
enum cli_target { CLI_CACHE, CLI_QUOTA, CLI_GATEWAY, CLI_TARGET_COUNT };

struct cli_service {
    const ProtobufCServiceDescriptor *descriptor;
    const char *alias; /* "creators", the name of its .proto */
    enum cli_target target;
    bool is_everywhere; /* every process serves it: health and admin */
};

const struct cli_service *services_all(size_t *count);

#define SERVICES_METHOD_SIZE 128

struct cli_method {
    const struct cli_service *service;
    const ProtobufCMethodDescriptor *descriptor;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *reply;
    char full_name[SERVICES_METHOD_SIZE]; /* "/metercache.v1.CreatorService/Search" */
    bool is_idempotent; /* may be repeated when it is unknown whether it ran */
};

/*
 * Find a method by "/metercache.v1.CreatorService/Search", "CreatorService/Search",
 * "creators.Search", or "Search" alone when no other service has one; in any case.
 * ST_NOT_FOUND; ST_INVALID when several fit.
 */
MUST_USE enum status services_find(struct cli_method *out, const char *name,
                                   struct error *err);

/* "cache-service" */
const char *services_target_name(enum cli_target target);
/* Also "cache". False for any other word. */
bool services_target_parse(enum cli_target *out, const char *name) MUST_USE;

#endif /* ADMIN_CLI_SERVICES_H */
