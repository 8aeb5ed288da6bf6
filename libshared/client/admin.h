/*
 * admin.h - AdminService: introspection and control of any daemon.
 *
 * One function a method; the contract of each stands at it in admin.proto.
 */
#ifndef CLIENT_ADMIN_H
#define CLIENT_ADMIN_H

#include "client/client.h"
#include "metercache/v1/admin.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_admin_ping, PingRequest, PingResponse);
CLIENT_CALL_DECLARE(client_admin_get_stats, GetStatsRequest, GetStatsResponse);
CLIENT_CALL_DECLARE(client_admin_list_methods, ListMethodsRequest, ListMethodsResponse);
CLIENT_CALL_DECLARE(client_admin_describe, DescribeRequest, DescribeResponse);
CLIENT_CALL_DECLARE(client_admin_list_connections, ListConnectionsRequest, ListConnectionsResponse);
CLIENT_CALL_DECLARE(client_admin_set_log_level, SetLogLevelRequest, SetLogLevelResponse);
CLIENT_CALL_DECLARE(client_admin_show_config, ShowConfigRequest, ShowConfigResponse);
CLIENT_CALL_DECLARE(client_admin_drain, DrainRequest, DrainResponse);
// clang-format on

#endif /* CLIENT_ADMIN_H */
