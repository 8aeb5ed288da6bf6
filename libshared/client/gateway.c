#include "client/gateway.h"

// clang-format off
CLIENT_CALL_DEFINE(client_gateway_search_creators, "before/SearchCreators", SearchCreatorsRequest, SearchCreatorsResponse, search_creators_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_find_users, "before/FindUsers", FindUsersRequest, FindUsersResponse, find_users_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_report, "before/FetchReport", FetchReportRequest, FetchReportResponse, fetch_report_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_get_provider_balance, "before/GetProviderBalance", GetProviderBalanceRequest, GetProviderBalanceResponse, get_provider_balance_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_gateway_enrich_email, "before/EnrichEmail", EnrichEmailRequest, EnrichEmailResponse, enrich_email_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_performance_data, "before/FetchPerformanceData", FetchPerformanceDataRequest, FetchDocumentResponse, fetch_document_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_audience_overlap, "before/FetchAudienceOverlap", FetchAudienceOverlapRequest, FetchDocumentResponse, fetch_document_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_dictionary, "before/FetchDictionary", FetchDictionaryRequest, FetchDocumentResponse, fetch_document_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_ad_objects, "before/FetchAdObjects", FetchAdObjectsRequest, FetchAdObjectsResponse, fetch_ad_objects_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_client_insights, "before/FetchClientInsights", FetchClientInsightsRequest, FetchClientInsightsResponse, fetch_client_insights_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_list_providers, "before/ListProviders", ListProvidersRequest, ListProvidersResponse, list_providers_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_gateway_reconcile_provider, "before/ReconcileProvider", ReconcileProviderRequest, ReconcileProviderResponse, reconcile_provider_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_gateway_fetch_generic, "before/FetchGeneric", FetchGenericRequest, FetchDocumentResponse, fetch_document_response, CLIENT_ONCE)
// clang-format on
