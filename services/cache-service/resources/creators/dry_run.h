/*
 * dry_run.h - what a dry run says when only a provider call could answer.
 */
#ifndef CREATORS_DRY_RUN_H
#define CREATORS_DRY_RUN_H

#include "core/error.h"

/* ST_PRECONDITION, reason DRY_RUN; `effect` says what would have been done. */
static inline enum status dry_run_refuse(const char *effect, struct error *err)
{
    (void)error_set(err, ST_PRECONDITION, "dry run: %s", effect);
    return error_reason(err, "DRY_RUN");
}

#endif /* CREATORS_DRY_RUN_H */
