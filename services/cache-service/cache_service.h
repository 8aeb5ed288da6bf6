/*
 * cache_service.h - what the handlers of cache-service share (rpc_call.service).
 *
 * Built by cache_service_open before a listener starts, never changed after.
 */
#ifndef CACHE_SERVICE_H
#define CACHE_SERVICE_H

#include <stdbool.h>

#include "config.h"
#include "core/error.h"
#include "rpc/method.h"
#include "store/store.h"

struct flights;
struct rpc_client;
struct rpc_publisher;
struct housekeeping;

struct cache_service {
    const struct cache_config *config;
    struct store *store;
    struct store *ledger; /* the same database; connections that reads cannot take away */
    struct rpc_client *gateway;
    struct rpc_publisher *events; /* NULL: nobody is told */
    struct flights *flights;      /* searches and reports */
    struct flights *enrichments;  /* their own fetchers, since polling takes long */
    struct housekeeping *housekeeping;
};

MUST_USE enum status cache_service_open(void **service, const void *config,
                                        struct error *err);
void cache_service_close(void *service);
bool cache_service_is_ready(void *service, struct error *err);

/* The store as a request sees it: its arena, its deadline. */
struct store_call cache_service_store_call(const struct rpc_call *call);

#endif /* CACHE_SERVICE_H */
