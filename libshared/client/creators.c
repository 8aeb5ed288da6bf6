#include "client/creators.h"

/* A fetch that failed may have been charged: only a person or a schedule tries it again. */
// clang-format off
CLIENT_CALL_DEFINE(client_creators_search, "CreatorService/Search", SearchRequest, SearchResponse, search_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_creators_get_creator, "CreatorService/GetCreator", GetCreatorRequest, GetCreatorResponse, get_creator_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_creators_select_creator, "CreatorService/SelectCreator", SelectCreatorRequest, SelectCreatorResponse, select_creator_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_creators_enrich_creator, "CreatorService/EnrichCreator", EnrichCreatorRequest, EnrichCreatorResponse, enrich_creator_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_creators_list_searches, "CreatorService/ListSearches", ListSearchesRequest, ListSearchesResponse, list_searches_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_creators_match_creators, "CreatorService/MatchCreators", MatchCreatorsRequest, MatchCreatorsResponse, match_creators_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_creators_select_creators, "CreatorService/SelectCreators", SelectCreatorsRequest, SelectCreatorsResponse, select_creators_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_creators_list_similar_creators, "CreatorService/ListSimilarCreators", ListSimilarCreatorsRequest, ListSimilarCreatorsResponse, list_similar_creators_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_creators_get_search_trends, "CreatorService/GetSearchTrends", GetSearchTrendsRequest, GetSearchTrendsResponse, get_search_trends_response, CLIENT_REPEATABLE)
// clang-format on
