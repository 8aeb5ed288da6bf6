/*
 * report_fields.h - the typed columns of a report, read from the provider's document.
 *
 * Tolerant: a field that is missing or of another type is unknown, never an error. Pure.
 */
#ifndef CREATORS_REPORT_FIELDS_H
#define CREATORS_REPORT_FIELDS_H

#include "core/arena.h"
#include "core/error.h"
#include "store/creators_store.h"

/* Fill all but the document and the times. ST_INVALID when it is no JSON object. */
MUST_USE enum status report_fields_read(struct creator_report *out, const char *document,
                                        struct arena *arena, struct error *err);

#endif /* CREATORS_REPORT_FIELDS_H */
