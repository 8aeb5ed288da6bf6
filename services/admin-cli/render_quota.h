/*
 * render_quota.h - budgets as text for people. Pure: a message in, text out.
 */
#ifndef ADMIN_CLI_RENDER_QUOTA_H
#define ADMIN_CLI_RENDER_QUOTA_H

#include <stdio.h>

#include "metercache/v1/quota.pb-c.h"

/* Meters, or the counters of users, endpoints or tenants; then what is worth a line of its
 * own: soft limits, overage, forecasts. */
void render_quota_usage(FILE *out, const Metercache__V1__GetUsageResponse *reply);
void render_quota_history(FILE *out, const Metercache__V1__GetUsageHistoryResponse *reply);
void render_quota_operation(FILE *out, const Metercache__V1__Operation *operation);
void render_quota_related(FILE *out, const Metercache__V1__GetOperationResponse *reply);
void render_quota_unknown(FILE *out, const Metercache__V1__ListUnknownResponse *reply);
void render_quota_limits(FILE *out, Metercache__V1__Limit *const *limits, size_t count);
void render_quota_alerts(FILE *out, const Metercache__V1__ListThresholdsResponse *reply);

#endif /* ADMIN_CLI_RENDER_QUOTA_H */
