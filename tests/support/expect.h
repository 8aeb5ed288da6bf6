/*
 * expect.h - assertions in this product's words, and waiting without sleeping blindly.
 *
 * A failed assertion ends the test, as cmocka's do. From the test's own thread only.
 */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/error.h"
#include "support/test.h"

/* The call ended so; prints what the error says when it did not. */
#define assert_status(status, err, wanted) \
    expect_status((status), (err), (wanted), __FILE__, __LINE__)
#define assert_ok(status, err) assert_status((status), (err), ST_OK)

/* Poll until the condition holds; the test fails when it does not within that time. */
#define assert_eventually(condition, timeout_ms)                              \
    do {                                                                      \
        const uint64_t wait_until_us_ = clock_deadline_ms(timeout_ms);        \
        while (!(condition))                                                  \
            expect_time_left(wait_until_us_, #condition, __FILE__, __LINE__); \
    } while (0)

/* low <= value <= high */
#define assert_between(value, low, high) assert_in_range((value), (low), (high))

/* The error names a field that begins with this. */
#define assert_field(err, wanted) expect_field((err), (wanted), __FILE__, __LINE__)

void expect_status(enum status status, const struct error *err, enum status wanted,
                   const char *file, int line);
void expect_field(const struct error *err, const char *wanted, const char *file, int line);

/* Pauses a little; fails the test once the deadline has passed. */
void expect_time_left(uint64_t deadline_us, const char *what, const char *file, int line);

#endif /* SUPPORT_EXPECT_H */
