#include "client/quota.h"

// clang-format off
CLIENT_CALL_DEFINE(client_quota_reserve, "QuotaService/Reserve", ReserveRequest, ReserveResponse, reserve_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_settle, "QuotaService/Settle", SettleRequest, SettleResponse, settle_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_void, "QuotaService/VoidReservation", VoidRequest, VoidResponse, void_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_submit, "QuotaService/Submit", SubmitRequest, SubmitResponse, submit_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_get_usage, "QuotaService/GetUsage", GetUsageRequest, GetUsageResponse, get_usage_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_get_usage_history, "QuotaService/GetUsageHistory", GetUsageHistoryRequest, GetUsageHistoryResponse, get_usage_history_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_get_operation, "QuotaService/GetOperation", GetOperationRequest, GetOperationResponse, get_operation_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_list_unknown, "QuotaService/ListUnknown", ListUnknownRequest, ListUnknownResponse, list_unknown_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_correct_unknown, "QuotaService/CorrectUnknown", CorrectUnknownRequest, CorrectUnknownResponse, correct_unknown_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_set_limit, "QuotaService/SetLimit", SetLimitRequest, SetLimitResponse, set_limit_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_list_limits, "QuotaService/ListLimits", ListLimitsRequest, ListLimitsResponse, list_limits_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_list_thresholds, "QuotaService/ListThresholds", ListThresholdsRequest, ListThresholdsResponse, list_thresholds_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_quota_verify_ledger, "QuotaService/VerifyLedger", VerifyLedgerRequest, VerifyLedgerResponse, verify_ledger_response, CLIENT_REPEATABLE)
// clang-format on
