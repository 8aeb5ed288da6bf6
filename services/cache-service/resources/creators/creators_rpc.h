/*
 * creators_rpc.h - CreatorService's methods. Adding one is a row here and its handler.
 */
#ifndef CREATORS_CREATORS_RPC_H
#define CREATORS_CREATORS_RPC_H

#include "rpc/method.h"

extern const struct rpc_method creators_methods[];

#endif /* CREATORS_CREATORS_RPC_H */
