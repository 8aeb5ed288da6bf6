#include "meters.h"

#include <string.h>

#define BUDGET(field) offsetof(struct quota_config, field)

// clang-format off
const struct meter METERS[] = {
    {"modash.discovery", "result",       10, BUDGET(discovery_results_per_month)},
    {"modash.reports",   "report",     1000, BUDGET(reports_per_month)},
    {"clay.enrichment",  "enrichment", 1000, BUDGET(enrichments_per_month)},
};
// clang-format on

const unsigned METER_COUNT = COUNT_OF(METERS);
_Static_assert(COUNT_OF(METERS) <= METERS_MAX, "METERS_MAX is the core's bound");

unsigned meters_find(const char *name)
{
    for (unsigned i = 0; i < METER_COUNT; i++) {
        if (strcmp(METERS[i].name, name) == 0)
            return i;
    }
    return METERS_NONE;
}

int64_t meters_limit_milli(unsigned meter, const struct quota_config *config)
{
    uint64_t units;

    memcpy(&units, (const char *)config + METERS[meter].budget_offset, sizeof(units));
    return (int64_t)units * METERS[meter].unit_price_milli;
}
