/*
 * health.h - HealthService: is it serving?.
 *
 * One function a method; the contract of each stands at it in health.proto.
 */
#ifndef CLIENT_HEALTH_H
#define CLIENT_HEALTH_H

#include "client/client.h"
#include "metercache/v1/health.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_health_check, HealthCheckRequest, HealthCheckResponse);
// clang-format on

#endif /* CLIENT_HEALTH_H */
