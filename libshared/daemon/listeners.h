/*
 * listeners.h - the RPC servers of one daemon: the main one and the spec's further ones.
 *
 * Threads: the main thread.
 */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "daemon/configuration.h"
#include "daemon/daemon.h"
#include "rpc/server.h"

#define LISTENERS_MAX 4 /* the main one and three more */

struct listeners {
    struct listener *items[LISTENERS_MAX]; /* the main one first */
    size_t count;
};

/* What all of them share. */
struct listeners_options {
    const struct daemon_spec *spec;
    const struct configuration *configuration;
    void *service;
    struct tokens *tokens;
    bool (*is_ready)(void *context, struct error *why_not);
    void (*on_guard_failure)(void *context);
    void *context; /* of the two */
};

/* Open all; *out is owned, finish with listeners_close. */
MUST_USE enum status listeners_open(struct listeners *out,
                                    const struct listeners_options *options,
                                    struct error *err);
const char *listeners_main_url(const struct listeners *listeners);
/* The main one first. False: requests were left when the time was over. */
bool listeners_drain(struct listeners *listeners, uint64_t timeout_ms);
void listeners_close(struct listeners *listeners);

#endif /* DAEMON_LISTENERS_H */
