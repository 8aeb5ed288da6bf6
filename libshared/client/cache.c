#include "client/cache.h"

// clang-format off
CLIENT_CALL_DEFINE(client_cache_get_entry, "CacheService/GetEntry", GetEntryRequest, GetEntryResponse, get_entry_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_get_entries, "CacheService/GetEntries", GetEntriesRequest, GetEntriesResponse, get_entries_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_list_entries, "CacheService/ListEntries", ListEntriesRequest, ListEntriesResponse, list_entries_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_invalidate, "CacheService/Invalidate", InvalidateRequest, InvalidateResponse, invalidate_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_get_cache_stats, "CacheService/GetCacheStats", GetCacheStatsRequest, GetCacheStatsResponse, get_cache_stats_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_list_hit_history, "CacheService/ListHitHistory", ListHitHistoryRequest, ListHitHistoryResponse, list_hit_history_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_list_policies, "CacheService/ListPolicies", ListPoliciesRequest, ListPoliciesResponse, list_policies_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_set_policy, "CacheService/SetPolicy", SetPolicyRequest, SetPolicyResponse, set_policy_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_cache_list_refreshes, "CacheService/ListRefreshes", ListRefreshesRequest, ListRefreshesResponse, list_refreshes_response, CLIENT_REPEATABLE)
// clang-format on
