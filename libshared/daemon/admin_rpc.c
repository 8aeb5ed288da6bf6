#include "daemon/admin_rpc.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/stats.h"
#include "core/thread.h"
#include "daemon/build_info.h"
#include "daemon/daemon.h"
#include "daemon/settings.h"
#include "metercache/v1/admin.pb-c.h"
#include "rpc/frame.h"

#define SERVERS_MAX      4
#define CONNECTIONS_SHOW 2048
#define VALUE_SIZE       1024
#define ROLES_MAX        6
#define STATS_SPARE      64 /* room for metrics registered between counting and reading */
#define PER_HISTOGRAM    4

/* In build/<mode>/gen/descriptor_set.c, made from all of proto/. */
extern const unsigned char metercache_descriptor_set[];
extern const size_t metercache_descriptor_set_len;

static struct {
    const char *service_name;
    const struct configuration *configuration;
    uint64_t started_us;
    pthread_mutex_t mutex; /* guards the servers, and their life while one is asked */
    struct rpc_server *servers[SERVERS_MAX];
    size_t server_count;
} admin = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void admin_rpc_setup(const char *service_name, const struct configuration *configuration)
{
    admin.service_name = service_name;
    admin.configuration = configuration;
    admin.started_us = clock_mono_us();
}

void admin_rpc_add_server(struct rpc_server *server)
{
    mutex_lock(&admin.mutex);
    if (admin.server_count < SERVERS_MAX)
        admin.servers[admin.server_count++] = server;
    mutex_unlock(&admin.mutex);
}

void admin_rpc_remove_servers(void)
{
    mutex_lock(&admin.mutex);
    admin.server_count = 0;
    mutex_unlock(&admin.mutex);
}

static enum status too_much(struct error *err)
{
    return error_set(err, ST_EXHAUSTED, "the answer is larger than a request's memory");
}

static enum status starting(struct error *err)
{
    return error_set(err, ST_UNAVAILABLE, "the service is starting");
}

