#include "resources/events_rpc.h"

#include <stdio.h>

#include "metercache/v1/events.pb-c.h"
#include "rpc/events.h"

#define TOPIC_SIZE 64
#define PACKED_MAX 1024

void events_filled(struct rpc_publisher *publisher, const char *kind, const char *key,
                   int64_t fetched_at_us)
{
    Metercache__V1__FilledEvent event = METERCACHE__V1__FILLED_EVENT__INIT;
    Metercache__V1__EntryRef entry = METERCACHE__V1__ENTRY_REF__INIT;
    uint8_t packed[PACKED_MAX];
    char topic[TOPIC_SIZE];

    if (publisher == NULL)
        return;
    entry.kind = (char *)kind;
    entry.key = (char *)key;
    event.entry = &entry;
    event.fetched_at_us = fetched_at_us;
    if (metercache__v1__filled_event__get_packed_size(&event) > sizeof(packed))
        return; /* keys are bounded far below this */
    size_t size = metercache__v1__filled_event__pack(&event, packed);
    (void)snprintf(topic, sizeof(topic), "filled.%s", kind);
    rpc_publish(publisher, topic, packed, size);
}
