/*
 * periods.h - months as intervals [start, end) in UTC, and nothing else.
 *
 * A period begins at 00:00 UTC on its anchor day, 1 to 31, clamped to the month's last day.
 * Every boundary is computed from the anchor itself, never from a clamped one: with anchor
 * 31 the starts are Jan 31, Feb 28 or 29, Mar 31. Day 1 is the calendar month.
 *
 * Pure. Times are unix microseconds from 1970 to the year 9999.
 */
#ifndef PERIODS_H
#define PERIODS_H

#include <stdint.h>

#define PERIODS_ANCHOR_MAX 31

struct period {
    int64_t start_us;
    int64_t end_us; /* exclusive */
};

/* The period that holds at_us. */
struct period periods_containing(unsigned anchor_day, int64_t at_us);

/* The period that begins at start_us and ends at the next boundary after it: a whole month
 * when start_us is a boundary of this anchor, shorter after the anchor was changed. */
struct period periods_from(unsigned anchor_day, int64_t start_us);

#endif /* PERIODS_H */
