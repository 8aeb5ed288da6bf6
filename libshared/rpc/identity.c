#include "rpc/identity.h"

#include <string.h>

static const struct {
    enum rpc_role role;
    const char *name;
} ROLES[] = {
    {RPC_ROLE_CLIENT, "client"}, {RPC_ROLE_STAFF, "staff"},     {RPC_ROLE_ADMIN, "admin"},
    {RPC_ROLE_CRON, "cron"},     {RPC_ROLE_SERVICE, "service"},
};

const char *rpc_role_name(enum rpc_role role)
{
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        if (ROLES[i].role == role)
            return ROLES[i].name;
    }
    return "none";
}

bool rpc_role_parse(enum rpc_role *out, const char *text)
{
    for (size_t i = 0; i < COUNT_OF(ROLES); i++) {
        if (strcmp(ROLES[i].name, text) == 0) {
            *out = ROLES[i].role;
            return true;
        }
    }
    return false;
}
