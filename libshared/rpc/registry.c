#include "rpc/registry.h"

#include <string.h>

#include "core/mem.h"

#define METHODS_MAX 1024

/* Add all methods of a service, once. */
static void add_service(struct rpc_registry *registry,
                        const ProtobufCServiceDescriptor *service)
{
    if (rpc_registry_has_service(registry, service->name))
        return;
    registry->entries =
        mem_realloc_array(registry->entries, registry->count + service->n_methods,
                          sizeof(*registry->entries));
    for (unsigned i = 0; i < service->n_methods; i++) {
        registry->entries[registry->count++] = (struct rpc_registry_entry){
            .full_name = mem_printf("/%s/%s", service->name, service->methods[i].name),
            .method = &service->methods[i],
        };
    }
}

static struct rpc_registry_entry *find_method(struct rpc_registry *registry,
                                              const ProtobufCMethodDescriptor *method)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->entries[i].method == method)
            return &registry->entries[i];
    }
    return NULL;
}

static enum status add_row(struct rpc_registry *registry, const struct rpc_method *row,
                           struct error *err)
{
    const ProtobufCMethodDescriptor *method =
        protobuf_c_service_descriptor_get_method_by_name(row->service, row->name);
    struct rpc_registry_entry *entry;

    if (method == NULL || row->handler == NULL)
        return error_set(err, ST_INVALID, "service '%s' has no method '%s' to serve",
                         row->service->name, row->name);
    entry = find_method(registry, method);
    if (entry == NULL || entry->row != NULL)
        return error_set(err, ST_INVALID, "method '%s' of service '%s' has two rows",
                         row->name, row->service->name);
    entry->row = row;
    registry->latency_count++;
    return ST_OK;
}

static void add_metrics(struct rpc_registry *registry, const char *server_name)
{
    size_t used = 0;

    registry->latencies =
        mem_alloc_array(registry->latency_count + 1, sizeof(*registry->latencies));
    registry->labels =
        mem_alloc_array(registry->latency_count + 1, sizeof(*registry->labels));
    for (size_t i = 0; i < registry->count; i++) {
        struct rpc_registry_entry *entry = &registry->entries[i];

        if (entry->row == NULL)
            continue;
        registry->labels[used] =
            mem_printf("server=\"%s\",method=\"%s\"", server_name, entry->full_name + 1);
        entry->latency = &registry->latencies[used];
        entry->latency->name = "metercache_rpc_request_seconds";
        entry->latency->labels = registry->labels[used];
        entry->latency->kind = STATS_HISTOGRAM;
        entry->latency->help = "Time from a request's arrival to its answer.";
        used++;
    }
    stats_register(registry->latencies, registry->latency_count);
}

static void index_names(struct rpc_registry *registry)
{
    registry->infos = mem_alloc_array(registry->count + 1, sizeof(*registry->infos));
    for (size_t i = 0; i < registry->count; i++) {
        struct rpc_registry_entry *entry = &registry->entries[i];

        registry->infos[i] = (struct rpc_method_info){entry->full_name, entry->row};
        map_put(&registry->by_name, entry->full_name, strlen(entry->full_name), entry);
    }
}

enum status rpc_registry_init(struct rpc_registry *registry, const char *server_name,
                              const struct rpc_method *const *tables, size_t table_count,
                              struct error *err)
{
    enum status st = ST_OK;

    *registry = (struct rpc_registry){.count = 0};
    map_init(&registry->by_name);
    for (size_t i = 0; i < table_count; i++) {
        for (const struct rpc_method *row = tables[i]; row->service != NULL; row++)
            add_service(registry, row->service);
    }
    for (size_t i = 0; i < table_count && st == ST_OK; i++) {
        const struct rpc_method *row = tables[i];

        for (; row->service != NULL && st == ST_OK; row++)
            st = add_row(registry, row, err);
    }
    if (st == ST_OK && registry->count > METHODS_MAX)
        st = error_set(err, ST_INVALID, "more than %d methods", METHODS_MAX);
    if (st != ST_OK) {
        rpc_registry_done(registry);
        return st;
    }
    index_names(registry);
    add_metrics(registry, server_name);
    return ST_OK;
}

void rpc_registry_done(struct rpc_registry *registry)
{
    union {
        const char *in;
        char *out;
    } name;

    if (registry->latencies != NULL)
        stats_unregister(registry->latencies);
    for (size_t i = 0; registry->labels != NULL && i < registry->latency_count; i++)
        mem_free(registry->labels[i]);
    for (size_t i = 0; i < registry->count; i++) {
        name.in = registry->entries[i].full_name;
        mem_free(name.out);
    }
    mem_free(registry->labels);
    mem_free(registry->latencies);
    mem_free(registry->infos);
    mem_free(registry->entries);
    map_done(&registry->by_name);
    *registry = (struct rpc_registry){.count = 0};
}

const struct rpc_registry_entry *rpc_registry_find(const struct rpc_registry *registry,
                                                   const char *full_name)
{
    return map_get(&registry->by_name, full_name, strlen(full_name));
}

bool rpc_registry_has_service(const struct rpc_registry *registry, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < registry->count; i++) {
        const char *full_name = registry->entries[i].full_name;

        if (strncmp(full_name + 1, name, length) == 0 && full_name[1 + length] == '/')
            return true;
    }
    return false;
}