/* `count` messages of `size` bytes and pointers to them, from the call's arena. */
static void **make_messages(struct rpc_call *call, size_t count, size_t size)
{
    void **pointers = arena_alloc_array(call->arena, count + 1, sizeof *pointers);
    char *messages = arena_alloc_array(call->arena, count + 1, size);

    if (pointers == NULL || messages == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        pointers[i] = messages + i * size;
    return pointers;
}

static enum status ping(struct rpc_call *call, const void *request, void *reply,
                        struct error *err)
{
    Metercache__V1__PingResponse *out = reply;
    char *build =
        arena_printf(call->arena, "%s %s", build_info_revision(), build_info_mode());

    (void)request;
    if (build == NULL)
        return too_much(err);
    out->protocol_version = RPC_FRAME_VERSION;
    out->service = (char *)admin.service_name;
    out->version = (char *)build_info_version();
    out->build = build;
    out->uptime_us = clock_mono_us() - admin.started_us;
    out->now_us = clock_wall_us();
    mutex_lock(&admin.mutex);
    if (admin.server_count > 0)
        out->instance_id =
            arena_strdup(call->arena, rpc_server_instance_id(admin.servers[0]));
    mutex_unlock(&admin.mutex);
    return out->instance_id != NULL ? ST_OK : too_much(err);
}

/* ---- GetStats ---- */

struct stats_walk {
    struct rpc_call *call;
    const char *prefix;
    Metercache__V1__Stat **out; /* NULL while counting */
    size_t count;
    size_t room;
    bool too_much;
};

static void add_stat(struct stats_walk *walk, const struct stats_metric *metric,
                     const char *suffix, uint64_t value)
{
    if (walk->count >= walk->room)
        return;

    Metercache__V1__Stat *stat = walk->out[walk->count++];
    struct arena *arena = walk->call->arena;

    metercache__v1__stat__init(stat);
    stat->name = arena_printf(arena, "%s%s", metric->name, suffix);
    stat->labels = arena_strdup(arena, metric->labels != NULL ? metric->labels : "");
    stat->help = (char *)metric->help;
    stat->value = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    if (stat->name == NULL || stat->labels == NULL)
        walk->too_much = true;
}

static void add_histogram(struct stats_walk *walk, const struct stats_metric *metric)
{
    uint64_t count = 0;

    for (size_t i = 0; i < STATS_BUCKETS; i++)
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    add_stat(walk, metric, "_count", count);
    add_stat(walk, metric, "_sum_us", (uint64_t)stats_value(metric));
    add_stat(walk, metric, "_p50_us", stats_quantile_us(metric, 500));
    add_stat(walk, metric, "_p99_us", stats_quantile_us(metric, 990));
}

static void visit_metric(const struct stats_metric *metric, void *context)
{
    struct stats_walk *walk = context;

    if (strncmp(metric->name, walk->prefix, strlen(walk->prefix)) != 0)
        return;
    if (walk->out == NULL) {
        walk->room += metric->kind == STATS_HISTOGRAM ? PER_HISTOGRAM : 1;
        return;
    }
    if (metric->kind == STATS_HISTOGRAM) {
        add_histogram(walk, metric);
        return;
    }

    size_t before = walk->count;

    add_stat(walk, metric, "", 0);
    if (walk->count > before)
        walk->out[before]->value = stats_value(metric);
}

static enum status get_stats(struct rpc_call *call, const void *request, void *reply,
                             struct error *err)
{
    const Metercache__V1__GetStatsRequest *in = request;
    Metercache__V1__GetStatsResponse *out = reply;
    struct stats_walk walk = {.call = call, .prefix = in->prefix};

    stats_each(visit_metric, &walk);
    walk.room += STATS_SPARE;
    walk.out = (Metercache__V1__Stat **)make_messages(call, walk.room, sizeof **walk.out);
    if (walk.out == NULL)
        return too_much(err);
    stats_each(visit_metric, &walk);
    if (walk.too_much)
        return too_much(err);
    out->stats = walk.out;
    out->n_stats = walk.count;
    return ST_OK;
}

/* ---- ListMethods, Describe ---- */

static bool fill_roles(struct rpc_call *call, Metercache__V1__MethodInfo *info,
                       uint32_t roles)
{
    info->roles = arena_alloc_array(call->arena, ROLES_MAX, sizeof *info->roles);
    if (info->roles == NULL)
        return false;
    if ((roles & RPC_ROLES_PUBLIC) != 0)
        info->roles[info->n_roles++] = (char *)"public";
    for (unsigned role = RPC_ROLE_CLIENT; role <= RPC_ROLE_SERVICE; role <<= 1) {
        if ((roles & role) != 0)
            info->roles[info->n_roles++] = (char *)rpc_role_name((enum rpc_role)role);
    }
    return true;
}

static bool fill_method(struct rpc_call *call, Metercache__V1__MethodInfo *info,
                        const struct rpc_method_info *method)
{
    metercache__v1__method_info__init(info);
    info->name = (char *)method->full_name;
    if (method->row == NULL)
        return true;
    info->implemented = true;
    info->blocking = (method->row->flags & RPC_INLINE) == 0;
    info->idempotent = (method->row->flags & RPC_IDEMPOTENT) != 0;
    return fill_roles(call, info, method->row->roles);
}

static enum status list_methods(struct rpc_call *call, const void *request, void *reply,
                                struct error *err)
{
    Metercache__V1__ListMethodsResponse *out = reply;
    const struct rpc_method_info *methods = NULL;
    size_t count = 0;

    (void)request;
    mutex_lock(&admin.mutex);
    if (admin.server_count > 0)
        count = rpc_server_methods(admin.servers[0], &methods);
    mutex_unlock(&admin.mutex);
    if (methods == NULL)
        return starting(err);
    out->methods =
        (Metercache__V1__MethodInfo **)make_messages(call, count, sizeof **out->methods);
    if (out->methods == NULL)
        return too_much(err);
    for (size_t i = 0; i < count; i++) {
        if (!fill_method(call, out->methods[i], &methods[i]))
            return too_much(err);
    }
    out->n_methods = count;
    return ST_OK;
}

static enum status describe(struct rpc_call *call, const void *request, void *reply,
                            struct error *err)
{
    Metercache__V1__DescribeResponse *out = reply;

    (void)call;
    (void)request;
    (void)err;
    out->file_descriptor_set.data = (uint8_t *)metercache_descriptor_set;
    out->file_descriptor_set.len = metercache_descriptor_set_len;
    return ST_OK;
}

/* ---- ListConnections ---- */

static size_t read_connections(struct rpc_connection_info *out, size_t max)
{
    size_t count = 0;

    mutex_lock(&admin.mutex);
    for (size_t i = 0; i < admin.server_count; i++)
        count += rpc_server_connections(admin.servers[i], out + count, max - count);
    mutex_unlock(&admin.mutex);
    return count;
}

static enum status list_connections(struct rpc_call *call, const void *request, void *reply,
                                    struct error *err)
{
    Metercache__V1__ListConnectionsResponse *out = reply;
    struct rpc_connection_info *infos =
        arena_alloc_array(call->arena, CONNECTIONS_SHOW, sizeof *infos);

    (void)request;
    if (infos == NULL)
        return too_much(err);

    size_t count = read_connections(infos, CONNECTIONS_SHOW);

    out->connections = (Metercache__V1__ConnectionInfo **)make_messages(
        call, count, sizeof **out->connections);
    if (out->connections == NULL)
        return too_much(err);
    for (size_t i = 0; i < count; i++) {
        Metercache__V1__ConnectionInfo *connection = out->connections[i];

        metercache__v1__connection_info__init(connection);
        connection->id = infos[i].id;
        connection->peer = infos[i].peer;
        connection->since_us = infos[i].since_us;
        connection->last_request_at_us = infos[i].last_request_at_us;
        connection->requests = infos[i].requests;
        connection->inflight = infos[i].inflight;
    }
    out->n_connections = count;
    return ST_OK;
}

/* ---- SetLogLevel, ShowConfig, Drain ---- */

static enum status set_log_level(struct rpc_call *call, const void *request, void *reply,
                                 struct error *err)
{
    const Metercache__V1__SetLogLevelRequest *in = request;
    Metercache__V1__SetLogLevelResponse *out = reply;
    enum log_level former = log_get_level();
    enum log_level level;

    if (!log_level_parse(&level, in->level))
        return error_field(err, "level", "'%s' is no level: error, warn, info or debug",
                           in->level);
    out->former_level = (char *)log_level_name(former);
    log_set_level(level);
    log_event(LOG_WARN, "log level set", LOG_STR("level", log_level_name(level)),
              LOG_STR("former", log_level_name(former)),
              LOG_STR("by", call->caller.subject));
    return ST_OK;
}

static bool fill_value(struct rpc_call *call, Metercache__V1__ConfigValue *value,
                       const struct setting *row)
{
    char text[VALUE_SIZE];

    metercache__v1__config_value__init(value);
    settings_format(text, sizeof text, row, admin.configuration->block);
    value->name = (char *)row->env;
    value->value = arena_strdup(call->arena, text);
    value->is_default = settings_is_default(row, admin.configuration->block);
    return value->value != NULL;
}

static enum status show_config(struct rpc_call *call, const void *request, void *reply,
                               struct error *err)
{
    Metercache__V1__ShowConfigResponse *out = reply;
    size_t count = admin.configuration->row_count;

    (void)request;
    out->values =
        (Metercache__V1__ConfigValue **)make_messages(call, count, sizeof **out->values);
    if (out->values == NULL)
        return too_much(err);
    for (size_t i = 0; i < count; i++) {
        if (!fill_value(call, out->values[i], &admin.configuration->rows[i]))
            return too_much(err);
    }
    out->n_values = count;
    return ST_OK;
}

static enum status drain(struct rpc_call *call, const void *request, void *reply,
                         struct error *err)
{
    Metercache__V1__DrainResponse *out = reply;
    struct rpc_server_load load = {.inflight = 0};

    (void)request;
    (void)err;
    mutex_lock(&admin.mutex);
    for (size_t i = 0; i < admin.server_count; i++) {
        rpc_server_load(admin.servers[i], &load);
        out->inflight += load.inflight;
    }
    mutex_unlock(&admin.mutex);
    log_event(LOG_INFO, "drain asked for", LOG_STR("by", call->caller.subject));
    daemon_request_exit(0);
    return ST_OK;
}

#define OPERATORS (RPC_ROLE_STAFF | RPC_ROLE_ADMIN)
#define ROW(name_, roles_, flags_, handler_)                                    \
    {                                                                           \
        .service = &metercache__v1__admin_service__descriptor, .name = (name_), \
        .roles = (roles_), .flags = (flags_), .handler = (handler_)             \
    }

/* Inline, so that an operator is answered while all workers are stuck. */
// clang-format off
const struct rpc_method admin_rpc_methods[] = {
    ROW("Ping",            RPC_ROLES_ANY,  RPC_INLINE | RPC_IDEMPOTENT, ping),
    ROW("GetStats",        OPERATORS,      RPC_INLINE | RPC_IDEMPOTENT, get_stats),
    ROW("ListMethods",     RPC_ROLES_ANY,  RPC_INLINE | RPC_IDEMPOTENT, list_methods),
    ROW("Describe",        RPC_ROLES_ANY,  RPC_INLINE | RPC_IDEMPOTENT, describe),
    ROW("ListConnections", OPERATORS,      RPC_INLINE | RPC_IDEMPOTENT, list_connections),
    ROW("SetLogLevel",     RPC_ROLE_ADMIN, RPC_INLINE | RPC_IDEMPOTENT, set_log_level),
    ROW("ShowConfig",      OPERATORS,      RPC_INLINE | RPC_IDEMPOTENT, show_config),
    ROW("Drain",           RPC_ROLE_ADMIN, RPC_INLINE | RPC_IDEMPOTENT, drain),
    {.service = NULL},
};
// clang-format on
