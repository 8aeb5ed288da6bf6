/*
 * quota.h - QuotaService: budgets: reserve, settle, void; usage and limits.
 *
 * One function a method; the contract of each stands at it in quota.proto. Many operations at
 * once: quota_batch.h.
 */
#ifndef CLIENT_QUOTA_H
#define CLIENT_QUOTA_H

#include "client/client.h"
#include "metercache/v1/quota.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_quota_reserve, ReserveRequest, ReserveResponse);
CLIENT_CALL_DECLARE(client_quota_settle, SettleRequest, SettleResponse);
CLIENT_CALL_DECLARE(client_quota_void, VoidRequest, VoidResponse);
CLIENT_CALL_DECLARE(client_quota_submit, SubmitRequest, SubmitResponse);
CLIENT_CALL_DECLARE(client_quota_get_usage, GetUsageRequest, GetUsageResponse);
CLIENT_CALL_DECLARE(client_quota_get_usage_history, GetUsageHistoryRequest, GetUsageHistoryResponse);
CLIENT_CALL_DECLARE(client_quota_get_operation, GetOperationRequest, GetOperationResponse);
CLIENT_CALL_DECLARE(client_quota_list_unknown, ListUnknownRequest, ListUnknownResponse);
CLIENT_CALL_DECLARE(client_quota_correct_unknown, CorrectUnknownRequest, CorrectUnknownResponse);
CLIENT_CALL_DECLARE(client_quota_set_limit, SetLimitRequest, SetLimitResponse);
CLIENT_CALL_DECLARE(client_quota_list_limits, ListLimitsRequest, ListLimitsResponse);
CLIENT_CALL_DECLARE(client_quota_list_thresholds, ListThresholdsRequest, ListThresholdsResponse);
CLIENT_CALL_DECLARE(client_quota_verify_ledger, VerifyLedgerRequest, VerifyLedgerResponse);
// clang-format on

#endif /* CLIENT_QUOTA_H */
