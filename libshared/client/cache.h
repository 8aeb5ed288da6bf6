/*
 * cache.h - CacheService: entries, policies and invalidation of the cache engine.
 *
 * One function a method; the contract of each stands at it in cache.proto.
 */
#ifndef CLIENT_CACHE_H
#define CLIENT_CACHE_H

#include "client/client.h"
#include "metercache/v1/cache.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_cache_get_entry, GetEntryRequest, GetEntryResponse);
CLIENT_CALL_DECLARE(client_cache_get_entries, GetEntriesRequest, GetEntriesResponse);
CLIENT_CALL_DECLARE(client_cache_list_entries, ListEntriesRequest, ListEntriesResponse);
CLIENT_CALL_DECLARE(client_cache_invalidate, InvalidateRequest, InvalidateResponse);
CLIENT_CALL_DECLARE(client_cache_get_cache_stats, GetCacheStatsRequest, GetCacheStatsResponse);
CLIENT_CALL_DECLARE(client_cache_list_hit_history, ListHitHistoryRequest, ListHitHistoryResponse);
CLIENT_CALL_DECLARE(client_cache_list_policies, ListPoliciesRequest, ListPoliciesResponse);
CLIENT_CALL_DECLARE(client_cache_set_policy, SetPolicyRequest, SetPolicyResponse);
CLIENT_CALL_DECLARE(client_cache_list_refreshes, ListRefreshesRequest, ListRefreshesResponse);
// clang-format on

#endif /* CLIENT_CACHE_H */
