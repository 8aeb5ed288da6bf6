/*
 * crowd.h - the same thing done by many threads at once.
 */
#ifndef SUPPORT_CROWD_H
#define SUPPORT_CROWD_H

#include "support/calls.h"

/* One of the crowd. Not from here: cmocka's assertions; leave what happened in `context`. */
typedef void (*crowd_member)(struct caller *caller, size_t index, void *context);

/* `count` (at most 256) members, each with a caller of its own on the shared client, start
 * together; returns when all have ended. Their replies die then. */
void crowd_run(struct rpc_client *client, size_t count, crowd_member run, void *context);

#endif /* SUPPORT_CROWD_H */
