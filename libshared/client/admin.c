#include "client/admin.h"

// clang-format off
CLIENT_CALL_DEFINE(client_admin_ping, "AdminService/Ping", PingRequest, PingResponse, ping_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_get_stats, "AdminService/GetStats", GetStatsRequest, GetStatsResponse, get_stats_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_list_methods, "AdminService/ListMethods", ListMethodsRequest, ListMethodsResponse, list_methods_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_describe, "AdminService/Describe", DescribeRequest, DescribeResponse, describe_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_list_connections, "AdminService/ListConnections", ListConnectionsRequest, ListConnectionsResponse, list_connections_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_set_log_level, "AdminService/SetLogLevel", SetLogLevelRequest, SetLogLevelResponse, set_log_level_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_show_config, "AdminService/ShowConfig", ShowConfigRequest, ShowConfigResponse, show_config_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_admin_drain, "AdminService/Drain", DrainRequest, DrainResponse, drain_response, CLIENT_REPEATABLE)
// clang-format on
