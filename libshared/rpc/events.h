/*
 * events.h - hints over nng pub/sub: what changed, for those who want to know early.
 *
 * Delivery is best effort: slow subscribers lose the oldest events. Every event carries publisher,
 * epoch and sequence, so a subscriber sees a gap and resyncs by RPC. A heartbeat leaves
 * every 500 ms. Never a secret in an event: each subscriber gets every message.
 *
 * On the wire: topic, one NUL byte, then a packed metercache.v1.Event.
 */
#ifndef RPC_EVENTS_H
#define RPC_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct rpc_publisher;
struct rpc_subscriber;

MUST_USE enum status rpc_publisher_open(struct rpc_publisher **out, const char *name,
                                        const char *listen_url, struct error *err);
/* Any thread; never blocks. `payload` is a packed message, at most 64 KiB. */
void rpc_publish(struct rpc_publisher *publisher, const char *topic, const void *payload,
                 size_t size);
/* The address as bound (a port 0 resolved), borrowed. */
const char *rpc_publisher_url(const struct rpc_publisher *publisher);
void rpc_publisher_close(struct rpc_publisher *publisher); /* accepts NULL */

struct rpc_event {
    const char *publisher;
    const char *topic;
    uint64_t epoch;    /* changes when the publisher restarts */
    uint64_t sequence; /* 1, 2, 3 ... within an epoch */
    int64_t at_us;
    const uint8_t *payload;
    size_t payload_size;
    /* Events were lost before this one: resync. When the loss shows at an event that is not
     * for this subscriber, a notice is delivered at once: topic "", no payload. */
    bool missed;
};

/* Events whose topic starts with `prefix`; `deliver` runs on the subscriber's own thread. */
MUST_USE enum status rpc_subscriber_open(struct rpc_subscriber **out, const char *url,
                                         const char *prefix,
                                         void (*deliver)(void *context,
                                                         const struct rpc_event *event),
                                         void *context, struct error *err);
/* How long nothing, not even a heartbeat, has come: over 2 s nobody publishes to us. */
uint64_t rpc_subscriber_silence_us(const struct rpc_subscriber *subscriber);
void rpc_subscriber_close(struct rpc_subscriber *subscriber); /* accepts NULL */

#endif /* RPC_EVENTS_H */
