#include "client/ledger.h"

// clang-format off
CLIENT_CALL_DEFINE(client_ledger_open_ledger, "keeps/OpenLedger", OpenLedgerRequest, OpenLedgerResponse, open_ledger_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_ledger_commit_batch, "keeps/CommitBatch", CommitBatchRequest, CommitBatchResponse, commit_batch_response, CLIENT_ONCE)
CLIENT_CALL_DEFINE(client_ledger_get_batch, "keeps/GetBatch", GetBatchRequest, GetBatchResponse, get_batch_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ledger_list_open_reservations, "keeps/ListOpenReservations", ListOpenReservationsRequest, ListOpenReservationsResponse, list_open_reservations_response, CLIENT_REPEATABLE)
CLIENT_CALL_DEFINE(client_ledger_get_operations, "keeps/GetOperations", GetOperationsRequest, GetOperationsResponse, get_operations_response, CLIENT_REPEATABLE)
// clang-format on
