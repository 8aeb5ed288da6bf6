#include "alert_event_rpc.h"

#include "metercache/v1/events.pb-c.h"

#define TOPIC          "quota.threshold"
#define EVENT_SIZE_MAX 256 /* eleven numbers and a meter's name */

void alert_event_publish(struct rpc_publisher *publisher, const struct quota_alert *alert)
{
    Metercache__V1__ThresholdCrossedEvent event =
        METERCACHE__V1__THRESHOLD_CROSSED_EVENT__INIT;
    uint8_t packed[EVENT_SIZE_MAX];

    event.meter = (char *)(uintptr_t)METERS[alert->meter].name; /* packed, not written */
    event.percent = alert->percent;
    event.limit_milli = alert->limit_milli;
    event.posted_milli = alert->posted_milli;
    event.held_milli = alert->held_milli;
    event.period_start_us = alert->period.start_us;
    event.period_end_us = alert->period.end_us;
    event.kind = (Metercache__V1__AlertKind)alert->kind;
    event.sequence = alert->sequence;
    event.amount_milli = alert->amount_milli;
    event.at_us = alert->at_us;
    if (metercache__v1__threshold_crossed_event__get_packed_size(&event) > sizeof(packed))
        return;
    rpc_publish(publisher, TOPIC, packed,
                metercache__v1__threshold_crossed_event__pack(&event, packed));
}
