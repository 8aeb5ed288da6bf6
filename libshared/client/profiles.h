/*
 * profiles.h - ProfileService: connected profiles and their update runs.
 *
 * One function a method; the contract of each stands at it in profiles.proto.
 */
#ifndef CLIENT_PROFILES_H
#define CLIENT_PROFILES_H

#include "client/client.h"
#include "metercache/v1/profiles.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_profiles_find_accounts, FindAccountsRequest, FindAccountsResponse);
CLIENT_CALL_DECLARE(client_profiles_connect_profile, ConnectProfileRequest, ConnectProfileResponse);
CLIENT_CALL_DECLARE(client_profiles_disconnect_profile, DisconnectProfileRequest, DisconnectProfileResponse);
CLIENT_CALL_DECLARE(client_profiles_get_profile, GetProfileRequest, GetProfileResponse);
CLIENT_CALL_DECLARE(client_profiles_list_profiles, ListProfilesRequest, ListProfilesResponse);
CLIENT_CALL_DECLARE(client_profiles_refresh_profile, RefreshProfileRequest, RefreshProfileResponse);
CLIENT_CALL_DECLARE(client_profiles_set_profile_priority, SetProfilePriorityRequest, SetProfilePriorityResponse);
CLIENT_CALL_DECLARE(client_profiles_start_profile_update, StartProfileUpdateRequest, StartProfileUpdateResponse);
CLIENT_CALL_DECLARE(client_profiles_get_profile_update, GetProfileUpdateRequest, GetProfileUpdateResponse);
CLIENT_CALL_DECLARE(client_profiles_cancel_profile_update, CancelProfileUpdateRequest, CancelProfileUpdateResponse);
CLIENT_CALL_DECLARE(client_profiles_list_profile_updates, ListProfileUpdatesRequest, ListProfileUpdatesResponse);
CLIENT_CALL_DECLARE(client_profiles_list_profile_fetches, ListProfileFetchesRequest, ListProfileFetchesResponse);
CLIENT_CALL_DECLARE(client_profiles_list_profile_credits, ListProfileCreditsRequest, ListProfileCreditsResponse);
CLIENT_CALL_DECLARE(client_profiles_get_profile_statistics, GetProfileStatisticsRequest, GetProfileStatisticsResponse);
CLIENT_CALL_DECLARE(client_profiles_list_profile_history, ListProfileHistoryRequest, ListProfileHistoryResponse);
CLIENT_CALL_DECLARE(client_profiles_list_similar_profiles, ListSimilarProfilesRequest, ListSimilarProfilesResponse);
// clang-format on

#endif /* CLIENT_PROFILES_H */
