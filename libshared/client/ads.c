#include "client/ads.h"

// clang-format off
CLIENT_CALL_DEFINE(client_ads_list_campaigns, "AdsService/ListCampaigns", ListCampaignsRequest, ListCampaignsResponse, list_campaigns_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_list_ad_sets, "AdsService/ListAdSets", ListAdSetsRequest, ListAdSetsResponse, list_ad_sets_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_list_ads, "AdsService/ListAds", ListAdsRequest, ListAdsResponse, list_ads_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_sync_ad_account, "AdsService/SyncAdAccount", SyncAdAccountRequest, SyncAdAccountResponse, sync_ad_account_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_ads_sync_due_ad_accounts, "AdsService/SyncDueAdAccounts", SyncDueAdAccountsRequest, SyncDueAdAccountsResponse, sync_due_ad_accounts_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_ads_get_sync_status, "AdsService/GetSyncStatus", GetSyncStatusRequest, GetSyncStatusResponse, get_sync_status_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_list_syncs, "AdsService/ListSyncs", ListSyncsRequest, ListSyncsResponse, list_syncs_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_get_ad_statistics, "AdsService/GetAdStatistics", GetAdStatisticsRequest, GetAdStatisticsResponse, get_ad_statistics_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_put_ad_account, "AdsService/PutAdAccount", PutAdAccountRequest, PutAdAccountResponse, put_ad_account_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_remove_ad_account, "AdsService/RemoveAdAccount", RemoveAdAccountRequest, RemoveAdAccountResponse, remove_ad_account_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ads_list_ad_accounts, "AdsService/ListAdAccounts", ListAdAccountsRequest, ListAdAccountsResponse, list_ad_accounts_response, CLIENT_REPEATABLE)
// clang-format on
