/*
 * creators.h - CreatorService: search, select, enrich, and what is known of a creator.
 *
 * One function a method; the contract of each stands at it in creators.proto.
 */
#ifndef CLIENT_CREATORS_H
#define CLIENT_CREATORS_H

#include "client/client.h"
#include "metercache/v1/creators.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_creators_search, SearchRequest, SearchResponse);
CLIENT_CALL_DECLARE(client_creators_get_creator, GetCreatorRequest, GetCreatorResponse);
CLIENT_CALL_DECLARE(client_creators_select_creator, SelectCreatorRequest, SelectCreatorResponse);
CLIENT_CALL_DECLARE(client_creators_enrich_creator, EnrichCreatorRequest, EnrichCreatorResponse);
CLIENT_CALL_DECLARE(client_creators_list_searches, ListSearchesRequest, ListSearchesResponse);
CLIENT_CALL_DECLARE(client_creators_match_creators, MatchCreatorsRequest, MatchCreatorsResponse);
CLIENT_CALL_DECLARE(client_creators_select_creators, SelectCreatorsRequest, SelectCreatorsResponse);
CLIENT_CALL_DECLARE(client_creators_list_similar_creators, ListSimilarCreatorsRequest, ListSimilarCreatorsResponse);
CLIENT_CALL_DECLARE(client_creators_get_search_trends, GetSearchTrendsRequest, GetSearchTrendsResponse);
// clang-format on

#endif /* CLIENT_CREATORS_H */
