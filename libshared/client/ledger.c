#include "client/ledger.h"

// clang-format off
CLIENT_CALL_DEFINE(client_ledger_open_ledger, "LedgerService/OpenLedger", OpenLedgerRequest, OpenLedgerResponse, open_ledger_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_ledger_commit_batch, "LedgerService/CommitBatch", CommitBatchRequest, CommitBatchResponse, commit_batch_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_ledger_get_batch, "LedgerService/GetBatch", GetBatchRequest, GetBatchResponse, get_batch_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ledger_list_open_reservations, "LedgerService/ListOpenReservations", ListOpenReservationsRequest, ListOpenReservationsResponse, list_open_reservations_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ledger_get_operations, "LedgerService/GetOperations", GetOperationsRequest, GetOperationsResponse, get_operations_response, CLIENT_REPEATABLE)
// clang-format on
