/*
 * rpc_loopback.h - a server and a client of libshared/rpc in one process, for tests.
 *
 * The server borrows AdminService for methods with known behaviour:
 *
 *     Ping            inline, any role          answers who called, in `service`
 *     SetLogLevel     inline, admin             answers the level it was given
 *     GetStats        blocking, idempotent      waits for the gate; prefix "fail:CODE" fails
 *     ListConnections blocking, not idempotent  waits for the gate
 *     ListMethods     inline, defers            held until the test resumes or finishes it
 *     Describe        blocking, any role        answers `describe_bytes` bytes
 *     others          no row
 *
 * Tokens are "role:subject", such as "admin:root"; all else is unknown.
 */
#ifndef SUPPORT_RPC_LOOPBACK_H
#define SUPPORT_RPC_LOOPBACK_H

#include <pthread.h>
#include <stdbool.h>

#include "metercache/v1/admin.pb-c.h"
#include "rpc/client.h"
#include "rpc/server.h"

#define LOOPBACK_HELD_MAX 256
#define LOOPBACK_WAIT_MS  10000 /* no test waits longer for anything */

#define ADMIN_METHOD(name) ("/metercache.v1.AdminService/" name)

struct loopback {
    struct rpc_server *server;
    struct rpc_client *client;
    struct arena arena; /* replies of loopback_ calls */
    struct rpc_outcome outcome;
    struct error err;
    size_t describe_bytes;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool gate_is_open;
    unsigned executions;                      /* of handlers, all methods */
    unsigned at_gate;                         /* handlers that wait there */
    struct rpc_call *held[LOOPBACK_HELD_MAX]; /* deferred calls */
    unsigned held_count;
    bool is_ready;
};

/* The defaults of a test server: port 0 of 127.0.0.1, 64 contexts, 4 workers. */
struct rpc_server_options loopback_options(struct loopback *loopback);
/* Set up the struct alone; then open server and client. `options` NULL: the defaults. */
void loopback_init(struct loopback *loopback);
void loopback_open(struct loopback *loopback, const struct rpc_server_options *options,
                   const char *token);
void loopback_open_client(struct loopback *loopback, const char *endpoints,
                          const char *token);
void loopback_close(struct loopback *loopback);

void loopback_open_gate(struct loopback *loopback);
/* Wait, with a deadline, until that many handlers stand at the gate or are held; fail
 * the test if it does not come. */
void loopback_await_gate(struct loopback *loopback, unsigned count);
void loopback_await_held(struct loopback *loopback, unsigned count);
unsigned loopback_executions(struct loopback *loopback);
/* The first held call, taken out. */
struct rpc_call *loopback_take_held(struct loopback *loopback);
/* Wait until `is_true` says so. */
void loopback_await(bool (*is_true)(void *context), void *context);

/* Blocking calls; the status, with loopback->err and ->outcome filled. */
enum status loopback_call(struct loopback *loopback, const struct rpc_call_options *options,
                          const ProtobufCMessage *request, ProtobufCMessage **reply);
enum status loopback_ping(struct loopback *loopback, Metercache__V1__PingResponse **reply);
enum status loopback_stats(struct loopback *loopback, const char *prefix,
                           struct rpc_call_options options,
                           Metercache__V1__GetStatsResponse **reply);

/* Calls that run beside the test. */
struct pending {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned done;
    unsigned by_status[STATUS_COUNT];
    struct rpc_outcome outcome; /* of the last one */
    struct error err;
};

void pending_init(struct pending *pending);
void pending_await(struct pending *pending, unsigned count);
void pending_free(struct pending *pending);
void loopback_start(struct loopback *loopback, const struct rpc_call_options *options,
                    const ProtobufCMessage *request, struct pending *pending);
/* GetStats, and ListMethods, which defers. */
void loopback_start_stats(struct loopback *loopback, struct rpc_call_options options,
                          struct pending *pending);
void loopback_start_methods(struct loopback *loopback, uint64_t timeout_ms,
                            struct pending *pending);

#endif /* SUPPORT_RPC_LOOPBACK_H */
