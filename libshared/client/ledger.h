/*
 * ledger.h - LedgerService: what quota-service stores with cache-service.
 *
 * One function a method; the contract of each stands at it in ledger.proto.
 */
#ifndef CLIENT_LEDGER_H
#define CLIENT_LEDGER_H

#include "client/client.h"
#include "metercache/v1/ledger.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_ledger_open_ledger, OpenLedgerRequest, OpenLedgerResponse);
CLIENT_CALL_DECLARE(client_ledger_commit_batch, CommitBatchRequest, CommitBatchResponse);
CLIENT_CALL_DECLARE(client_ledger_get_batch, GetBatchRequest, GetBatchResponse);
CLIENT_CALL_DECLARE(client_ledger_list_open_reservations, ListOpenReservationsRequest, ListOpenReservationsResponse);
CLIENT_CALL_DECLARE(client_ledger_get_operations, GetOperationsRequest, GetOperationsResponse);
// clang-format on

#endif /* CLIENT_LEDGER_H */
