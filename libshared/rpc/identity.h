/*
 * identity.h - who calls: role, subject, and the user a call is for.
 *
 * Identity comes from the credential in the envelope, never from a message. Client
 * credentials are bound to their subject; `service` ones may name the user they act for.
 */
#ifndef RPC_IDENTITY_H
#define RPC_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "core/error.h"

/* Bits, so that a method row can list who may call. */
enum rpc_role {
    RPC_ROLE_NONE = 0, /* no credential */
    RPC_ROLE_CLIENT = 1 << 0,
    RPC_ROLE_STAFF = 1 << 1,
    RPC_ROLE_ADMIN = 1 << 2,
    RPC_ROLE_CRON = 1 << 3,
    RPC_ROLE_SERVICE = 1 << 4,
};

#define RPC_ROLES_ANY \
    (RPC_ROLE_CLIENT | RPC_ROLE_STAFF | RPC_ROLE_ADMIN | RPC_ROLE_CRON | RPC_ROLE_SERVICE)
/* With this bit a method answers callers without any credential too. */
#define RPC_ROLES_PUBLIC (1u << 31)

#define RPC_SUBJECT_SIZE 64

struct rpc_identity {
    enum rpc_role role;
    char token_id[RPC_SUBJECT_SIZE];
    char subject[RPC_SUBJECT_SIZE]; /* whose credential */
    char user[RPC_SUBJECT_SIZE];    /* the user the call is for; "" when none is named */
};

const char *rpc_role_name(enum rpc_role role); /* "client" ... ; "none" */
bool rpc_role_parse(enum rpc_role *out, const char *text) MUST_USE;

/*
 * Verify a bearer token: fills role, token_id and subject, or fails with
 * ST_UNAUTHENTICATED (unknown, malformed, expired). Called on nng's threads: never blocks.
 */
typedef enum status (*rpc_authenticate)(void *context, const uint8_t *bearer, size_t size,
                                        struct rpc_identity *out, struct error *err);

#endif /* RPC_IDENTITY_H */
