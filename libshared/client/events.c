#include "client/events.h"

// clang-format off
CLIENT_CALL_DEFINE(client_events_since, "EventsService/Since", SinceRequest, SinceResponse, since_response, CLIENT_REPEATABLE)
// clang-format on
