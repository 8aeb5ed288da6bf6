#include "rpc/health.h"

#include "metercache/v1/health.pb-c.h"
#include "rpc/job.h"

static enum status check(struct rpc_call *call, const void *request, void *reply,
                         struct error *err)
{
    const Metercache__V1__HealthCheckRequest *in = request;
    Metercache__V1__HealthCheckResponse *out = reply;
    const struct rpc_jobs_owner *owner = &((struct rpc_job *)call)->jobs->owner;
    struct error why_not = ERROR_NONE;

    (void)err;
    if (in->service[0] != '\0' && !owner->has_service(owner->context, in->service)) {
        out->status = METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_UNKNOWN_SERVICE;
        return ST_OK;
    }
    if (owner->is_ready(owner->context, &why_not)) {
        out->status = METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_SERVING;
        return ST_OK;
    }
    out->status = METERCACHE__V1__SERVING_STATUS__SERVING_STATUS_NOT_SERVING;
    out->reason = arena_strdup(call->arena, why_not.message);
    return out->reason == NULL ? error_set(err, ST_EXHAUSTED, "no room") : ST_OK;
}

const struct rpc_method rpc_health_methods[] = {
    {&metercache__v1__health_service__descriptor, "Check", RPC_ROLES_PUBLIC,
     RPC_INLINE | RPC_IDEMPOTENT, check},
    {.service = NULL},
};
