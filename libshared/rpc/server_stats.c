#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "rpc/server_impl.h"

static const struct {
    enum rpc_server_metric index;
    enum stats_kind kind;
    const char *name;
    const char *help;
} ROWS[] = {
    {RPC_METRIC_INFLIGHT, STATS_GAUGE, "metercache_rpc_inflight",
     "Requests admitted and not answered."},
    {RPC_METRIC_QUEUE, STATS_GAUGE, "metercache_rpc_queue",
     "Requests that wait for a worker."},
    {RPC_METRIC_SHED, STATS_COUNTER, "metercache_rpc_shed_total",
     "Requests refused for want of room."},
    {RPC_METRIC_LOST_REPLIES, STATS_COUNTER, "metercache_rpc_lost_replies_total",
     "Replies the caller did not take in time."},
    {RPC_METRIC_CONNECTIONS, STATS_GAUGE, "metercache_rpc_connections",
     "Open connections."},
    {RPC_METRIC_CONNECTIONS_REFUSED, STATS_COUNTER,
     "metercache_rpc_connections_refused_total", "Connections over a limit."},
    {RPC_METRIC_CONNECTIONS_IDLE, STATS_COUNTER,
     "metercache_rpc_connections_idle_closed_total", "Connections closed for idleness."},
    {RPC_METRIC_GUARD_RESTARTS, STATS_COUNTER, "metercache_rpc_guard_restarts_total",
     "Listeners started anew by the guard."},
};

void rpc_server_open_metrics(struct rpc_server *server)
{
    const char *name = server->options.name;

    for (int code = 0; code < STATUS_COUNT; code++) {
        struct stats_metric *metric = &server->metrics[RPC_METRIC_CODES + code];

        server->metric_labels[code] =
            mem_printf("server=\"%s\",code=\"%s\"", name, status_name((enum status)code));
        metric->labels = server->metric_labels[code];
        metric->kind = STATS_COUNTER;
        metric->name = "metercache_rpc_requests_total";
        metric->help = "Requests answered, by status.";
    }
    server->metric_labels[STATUS_COUNT] = mem_printf("server=\"%s\"", name);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct stats_metric *metric = &server->metrics[ROWS[i].index];

        metric->labels = server->metric_labels[STATUS_COUNT];
        metric->kind = ROWS[i].kind;
        metric->name = ROWS[i].name;
        metric->help = ROWS[i].help;
    }
    stats_register(server->metrics, RPC_METRIC_COUNT);
}

void rpc_server_close_metrics(struct rpc_server *server)
{
    stats_unregister(server->metrics);
    for (size_t i = 0; i < COUNT_OF(server->metric_labels); i++)
        mem_free(server->metric_labels[i]);
}

static void write_line(const struct rpc_server *server, const struct rpc_job *job,
                       uint64_t elapsed_us)
{
    bool is_failure = job->outcome.status != ST_OK;
    const struct rpc_identity *caller = &job->call.caller;
    char call_id[OP_ID_TEXT_SIZE];

    op_id_format(call_id, &job->call.call_id);
    log_event(is_failure ? LOG_WARN : LOG_DEBUG, is_failure ? "request failed" : "request",
              LOG_STR("server", server->options.name), LOG_STR("call_id", call_id),
              LOG_STR("method", job->call.method),
              LOG_STR("status", status_name(job->outcome.status)),
              LOG_STR("reason", is_failure ? job->outcome.reason : ""),
              LOG_STR("field", is_failure ? job->outcome.field : ""),
              LOG_STR("message", is_failure ? job->outcome.message : ""),
              LOG_U64("ms", elapsed_us / 1000), LOG_BOOL("executed", job->executed),
              LOG_STR("subject", caller->subject), LOG_STR("user", caller->user),
              LOG_STR("role", rpc_role_name(caller->role)),
              LOG_STR("peer",
                      job->connection == NULL ? "" : rpc_connection_peer(job->connection)),
              LOG_STR("trace", job->call.traceparent));
}

void rpc_server_note(struct rpc_server *server, const struct rpc_job *job, uint64_t now_us)
{
    enum status st = job->outcome.status;
    uint64_t elapsed_us = now_us - job->received_us;

    stats_add(&server->metrics[RPC_METRIC_CODES + (int)st], 1);
    if (st == ST_EXHAUSTED && !job->executed)
        stats_add(&server->metrics[RPC_METRIC_SHED], 1);
    if (job->entry != NULL && job->entry->latency != NULL)
        stats_observe_us(job->entry->latency, elapsed_us);
    if (st != ST_OK || log_get_level() >= LOG_DEBUG)
        write_line(server, job, elapsed_us);
}
