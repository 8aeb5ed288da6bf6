#include "provider.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/thread.h"

enum metric { METRIC_CALLS, METRIC_FAILURES, METRIC_SECONDS };

void provider_init(struct provider *provider, const struct provider_description *is)
{
    memset(provider, 0, sizeof(*provider));
    provider->is = *is;
    mutex_init(&provider->lock);
    (void)snprintf(provider->labels, sizeof(provider->labels), "provider=\"%s\"", is->name);
    for (size_t i = 0; i < PROVIDER_METRICS; i++)
        provider->metrics[i].labels = provider->labels;
    provider->metrics[METRIC_CALLS].name = "metercache_provider_calls_total";
    provider->metrics[METRIC_CALLS].help = "Calls made to a provider.";
    provider->metrics[METRIC_CALLS].kind = STATS_COUNTER;
    provider->metrics[METRIC_FAILURES].name = "metercache_provider_failures_total";
    provider->metrics[METRIC_FAILURES].help = "Calls that failed on the provider's side.";
    provider->metrics[METRIC_FAILURES].kind = STATS_COUNTER;
    provider->metrics[METRIC_SECONDS].name = "metercache_provider_call_seconds";
    provider->metrics[METRIC_SECONDS].help = "Time a provider took to answer.";
    provider->metrics[METRIC_SECONDS].kind = STATS_HISTOGRAM;
    stats_register(provider->metrics, PROVIDER_METRICS);
}

void provider_done(struct provider *provider)
{
    stats_unregister(provider->metrics);
    mutex_done(&provider->lock);
}

bool provider_has_key(const struct provider *provider)
{
    return provider->is.key.value[0] != '\0';
}

void provider_begin(struct provider *provider)
{
    mutex_lock(&provider->lock);
    provider->record.inflight++;
    provider->record.calls++;
    mutex_unlock(&provider->lock);
    stats_add(&provider->metrics[METRIC_CALLS], 1);
}

void provider_end(struct provider *provider, uint64_t latency_us, const char *error)
{
    struct provider_record *record = &provider->record;

    stats_observe_us(&provider->metrics[METRIC_SECONDS], latency_us);
    if (error != NULL)
        stats_add(&provider->metrics[METRIC_FAILURES], 1);
    mutex_lock(&provider->lock);
    record->inflight--;
    if (error != NULL) {
        record->failures++;
        record->last_error_at_us = clock_wall_us();
        (void)snprintf(record->last_error, sizeof(record->last_error), "%s", error);
    }
    mutex_unlock(&provider->lock);
}

void provider_read_record(struct provider *provider, struct provider_record *out)
{
    mutex_lock(&provider->lock);
    *out = provider->record;
    mutex_unlock(&provider->lock);
}
