/*
 * clock.h - the only reader of the system clocks.
 *
 * Wall time is unix microseconds (UTC); monotonic time is for durations and deadlines.
 * Pure modules take `now_us` as a value and never include this file.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_US_PER_SECOND 1000000LL
#define CLOCK_US_PER_MS     1000LL

int64_t clock_wall_us(void);
uint64_t clock_mono_us(void);

/* A monotonic deadline `timeout_ms` from now; saturates at UINT64_MAX. */
uint64_t clock_deadline_ms(uint64_t timeout_ms);
/* Milliseconds until a monotonic deadline, rounded up; 0 when it has passed. */
uint64_t clock_left_ms(uint64_t deadline_us);

/* Absolute CLOCK_MONOTONIC timespec of a monotonic time, for pthread_cond_timedwait
 * on a condition made with condition_init (thread.h). */
struct timespec clock_timespec(uint64_t mono_us);

/* "2026-11-21T11:20:30.123456Z"; any value fits into CLOCK_TEXT_SIZE bytes. */
#define CLOCK_TEXT_SIZE 32
void clock_format_utc(char out[CLOCK_TEXT_SIZE], int64_t unix_us);

#endif /* CORE_CLOCK_H */
