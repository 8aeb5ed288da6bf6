/*
 * quota_load.h - callers that each have one quota operation under way, through one batching
 * client: a caller reserves, settles what it reserved, and so on.
 *
 * No threads: a caller is a few bytes that its own callback drives, so that what is measured
 * is the client and the services.
 */
#ifndef SUPPORT_QUOTA_LOAD_H
#define SUPPORT_QUOTA_LOAD_H

#include <stdbool.h>

#include "client/quota_batch.h"
#include "support/load.h"

struct quota_load_options {
    struct client_quota_batch *batch;
    const char *meter;
    int64_t amount_milli;
    unsigned callers;
    unsigned milliseconds;
    bool is_spent; /* each reservation is to be refused, and none is settled */
};

struct load_result quota_load_run(const struct quota_load_options *options);

/* One reservation by a thread of its own, for load_run. */
bool quota_load_reserve(struct client_quota_batch *batch, const char *meter,
                        int64_t amount_milli);

#endif /* SUPPORT_QUOTA_LOAD_H */
