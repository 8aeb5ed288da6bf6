#include "rpc/connections.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/thread.h"

struct rpc_connection {
    uint32_t id;
    bool is_open;
    uint32_t inflight;
    uint64_t requests;
    uint64_t active_us; /* monotonic: last request, or the beginning */
    int64_t since_us;   /* wall */
    char address[RPC_ADDRESS_SIZE];
    char peer[RPC_ADDRESS_SIZE];
};

/* A direct-mapped cache in front of the map: a busy connection is found without hashing. */
#define RECENT_SLOTS 64

struct rpc_connections {
    pthread_mutex_t mutex;
    struct rpc_connections_options options;
    struct map by_id;
    struct rpc_connection *recent[RECENT_SLOTS];
    size_t open_count;
};

struct rpc_connections *rpc_connections_new(struct rpc_connections_options options)
{
    struct rpc_connections *table = mem_alloc(sizeof(*table));

    table->options = options;
    mutex_init(&table->mutex);
    map_init(&table->by_id);
    return table;
}

void rpc_connections_free(struct rpc_connections *table)
{
    size_t cursor = 0;
    const void *key;
    size_t key_size;
    void *value;

    if (table == NULL)
        return;
    while (map_next(&table->by_id, &cursor, &key, &key_size, &value))
        mem_free(value);
    map_done(&table->by_id);
    mutex_done(&table->mutex);
    mem_free(table);
}

static struct rpc_connection *find(struct rpc_connections *table, uint32_t id)
{
    struct rpc_connection **recent = &table->recent[id % RECENT_SLOTS];
    struct rpc_connection *connection;

    if (*recent != NULL && (*recent)->id == id)
        return *recent;
    connection = map_get(&table->by_id, &id, sizeof(id));
    if (connection != NULL)
        *recent = connection;
    return connection;
}

static struct rpc_connection *insert(struct rpc_connections *table, uint32_t id)
{
    struct rpc_connection *connection = mem_alloc(sizeof(*connection));

    connection->id = id;
    map_put(&table->by_id, &id, sizeof(id), connection);
    return connection;
}

static void forget(struct rpc_connections *table, struct rpc_connection *connection)
{
    struct rpc_connection **recent = &table->recent[connection->id % RECENT_SLOTS];

    if (*recent == connection)
        *recent = NULL;
    map_remove(&table->by_id, &connection->id, sizeof(connection->id));
    mem_free(connection);
}

static unsigned count_address(const struct rpc_connections *table, const char *address)
{
    unsigned count = 0;
    size_t cursor = 0;
    const void *key;
    size_t key_size;
    void *value;

    while (map_next(&table->by_id, &cursor, &key, &key_size, &value)) {
        const struct rpc_connection *connection = value;

        count += connection->is_open && strcmp(connection->address, address) == 0;
    }
    return count;
}

bool rpc_connections_add(struct rpc_connections *table, uint32_t id, const char *address,
                         const char *peer, uint64_t now_us)
{
    struct rpc_connection *connection;
    bool has_room;

    mutex_lock(&table->mutex);
    has_room = table->open_count < table->options.max &&
               count_address(table, address) < table->options.max_per_address &&
               find(table, id) == NULL;
    if (has_room) {
        connection = insert(table, id);
        connection->is_open = true;
        connection->active_us = now_us;
        connection->since_us = clock_wall_us();
        snprintf(connection->address, sizeof(connection->address), "%s", address);
        snprintf(connection->peer, sizeof(connection->peer), "%s", peer);
        table->open_count++;
    }
    mutex_unlock(&table->mutex);
    return has_room;
}

void rpc_connections_remove(struct rpc_connections *table, uint32_t id)
{
    struct rpc_connection *connection;

    mutex_lock(&table->mutex);
    connection = find(table, id);
    if (connection != NULL && connection->is_open) {
        connection->is_open = false;
        table->open_count--;
        if (connection->inflight == 0)
            forget(table, connection);
    }
    mutex_unlock(&table->mutex);
}

struct rpc_connection *rpc_connections_enter(struct rpc_connections *table, uint32_t id,
                                             uint64_t now_us, bool *has_room)
{
    struct rpc_connection *connection;

    mutex_lock(&table->mutex);
    connection = find(table, id);
    if (connection == NULL)
        connection = insert(table, id);
    *has_room = connection->inflight < table->options.max_inflight;
    connection->inflight++;
    connection->requests++;
    connection->active_us = now_us;
    mutex_unlock(&table->mutex);
    return connection;
}

void rpc_connections_leave(struct rpc_connections *table, struct rpc_connection *connection)
{
    mutex_lock(&table->mutex);
    connection->inflight--;
    if (connection->inflight == 0 && !connection->is_open)
        forget(table, connection);
    mutex_unlock(&table->mutex);
}

const char *rpc_connection_peer(const struct rpc_connection *connection)
{
    return connection->peer;
}

size_t rpc_connections_idle(struct rpc_connections *table, uint64_t before_us,
                            uint32_t *out, size_t max)
{
    size_t count = 0;
    size_t cursor = 0;
    const void *key;
    size_t key_size;
    void *value;

    mutex_lock(&table->mutex);
    while (count < max && map_next(&table->by_id, &cursor, &key, &key_size, &value)) {
        const struct rpc_connection *connection = value;

        if (connection->is_open && connection->inflight == 0 &&
            connection->active_us < before_us)
            out[count++] = connection->id;
    }
    mutex_unlock(&table->mutex);
    return count;
}

size_t rpc_connections_count(struct rpc_connections *table)
{
    size_t count;

    mutex_lock(&table->mutex);
    count = table->open_count;
    mutex_unlock(&table->mutex);
    return count;
}

size_t rpc_connections_list(struct rpc_connections *table, struct rpc_connection_info *out,
                            size_t max)
{
    uint64_t now_us = clock_mono_us();
    int64_t wall_us = clock_wall_us();
    size_t count = 0;
    size_t cursor = 0;
    const void *key;
    size_t key_size;
    void *value;

    mutex_lock(&table->mutex);
    while (count < max && map_next(&table->by_id, &cursor, &key, &key_size, &value)) {
        const struct rpc_connection *connection = value;
        struct rpc_connection_info *info = &out[count];

        if (!connection->is_open)
            continue;
        *info = (struct rpc_connection_info){
            .id = connection->id,
            .since_us = connection->since_us,
            .last_request_at_us = wall_us - (int64_t)(now_us - connection->active_us),
            .requests = connection->requests,
            .inflight = connection->inflight,
        };
        snprintf(info->peer, sizeof(info->peer), "%s", connection->peer);
        if (connection->requests == 0)
            info->last_request_at_us = 0;
        count++;
    }
    mutex_unlock(&table->mutex);
    return count;
}
