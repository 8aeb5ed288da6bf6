/*
 * alert_event_rpc.h - an alert as an event on pub/sub (topic "quota.threshold").
 */
#ifndef ALERT_EVENT_RPC_H
#define ALERT_EVENT_RPC_H

#include "batch.h"
#include "rpc/events.h"

/* Never blocks. */
void alert_event_publish(struct rpc_publisher *publisher, const struct quota_alert *alert);

#endif /* ALERT_EVENT_RPC_H */
