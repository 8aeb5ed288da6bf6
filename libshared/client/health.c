#include "client/health.h"

// clang-format off
CLIENT_CALL_DEFINE(client_health_check, "HealthService/Check", HealthCheckRequest, HealthCheckResponse, health_check_response, CLIENT_REPEATABLE)
// clang-format on
