/*
 * report_body.h - the full report about one creator, 100 to 400 kB of JSON.
 *
 * Pure: the same creator on the same day gives the same bytes.
 */
#ifndef SIMULATOR_REPORT_BODY_H
#define SIMULATOR_REPORT_BODY_H

#include <stdint.h>

#include "dice.h"
#include "population.h"
#include "text.h"

/* Append the whole body. `now_s` (unix seconds) dates the posts; the day counts, not more. */
void report_body_print(const struct population *population, const struct creator *creator,
                       int64_t now_s, struct text *out);

/* What report_body.c is made of: each appends one or more members, after a comma. */
void report_posts_print(const struct creator *creator, struct dice *dice, int64_t now_s,
                        struct text *out);
void report_audience_print(const struct population *population,
                           const struct creator *creator, struct dice *dice,
                           const char *name, struct text *out);

#endif
