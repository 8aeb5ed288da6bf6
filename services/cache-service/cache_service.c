#include "cache_service.h"

#include "core/mem.h"
#include "engine/flights.h"
#include "housekeeping.h"
#include "rpc/client.h"
#include "rpc/events.h"

#define LEDGER_CONNECTIONS 2
#define ENRICHMENT_SHARE   4 /* a quarter of those who wait may wait for enrichments */

static enum status open_store(struct store **out, const struct cache_config *config,
                              const char *replica, unsigned connections, struct error *err)
{
    const struct store_options options = {
        .conninfo = config->database_url,
        .replica_conninfo = replica,
        .connections = connections,
    };

    return store_open(out, &options, err);
}

static struct flights *open_flights(const struct cache_config *config, unsigned fetchers,
                                    unsigned waiters)
{
    const struct flights_options options = {
        .fetchers = fetchers,
        .flights_max = (unsigned)config->flights,
        .waiters_max = waiters,
        .backoff_first_ms = config->backoff_first_ms,
        .backoff_max_ms = config->backoff_max_ms,
    };

    return flights_open(&options);
}

static enum status open_parts(struct cache_service *service, struct error *err)
{
    const struct cache_config *config = service->config;

    enum status st =
        open_store(&service->store, config, config->replica_database_url,
                   (unsigned)config->database_connections - LEDGER_CONNECTIONS, err);
    if (st == ST_OK)
        st = open_store(&service->ledger, config, "", LEDGER_CONNECTIONS, err);
    if (st != ST_OK)
        return st;
    st = rpc_client_open(&service->gateway,
                         &(struct rpc_client_options){
                             .endpoints = config->gateway_url,
                             .bearer = config->service_token,
                             .tls_ca_file = config->tls_ca_file,
                             .tls_cert_file = config->tls_cert_file,
                             .tls_key_file = config->tls_key_file,
                         },
                         err);
    if (st != ST_OK)
        return error_wrap(err, "CACHE_GATEWAY_URL");
    if (config->events_listen_url[0] != '\0') {
        st = rpc_publisher_open(&service->events, "cache-service",
                                config->events_listen_url, err);
        if (st != ST_OK)
            return error_wrap(err, "CACHE_EVENTS_LISTEN_URL");
    }
    unsigned waiters = (unsigned)config->waiters;
    unsigned for_enrichments = waiters / ENRICHMENT_SHARE;
    service->flights =
        open_flights(config, (unsigned)config->fetchers, waiters - for_enrichments);
    service->enrichments =
        open_flights(config, (unsigned)config->enrichers, for_enrichments);
    service->housekeeping = housekeeping_open(service->store);
    return ST_OK;
}

enum status cache_service_open(void **out, const void *config, struct error *err)
{
    struct cache_service *service = mem_alloc(sizeof(*service));

    service->config = config;
    if (service->config->database_url[0] == '\0') {
        mem_free(service);
        return error_set(err, ST_INVALID, "CACHE_DATABASE_URL is not set");
    }
    enum status st = open_parts(service, err);
    if (st != ST_OK) {
        cache_service_close(service);
        return st;
    }
    *out = service;
    return ST_OK;
}

void cache_service_close(void *argument)
{
    struct cache_service *service = argument;

    if (service == NULL)
        return;
    housekeeping_close(service->housekeeping);
    flights_close(service->enrichments);
    flights_close(service->flights);
    rpc_publisher_close(service->events);
    rpc_client_close(service->gateway);
    store_close(service->ledger);
    store_close(service->store);
    mem_free(service);
}

bool cache_service_is_ready(void *argument, struct error *err)
{
    struct cache_service *service = argument;

    if (!housekeeping_is_ready(service->housekeeping, err))
        return false;
    if (!store_is_reachable(service->store)) {
        (void)error_set(err, ST_UNAVAILABLE, "the database cannot be reached");
        return false;
    }
    return true;
}

struct store_call cache_service_store_call(const struct rpc_call *call)
{
    const struct cache_service *service = call->service;

    return (struct store_call){
        .store = service->store,
        .arena = call->arena,
        .deadline_us = call->deadline_us,
    };
}
