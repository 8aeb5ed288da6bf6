/*
 * cache_service.h - what the handlers of cache-service share (rpc_call.service).
 *
 * Built by cache_service open before a listener starts, never changed after.
 */
#ifndef CACHE_SERVICE_H
#define CACHE_SERVICE_H

struct store;

struct cache_service {
    struct store *store;
};

#endif /* CACHE_SERVICE_H */
