/*
 * usage.h - the committed state of every counter, for readers.
 *
 * The writer merges each committed batch's counters; GetUsage reads. Both under a lock of
 * its own, held for copying only.
 */
#ifndef USAGE_H
#define USAGE_H

#include <pthread.h>
#include <stddef.h>

#include "counters.h"

struct usage {
    pthread_mutex_t mutex;
    struct quota_counter rows[COUNTERS_MAX];
    size_t count;
};

void usage_init(struct usage *usage);
void usage_done(struct usage *usage);

/* Forget what was known and take these. */
void usage_set(struct usage *usage, const struct quota_counter *rows, size_t count);
/* Rows known are replaced, others added; without room the oldest period goes. */
void usage_merge(struct usage *usage, const struct quota_counter *rows, size_t count);

/* The meter's row of the period that holds at_us. False: none is known. */
bool usage_at(struct usage *usage, uint32_t meter, int64_t at_us,
              struct quota_counter *out) MUST_USE;

#endif /* USAGE_H */
