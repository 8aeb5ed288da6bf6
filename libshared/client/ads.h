/*
 * ads.h - AdsService: ad accounts and their synced objects.
 *
 * One function a method; the contract of each stands at it in ads.proto.
 */
#ifndef CLIENT_ADS_H
#define CLIENT_ADS_H

#include "client/client.h"
#include "metercache/v1/ads.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_ads_list_campaigns, ListCampaignsRequest, ListCampaignsResponse);
CLIENT_CALL_DECLARE(client_ads_list_ad_sets, ListAdSetsRequest, ListAdSetsResponse);
CLIENT_CALL_DECLARE(client_ads_list_ads, ListAdsRequest, ListAdsResponse);
CLIENT_CALL_DECLARE(client_ads_sync_ad_account, SyncAdAccountRequest, SyncAdAccountResponse);
CLIENT_CALL_DECLARE(client_ads_sync_due_ad_accounts, SyncDueAdAccountsRequest, SyncDueAdAccountsResponse);
CLIENT_CALL_DECLARE(client_ads_get_sync_status, GetSyncStatusRequest, GetSyncStatusResponse);
CLIENT_CALL_DECLARE(client_ads_list_syncs, ListSyncsRequest, ListSyncsResponse);
CLIENT_CALL_DECLARE(client_ads_get_ad_statistics, GetAdStatisticsRequest, GetAdStatisticsResponse);
CLIENT_CALL_DECLARE(client_ads_put_ad_account, PutAdAccountRequest, PutAdAccountResponse);
CLIENT_CALL_DECLARE(client_ads_remove_ad_account, RemoveAdAccountRequest, RemoveAdAccountResponse);
CLIENT_CALL_DECLARE(client_ads_list_ad_accounts, ListAdAccountsRequest, ListAdAccountsResponse);
// clang-format on

#endif /* CLIENT_ADS_H */
