/*
 * insights.h - InsightsService: daily insights of clients.
 *
 * One function a method; the contract of each stands at it in insights.proto.
 */
#ifndef CLIENT_INSIGHTS_H
#define CLIENT_INSIGHTS_H

#include "client/client.h"
#include "metercache/v1/insights.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_insights_get_client_insights, GetClientInsightsRequest, GetClientInsightsResponse);
CLIENT_CALL_DECLARE(client_insights_list_client_insights, ListClientInsightsRequest, ListClientInsightsResponse);
CLIENT_CALL_DECLARE(client_insights_put_client_insights, PutClientInsightsRequest, PutClientInsightsResponse);
CLIENT_CALL_DECLARE(client_insights_refresh_client_insights, RefreshClientInsightsRequest, RefreshClientInsightsResponse);
CLIENT_CALL_DECLARE(client_insights_start_insights_run, StartInsightsRunRequest, StartInsightsRunResponse);
CLIENT_CALL_DECLARE(client_insights_get_insights_run, GetInsightsRunRequest, GetInsightsRunResponse);
CLIENT_CALL_DECLARE(client_insights_list_insights_runs, ListInsightsRunsRequest, ListInsightsRunsResponse);
CLIENT_CALL_DECLARE(client_insights_list_insights_results, ListInsightsResultsRequest, ListInsightsResultsResponse);
CLIENT_CALL_DECLARE(client_insights_list_insights_statistics, ListInsightsStatisticsRequest, ListInsightsStatisticsResponse);
CLIENT_CALL_DECLARE(client_insights_put_client, PutClientRequest, PutClientResponse);
CLIENT_CALL_DECLARE(client_insights_remove_client, RemoveClientRequest, RemoveClientResponse);
CLIENT_CALL_DECLARE(client_insights_list_clients, ListClientsRequest, ListClientsResponse);
// clang-format on

#endif /* CLIENT_INSIGHTS_H */
