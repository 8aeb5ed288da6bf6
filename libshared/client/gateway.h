/*
 * gateway.h - GatewayService: provider calls, for cache-service.
 *
 * One function a method; the contract of each stands at it in gateway.proto.
 */
#ifndef CLIENT_GATEWAY_H
#define CLIENT_GATEWAY_H

#include "client/client.h"
#include "metercache/v1/gateway.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_gateway_search_creators, SearchCreatorsRequest, SearchCreatorsResponse);
CLIENT_CALL_DECLARE(client_gateway_find_users, FindUsersRequest, FindUsersResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_report, FetchReportRequest, FetchReportResponse);
CLIENT_CALL_DECLARE(client_gateway_get_provider_balance, GetProviderBalanceRequest, GetProviderBalanceResponse);
CLIENT_CALL_DECLARE(client_gateway_enrich_email, EnrichEmailRequest, EnrichEmailResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_performance_data, FetchPerformanceDataRequest, FetchDocumentResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_audience_overlap, FetchAudienceOverlapRequest, FetchDocumentResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_dictionary, FetchDictionaryRequest, FetchDocumentResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_ad_objects, FetchAdObjectsRequest, FetchAdObjectsResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_client_insights, FetchClientInsightsRequest, FetchClientInsightsResponse);
CLIENT_CALL_DECLARE(client_gateway_list_providers, ListProvidersRequest, ListProvidersResponse);
CLIENT_CALL_DECLARE(client_gateway_reconcile_provider, ReconcileProviderRequest, ReconcileProviderResponse);
CLIENT_CALL_DECLARE(client_gateway_fetch_generic, FetchGenericRequest, FetchDocumentResponse);
// clang-format on

#endif /* CLIENT_GATEWAY_H */
