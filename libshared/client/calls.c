#include "client/calls.h"

// clang-format off
CLIENT_CALL_DEFINE(client_calls_list_calls, "CallLogService/ListCalls", ListCallsRequest, ListCallsResponse, list_calls_response, CLIENT_REPEATABLE)
// clang-format on
