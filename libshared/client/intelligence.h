/*
 * intelligence.h - IntelligenceService: computed analytics of talents.
 *
 * One function a method; the contract of each stands at it in intelligence.proto.
 */
#ifndef CLIENT_INTELLIGENCE_H
#define CLIENT_INTELLIGENCE_H

#include "client/client.h"
#include "metercache/v1/intelligence.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_intelligence_get_talent_analytics, GetTalentAnalyticsRequest, GetTalentAnalyticsResponse);
CLIENT_CALL_DECLARE(client_intelligence_refresh_talent_analytics, RefreshTalentAnalyticsRequest, RefreshTalentAnalyticsResponse);
CLIENT_CALL_DECLARE(client_intelligence_list_admin_activity, ListAdminActivityRequest, ListAdminActivityResponse);
CLIENT_CALL_DECLARE(client_intelligence_put_talent, PutTalentRequest, PutTalentResponse);
CLIENT_CALL_DECLARE(client_intelligence_put_talent_posts, PutTalentPostsRequest, PutTalentPostsResponse);
CLIENT_CALL_DECLARE(client_intelligence_put_talent_comments, PutTalentCommentsRequest, PutTalentCommentsResponse);
CLIENT_CALL_DECLARE(client_intelligence_put_talent_history, PutTalentHistoryRequest, PutTalentHistoryResponse);
CLIENT_CALL_DECLARE(client_intelligence_remove_talent, RemoveTalentRequest, RemoveTalentResponse);
CLIENT_CALL_DECLARE(client_intelligence_list_talents, ListTalentsRequest, ListTalentsResponse);
// clang-format on

#endif /* CLIENT_INTELLIGENCE_H */
