/*
 * calls.h - CallLogService: the log of provider calls.
 *
 * One function a method; the contract of each stands at it in calls.proto.
 */
#ifndef CLIENT_CALLS_H
#define CLIENT_CALLS_H

#include "client/client.h"
#include "metercache/v1/calls.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_calls_list_calls, ListCallsRequest, ListCallsResponse);
// clang-format on

#endif /* CLIENT_CALLS_H */
