/*
 * events.h - EventsService: the journal behind the events.
 *
 * One function a method; the contract of each stands at it in events.proto.
 */
#ifndef CLIENT_EVENTS_H
#define CLIENT_EVENTS_H

#include "client/client.h"
#include "metercache/v1/events.pb-c.h"

// clang-format off
CLIENT_CALL_DECLARE(client_events_since, SinceRequest, SinceResponse);
// clang-format on

#endif /* CLIENT_EVENTS_H */
