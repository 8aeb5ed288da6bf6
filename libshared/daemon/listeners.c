#include "daemon/listeners.h"

#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "daemon/admin_rpc.h"
#include "daemon/tokens.h"
#include "rpc/health.h"

#define STANDARD_TABLES 2 /* Health and, on the main listener, Admin */

struct listener {
    const char *name;
    struct rpc_server *server;
    const struct rpc_method **tables; /* borrowed by the server */
};

/* One listener about to open. */
struct plan {
    const char *name;
    const char *url;
    const struct rpc_method *const *tables;
    size_t table_count;
    bool is_main;
};

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static struct rpc_server_options make_options(const struct listeners_options *shared,
                                              const struct plan *plan,
                                              const struct rpc_method *const *tables,
                                              size_t table_count)
{
    const struct daemon_config *config = shared->configuration->common;

    return (struct rpc_server_options){
        .name = plan->name,
        .listen_url = plan->url,
        .tls_ca_file = or_null(config->tls_ca_file),
        .tls_cert_file = or_null(config->tls_cert_file),
        .tls_key_file = or_null(config->tls_key_file),
        .tables = tables,
        .table_count = table_count,
        .service = shared->service,
        .authenticate = tokens_authenticate,
        .authenticate_context = shared->tokens,
        .is_ready = shared->is_ready,
        .ready_context = shared->context,
        .on_guard_failure = shared->on_guard_failure,
        .guard_context = shared->context,
        .contexts = (unsigned)config->contexts,
        .workers = (unsigned)config->workers,
        .queue_limit = (unsigned)config->queue,
        .inflight_per_connection = (unsigned)config->inflight_per_connection,
        .connections = (unsigned)config->connections,
        .connections_per_address = (unsigned)config->connections_per_address,
        .request_bytes = (size_t)config->request_bytes,
        .guard = config->guard,
    };
}

static void close_listener(struct listener *listener)
{
    rpc_server_close(listener->server);
    mem_free(listener->tables);
    mem_free(listener);
}

static enum status open_listener(struct listeners *listeners,
                                 const struct listeners_options *shared,
                                 const struct plan *plan, struct error *err)
{
    struct listener *listener = mem_alloc(sizeof *listener);
    size_t count = 0;

    listener->name = plan->name;
    listener->tables =
        mem_alloc_array(plan->table_count + STANDARD_TABLES, sizeof(struct rpc_method *));
    while (count < plan->table_count) {
        listener->tables[count] = plan->tables[count];
        count++;
    }
    listener->tables[count++] = rpc_health_methods;
    if (plan->is_main)
        listener->tables[count++] = admin_rpc_methods;

    struct rpc_server_options options = make_options(shared, plan, listener->tables, count);
    enum status status = rpc_server_open(&listener->server, &options, err);

    if (status != ST_OK) {
        close_listener(listener);
        return error_wrap(err, "listener '%s' on '%s'", plan->name, plan->url);
    }
    listeners->items[listeners->count++] = listener;
    admin_rpc_add_server(listener->server);
    log_event(LOG_INFO, "listening", LOG_STR("listener", plan->name),
              LOG_STR("url", rpc_server_url(listener->server)));
    return ST_OK;
}

static const char *url_of(const struct daemon_listener *listener, const void *config)
{
    const char *url;

    memcpy(&url, (const char *)config + listener->url_offset, sizeof url);
    return url;
}

enum status listeners_open(struct listeners *out, const struct listeners_options *options,
                           struct error *err)
{
    const struct daemon_spec *spec = options->spec;
    struct listeners opened = {.count = 0};
    const struct plan main_plan = {
        .name = spec->name,
        .url = options->configuration->common->listen_url,
        .tables = spec->tables,
        .table_count = spec->table_count,
        .is_main = true,
    };

    if (spec->listener_count >= LISTENERS_MAX)
        return error_set(err, ST_INTERNAL, "%zu listeners, %d at most",
                         spec->listener_count + 1, LISTENERS_MAX);

    enum status status = open_listener(&opened, options, &main_plan, err);

    for (size_t i = 0; status == ST_OK && i < spec->listener_count; i++) {
        const struct daemon_listener *listener = &spec->listeners[i];
        const struct plan plan = {
            .name = listener->name,
            .url = url_of(listener, options->configuration->own),
            .tables = listener->tables,
            .table_count = listener->table_count,
        };

        if (plan.url[0] != '\0')
            status = open_listener(&opened, options, &plan, err);
    }
    if (status != ST_OK) {
        listeners_close(&opened);
        return status;
    }
    *out = opened;
    return ST_OK;
}

const char *listeners_main_url(const struct listeners *listeners)
{
    return rpc_server_url(listeners->items[0]->server);
}

bool listeners_drain(struct listeners *listeners, uint64_t timeout_ms)
{
    uint64_t deadline_us = clock_deadline_ms(timeout_ms);
    bool is_empty = true;

    for (size_t i = 0; i < listeners->count; i++) {
        if (rpc_server_drain(listeners->items[i]->server, deadline_us))
            continue;
        is_empty = false;
        log_event(LOG_WARN, "requests left behind",
                  LOG_STR("listener", listeners->items[i]->name));
    }
    return is_empty;
}

void listeners_close(struct listeners *listeners)
{
    admin_rpc_remove_servers();
    while (listeners->count > 0)
        close_listener(listeners->items[--listeners->count]);
}
