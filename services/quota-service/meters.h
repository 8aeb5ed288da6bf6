/*
 * meters.h - the meters there are, as rows.
 *
 * A meter is a counted monthly budget of a provider. Its number is its row: the core counts
 * by number, the wire and the ledger by name, so rows may be added but a name never changes.
 */
#ifndef METERS_H
#define METERS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "core/base.h"

#define METERS_MAX  16
#define METERS_NONE METERS_MAX

struct meter {
    const char *name;         /* "modash.reports" */
    const char *unit;         /* "report" */
    int64_t unit_price_milli; /* credits a unit costs, in thousandths */
    size_t budget_offset;     /* of its monthly number of units in struct quota_config */
};

extern const struct meter METERS[];
extern const unsigned METER_COUNT;

/* The number of the meter with this name, or METERS_NONE. */
unsigned meters_find(const char *name);

/* Its monthly budget in thousandths of a credit. */
int64_t meters_limit_milli(unsigned meter, const struct quota_config *config);

#endif /* METERS_H */
