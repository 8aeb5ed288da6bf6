/* quota_admin_rpc.h - limits, corrections and adjustments: what admins do to budgets. */
#ifndef QUOTA_ADMIN_RPC_H
#define QUOTA_ADMIN_RPC_H

#include "rpc/method.h"

extern const struct rpc_method QUOTA_ADMIN_METHODS[];

#endif /* QUOTA_ADMIN_RPC_H */
