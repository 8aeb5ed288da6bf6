/*
 * error.h - what went wrong, in words and in fields a machine can act on.
 *
 * A function that can fail returns `enum status` and fills the caller's struct error,
 * which lives on the caller's stack and owns nothing. Messages are lower case, one line,
 * with values in single quotes, and name what the operator or caller can act on. Text is
 * cut at the array's end, never overrun; control characters and bytes that are no UTF-8
 * become '?', so that a message may be logged or sent as it stands.
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "core/status.h"

#define ERROR_VIOLATIONS_MAX 8

/* One limit that refused an operation (google.rpc.QuotaFailure.Violation). */
struct error_violation {
    char subject[64];     /* the limit, such as "modash.reports" */
    int64_t left_milli;   /* what could still be taken, in thousandths of a credit */
    int64_t resets_at_us; /* unix time at which it resets; 0 when it does not */
};

struct error {
    enum status status;
    char message[384];
    char reason[48];         /* stable upper-case word for programs; may be empty */
    char field[96];          /* request field at fault (BadRequest); may be empty */
    uint64_t retry_after_ms; /* 0: no hint */
    size_t violation_count;
    struct error_violation violations[ERROR_VIOLATIONS_MAX];
};

#define ERROR_NONE ((struct error){.status = ST_OK})

/* Start a new error: clears every field, sets status and message; returns the status.
 * ST_OK is no error and becomes ST_INTERNAL. Arguments may point into *err. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ST_INVALID that names the request field at fault, such as "filters.influencer.age". */
enum status error_field(struct error *err, const char *field, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ST_EXHAUSTED: the request's arena is at its limit. */
enum status error_out_of_arena(struct error *err);

/* Put "context: " before the message, keep everything else; returns err->status. */
enum status error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Stable word for programs, such as "METER_SPENT"; returns err->status. */
enum status error_reason(struct error *err, const char *reason);

/* Add one violated limit; the ninth and later are dropped. */
void error_add_violation(struct error *err, const char *subject, int64_t left_milli,
                         int64_t resets_at_us);

#endif /* CORE_ERROR_H */
