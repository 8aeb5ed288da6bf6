/*
 * provider.h - one provider: where it is, its key, and how it has been doing.
 *
 * A provider is a row like this plus a module that builds its requests and reads its
 * answers; every call goes through metered_call.h.
 *
 * Threads: the description is fixed after provider_init; the record is locked inside.
 */
#ifndef GATEWAY_PROVIDER_H
#define GATEWAY_PROVIDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/stats.h"
#include "http_client.h"
#include "outcome.h"

#define PROVIDER_ERROR_SIZE 96

struct provider_description {
    const char *name; /* "modash" */
    enum provider_kind kind;
    const char *base_url;
    bool is_loopback;        /* base_url is the simulator's */
    struct http_header key;  /* value "": no key is configured */
    const char *key_setting; /* "MODASH_API_KEY" */
    uint64_t timeout_ms;     /* of one HTTP call */
};

/* What has happened since the start. */
struct provider_record {
    uint32_t inflight;
    uint64_t calls;
    uint64_t failures; /* outages and refusals on the provider's side */
    char last_error[PROVIDER_ERROR_SIZE];
    int64_t last_error_at_us;
};

#define PROVIDER_METRICS 3

struct provider {
    struct provider_description is;
    pthread_mutex_t lock; /* guards record */
    struct provider_record record;
    char labels[64];
    struct stats_metric metrics[PROVIDER_METRICS];
};

/* The description's text is borrowed. A provider is never moved once initialised. */
void provider_init(struct provider *provider, const struct provider_description *is);
void provider_done(struct provider *provider);

bool provider_has_key(const struct provider *provider);

/* Around each call: `error` is NULL when the provider did its part, else what it did. */
void provider_begin(struct provider *provider);
void provider_end(struct provider *provider, uint64_t latency_us, const char *error);

void provider_read_record(struct provider *provider, struct provider_record *out);

#endif /* GATEWAY_PROVIDER_H */
